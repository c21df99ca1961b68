//! Balances: the one uniform thing that carries everything that is spent.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::absent::is_default;
use crate::amount::Limit;
use crate::catalog::Per;
use crate::ids::{BoostId, FeatureCode, GrantId, TokenId};
use crate::sale::Sale;
use crate::window::Window;

/// What a balance counts; as text `window:articles:1700000000000000`, `grant:pack-1` and so on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// One allowance window of a feature, by its start in microseconds since 1970.
    Window(FeatureCode, i64),
    /// One window of a limit that a plan sets beside the feature's own cadence (C9): what is drawn from the feature's own
    /// window is charged here too. By its start in microseconds since 1970.
    Further(FeatureCode, Per, i64),
    /// A feature whose `used` stays over renewals (C5 `carry`).
    Standing(FeatureCode),
    /// Use that no subscription limits, by the window's start in microseconds since 1970.
    Tracked(FeatureCode, i64),
    /// The free trial of a feature.
    Trial(FeatureCode),
    /// One credit grant, counted in credits.
    Grant(GrantId),
    /// One boost of a feature, counted in its units (C13).
    Boost(FeatureCode, BoostId),
    /// What credits and the trial bought of a capacity, counted in its units (X4).
    Room(FeatureCode),
    /// What was sold of a feature on demand in one period of the subscription (C11), by the period's start in microseconds
    /// since 1970.
    OnDemand(FeatureCode, i64),
    /// A token's cap over its lifetime, over all features.
    Token(TokenId),
    /// What a member limit counts of a member beside its share of the org's window (O7), by that window's start in
    /// microseconds since 1970; 0 where it has none. No balance: a share of the member has this name.
    Member(FeatureCode, i64),
    /// One window of a token's cap that has a cadence (T3), by its start in microseconds since 1970.
    TokenWindow(TokenId, i64),
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Bucket {
    /// Its text, put together without `write!`: a consume writes several of them into books and entries.
    fn text(&self) -> String {
        match self {
            Self::Window(feature, start) => joined(&["window", feature.as_str()], Some(*start)),
            Self::Further(feature, per, start) => joined(
                &["further", feature.as_str(), &per.to_string()],
                Some(*start),
            ),
            Self::Standing(feature) => joined(&["standing", feature.as_str()], None),
            Self::Tracked(feature, start) => joined(&["tracked", feature.as_str()], Some(*start)),
            Self::Trial(feature) => joined(&["trial", feature.as_str()], None),
            Self::Grant(id) => joined(&["grant", id.as_str()], None),
            Self::Boost(feature, id) => joined(&["boost", feature.as_str(), id.as_str()], None),
            Self::Room(feature) => joined(&["room", feature.as_str()], None),
            Self::OnDemand(feature, start) => joined(&["ondemand", feature.as_str()], Some(*start)),
            Self::Token(id) => joined(&["token", id.as_str()], None),
            Self::Member(feature, start) => joined(&["member", feature.as_str()], Some(*start)),
            Self::TokenWindow(id, start) => {
                joined(&["tokenwindow", &start.to_string(), id.as_str()], None)
            }
        }
    }

    /// The feature that it counts; grants and tokens count several.
    pub fn feature(&self) -> Option<&FeatureCode> {
        match self {
            Self::Window(feature, _)
            | Self::Further(feature, _, _)
            | Self::Standing(feature)
            | Self::Tracked(feature, _)
            | Self::Trial(feature)
            | Self::Boost(feature, _)
            | Self::OnDemand(feature, _)
            | Self::Member(feature, _)
            | Self::Room(feature) => Some(feature),
            Self::Grant(_) | Self::Token(_) | Self::TokenWindow(..) => None,
        }
    }

    /// Whether what it counts is counted in the feature's own window too, and in no sum of use a second time.
    pub fn is_further(&self) -> bool {
        match self {
            Self::Further(..) => true,
            Self::Window(..)
            | Self::Standing(_)
            | Self::Tracked(..)
            | Self::Trial(_)
            | Self::Grant(_)
            | Self::Boost(..)
            | Self::Room(_)
            | Self::OnDemand(..)
            | Self::Member(..)
            | Self::Token(_)
            | Self::TokenWindow(..) => false,
        }
    }

    /// Whether it is what a member limit counts: entries of it are counted elsewhere, as units of the org.
    pub fn is_member(&self) -> bool {
        matches!(self, Self::Member(..))
    }

    /// Whether it was given once, with an amount of its own that its entries say: a grant or a boost. It is never
    /// overdrawn, and its id is not given again.
    pub fn is_given(&self) -> bool {
        match self {
            Self::Grant(_) | Self::Boost(..) => true,
            Self::Window(..)
            | Self::Further(..)
            | Self::Standing(_)
            | Self::Tracked(..)
            | Self::Trial(_)
            | Self::Room(_)
            | Self::OnDemand(..)
            | Self::Member(..)
            | Self::Token(_)
            | Self::TokenWindow(..) => false,
        }
    }

    /// Whether what it grants is the sum of its entries, and said by no plan: what was given or bought.
    pub fn has_own_worth(&self) -> bool {
        self.is_given() || matches!(self, Self::Room(_))
    }

    /// Start of its window in microseconds since 1970; what has no window never grows old.
    pub(crate) fn starts_at_micros(&self) -> i64 {
        match self {
            Self::Window(_, start)
            | Self::Further(_, _, start)
            | Self::Tracked(_, start)
            | Self::OnDemand(_, start)
            | Self::TokenWindow(_, start) => *start,
            Self::Member(_, start) if *start != 0 => *start,
            Self::Member(..)
            | Self::Standing(_)
            | Self::Trial(_)
            | Self::Grant(_)
            | Self::Boost(..)
            | Self::Room(_)
            | Self::Token(_) => i64::MAX,
        }
    }

    /// The same window with another start; what has no window is as it is.
    pub(crate) fn beginning_at(self, starts_at: DateTime<Utc>) -> Self {
        let start = starts_at.timestamp_micros();
        match self {
            Self::Window(feature, _) => Self::Window(feature, start),
            Self::Further(feature, per, _) => Self::Further(feature, per, start),
            Self::Tracked(feature, _) => Self::Tracked(feature, start),
            Self::OnDemand(feature, _) => Self::OnDemand(feature, start),
            Self::TokenWindow(token, _) => Self::TokenWindow(token, start),
            Self::Member(feature, 0) => Self::Member(feature, 0),
            Self::Member(feature, _) => Self::Member(feature, start),
            Self::Standing(_)
            | Self::Trial(_)
            | Self::Grant(_)
            | Self::Boost(..)
            | Self::Room(_)
            | Self::Token(_) => self,
        }
    }

    /// Reads the text form; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let timed = || {
            let (feature, start) = rest.rsplit_once(':')?;
            Some((FeatureCode::new(feature).ok()?, start.parse().ok()?))
        };
        match kind {
            "window" => timed().map(|(feature, start)| Self::Window(feature, start)),
            "tracked" => timed().map(|(feature, start)| Self::Tracked(feature, start)),
            "member" => timed().map(|(feature, start)| Self::Member(feature, start)),
            "ondemand" => timed().map(|(feature, start)| Self::OnDemand(feature, start)),
            "further" => {
                let (feature, rest) = rest.split_once(':')?;
                let (per, start) = rest.split_once(':')?;
                let (feature, per) = (FeatureCode::new(feature).ok()?, Per::parse(per)?);
                Some(Self::Further(feature, per, start.parse().ok()?))
            }
            "standing" => FeatureCode::new(rest).ok().map(Self::Standing),
            "trial" => FeatureCode::new(rest).ok().map(Self::Trial),
            "grant" => GrantId::new(rest).ok().map(Self::Grant),
            "boost" => {
                let (feature, id) = rest.split_once(':')?;
                let feature = FeatureCode::new(feature).ok()?;
                Some(Self::Boost(feature, BoostId::new(id).ok()?))
            }
            "room" => FeatureCode::new(rest).ok().map(Self::Room),
            "token" => TokenId::new(rest).ok().map(Self::Token),
            "tokenwindow" => {
                let (start, id) = rest.split_once(':')?;
                Some(Self::TokenWindow(
                    TokenId::new(id).ok()?,
                    start.parse().ok()?,
                ))
            }
            _ => None,
        }
    }
}

/// The words with a colon between them, and the start behind them.
fn joined(words: &[&str], start: Option<i64>) -> String {
    let mut text = String::with_capacity(64);
    for word in words {
        if !text.is_empty() {
            text.push(':');
        }
        text.push_str(word);
    }
    if let Some(start) = start {
        text.push(':');
        text.push_str(&start.to_string());
    }
    text
}

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Bucket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a bucket"))
    }
}

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

    /// The span in which it counts.
    pub fn window(&self) -> Window {
        Window {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        }
    }

    /// What a new request can still get; nothing outside its span.
    pub fn remaining(&self, now: DateTime<Utc>) -> u64 {
        if now < self.starts_at || self.ends_at.is_some_and(|ends_at| ends_at <= now) {
            return 0;
        }
        self.granted.room(self.taken())
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

    /// Whether nothing is left of a grant or a boost; a refund brings it back.
    pub(crate) fn is_spent_gift(&self) -> bool {
        let spent = self.granted.room(self.used) == 0;
        self.bucket.is_given() && self.held == 0 && spent
    }
}
