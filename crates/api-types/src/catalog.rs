//! The catalog: what is in force, and what a file would change.

use std::collections::BTreeMap;

use quota_core::catalog::{Cadence, Feature, Pack, Plan, PlanValue};
use quota_core::ids::{AccountId, FeatureCode, PackCode, PlanCode};
use serde::{Deserialize, Serialize};

/// The catalog in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogBody {
    /// Grows by one with every `apply` that changes something.
    pub version: u64,
    /// Code of the plan that a new account has, and to which an account falls back when its subscription has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_plan: Option<PlanCode>,
    /// The features, by code.
    pub features: Vec<Feature>,
    /// The newest version of each plan, by code.
    pub plans: Vec<PlanBody>,
    /// The packs of credits that are sold, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Pack>,
}

/// A plan and the number of its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanBody {
    /// The number of the plan's newest version, from 1.
    pub version: u32,
    /// What the plan grants, and its price.
    #[serde(flatten)]
    pub plan: Plan,
}

#[cfg(feature = "openapi")]
mod schemas {
    use quota_core::catalog::Plan;
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::PlanBody;

    /// One object: a derived schema is `allOf` with the plan's, which takes no other members.
    impl PartialSchema for PlanBody {
        fn schema() -> RefOr<Schema> {
            let mut schema = Plan::schema();
            if let RefOr::T(Schema::Object(plan)) = &mut schema {
                let version = ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .description(Some("The number of the plan's newest version, from 1"))
                    .minimum(Some(1));
                plan.properties.insert("version".to_owned(), version.into());
                plan.required.push("version".to_owned());
                plan.description = Some("A plan and the number of its version.".to_owned());
            }
            schema
        }
    }

    impl ToSchema for PlanBody {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            Plan::schemas(schemas);
        }
    }
}

/// A default plan that changes: accounts that fell back to the one change to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DefaultPlanChangeBody {
    /// Code of the plan now; null when there is none.
    pub from: Option<PlanCode>,
    /// Code of the plan afterwards; null when there is none any more.
    pub to: Option<PlanCode>,
}

/// A limit of a plan that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitChangeBody {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// The limit now, in shown units; null when the plan does not have the feature.
    pub from: Option<PlanValue>,
    /// The limit afterwards, in shown units; null when the plan does not have the feature any more.
    pub to: Option<PlanValue>,
}

/// An account that would be over its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverLimitBody {
    /// The account, such as `org:acme`.
    pub account: AccountId,
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// Of several limits on the feature, the cadence of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Cadence>,
    /// How much it has used, beyond a limit too, in stored units.
    pub used: u64,
    /// Its limit afterwards, in stored units.
    pub limit: u64,
}

/// An account that would lose a flag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LostFlagBody {
    /// The account, such as `org:acme`.
    pub account: AccountId,
    /// Code of the flag, as in the catalog in force.
    pub feature: FeatureCode,
}

/// An account that would lose its limit of a feature, so that nothing of it is granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LostLimitBody {
    /// The account, such as `org:acme`.
    pub account: AccountId,
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
}

/// An account to which less would be sold on demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessOnDemandBody {
    /// The account, such as `org:acme`.
    pub account: AccountId,
    /// Code of the feature, as in the catalog in force.
    pub feature: FeatureCode,
    /// What it owes for the feature in the running period, in minor units of the plan's currency.
    pub owed: u64,
    /// What the feature would be sold for at most; absent when it would not be sold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u64>,
}

/// A feature or a plan that is removed while accounts hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldBody {
    /// Code of the feature, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// Code of the plan, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanCode>,
    /// How many of the examined accounts hold it, through a subscription, an add-on, an override or a balance.
    pub accounts: u64,
    /// One of these accounts, such as `user:alice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<AccountId>,
}

/// A field of a feature or plan that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldChangeBody {
    /// Code of the feature, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// Code of the plan, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanCode>,
    /// Code of the pack, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackCode>,
    /// The field as in the catalog file, such as `price` or `on_demand.tokens.cap`.
    pub field: String,
    /// Its value now, as text; absent where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its value afterwards, as text; absent where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What applying a catalog file changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOfChanges {
    /// The catalog's version afterwards.
    pub version: u64,
    /// Whether anything changes, and so there is a new version.
    pub changes: bool,
    /// Whether the file names neither a feature nor a plan, so that nothing would be left of the catalog; absent where it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub names_nothing: bool,
    /// The default plan, where it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_plan: Option<DefaultPlanChangeBody>,
    /// Codes of new features.
    pub features_added: Vec<FeatureCode>,
    /// Codes of features that change.
    pub features_changed: Vec<FeatureCode>,
    /// Codes of features that are removed.
    pub features_removed: Vec<FeatureCode>,
    /// Codes of new plans.
    pub plans_added: Vec<PlanCode>,
    /// Plans that get a new version, with the limits that change.
    pub plans_changed: BTreeMap<PlanCode, Vec<LimitChangeBody>>,
    /// Codes of plans that are removed.
    pub plans_removed: Vec<PlanCode>,
    /// What else changes of features and plans: price, interval, trial, what is sold on demand and so on.
    #[serde(default)]
    pub fields_changed: Vec<FieldChangeBody>,
    /// Removed features and plans that accounts hold: `apply` requires their names in `removing_features` and
    /// `removing_plans`.
    pub held: Vec<HeldBody>,
    /// Accounts that would be over a limit; the first 100.
    pub over_limit: Vec<OverLimitBody>,
    /// How many such accounts there are.
    pub over_limit_count: u64,
    /// Accounts whose plan has a flag now and would not have it any more; the first 100.
    #[serde(default)]
    pub lost_flags: Vec<LostFlagBody>,
    /// How many such accounts there are, each counted once for a flag.
    #[serde(default)]
    pub lost_flag_count: u64,
    /// Accounts that have a limit of a feature now and would have none any more, since their plan does not name it or they would have no
    /// plan: nothing of it would be granted; the first 100.
    #[serde(default)]
    pub lost_limits: Vec<LostLimitBody>,
    /// How many such accounts there are, each counted once for a feature.
    #[serde(default)]
    pub lost_limit_count: u64,
    /// Accounts to which their plan sells a feature on demand and would not any more, or up to less than they owe for it; the
    /// first 100.
    #[serde(default)]
    pub less_on_demand: Vec<LessOnDemandBody>,
    /// How many such accounts there are, each counted once for a feature.
    #[serde(default)]
    pub less_on_demand_count: u64,
    /// How many accounts were examined.
    pub examined: u64,
    /// Whether there are more accounts than were examined.
    pub partial: bool,
}
