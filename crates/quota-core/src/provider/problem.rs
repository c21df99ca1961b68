//! What of a provider's subscriptions does not fit, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{PlanCode, PriceId, SubscriptionRef};

/// What of a provider's subscriptions does not fit, and changes nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each says in words what it is about")]
pub enum Problem {
    UnknownStatus {
        subscription: SubscriptionRef,
        status: String,
    },
    UnknownPrice {
        subscription: SubscriptionRef,
        price: PriceId,
    },
    NoPeriod {
        subscription: SubscriptionRef,
    },
    SeveralPlans {
        subscription: SubscriptionRef,
        plans: Vec<PlanCode>,
    },
    SeveralSubscriptions {
        subscriptions: Vec<SubscriptionRef>,
    },
    SecondTrial {
        subscription: SubscriptionRef,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStatus {
                subscription,
                status,
            } => {
                write!(
                    f,
                    "subscription `{subscription}` has the unknown status `{status}`"
                )
            }
            Self::UnknownPrice {
                subscription,
                price,
            } => write!(
                f,
                "subscription `{subscription}` has price `{price}`, which stands for nothing in the catalog"
            ),
            Self::NoPeriod { subscription } => {
                write!(f, "subscription `{subscription}` has no period")
            }
            Self::SeveralPlans { subscription, .. } => {
                write!(
                    f,
                    "subscription `{subscription}` has several base plans: the dearest counts"
                )
            }
            Self::SeveralSubscriptions { .. } => {
                f.write_str("several subscriptions are in force: one of them counts")
            }
            Self::SecondTrial { subscription } => {
                write!(
                    f,
                    "subscription `{subscription}` is a second trial of the account"
                )
            }
        }
    }
}
