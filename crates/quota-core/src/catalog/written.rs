//! Features as a catalog file says them, and as they are stored: which of the fields belong to a kind.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cadence::Cadence;
use super::feature::{Anchor, Counts, Feature, Kind, OnRenewal};
use crate::absent::one;
use crate::ids::FeatureCode;

const FIELDS: &[&str] = &[
    "code",
    "name",
    "unit",
    "kind",
    "cadence",
    "anchor",
    "on_renewal",
    "credit_cost",
    "trial_limit",
    "scale",
    "counts",
];

/// A feature: something that plans differ in.
///
/// It is counted and limited (`consumable`, `capacity`), had or not (`flag`), or read (`setting`).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// Its code, unique in the catalog.
    code: FeatureCode,
    /// A name for people.
    name: String,
    /// The unit that people see, such as `MB`. Required for what is counted; a setting may have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    unit: Option<String>,
    /// Whether it is spent (`consumable`), occupied (`capacity`), had or not (`flag`), or a value that is read (`setting`).
    kind: Kind,
    /// How often its allowance becomes whole. Required for what is counted, and only for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cadence: Option<Cadence>,
    /// What its windows are counted from; for what is counted only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
    /// What a renewal does; by default `reset` for consumables and `carry` for capacities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_renewal: Option<OnRenewal>,
    /// Credits that one stored unit costs, 1 to 1,000,000; none when credits cannot pay for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    credit_cost: Option<u64>,
    /// Free uses in a lifetime, in stored units; for what is counted only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000_000_000_u64))]
    trial_limit: Option<u64>,
    /// Stored units in one shown unit, at least 1; limits are written in shown units, amounts in stored ones. For what is
    /// counted only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)
    )]
    scale: Option<u64>,
    /// What uses it by itself, where no request does: the members of an org. For a capacity only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
}

impl Written {
    /// A field that is said and has no meaning for its kind.
    fn stray(&self) -> Option<&'static str> {
        if self.kind.is_counted() {
            return None;
        }
        let said = [
            ("cadence", self.cadence.is_some()),
            ("anchor", self.anchor.is_some()),
            ("on_renewal", self.on_renewal.is_some()),
            ("credit_cost", self.credit_cost.is_some()),
            ("trial_limit", self.trial_limit.is_some()),
            ("scale", self.scale.is_some()),
            ("counts", self.counts.is_some()),
        ];
        let mut stray = said.into_iter().filter(|(_, is_said)| *is_said);
        stray.next().map(|(field, _)| field)
    }

    fn read<E: Error>(self) -> Result<Feature, E> {
        if let Some(field) = self.stray() {
            let (code, kind) = (&self.code, self.kind.as_str());
            let words = format!(
                "feature `{code}`: a {kind} has no `{field}`, since nothing of it is counted"
            );
            return Err(E::custom(words));
        }
        if self.kind.is_counted() {
            if self.unit.is_none() {
                return Err(E::missing_field("unit"));
            }
            if self.cadence.is_none() {
                return Err(E::missing_field("cadence"));
            }
        }
        Ok(Feature {
            code: self.code,
            name: self.name,
            unit: self.unit.unwrap_or_default(),
            kind: self.kind,
            cadence: self.cadence.unwrap_or(Cadence::Subscription),
            anchor: self.anchor.unwrap_or_default(),
            on_renewal: self.on_renewal,
            credit_cost: self.credit_cost,
            trial_limit: self.trial_limit.unwrap_or_default(),
            scale: self.scale.unwrap_or_else(one),
            counts: self.counts,
        })
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FeatureTable;
        impl<'de> Visitor<'de> for FeatureTable {
            type Value = Feature;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a feature")
            }
            // Here and not around it: a reader of texts tells of a mistake found inside where the table stands.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Feature, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map))?.read()
            }
        }
        deserializer.deserialize_struct("Feature", FIELDS, FeatureTable)
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_counted = self.kind.is_counted();
        let unit = Some(&self.unit).filter(|unit| is_counted || !unit.is_empty());
        let written = Written {
            code: self.code.clone(),
            name: self.name.clone(),
            unit: unit.cloned(),
            kind: self.kind,
            cadence: is_counted.then_some(self.cadence),
            anchor: is_counted.then_some(self.anchor),
            on_renewal: self.on_renewal,
            credit_cost: self.credit_cost,
            trial_limit: is_counted.then_some(self.trial_limit),
            scale: is_counted.then_some(self.scale),
            counts: self.counts,
        };
        written.serialize(serializer)
    }
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Feature, Written};
    use crate::openapi::SchemaOrRef;

    impl PartialSchema for Feature {
        fn schema() -> SchemaOrRef {
            Written::schema()
        }
    }

    impl ToSchema for Feature {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            Written::schemas(schemas);
        }
    }
}
