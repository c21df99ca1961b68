//! The ledger of an account, over all homes that it has had.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::LedgerPage;

use crate::reads::PAGE_MAX;
use crate::{Engine, EngineError};

/// A place in an account's ledger, between two pages: in each of its homes, the first that it had first, the sequence
/// before which the next page begins. As text it is numbers with dots between them.
///
/// ```
/// use quota_service::LedgerCursor;
///
/// let place: LedgerCursor = "7.12".parse()?;
/// assert_eq!(place.to_string(), "7.12");
/// assert!("7,12".parse::<LedgerCursor>().is_err());
/// assert!(u64::MAX.to_string().parse::<LedgerCursor>().is_err());
/// # Ok::<(), quota_service::InvalidCursor>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerCursor(Vec<u64>);

/// A text that is no place in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the `next` of a page")]
pub struct InvalidCursor;

impl FromStr for LedgerCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let place = |text: &str| text.parse().ok().filter(|place| *place <= NEWEST);
        let places: Option<Vec<u64>> = text.split('.').map(place).collect();
        places.map(Self).ok_or(InvalidCursor)
    }
}

impl fmt::Display for LedgerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, place) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{place}")?;
        }
        Ok(())
    }
}

/// Where the page of one home begins when nothing of it was shown yet.
const NEWEST: u64 = i64::MAX.unsigned_abs();

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
        let mut places = after.map_or_else(Vec::new, |after| after.0.clone());
        places.resize(homes.len(), NEWEST);
        let mut found = Vec::new();
        for (at, (home, place)) in homes.into_iter().zip(&places).enumerate() {
            let page = LedgerPage {
                home,
                account: account.clone(),
                members: account.kind() == AccountKind::Org,
                before: Some(*place),
                limit,
            };
            // Those of one home stay in their order, although their times may step back a little.
            let mut not_after = DateTime::<Utc>::MAX_UTC;
            for operation in self.storage().ledger(&page).await? {
                not_after = not_after.min(operation.at);
                found.push((not_after, at, operation));
            }
        }
        found.sort_by_key(|(not_after, at, _)| (Reverse(*not_after), Reverse(*at)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_full = limit <= found.len();
        found.truncate(limit);
        for (_, at, operation) in &found {
            if let Some(place) = places.get_mut(*at) {
                *place = (*place).min(operation.sequence);
            }
        }
        let next = is_full.then_some(LedgerCursor(places));
        let operations = found.into_iter().map(|(_, _, operation)| operation);
        Ok((operations.collect(), next))
    }
}
