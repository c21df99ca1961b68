//! Balances: the one uniform thing that carries everything that is spent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Limit;
pub use crate::bucket::Bucket;
use crate::purchase::Backing;
use crate::sale::Sale;
use crate::window::Window;

/// What was granted, spent, reserved and overspent in one bucket. The short names are those of the stored books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What it counts; no account has two live balances of one bucket.
    #[serde(rename = "b")]
    pub bucket: Bucket,
    /// What may be used and held at most.
    #[serde(rename = "g", deserialize_with = "crate::amount::stored_limit")]
    pub granted: Limit,
    /// Spent for good, within what there was.
    #[serde(rename = "u")]
    pub used: u64,
    /// Reserved and not yet settled.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// Spent beyond what there was.
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub overage: u64,
    /// First instant at which it counts; as JSON in microseconds since 1970.
    #[serde(rename = "s", with = "chrono::serde::ts_microseconds")]
    pub starts_at: DateTime<Utc>,
    /// First instant at which it counts no more, if there is one.
    #[serde(
        rename = "e",
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// For grants: the lower number burns first (F5).
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// What came over from the window before (C10); part of `granted`, and fixed when the window is opened.
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub rolled_over: u64,
    /// Sequence of the operation that last set `used` to 0 (X6): what was consumed before it is not given back.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub reset_sequence: u64,
    /// When that was; for what was consumed in another home, whose operations have other sequences.
    #[serde(
        rename = "t",
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub reset_at: Option<DateTime<Utc>>,
    /// The bucket in which its count began, where that was moved here: shares of it go by that name (O8).
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub began_as: Option<Bucket>,
    /// Where its use and its holds were moved when the plan or the zone changed: what is settled goes there.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<Bucket>,
    /// Whether it was closed once, and reopened since: of it only a remnant is kept among the closed balances.
    #[serde(rename = "w", default, skip_serializing_if = "is_default")]
    pub was_closed: bool,
    /// How often it was: of the records that several homes have of it, the one with the most is the last.
    #[serde(rename = "n", default, skip_serializing_if = "is_default")]
    pub reopenings: u32,
    /// For what is sold on demand: the price, fixed when the balance is opened (C11).
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<Box<Sale>>,
    /// For a grant or a boost that was bought, or a grant of which more was taken back than was left: what stands behind it (P9,
    /// P19).
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub backing: Option<Box<Backing>>,
    /// For a grant: the least bound of days of which was told that it ends within it (P22); 0 while nothing was told.
    #[serde(rename = "y", default, skip_serializing_if = "is_default")]
    pub told_days: u32,
}

impl Balance {
    /// A balance of which nothing is spent, without an end.
    ///
    /// ```
    /// use quota_core::amount::Limit;
    /// use quota_core::balance::{Balance, Bucket};
    ///
    /// let trial = Bucket::parse("trial:try_on").ok_or("no bucket")?;
    /// let began = "2027-03-01T00:00:00Z".parse()?;
    /// let balance = Balance::new(trial, Limit::Of(3), began);
    /// assert_eq!(balance.remaining(began), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(bucket: Bucket, granted: Limit, starts_at: DateTime<Utc>) -> Self {
        Self {
            bucket,
            granted,
            used: 0,
            held: 0,
            overage: 0,
            starts_at,
            ends_at: None,
            priority: 0,
            rolled_over: 0,
            reset_sequence: 0,
            reset_at: None,
            began_as: None,
            moved_to: None,
            was_closed: false,
            reopenings: 0,
            sale: None,
            backing: None,
            told_days: 0,
        }
    }

    /// A balance that was closed, as a live one.
    pub(crate) fn reopened(&self) -> Self {
        Self {
            was_closed: true,
            reopenings: self.reopenings.saturating_add(1),
            ..self.clone()
        }
    }

    /// What stays of it among the closed balances while it is live: all that it counts is with the live one.
    pub(crate) fn remnant(&self) -> Self {
        Self {
            used: 0,
            overage: 0,
            was_closed: true,
            ..self.clone()
        }
    }

    /// The same of a grant or a boost: its worth is with the live one too.
    pub(crate) fn remnant_of_given(&self) -> Self {
        Self {
            granted: Limit::Of(0),
            backing: None,
            ..self.remnant()
        }
    }

    /// The span in which it counts.
    pub fn window(&self) -> Window {
        Window {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        }
    }

    /// What a new request can still get; nothing outside its span.
    pub fn remaining(&self, now: DateTime<Utc>) -> u64 {
        if now < self.starts_at || self.has_ended(now) {
            return 0;
        }
        self.idle()
    }

    /// Whether it counts no more.
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// What is neither used nor reserved of it, nor claimed by whoever it was bought from, in its span or not.
    pub fn idle(&self) -> u64 {
        let claimed = self.backing.as_ref().map_or(0, |backing| backing.claimed());
        self.granted.room(self.taken().saturating_add(claimed))
    }

    /// Of a grant or a boost: what was granted, less what was taken back.
    pub fn worth(&self) -> u64 {
        let revoked = self.backing.as_ref().map_or(0, |backing| backing.revoked);
        self.granted.room(revoked)
    }

    /// Of a grant: what is used beyond what it is worth, since that was taken back (P10). Of a boost that is owed by nobody: its
    /// units are of one feature and one time, and no other boost answers for them.
    pub fn short(&self) -> u64 {
        if self.may_owe() {
            self.used.saturating_sub(self.worth())
        } else {
            0
        }
    }

    /// The most that it may come to be short if all is used that is reserved.
    pub(crate) fn may_be_short(&self) -> u64 {
        if self.may_owe() {
            self.taken().saturating_sub(self.worth())
        } else {
            0
        }
    }

    /// Whether what is used beyond its worth is owed: of credits.
    fn may_owe(&self) -> bool {
        self.backing.is_some() && matches!(self.bucket, Bucket::Grant(_))
    }

    /// What is disputed of it and neither used nor reserved: it is free again if the dispute is won (P11).
    pub fn frozen(&self) -> u64 {
        let Some(backing) = &self.backing else {
            return 0;
        };
        let left = self.worth().saturating_sub(self.taken());
        left.min(backing.frozen)
    }

    /// What of the limit is taken: used, held and overspent (X9).
    pub fn taken(&self) -> u64 {
        self.spent().saturating_add(self.held)
    }

    /// The bucket in which its count began: the name that shares of it go by.
    pub fn first_bucket(&self) -> &Bucket {
        self.began_as.as_ref().unwrap_or(&self.bucket)
    }

    /// What is used and overspent.
    pub fn spent(&self) -> u64 {
        self.used.saturating_add(self.overage)
    }

    /// Whether nothing is left of a grant or a boost; a refund brings it back. A grant of which more is used than it is worth is
    /// not done with.
    pub(crate) fn is_spent_gift(&self) -> bool {
        let is_used_up = self.worth() <= self.used && self.short() == 0;
        let spent = self.granted != Limit::Unlimited && is_used_up;
        self.bucket.is_given() && self.held == 0 && spent
    }
}
