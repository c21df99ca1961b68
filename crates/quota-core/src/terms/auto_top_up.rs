//! Auto top-up: an account's word that a pack is bought for it when its credits run low (P20).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Amount;
use crate::ids::PackCode;

/// Failures in a row after which it is switched off.
pub const TOP_UP_FAILURES_MAX: u32 = 3;
/// The pause after the first failure; it doubles with the second.
const PAUSE_FIRST: TimeDelta = TimeDelta::hours(1);

/// Why a top-up was not paid, for good: the same one is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TopUpFailure {
    /// The bank said no, or sent the money back.
    Declined,
    /// The bank asks for the one who pays, and nobody is there (SCA).
    AuthenticationRequired,
    /// The customer has nothing to pay with.
    NoPaymentMethod,
    /// The account is no customer of the provider any more.
    NoCustomer,
    /// The pack is not sold any more.
    NotForSale,
    /// The provider refused it for another reason.
    Refused,
}

impl TopUpFailure {
    /// Every failure.
    pub const ALL: [Self; 6] = [
        Self::Declined,
        Self::AuthenticationRequired,
        Self::NoPaymentMethod,
        Self::NoCustomer,
        Self::NotForSale,
        Self::Refused,
    ];

    /// The failure as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::AuthenticationRequired => "authentication_required",
            Self::NoPaymentMethod => "no_payment_method",
            Self::NoCustomer => "no_customer",
            Self::NotForSale => "not_for_sale",
            Self::Refused => "refused",
        }
    }

    /// The same in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Declined => "the bank declined it",
            Self::AuthenticationRequired => "the bank asks for the one who pays",
            Self::NoPaymentMethod => "the customer has nothing to pay with",
            Self::NoCustomer => "the account is no customer of the provider",
            Self::NotForSale => "the pack is not sold any more",
            Self::Refused => "the provider refused it",
        }
    }
}

/// Why it was switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TopUpOffReason {
    /// [`TOP_UP_FAILURES_MAX`] failures in a row.
    Failed,
    /// A top-up was refunded or disputed: who wants the money back wants no further one.
    CameBack,
}

/// That it was switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpOff {
    /// Since when nothing is bought.
    pub at: DateTime<Utc>,
    /// What switched it off: failures in a row, or money that came back.
    pub why: TopUpOffReason,
}

/// The word of an account that a pack is bought for it when its credits fall below a bound, and how that went lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoTopUp {
    /// The pack that is bought, once at a time.
    pub pack: PackCode,
    /// It is bought when fewer credits than this can be spent: 1 to the credits of the pack when it was set.
    pub below: Amount,
    /// How many are bought in a calendar month of the account's zone at most: 1 to [`TOP_UPS_A_MONTH_MAX`].
    pub most_per_month: u32,
    /// When it was set last: what went wrong before that counts no more.
    pub set_at: DateTime<Utc>,
    /// Failures in a row.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failures: u32,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<DateTime<Utc>>,
    /// What the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<TopUpFailure>,
    /// That it was switched off; setting it switches it on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<TopUpOff>,
}

/// Most top-ups that may be bought in a month.
pub const TOP_UPS_A_MONTH_MAX: u32 = 100;

impl AutoTopUp {
    /// Whether anything is bought by it.
    pub fn is_on(&self) -> bool {
        self.off.is_none()
    }

    /// When the next one may be bought after a failure; the pause doubles with each in a row. `None` when the last one did not fail.
    ///
    /// ```
    /// use quota_core::amount::Amount;
    /// use quota_core::ids::PackCode;
    /// use quota_core::terms::AutoTopUp;
    ///
    /// let now = chrono::DateTime::UNIX_EPOCH;
    /// let failed = |failures| AutoTopUp {
    ///     pack: PackCode::new("small").unwrap(),
    ///     below: Amount::new(10).unwrap(),
    ///     most_per_month: 5,
    ///     set_at: now,
    ///     failures,
    ///     failed_at: Some(now),
    ///     failure: None,
    ///     off: None,
    /// };
    /// assert_eq!(failed(0).next_try_at(), None);
    /// assert_eq!(failed(1).next_try_at(), Some("1970-01-01T01:00:00Z".parse()?));
    /// assert_eq!(failed(2).next_try_at(), Some("1970-01-01T02:00:00Z".parse()?));
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn next_try_at(&self) -> Option<DateTime<Utc>> {
        let before = self.failures.checked_sub(1)?;
        let doubled = 2_i32.saturating_pow(before.min(TOP_UP_FAILURES_MAX));
        let pause = PAUSE_FIRST.checked_mul(doubled)?;
        self.failed_at?.checked_add_signed(pause)
    }
}
