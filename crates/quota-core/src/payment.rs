//! Payments: what was paid, what it bought, and what came back of it (P5, P7 to P11).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::cover;
use crate::ids::{
    AccountId, Currency, FeatureCode, InvalidId, LineRef, PaymentRef, ProviderCode, shard_of,
};
use crate::purchase::PaymentFacts;

pub use crate::came_back::{DisputeStatus, Disputed, RefundStatus, Refunded};

/// Whether a provider moved money, or only tried it out.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentMode {
    /// Money.
    #[default]
    Live,
    /// The provider's place for tests.
    Test,
}

impl PaymentMode {
    /// The mode as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// An id by which a provider names a payment: the one that it is kept by, or an alias of it (P7).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId {
    /// Who took the payment.
    pub provider: ProviderCode,
    /// Whether it was money.
    pub mode: PaymentMode,
    /// As the provider names it.
    pub payment: PaymentRef,
}

impl PaymentId {
    /// The shard of this id, from 0 to 63, the same for ever, since it is stored.
    ///
    /// ```
    /// use quota_core::ids::{PaymentRef, ProviderCode};
    /// use quota_core::payment::{PaymentId, PaymentMode};
    ///
    /// let id = PaymentId {
    ///     provider: ProviderCode::new("stripe")?,
    ///     mode: PaymentMode::Live,
    ///     payment: PaymentRef::new("cs_1")?,
    /// };
    /// assert_eq!(id.shard(), 48);
    /// assert_eq!(id.to_string(), "stripe:live:cs_1");
    /// assert_eq!("stripe:live:cs_1".parse(), Ok(id));
    /// # Ok::<(), quota_core::ids::InvalidId>(())
    /// ```
    pub fn shard(&self) -> u8 {
        shard_of(&self.to_string())
    }

    /// Another id of the same provider and mode.
    #[must_use]
    pub fn alias(&self, payment: PaymentRef) -> Self {
        Self {
            payment,
            ..self.clone()
        }
    }
}

impl std::fmt::Display for PaymentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            provider,
            mode,
            payment,
        } = self;
        write!(f, "{provider}:{}:{payment}", mode.as_str())
    }
}

impl std::str::FromStr for PaymentId {
    type Err = InvalidId;

    /// Reads what [`Display`](std::fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut parts = text.splitn(3, ':');
        let (provider, mode, payment) = (parts.next(), parts.next(), parts.next());
        let mode = match mode {
            Some("live") => PaymentMode::Live,
            Some("test") => PaymentMode::Test,
            Some(_) | None => {
                return Err(InvalidId {
                    what: "payment",
                    why: "must be a provider, `live` or `test`, and a reference, with colons between them"
                        .into(),
                });
            }
        };
        Ok(Self {
            provider: ProviderCode::new(provider.unwrap_or_default())?,
            mode,
            payment: PaymentRef::new(payment.unwrap_or_default())?,
        })
    }
}

/// Who has an id of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentHolder {
    /// The account that paid.
    pub account: AccountId,
    /// The id that the payment is kept by.
    pub payment: PaymentRef,
}

/// What a provider says of the paying itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paying {
    /// The money may still come.
    Pending,
    /// The money came, or none was due.
    Paid,
    /// The money will not come.
    Failed,
}

/// Where a payment stands: its paying, and what came back since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money may still come; nothing is credited yet.
    Pending,
    /// The money came, or none was due.
    Paid,
    /// The money will not come.
    Failed,
    /// A part of it came back, by refunds or lost disputes.
    PartlyRefunded,
    /// All of it was refunded.
    Refunded,
    /// A dispute is open.
    Disputed,
    /// All of it came back, by a lost dispute at least in part.
    Lost,
}

/// A line of a payment that buys something here: one grant of credits, or one boost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoughtLine {
    /// The line, as the provider names it.
    pub line: LineRef,
    /// How many credits it buys; of a boost, how many stored units.
    pub credits: Amount,
    /// The feature whose units it buys, as a boost (C13); credits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<FeatureCode>,
    /// The lower number burns first (F5).
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// First instant at which what is left is lost. When absent: of credits never, of a boost with the period that runs when it
    /// is credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A payment, as its provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who paid.
    pub account: AccountId,
    /// The id that it is kept by.
    pub id: PaymentId,
    /// What it came to, in minor units of its currency; 0 to [`AMOUNT_MAX`].
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// Whether it is paid.
    pub paying: Paying,
    /// What it buys; nothing when it is for a subscription.
    pub lines: Vec<BoughtLine>,
    /// Its refunds, by their ids.
    pub refunds: BTreeMap<PaymentRef, Refunded>,
    /// Its disputes, by their ids.
    pub disputes: BTreeMap<PaymentRef, Disputed>,
    /// When it was told first.
    pub created_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When the fetch began that told it last (P6). It grows with every version.
    pub fetched_at: DateTime<Utc>,
    /// 1 as it is told first, and 1 more with every change.
    pub version: u64,
}

