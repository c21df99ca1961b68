//! What an account has of flags and settings, for those who look and do not ask (C2).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::context::Context;
use super::given::{given, given_by_org, given_by_plan};
use crate::catalog::{Feature, Given, Kind};
use crate::denial::{Denial, Reason};
use crate::draw::Scope;
use crate::home::Account;
use crate::ids::{AccountId, AccountKind, FeatureCode};
use crate::terms::{Subscription, Terms};

/// What an account has of what is not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Had {
    /// Every flag of the catalog, and whether the account has it: whether a check would be allowed, or for an org whether it
    /// would be for a member that lacks nothing.
    pub flags: BTreeMap<FeatureCode, bool>,
    /// The settings that its plan gives it a value of; of a member, its org's where that has one.
    pub settings: BTreeMap<FeatureCode, Given>,
}

/// An account and its org, if it has one.
pub(crate) type Member<'a> = (&'a Account, Option<&'a Account>);

/// What an account has of the catalog's flags and settings.
pub(crate) fn had(context: &Context<'_>, id: &AccountId, member: Member<'_>) -> Had {
    let mut had = Had::default();
    for (code, feature) in &context.catalog.features {
        match feature.kind {
            Kind::Consumable | Kind::Capacity => {}
            Kind::Flag => {
                let has = has_of(context, id, member, feature).is_ok();
                had.flags.insert(code.clone(), has);
            }
            Kind::Setting => {
                let value = has_of(context, id, member, feature).ok().flatten();
                had.settings
                    .extend(value.map(|value| (code.clone(), value)));
            }
        }
    }
    had
}

/// What an account has of a flag or a setting, or why a check would be denied.
fn has_of(
    context: &Context<'_>,
    id: &AccountId,
    (account, org): Member<'_>,
    feature: &Feature,
) -> Result<Option<Given>, Denial> {
    let asked = context.asked();
    if account.terms.disabled {
        return Err(Denial::flat(Reason::AccountDisabled, scope_of(id)));
    }
    match id.kind() {
        AccountKind::Org => given_by_org(&account.view(), feature, asked),
        AccountKind::User => {
            let org = org.map(Account::view);
            given((&account.view(), org.as_ref()), feature, asked)
        }
    }
}

/// Whether the plan of an account, or an add-on beside it, has a flag, whatever its org's has: what a change of the catalog takes from it.
pub fn has_flag(context: &Context<'_>, account: &Account, feature: &Feature) -> bool {
    let (_, value) = given_by_plan(&account.terms, feature, context.asked());
    value.is_some()
}

/// The subscription of an account that is in force.
pub(crate) fn in_force<'a>(
    context: &Context<'_>,
    terms: &'a Terms,
) -> Option<Cow<'a, Subscription>> {
    let held = terms.subscription.as_ref()?;
    let current = held.current(context.catalog, context.now);
    let lapse = current.lapse(context.catalog, context.now, context.grace);
    Some(current).filter(|_| lapse.is_none())
}

/// The scope that an account is.
pub(crate) fn scope_of(id: &AccountId) -> Scope {
    match id.kind() {
        AccountKind::User => Scope::User,
        AccountKind::Org => Scope::Org,
    }
}
