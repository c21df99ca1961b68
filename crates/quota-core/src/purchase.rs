//! Purchases: what a grant or a boost was bought with, what of that came back, and what that leaves of it (P7 to P11).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::balance::Bucket;
use crate::ids::{BoostId, Currency, FeatureCode, GrantId, LineRef, PaymentRef, ProviderCode};

/// A line of a payment: it buys one grant, or one boost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLine {
    /// Who took the payment; only it changes what it said.
    pub provider: ProviderCode,
    /// The payment, as the provider names it.
    pub payment: PaymentRef,
    /// The line of it, as the provider names it.
    pub line: LineRef,
}

impl PaymentLine {
    /// The grant that it buys.
    ///
    /// ```
    /// use quota_core::ids::{LineRef, PaymentRef, ProviderCode};
    /// use quota_core::purchase::PaymentLine;
    ///
    /// let line = PaymentLine {
    ///     provider: ProviderCode::new("stripe")?,
    ///     payment: PaymentRef::new("cs_1")?,
    ///     line: LineRef::new("li_1")?,
    /// };
    /// assert_eq!(line.grant().as_str(), "stripe:cs_1:li_1");
    /// # Ok::<(), quota_core::ids::InvalidId>(())
    /// ```
    pub fn grant(&self) -> GrantId {
        GrantId::of_purchase(&self.provider, &self.payment, &self.line)
    }

    /// What it buys: a boost of a feature, or a grant of credits.
    pub fn bucket(&self, boost: Option<&FeatureCode>) -> Bucket {
        let id = || BoostId::of_purchase(&self.provider, &self.payment, &self.line);
        match boost {
            Some(feature) => Bucket::Boost(feature.clone(), id()),
            None => Bucket::Grant(self.grant()),
        }
    }

    /// Whether it is of this payment.
    pub fn is_of(&self, provider: &ProviderCode, payment: &PaymentRef) -> bool {
        self.provider == *provider && self.payment == *payment
    }
}

/// What came back of a payment, in minor units of its currency: sums, not steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFacts {
    /// The sum of its refunds, but for those that failed or were canceled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refunded: u64,
    /// The sum of its disputes that are lost, or in appeal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lost: u64,
    /// The sum of its disputes that are open.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disputed: u64,
}

/// With what a grant or a boost was bought. The short names are those of the stored books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Which line of which payment.
    #[serde(rename = "l")]
    pub line: PaymentLine,
    /// What the whole payment came to, in minor units of the currency: a refund of a part of it takes that part of each line.
    #[serde(rename = "m")]
    pub money: u64,
    /// In which currency.
    #[serde(rename = "c")]
    pub currency: Currency,
    /// What came back of the payment.
    #[serde(rename = "f", default, skip_serializing_if = "is_default")]
    pub facts: PaymentFacts,
    /// When the fetch began that told it: one that began earlier changes nothing (P6).
    #[serde(rename = "t", with = "chrono::serde::ts_microseconds")]
    pub fetched_at: DateTime<Utc>,
}

impl Purchase {
    /// What the facts leave of so many credits or units: how many are revoked, and how many are frozen (P9, P11).
    ///
    /// ```
    /// # use quota_core::ids::{Currency, LineRef, PaymentRef, ProviderCode};
    /// # use quota_core::purchase::{PaymentFacts, PaymentLine, Purchase};
    /// # let line = PaymentLine {
    /// #     provider: ProviderCode::new("stripe")?,
    /// #     payment: PaymentRef::new("cs_1")?,
    /// #     line: LineRef::new("li_1")?,
    /// # };
    /// let purchase = Purchase {
    ///     line,
    ///     money: 1000,
    ///     currency: Currency::new("eur")?,
    ///     facts: PaymentFacts { refunded: 400, lost: 0, disputed: 600 },
    ///     fetched_at: chrono::DateTime::UNIX_EPOCH,
    /// };
    /// assert_eq!(purchase.claims_on(100), (40, 60));
    /// # Ok::<(), quota_core::ids::InvalidId>(())
    /// ```
    pub fn claims_on(&self, credits: u64) -> (u64, u64) {
        let PaymentFacts {
            refunded,
            lost,
            disputed,
        } = self.facts;
        let back = refunded.saturating_add(lost);
        let revoked = part_of(credits, back, self.money);
        let claimed = part_of(credits, back.saturating_add(disputed), self.money);
        debug_assert!(revoked <= claimed, "an open dispute gives nothing back");
        debug_assert!(claimed <= credits, "no more is claimed than was bought");
        (revoked, claimed.saturating_sub(revoked))
    }
}

/// The share of `credits` that `back` is of `money`, rounded down; of what cost nothing, nothing.
fn part_of(credits: u64, back: u64, money: u64) -> u64 {
    let product = u128::from(credits).saturating_mul(back.min(money).into());
    let part = product.checked_div(money.into()).unwrap_or(0);
    u64::try_from(part).unwrap_or(credits)
}

/// What stands behind a grant or a boost, and what of it is claimed back. The short names are those of the stored books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backing {
    /// Credits or units that were taken back: by refunds and lost disputes (P9), or by hand beyond what was left (P19).
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub revoked: u64,
    /// Credits or units that an open dispute freezes (P11).
    #[serde(rename = "z", default, skip_serializing_if = "is_default")]
    pub frozen: u64,
    /// With what it was bought; none for a grant that was made by hand.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<Purchase>,
}

impl Backing {
    /// What stands behind so many credits that were bought.
    pub(crate) fn of(purchase: Purchase, credits: u64) -> Self {
        let (revoked, frozen) = purchase.claims_on(credits);
        Self {
            revoked,
            frozen,
            purchase: Some(purchase),
        }
    }

    /// Credits that cannot be spent, since they were taken back or are disputed.
    pub(crate) fn claimed(&self) -> u64 {
        self.revoked.saturating_add(self.frozen)
    }
}
