//! Buckets: what a balance counts, and the text that names it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalog::Per;
use crate::ids::{BoostId, FeatureCode, GrantId, TokenId};

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

    /// The limit of which it is a window: the feature, and the cadence of a further limit (C9); none if it is the feature's own.
    pub(crate) fn limit(&self) -> Option<(&FeatureCode, Option<Per>)> {
        match self {
            Self::Window(code, _) => Some((code, None)),
            Self::Further(code, per, _) => Some((code, Some(*per))),
            Self::Tracked(..)
            | Self::Standing(_)
            | Self::Trial(_)
            | Self::Grant(_)
            | Self::Boost(..)
            | Self::Room(_)
            | Self::Member(..)
            | Self::OnDemand(..)
            | Self::Token(_)
            | Self::TokenWindow(..) => None,
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