impl Payment {
    /// What came back of it: sums over the ids, whatever came in which order (P9, P11).
    pub fn facts(&self) -> PaymentFacts {
        let refunds = self.refunds.values();
        let counting = refunds.filter(|refund| refund.status.counts());
        let mut facts = PaymentFacts {
            refunded: sum(counting.map(|refund| refund.amount)),
            ..PaymentFacts::default()
        };
        for dispute in self.disputes.values() {
            let sum_of_kind = match dispute.status {
                DisputeStatus::Inquiry | DisputeStatus::Prevented | DisputeStatus::Won => continue,
                DisputeStatus::Open | DisputeStatus::Unknown => &mut facts.disputed,
                DisputeStatus::Lost | DisputeStatus::Appeal => &mut facts.lost,
            };
            *sum_of_kind = sum([*sum_of_kind, dispute.amount].into_iter());
        }
        facts
    }

    /// Where it stands, in one word.
    pub fn status(&self) -> PaymentStatus {
        match self.paying {
            Paying::Pending => return PaymentStatus::Pending,
            Paying::Failed => return PaymentStatus::Failed,
            Paying::Paid => {}
        }
        let facts = self.facts();
        let back = facts.refunded.saturating_add(facts.lost);
        if facts.disputed != 0 {
            PaymentStatus::Disputed
        } else if back == 0 {
            PaymentStatus::Paid
        } else if back < self.amount {
            PaymentStatus::PartlyRefunded
        } else if facts.lost == 0 {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::Lost
        }
    }
}

/// A sum of money that the books can hold: no more comes back of a payment than there is.
fn sum(amounts: impl Iterator<Item = u64>) -> u64 {
    cover::sum(amounts).min(AMOUNT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> PaymentRef {
        PaymentRef::new(text).expect("a literal")
    }

    fn payment(refunds: &[(u64, RefundStatus)], disputes: &[(u64, DisputeStatus)]) -> Payment {
        let id = |at: usize| reference(&format!("id_{at}"));
        let refunds = refunds.iter().enumerate();
        let disputes = disputes.iter().enumerate();
        Payment {
            account: AccountId::parse("user:alice").expect("a literal"),
            id: PaymentId {
                provider: ProviderCode::new("bank").expect("a literal"),
                mode: PaymentMode::Live,
                payment: reference("p"),
            },
            amount: 1000,
            currency: Currency::new("eur").expect("a literal"),
            paying: Paying::Paid,
            lines: Vec::new(),
            refunds: refunds
                .map(|(at, (amount, status))| {
                    let (amount, status) = (*amount, *status);
                    (id(at), Refunded { amount, status })
                })
                .collect(),
            disputes: disputes
                .map(|(at, (amount, status))| {
                    let (amount, status) = (*amount, *status);
                    (id(at), Disputed { amount, status })
                })
                .collect(),
            created_at: DateTime::UNIX_EPOCH,
            paid_at: None,
            fetched_at: DateTime::UNIX_EPOCH,
            version: 1,
        }
    }

    /// P9, P11: refunds that failed or were canceled count nothing; appeal counts as lost, an unknown status as open.
    #[test]
    fn each_refund_and_dispute_counts_by_its_status() {
        let refunds = RefundStatus::ALL.map(|status| (1, status));
        let disputes = DisputeStatus::ALL.map(|status| (1, status));
        let facts = payment(&refunds, &disputes).facts();
        let wanted = PaymentFacts {
            refunded: 4,
            lost: 2,
            disputed: 2,
        };
        assert_eq!(facts, wanted);
    }

    /// P9: sums do not overflow, whatever a provider says.
    #[test]
    fn a_sum_is_never_more_than_the_books_hold() {
        let most = (u64::MAX, RefundStatus::Succeeded);
        let lost = (u64::MAX, DisputeStatus::Lost);
        let facts = payment(&[most, most], &[lost, lost]).facts();
        assert_eq!((facts.refunded, facts.lost), (AMOUNT_MAX, AMOUNT_MAX));
    }

    /// P5: one word for where a payment stands.
    #[test]
    fn a_payment_has_one_status() {
        use DisputeStatus::{Lost, Open, Won};
        use RefundStatus::{Failed, Succeeded};
        let cases = [
            (payment(&[], &[]), PaymentStatus::Paid),
            (payment(&[(1000, Failed)], &[(9, Won)]), PaymentStatus::Paid),
            (
                payment(&[(999, Succeeded)], &[]),
                PaymentStatus::PartlyRefunded,
            ),
            (payment(&[], &[(1, Lost)]), PaymentStatus::PartlyRefunded),
            (payment(&[(1000, Succeeded)], &[]), PaymentStatus::Refunded),
            (
                payment(&[(400, Succeeded)], &[(600, Lost)]),
                PaymentStatus::Lost,
            ),
            (
                payment(&[(999, Succeeded)], &[(1, Open)]),
                PaymentStatus::Disputed,
            ),
        ];
        for (payment, status) in cases {
            assert_eq!(payment.status(), status, "{payment:?}");
        }
        let unpaid = |paying| Payment {
            paying,
            ..payment(&[(5, Succeeded)], &[])
        };
        assert_eq!(unpaid(Paying::Pending).status(), PaymentStatus::Pending);
        assert_eq!(unpaid(Paying::Failed).status(), PaymentStatus::Failed);
    }
}
