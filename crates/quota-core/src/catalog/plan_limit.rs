//! What a plan says of one feature: a limit, or several with a cadence each (C9), and what rolls over (C10).

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cadence::Cadence;
use super::feature::{Anchor, Feature};
use crate::absent::is_default;
use crate::amount::{AMOUNT_MAX, Limit};
use crate::quantity::Quantity;

/// Most limits that a plan may set on one feature.
pub const LIMITS_MAX: usize = 4;
/// Most characters of a setting's text: a word or a short line, not a document.
pub const TEXT_CHARS_MAX: usize = 200;

/// What a plan says of one feature.
///
/// In a catalog file it is a limit (`100`, `"unlimited"`), one that says more (`{ limit = 20, per_seat = true }`),
/// or a list of those, each with a cadence of its own. Of a flag it is `true` or `false`, of a setting a whole number or a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanValue {
    /// One limit, counted as the feature says.
    Limit(Limit),
    /// One limit that says more, or several; 1 to [`LIMITS_MAX`].
    Limits(Vec<PlanLimit>),
    /// Whether the plan has a flag.
    Flag(bool),
    /// What a setting is, where that is a text; a whole number is a [`PlanValue::Limit`].
    Text(String),
}

/// One limit of a plan on a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanLimit {
    /// At most this much in one window, in shown units.
    pub limit: Limit,
    /// How often it becomes whole; as the feature says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Cadence>,
    /// What its windows are counted from; as the feature says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// How much of what is left of it goes over into the next window (C10).
    #[serde(default, skip_serializing_if = "is_default")]
    pub rollover: Option<Rollover>,
    /// Whether it is so much for each seat of the subscription (C12).
    #[serde(default, skip_serializing_if = "is_default")]
    pub per_seat: bool,
    /// At most this much for each member of an org in the same window, in shown units (O7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_limit: Option<Limit>,
}

/// What goes over from a window to the next one (C10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rollover {
    /// At most this much, in shown units; at least 1.
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)
    )]
    pub max: u64,
}

/// What a limit is counted by: how often it becomes whole, and from when on. No two limits of a feature have the same.
///
/// Its text is that of the cadence, behind the anchor's name where that is not `subscription`.
///
/// ```
/// use quota_core::catalog::{Anchor, Per};
///
/// let per = Per { cadence: "5h".parse()?, anchor: Anchor::FirstUse };
/// assert_eq!(per.to_string(), "first_use-5h");
/// assert_eq!(Per::parse("first_use-5h"), Some(per));
/// # Ok::<(), quota_core::catalog::InvalidCadence>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Per {
    /// How often it becomes whole.
    pub cadence: Cadence,
    /// What its windows are counted from.
    pub anchor: Anchor,
}

impl Per {
    /// What a feature's own windows are counted by.
    pub fn of(feature: &Feature) -> Self {
        Self {
            cadence: feature.cadence,
            anchor: feature.anchor,
        }
    }

    /// Whether its windows are those of the calendar: a renewal does not begin them anew (W4).
    pub fn is_calendar(self) -> bool {
        self.anchor == Anchor::Calendar && self.cadence != Cadence::Subscription
    }

    /// Reads the text form; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (anchor, cadence) = match text.split_once('-') {
            Some(("calendar", cadence)) => (Anchor::Calendar, cadence),
            Some(("first_use", cadence)) => (Anchor::FirstUse, cadence),
            Some(_) => return None,
            None => (Anchor::Subscription, text),
        };
        let cadence = cadence.parse().ok()?;
        Some(Self { cadence, anchor })
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.anchor {
            Anchor::Subscription => self.cadence.fmt(f),
            Anchor::Calendar => write!(f, "calendar-{}", self.cadence),
            Anchor::FirstUse => write!(f, "first_use-{}", self.cadence),
        }
    }
}

impl fmt::Display for PlanLimit {
    /// Such as `45 per first_use-5h`, `20 a seat` or `100, rolls over 30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.limit.fmt(f)?;
        if self.per_seat {
            f.write_str(" a seat")?;
        }
        match (self.per, self.anchor) {
            (Some(cadence), anchor) => {
                let anchor = anchor.unwrap_or_default();
                write!(f, " per {}", Per { cadence, anchor })?;
            }
            (None, Some(Anchor::Subscription)) => f.write_str(" from the subscription's start")?,
            (None, Some(Anchor::Calendar)) => f.write_str(" by the calendar")?,
            (None, Some(Anchor::FirstUse)) => f.write_str(" from the first use")?,
            (None, None) => {}
        }
        if let Some(rollover) = self.rollover {
            write!(f, ", rolls over {}", rollover.max)?;
        }
        match self.member_limit {
            Some(limit) => write!(f, ", {limit} a member"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PlanValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(has) => return has.fmt(f),
            Self::Text(text) => return text.fmt(f),
            Self::Limit(_) | Self::Limits(_) => {}
        }
        for (at, limit) in self.limits().iter().enumerate() {
            if at != 0 {
                f.write_str("; ")?;
            }
            limit.fmt(f)?;
        }
        Ok(())
    }
}

