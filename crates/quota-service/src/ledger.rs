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

/// A place in an account's ledger, between two pages: of each home that was shown already, a mark of its name and the
/// sequence before which the next page begins. It stays right when the account moves between two pages.
///
/// ```
/// use quota_service::LedgerCursor;
///
/// let place: LedgerCursor = "00c0ffee-7.1f2e3d4c-12".parse()?;
/// assert_eq!(place.to_string(), "00c0ffee-7.1f2e3d4c-12");
/// assert!("7".parse::<LedgerCursor>().is_err());
/// assert!("00c0ffee-18446744073709551615".parse::<LedgerCursor>().is_err());
/// # Ok::<(), quota_service::InvalidCursor>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerCursor(BTreeMap<u32, u64>);

/// A text that is no place in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the `next` of a page")]
pub struct InvalidCursor;

impl FromStr for LedgerCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let place = |part: &str| {
            let (mark, sequence) = part.split_once('-')?;
            let mark = u32::from_str_radix(mark, 16).ok()?;
            let sequence = sequence.parse().ok().filter(|place| *place <= NEWEST)?;
            Some((mark, sequence))
        };
        let places: Option<BTreeMap<u32, u64>> = text.split('.').map(place).collect();
        places.map(Self).ok_or(InvalidCursor)
    }
}

impl fmt::Display for LedgerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (mark, sequence)) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{mark:08x}-{sequence}")?;
        }
        Ok(())
    }
}

/// Where the page of one home begins when nothing of it was shown yet.
const NEWEST: u64 = i64::MAX.unsigned_abs();

/// What a home is known by in a cursor.
fn mark(home: &AccountId) -> u32 {
    let hash: [u8; 32] = Sha256::digest(home.as_str()).into();
    let [a, b, c, d, ..] = hash;
    u32::from_be_bytes([a, b, c, d])
}

impl Engine {
    /// A page of an account's operations, newest first, and where the next one begins, if there may be one. An org's has
    /// those of its members; a user's goes on in the homes that it lived in before.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account, [`EngineError::Store`] when it cannot be read.
    pub async fn ledger(
        &self,
        account: &AccountId,
        after: Option<&LedgerCursor>,
        limit: u32,
    ) -> Result<(Vec<Operation>, Option<LedgerCursor>), EngineError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let row = self.account(account).await?;
        let former = row.account.terms.former_homes.into_iter();
        let mut homes: Vec<AccountId> = former.map(|former| former.home).collect();
        homes.push(row.home);
        let mut next = after.cloned().unwrap_or_default();
        let mut found = Vec::new();
        for (at, home) in homes.into_iter().enumerate() {
            let mark = mark(&home);
            let page = LedgerPage {
                home,
                account: account.clone(),
                members: account.kind() == AccountKind::Org,
                before: Some(next.0.get(&mark).copied().unwrap_or(NEWEST)),
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
            let place = next.0.entry(*mark).or_insert(NEWEST);
            *place = (*place).min(operation.sequence);
        }
        let operations = found.into_iter().map(|(_, _, operation)| operation);
        Ok((operations.collect(), is_full.then_some(next)))
    }
}
