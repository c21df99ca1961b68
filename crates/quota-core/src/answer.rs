//! Answers: what a request came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Effect};
use crate::denial::Denial;
use crate::entry::Elsewhere;
use crate::ids::FeatureCode;
use crate::item::Item;
pub use crate::rejection::{Rejection, RejectionClass};
use crate::reservation::ReservationState;
pub use crate::scope_balance::{
    MemberBalance, OnDemandBalance, Released, RoomBalance, ScopeBalance, WindowBalance,
};

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// It was carried out.
    Allowed {
        /// How the scopes stand now.
        balances: Vec<ScopeBalance>,
    },
    /// It holds until the deadline (R1); also the answer to `extend`.
    Reserved {
        /// First instant at which the hold counts no more.
        expires_at: DateTime<Utc>,
        /// How the scopes stand now.
        balances: Vec<ScopeBalance>,
    },
    /// A hold was settled, given back, or found to be past its deadline.
    Settled {
        /// Where the reservation stands.
        state: ReservationState,
        /// Whether it was committed after its deadline (R5).
        #[serde(default)]
        late: bool,
        /// How the scopes stand now.
        balances: Vec<ScopeBalance>,
        /// What was booked of it in another home.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elsewhere: Option<Box<Elsewhere>>,
    },
    /// It was refused for lack of quota: nothing was drawn at any scope.
    Denied {
        /// What was asked for; of several items the one whose denial comes first in F7.
        feature: FeatureCode,
        /// How much of it, in stored units.
        requested: u64,
        /// The first reason that applies (F7), and what would have been enough.
        denial: Denial,
        /// How the scopes stand.
        balances: Vec<ScopeBalance>,
    },
    /// A consumption was reversed.
    Refunded {
        /// What went back at the user, by feature, in stored units.
        items: Vec<Item>,
        /// How the scopes stand now.
        balances: Vec<ScopeBalance>,
        /// What was booked of it in another home.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elsewhere: Option<Box<Elsewhere>>,
    },
    /// Capacity was given back, or there was none to give.
    Released {
        /// How much, at each scope.
        released: Vec<Released>,
        /// How the scopes stand now.
        balances: Vec<ScopeBalance>,
    },
    /// Terms, tokens, grants or windows are now as asked.
    Changed {
        /// Which change it was.
        #[serde(rename = "what")]
        change: Change,
        /// To what, in words for people: `articles: 5`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// What it came to beside that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effect: Option<Effect>,
    },
    /// There was nothing to do. It is booked only under a key, so that a repetition gets the same answer.
    Unchanged,
}

impl Answer {
    /// Whether the request was carried out; a release of capacity that gave nothing back was not. Of a refund its operation
    /// knows: [`Operation::is_allowed`](crate::operation::Operation::is_allowed).
    pub fn is_allowed(&self) -> bool {
        match self {
            Self::Denied { .. } => false,
            Self::Released { released, .. } => released.iter().any(|part| part.amount != 0),
            Self::Allowed { .. }
            | Self::Reserved { .. }
            | Self::Settled { .. }
            | Self::Refunded { .. }
            | Self::Changed { .. }
            | Self::Unchanged => true,
        }
    }

    /// How the scopes stand, where the answer says so.
    pub fn balances(&self) -> &[ScopeBalance] {
        match self {
            Self::Allowed { balances }
            | Self::Reserved { balances, .. }
            | Self::Settled { balances, .. }
            | Self::Refunded { balances, .. }
            | Self::Released { balances, .. }
            | Self::Denied { balances, .. } => balances,
            Self::Changed { .. } | Self::Unchanged => &[],
        }
    }

    /// What was booked of it in another home, since the account had moved.
    pub fn elsewhere(&self) -> Option<&Elsewhere> {
        match self {
            Self::Settled { elsewhere, .. } | Self::Refunded { elsewhere, .. } => {
                elsewhere.as_deref()
            }
            Self::Allowed { .. }
            | Self::Reserved { .. }
            | Self::Denied { .. }
            | Self::Released { .. }
            | Self::Changed { .. }
            | Self::Unchanged => None,
        }
    }
}