impl PlanLimit {
    /// A limit that is counted as the feature says.
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            per: None,
            anchor: None,
            rollover: None,
            per_seat: false,
            member_limit: None,
        }
    }

    /// What it is counted by, for a limit on `feature`.
    pub fn per(&self, feature: &Feature) -> Per {
        let own = Per::of(feature);
        Per {
            cadence: self.per.unwrap_or(own.cadence),
            anchor: self.anchor.unwrap_or(own.anchor),
        }
    }

    /// It in stored units of `feature`, for a subscription with so many seats.
    pub fn stored(&self, feature: &Feature, seats: Quantity) -> Limit {
        let one = self.limit.scaled(feature.scale);
        if self.per_seat { one.times(seats) } else { one }
    }

    /// What may go over at most, in stored units of `feature`; 0 when nothing does.
    pub fn rollover_max(&self, feature: &Feature) -> u64 {
        let max = self.rollover.map_or(0, |rollover| rollover.max);
        Limit::Of(max).scaled(feature.scale).ceiling().unwrap_or(0)
    }
}

impl PlanValue {
    /// Each limit that it sets; none for a flag or a text.
    pub fn limits(&self) -> Cow<'_, [PlanLimit]> {
        match self {
            Self::Flag(_) | Self::Text(_) => Cow::Borrowed(&[]),
            Self::Limit(limit) => Cow::Owned(vec![PlanLimit::new(*limit)]),
            Self::Limits(limits) => Cow::Borrowed(limits),
        }
    }
}

impl From<Limit> for PlanValue {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl Serialize for PlanValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Limit(limit) => limit.serialize(serializer),
            Self::Limits(limits) => match limits.as_slice() {
                [one] => one.serialize(serializer),
                several => several.serialize(serializer),
            },
            Self::Flag(has) => serializer.serialize_bool(*has),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for PlanValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitOrLimits;
        impl<'de> Visitor<'de> for LimitOrLimits {
            type Value = PlanValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a whole number from 0 to {AMOUNT_MAX}, \"unlimited\", a limit such as {{ limit = 100, per = \"weekly\" }}, \
                     a list of limits, true or false for a flag, or a text for a setting"
                )
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<PlanValue, E> {
                limit_of(serde::de::value::U64Deserializer::new(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<PlanValue, E> {
                limit_of(serde::de::value::I64Deserializer::new(value))
            }
            fn visit_bool<E: Error>(self, has: bool) -> Result<PlanValue, E> {
                Ok(PlanValue::Flag(has))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<PlanValue, E> {
                if value == "unlimited" {
                    return Ok(Limit::Unlimited.into());
                }
                Ok(PlanValue::Text(value.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PlanValue, A::Error> {
                let one = PlanLimit::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PlanValue::Limits(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<PlanValue, A::Error> {
                let several = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(PlanValue::Limits(several))
            }
        }
        deserializer.deserialize_any(LimitOrLimits)
    }
}

fn limit_of<'de, D: Deserializer<'de>>(value: D) -> Result<PlanValue, D::Error> {
    Limit::deserialize(value).map(PlanValue::Limit)
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, Type};
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{LIMITS_MAX, PlanLimit, PlanValue, TEXT_CHARS_MAX};
    use crate::amount::AMOUNT_MAX;
    use crate::openapi::{SchemaOrRef, text, whole_number};

    impl PartialSchema for PlanValue {
        fn schema() -> SchemaOrRef {
            let several = ArrayBuilder::new()
                .items(Ref::from_schema_name("PlanLimit"))
                .min_items(Some(1))
                .max_items(Some(LIMITS_MAX));
            let flag = ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .description(Some("Whether the plan has a flag"));
            let number = "A limit counted as the feature says, or a setting that is a number";
            let words = "`unlimited`, or a setting that is a text";
            OneOfBuilder::new()
                .item(whole_number(number, 0, AMOUNT_MAX))
                .item(text(words, "unlimited", Some(TEXT_CHARS_MAX)))
                .item(flag)
                .item(Ref::from_schema_name("PlanLimit"))
                .item(several)
                .description(Some(
                    "A limit counted as the feature says; one that says more; or several, each with a cadence of its own. \
                     Of a flag `true` or `false`; of a setting a whole number or a text.",
                ))
                .into()
        }
    }

    impl ToSchema for PlanValue {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push(("PlanLimit".to_owned(), PlanLimit::schema()));
            PlanLimit::schemas(schemas);
        }
    }
}
