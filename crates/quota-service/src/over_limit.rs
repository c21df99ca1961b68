//! Who would be over a limit under another catalog (C7); of the members of orgs, who would be over what their org's plan lets them
//! use (O7).

use std::collections::BTreeMap;

use quota_core::catalog::{Catalog, Feature};
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
    /// What it has used, in stored units.
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
        used: then.used,
        limit,
    })
}
