//! An entry as JSON.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::home::{Account, Books};
use quota_core::ids::AccountId;
use quota_core::ports::CachedHome;
use quota_core::terms::Terms;
use serde::{Deserialize, Serialize};

/// Raised whenever an older program would misread an entry: what has another form is a miss.
const FORM: u32 = 1;

#[derive(Serialize)]
struct EntryOut<'a> {
    form: u32,
    home: &'a AccountId,
    account: &'a AccountId,
    version: u64,
    hold_before: Option<DateTime<Utc>>,
    user: AccountOut<'a>,
    org: Option<AccountOut<'a>>,
}

#[derive(Serialize)]
struct AccountOut<'a> {
    terms: &'a Terms,
    books: &'a Books,
}

impl<'a> AccountOut<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            terms: &account.terms,
            books: &account.books,
        }
    }
}

#[derive(Deserialize)]
struct EntryIn {
    form: u32,
    home: AccountId,
    account: AccountId,
    version: u64,
    hold_before: Option<DateTime<Utc>>,
    user: AccountIn,
    org: Option<AccountIn>,
}

#[derive(Deserialize)]
struct AccountIn {
    terms: Terms,
    books: Books,
}

impl From<AccountIn> for Account {
    fn from(account: AccountIn) -> Self {
        Self {
            terms: account.terms,
            books: account.books,
        }
    }
}

/// The entry as JSON.
pub(crate) fn written(entry: &CachedHome) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&EntryOut {
        form: FORM,
        home: &entry.home,
        account: &entry.account,
        version: entry.version,
        hold_before: entry.hold_before,
        user: AccountOut::of(&entry.user),
        org: entry.org.as_ref().map(AccountOut::of),
    })
}

/// Reads an entry; `None` when it is of another form, or not what the key says.
pub(crate) fn read(json: &[u8], home: &AccountId, account: &AccountId) -> Option<Arc<CachedHome>> {
    let entry: EntryIn = serde_json::from_slice(json).ok()?;
    if entry.form != FORM || entry.home != *home || entry.account != *account {
        return None;
    }
    Some(Arc::new(CachedHome {
        home: entry.home,
        version: entry.version,
        hold_before: entry.hold_before,
        account: entry.account,
        user: entry.user.into(),
        org: entry.org.map(Account::from),
    }))
}
