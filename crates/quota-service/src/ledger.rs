//! The ledger of an account, over all homes that it has had.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::LedgerPage;
use sha2::{Digest, Sha256};

use crate::reads::PAGE_MAX;
use crate::{Engine, EngineError};

/// A place in an account's ledger, between two pages: a mark of the account, and of each home that was shown already a mark of
/// its name and the sequence before which the next page begins. It stays right when the account moves between two pages.
///
/// ```
/// use quota_service::LedgerCursor;
///
/// let place: LedgerCursor = "5ca1ab1e.00c0ffee-7.1f2e3d4c-12".parse()?;
/// assert_eq!(place.to_string(), "5ca1ab1e.00c0ffee-7.1f2e3d4c-12");
/// assert!("00c0ffee-7".parse::<LedgerCursor>().is_err());
/// assert!("5ca1ab1e.00c0ffee-18446744073709551615".parse::<LedgerCursor>().is_err());
/// # Ok::<(), quota_service::InvalidCursor>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCursor {
    account: u32,
    places: BTreeMap<u32, u64>,
}

/// A text that is no place in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the `next` of a page")]
pub struct InvalidCursor;

impl FromStr for LedgerCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mark = |text: &str| u32::from_str_radix(text, 16).map_err(|_| InvalidCursor);
        let place = |part: &str| {
            let (home, sequence) = part.split_once('-').ok_or(InvalidCursor)?;
            let sequence = sequence.parse().ok().filter(|place| *place <= NEWEST);
            Ok((mark(home)?, sequence.ok_or(InvalidCursor)?))
        };
        let (account, places) = text.split_once('.').ok_or(InvalidCursor)?;
        let places: Result<BTreeMap<u32, u64>, InvalidCursor> =
            places.split('.').map(place).collect();
        Ok(Self {
            account: mark(account)?,
            places: places?,
        })
    }
}

impl fmt::Display for LedgerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.account)?;
        for (mark, sequence) in &self.places {
            write!(f, ".{mark:08x}-{sequence}")?;
        }
        Ok(())
    }
}

/// Where the page of one home begins when nothing of it was shown yet.
const NEWEST: u64 = i64::MAX.unsigned_abs();

/// What an account or a home is known by in a cursor.
fn mark(id: &AccountId) -> u32 {
    let hash: [u8; 32] = Sha256::digest(id.as_str()).into();
    let [a, b, c, d, ..] = hash;
    u32::from_be_bytes([a, b, c, d])
}

impl Engine {
    /// A page of an account's operations, newest first, and where the next one begins, if there may be one. An org's has
    /// those of its members; a user's goes on in the homes that it lived in before.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account, [`EngineError::OtherLedger`] when `after` is a place in that of
    /// another one, [`EngineError::Store`] when it cannot be read.
    pub async fn ledger(
        &self,
        account: &AccountId,
        after: Option<&LedgerCursor>,
        limit: u32,
    ) -> Result<(Vec<Operation>, Option<LedgerCursor>), EngineError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let row = self.account(account).await?;
        let mut next = after.cloned().unwrap_or_else(|| LedgerCursor {
            account: mark(account),
            places: BTreeMap::new(),
        });
        if next.account != mark(account) {
            return Err(EngineError::OtherLedger);
        }
        let former = row.account.terms.former_homes.into_iter();
        let mut homes: Vec<AccountId> = former.map(|former| former.home).collect();
        homes.push(row.home);
        let mut found = Vec::new();
        for (at, home) in homes.into_iter().enumerate() {
            let mark = mark(&home);
            let page = LedgerPage {
                home,
                account: account.clone(),
                members: account.kind() == AccountKind::Org,
                before: Some(next.places.get(&mark).copied().unwrap_or(NEWEST)),
                limit,
            };
            // Those of one home stay in their order, although their times may step back a little.
            let mut not_after = DateTime::<Utc>::MAX_UTC;
            for operation in self.storage().ledger(&page).await? {
                not_after = not_after.min(operation.at);
                found.push((not_after, (at, mark), operation));
            }
        }
        found.sort_by_key(|(not_after, at, _)| (Reverse(*not_after), Reverse(*at)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_full = limit <= found.len();
        found.truncate(limit);
        for (_, (_, mark), operation) in &found {
            let place = next.places.entry(*mark).or_insert(NEWEST);
            *place = (*place).min(operation.sequence);
        }
        let operations = found.into_iter().map(|(_, _, operation)| operation);
        Ok((operations.collect(), is_full.then_some(next)))
    }
}
