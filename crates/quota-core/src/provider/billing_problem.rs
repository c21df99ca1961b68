//! What of a provider's facts fits nothing here: listed with evidence, for a person to look after. Nothing of it is guessed.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, InvalidId, ProviderCode, shard_of};
use crate::payment::PaymentMode;

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A subscription has a status that is not known here.
    UnknownStatus,
    /// A price stands for nothing in the catalog.
    UnknownPrice,
    /// A subscription has no period.
    NoPeriod,
    /// A subscription has several base plans.
    SeveralPlans,
    /// Several subscriptions are in force.
    SeveralSubscriptions,
    /// An account tries a plan a second time.
    SecondTrial,
    /// A customer is no account here.
    UnknownCustomer,
    /// Something was paid, and for which account is not known: it is parked.
    UnknownPayer,
    /// A payment has ids of two accounts, or of another account than its customer's.
    OfAnotherAccount,
    /// An order of a pack was paid with another amount or currency.
    AmountMismatch,
    /// A payment is not what it was.
    PaymentChanged,
    /// An event is of another account of the provider.
    ForeignAccount,
    /// It lives on a clock that is moved by hand.
    TestClock,
    /// The engine refused what follows of it.
    Refused,
    /// A top-up was not paid.
    TopUpFailed,
    /// Use on demand waits to be told, and the account is no customer.
    MeterWithoutCustomer,
    /// The provider's meter refused use.
    MeterRefused,
    /// Use was told too late for its invoice, or not at all, or nobody knows whether it was.
    MeterLate,
    /// The provider counted other use than was booked.
    MeterDiffers,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::UnknownStatus,
        Self::UnknownPrice,
        Self::NoPeriod,
        Self::SeveralPlans,
        Self::SeveralSubscriptions,
        Self::SecondTrial,
        Self::UnknownCustomer,
        Self::UnknownPayer,
        Self::OfAnotherAccount,
        Self::AmountMismatch,
        Self::PaymentChanged,
        Self::ForeignAccount,
        Self::TestClock,
        Self::Refused,
        Self::TopUpFailed,
        Self::MeterWithoutCustomer,
        Self::MeterRefused,
        Self::MeterLate,
        Self::MeterDiffers,
    ];

    /// The kind as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownStatus => "unknown_status",
            Self::UnknownPrice => "unknown_price",
            Self::NoPeriod => "no_period",
            Self::SeveralPlans => "several_plans",
            Self::SeveralSubscriptions => "several_subscriptions",
            Self::SecondTrial => "second_trial",
            Self::UnknownCustomer => "unknown_customer",
            Self::UnknownPayer => "unknown_payer",
            Self::OfAnotherAccount => "of_another_account",
            Self::AmountMismatch => "amount_mismatch",
            Self::PaymentChanged => "payment_changed",
            Self::ForeignAccount => "foreign_account",
            Self::TestClock => "test_clock",
            Self::Refused => "refused",
            Self::TopUpFailed => "top_up_failed",
            Self::MeterWithoutCustomer => "meter_without_customer",
            Self::MeterRefused => "meter_refused",
            Self::MeterLate => "meter_late",
            Self::MeterDiffers => "meter_differs",
        }
    }
}

/// A problem's id: about what, and of which kind. As text `stripe:live:unknown_price:cus_1`; it is met again under the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProblemId {
    /// The provider whose facts do not fit.
    pub provider: ProviderCode,
    /// Whether it is of real money or of the provider's place for tests.
    pub mode: PaymentMode,
    /// Of which kind.
    pub kind: ProblemKind,
    /// What it is about: a customer, or a payment, or an event.
    pub about: String,
}

impl ProblemId {
    /// The shard of what it is about, from 0 to 63, the same for ever, since it is stored: all problems of one customer or payment
    /// lie together.
    ///
    /// ```
    /// use quota_core::provider::ProblemId;
    ///
    /// let id: ProblemId = "stripe:live:unknown_price:cus_1".parse()?;
    /// let other: ProblemId = "stripe:live:no_period:cus_1".parse()?;
    /// assert_eq!(id.shard(), other.shard());
    /// assert_eq!(id.to_string(), "stripe:live:unknown_price:cus_1");
    /// # Ok::<(), quota_core::ids::InvalidId>(())
    /// ```
    pub fn shard(&self) -> u8 {
        Self::shard_about(&self.provider, self.mode, &self.about)
    }

    /// The shard of all problems about something.
    pub fn shard_about(provider: &ProviderCode, mode: PaymentMode, about: &str) -> u8 {
        shard_of(&format!("{provider}:{}:{about}", mode.as_str()))
    }
}

impl std::fmt::Display for ProblemId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            provider,
            mode,
            kind,
            about,
        } = self;
        let (mode, kind) = (mode.as_str(), kind.as_str());
        write!(f, "{provider}:{mode}:{kind}:{about}")
    }
}

impl FromStr for ProblemId {
    type Err = InvalidId;

    /// Reads what [`Display`](std::fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let refused = || InvalidId {
            what: "problem id",
            why: "must be one that the list of problems tells".into(),
        };
        let parts: Vec<&str> = text.splitn(4, ':').collect();
        let &[provider, mode, kind, about] = parts.as_slice() else {
            return Err(refused());
        };
        let mode = match mode {
            "live" => PaymentMode::Live,
            "test" => PaymentMode::Test,
            _other => return Err(refused()),
        };
        let mut kinds = ProblemKind::ALL.into_iter();
        let kind = kinds.find(|known| known.as_str() == kind);
        Ok(Self {
            provider: ProviderCode::new(provider)?,
            mode,
            kind: kind.ok_or_else(refused)?,
            about: about.to_owned(),
        })
    }
}

/// How a problem was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// When somebody settled it, or a sync did not find it any more.
    pub at: DateTime<Utc>,
    /// By whom: an actor, or the sync that did not find it any more.
    pub by: String,
    /// What was done about it.
    pub note: Option<String>,
}

/// A problem, as often as it was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingProblem {
    /// By which it is met again: the same kind about the same is the same problem.
    pub id: ProblemId,
    /// The account that it is about, if that is known.
    pub account: Option<AccountId>,
    /// What is wrong, in a sentence.
    pub detail: String,
    /// What was seen, by name: ids, amounts, prices.
    pub evidence: BTreeMap<String, String>,
    /// How often it was met.
    pub times: u64,
    /// When it was met first.
    pub first_seen_at: DateTime<Utc>,
    /// When it was met last.
    pub last_seen_at: DateTime<Utc>,
    /// How it was settled; met again after that, it is open again.
    pub settled: Option<Settled>,
}
