//! Who would be over a limit under another catalog (C7); of the members of orgs, who would be over what their org's plan lets them
//! use (O7).

use std::collections::BTreeMap;

use quota_core::amount::Limit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Cadence, Catalog, Feature, Per};
use quota_core::home::Account;
use quota_core::ids::{AccountId, AccountKind, FeatureCode};
use quota_core::ports::AccountRow;
use quota_core::rules::member_limit::{MemberLimits, member_balance};

use crate::setting::Setting;

/// An account that would be over its limit, or over what its org lets it use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    /// The user or org.
    pub account: AccountId,
    /// Code of the feature whose limit changes.
    pub feature: FeatureCode,
    /// Of several limits on the feature, the cadence of this one.
    pub window: Option<Cadence>,
    /// What it has used, beyond a limit too (X9), in stored units.
    pub used: u64,
    /// What it would be allowed, in stored units.
    pub limit: u64,
}

/// The orgs whose members another catalog limits otherwise. Accounts are looked at in the order of their ids: orgs before users.
#[derive(Default)]
pub(crate) struct LimitedOrgs(BTreeMap<AccountId, Account>);

impl LimitedOrgs {
    /// Notes an org whose members would be limited otherwise; of a member of one, where it would be over its limit.
    pub(crate) fn examine(
        &mut self,
        row: &AccountRow,
        setting: &Setting,
        (now, next): (&Catalog, &Catalog),
    ) -> Vec<OverLimit> {
        if row.id.kind() == AccountKind::Org {
            let limit = |catalog: &Catalog, feature: &Feature| {
                let own = setting.under(catalog).allowance(&row.account, feature);
                MemberLimits::of(&row.account.terms, &own, feature, setting.now).limit()
            };
            let mut features = next.features.values();
            if features.any(|feature| limit(now, feature) != limit(next, feature)) {
                self.0.insert(row.id.clone(), row.account.clone());
            }
            return Vec::new();
        }
        let org = row.account.terms.org.as_ref();
        let org = org.and_then(|org| self.0.get(&AccountId::org(org)));
        let over = |org| {
            let features = next.features.values();
            let over = features.filter_map(|feature| over(row, org, setting, (feature, now, next)));
            over.collect()
        };
        org.map_or_else(Vec::new, over)
    }
}

fn over(
    row: &AccountRow,
    org: &Account,
    setting: &Setting,
    (feature, now, next): (&Feature, &Catalog, &Catalog),
) -> Option<OverLimit> {
    let balance = |catalog: &Catalog| {
        let own = setting.under(catalog).allowance(org, feature);
        member_balance(setting.now, (&row.account, org), feature, &own)
    };
    let then = balance(next)?;
    let limit = then.limit.ceiling()?;
    let before = balance(now).map(|before| before.limit);
    (limit < then.used && before != Some(then.limit)).then(|| OverLimit {
        account: row.id.clone(),
        feature: feature.code.clone(),
        window: None,
        used: then.used,
        limit,
    })
}

/// The limits of an account that another catalog lowers, or sets, below what is used of them.
pub(crate) fn over_limits(
    row: &AccountRow,
    setting: &Setting,
    (now, next): (&Catalog, &Catalog),
) -> Vec<OverLimit> {
    let over = |feature: &Feature| {
        let before = ceilings(setting, now, row, feature);
        let is_new = move |after: &Ceiling| {
            let is_same =
                |of: &Ceiling| (of.per, of.most, of.used) == (after.per, after.most, after.used);
            after.most < after.used && !before.iter().any(is_same)
        };
        let (account, code) = (row.id.clone(), feature.code.clone());
        let lowered = ceilings(setting, next, row, feature)
            .into_iter()
            .filter(is_new);
        lowered.map(move |after| OverLimit {
            account: account.clone(),
            feature: code.clone(),
            window: after.window,
            used: after.used,
            limit: after.most,
        })
    };
    let counted = next.features.values();
    let counted = counted.filter(|feature| feature.kind.is_counted());
    counted.flat_map(over).collect()
}

/// A limit with a ceiling, and what is used of it, in stored units.
struct Ceiling {
    /// What a further limit is counted by; none for the feature's own.
    per: Option<Per>,
    /// Of several limits, the cadence of this one.
    window: Option<Cadence>,
    most: u64,
    used: u64,
}

/// The ceilings of an account for a feature under a catalog: of the feature's own window, and of further ones (C9).
fn ceilings(
    setting: &Setting,
    catalog: &Catalog,
    row: &AccountRow,
    feature: &Feature,
) -> Vec<Ceiling> {
    if row.account.terms.unlimited {
        // It is over no limit of its own (U1).
        return Vec::new();
    }
    let context = setting.under(catalog);
    let used = |bucket: &Bucket| {
        if feature.counts.is_some() {
            return row.account.terms.members;
        }
        let balance = row.account.books.balance(bucket);
        balance.map_or(0, Balance::spent)
    };
    let own = context.allowance(&row.account, feature);
    let of_own = own
        .limit()
        .map(|limit| (None, limit.plus(own.rolled_over), &own.bucket));
    let further = own.further.iter();
    let further = further.map(|limit| (Some(limit.per), limit.limit, &limit.bucket));
    let limits = of_own.into_iter().chain(further);
    let ceiling = |(per, limit, bucket): (Option<Per>, Limit, &Bucket)| {
        let (most, used) = (limit.ceiling()?, used(bucket));
        let of_several = per.or(own.own_per).filter(|_| !own.further.is_empty());
        Some(Ceiling {
            per,
            window: of_several.map(|per| per.cadence),
            most,
            used,
        })
    };
    limits.filter_map(ceiling).collect()
}
