//! Reservations: what is held until it is committed, released, or its deadline passes (section 9).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::draw::Draw;
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::instant;

/// Longest time that a hold may last, in seconds: 30 days. Longer work is extended on the way.
pub const TTL_SECONDS_MAX: u32 = 2_592_000;

/// Where a reservation stands; every state but `open` is terminal (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReservationState {
    /// Held at every scope, until its deadline.
    Open,
    /// Settled for what was really used (R2).
    Committed,
    /// Given back before its deadline.
    Released,
    /// Ended past its deadline; it may still be committed late (R5).
    Expired,
}

/// A hold at every scope of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its id: that of the operation that made it.
    pub id: Uuid,
    /// The user it is for.
    pub account: AccountId,
    /// The token it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature that is held.
    pub feature: FeatureCode,
    /// How much, in stored units.
    pub amount: u64,
    /// From which balances, in the order of drawing.
    pub draws: Vec<Draw>,
    /// From this instant on it counts 0 (R4).
    pub expires_at: DateTime<Utc>,
    /// Where it stands; past the deadline it may still say `open`, see [`Reservation::is_live`].
    pub state: ReservationState,
    /// The operation that ended it: commit, release or expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Uuid>,
    /// The commit that came after its deadline (R5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_commit: Option<Uuid>,
}

impl Reservation {
    /// What of it a member limit counts, and under which name (O7); none where none bound the member.
    pub fn counted(&self) -> Option<&Draw> {
        self.draws.iter().find(|draw| draw.bucket.is_member())
    }

    /// Whether it holds anything at `now` (R4): open, and before its deadline.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.state == ReservationState::Open && now < self.expires_at
    }
}

/// How a reservation ended, for whoever comes too late (X8).
///
/// ```
/// use quota_core::reservation::{Ending, ReservationState};
///
/// let mut ending = Ending {
///     state: ReservationState::Committed,
///     at: Some("2027-03-10T12:00:00Z".parse()?),
///     used: Some(4),
/// };
/// assert_eq!(
///     ending.to_string(),
///     "was committed at 2027-03-10T12:00:00Z with 4 used"
/// );
/// (ending.state, ending.at, ending.used) = (ReservationState::Expired, None, None);
/// assert_eq!(ending.to_string(), "has expired");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The state that it ended in; `open` for one that has not ended.
    pub state: ReservationState,
    /// When it ended; none where the ledger is no longer at hand.
    pub at: Option<DateTime<Utc>>,
    /// Units that were committed, in time or late.
    pub used: Option<u64>,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            ReservationState::Open => "is open",
            ReservationState::Committed => "was committed",
            ReservationState::Released => "was released",
            ReservationState::Expired => "has expired",
        })?;
        if let Some(at) = self.at {
            write!(f, " at {}", instant::text(&at))?;
        }
        match (self.state, self.used) {
            (ReservationState::Expired, Some(used)) => {
                write!(f, ", and was committed late with {used} used")
            }
            (_, Some(used)) => write!(f, " with {used} used"),
            (_, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R4: a hold past its deadline counts 0 at once, whether or not a sweeper has run.
    #[test]
    fn a_hold_past_its_deadline_is_not_live_though_still_open() {
        let expires_at = DateTime::<Utc>::UNIX_EPOCH;
        let hold = Reservation {
            id: Uuid::nil(),
            account: AccountId::parse("user:a").expect("a literal id"),
            token: None,
            feature: FeatureCode::new("f").expect("a literal code"),
            amount: 1,
            draws: Vec::new(),
            expires_at,
            state: ReservationState::Open,
            ended_by: None,
            late_commit: None,
        };
        assert!(hold.is_live(expires_at - chrono::TimeDelta::microseconds(1)));
        assert!(!hold.is_live(expires_at));
    }
}
