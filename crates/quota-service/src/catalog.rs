//! Plans as code: what an applied catalog file would change, whom it would leave over the limit or without a flag, and
//! applying it (C7).

use std::collections::{BTreeMap, BTreeSet};

use crate::differing::{FieldChange, differing, packs};
use crate::left_out::{Entry, HeldEntry, Removals};
use crate::less_on_demand::{LessOnDemand, less_on_demand};
use crate::lost_limit::{LostLimit, lost_limits};
use crate::over_limit::{LimitedOrgs, OverLimit, over_limits};
use crate::setting::Setting;
use crate::{Engine, EngineError};
use quota_core::catalog::{Catalog, CatalogFile, Feature, Kind, PlanValue};
use quota_core::ids::{AccountId, FeatureCode, PackCode, PlanCode};
use quota_core::ports::{AccountPage, AccountRow};
use quota_core::rules::had::has_flag;

/// Pages of accounts that are looked at; the answer says when there were more.
const PAGES_MAX: u32 = 200;
/// Accounts over the limit that are named.
const NAMED_MAX: usize = 100;
/// Accounts in one page: with `PAGES_MAX` of them 100,000 are looked at.
const PAGE: u32 = 500;

/// What applying a catalog file would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPlan {
    /// The version that it would get; that of the one in force, where nothing would change.
    pub version: u64,
    /// Whether the file names neither a feature nor a plan.
    pub names_nothing: bool,
    /// The default plan that changes, if it does.
    pub default_plan: Option<DefaultPlanChange>,
    /// Codes of features in the file that are not in force now.
    pub features_added: Vec<FeatureCode>,
    /// Codes of features in both, of which something differs.
    pub features_changed: Vec<FeatureCode>,
    /// Codes of features in force that the file leaves out.
    pub features_removed: Vec<FeatureCode>,
    /// Codes of plans in the file that are not in force now.
    pub plans_added: Vec<PlanCode>,
    /// Plans that get a new version, with the limits that change.
    pub plans_changed: BTreeMap<PlanCode, Vec<LimitChange>>,
    /// Codes of plans in force that the file leaves out.
    pub plans_removed: Vec<PlanCode>,
    /// What else changes of features and plans in both: price, interval, trial, what is sold on demand and so on.
    pub fields_changed: Vec<FieldChange>,
    /// Those of the features and plans that go which accounts hold: `apply` wants them named.
    pub held: Vec<HeldEntry>,
    /// Accounts whose use would be over their limit, the first 100: one entry for each feature.
    pub over_limit: Vec<OverLimit>,
    /// How many such entries there are, those that are not listed among them.
    pub over_limit_count: u64,
    /// Accounts whose plan has a flag and would not have it any more, the first 100: one entry for each flag.
    pub lost_flags: Vec<LostFlag>,
    /// How many such entries there are, those that are not listed among them.
    pub lost_flag_count: u64,
    /// Accounts that have a limit of a feature and would have none any more, so that nothing is granted, the first 100: one entry for
    /// each feature.
    pub lost_limits: Vec<LostLimit>,
    /// How many such entries there are, those that are not listed among them.
    pub lost_limit_count: u64,
    /// Accounts to which their plan sells a feature on demand and would not any more, or up to less than they owe for it, the
    /// first 100: one entry for each feature.
    pub less_on_demand: Vec<LessOnDemand>,
    /// How many such entries there are, those that are not listed among them.
    pub less_on_demand_count: u64,
    /// Accounts that were looked at, at most 100,000.
    pub examined: u64,
    /// Whether there were more than are looked at.
    pub is_partial: bool,
}

/// A default plan that changes; none means that there is none. Accounts that fell back to the one change to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultPlanChange {
    /// Code of the plan now.
    pub from: Option<PlanCode>,
    /// Code of the plan afterwards.
    pub to: Option<PlanCode>,
}

/// A limit that changes; none means that the plan does not name the feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// The limit in the plan's version that is in force, in shown units.
    pub from: Option<PlanValue>,
    /// The limit in the version that the file makes, in shown units.
    pub to: Option<PlanValue>,
}

/// An account that would lose a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostFlag {
    /// The user or org.
    pub account: AccountId,
    /// Code of the flag.
    pub feature: FeatureCode,
}

impl Engine {
    /// The catalog in force, read from the store.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be read.
    pub async fn catalog(&self) -> Result<std::sync::Arc<Catalog>, EngineError> {
        Ok(self.inner.decider.catalogs.refresh().await?)
    }

    /// The catalog that decisions are made by now; [`Self::catalog`] asks the store for a newer one.
    pub fn catalog_now(&self) -> std::sync::Arc<Catalog> {
        self.inner.decider.catalogs.current()
    }

    /// What applying `file` would change; changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Catalog`] names what is wrong with the file.
    pub async fn plan_catalog(&self, file: &CatalogFile) -> Result<CatalogPlan, EngineError> {
        let current = self.catalog().await?;
        let next = applied(&current, file)?;
        let mut plan = difference(&current, &next);
        self.examine_accounts(&current, &next, &mut plan).await?;
        Ok(plan)
    }

    /// Applies `file`, unless it leaves out a feature or a plan that accounts hold.
    ///
    /// # Errors
    /// Those of [`Engine::apply_catalog_removing`].
    pub async fn apply_catalog(
        &self,
        file: &CatalogFile,
        actor: Option<&str>,
    ) -> Result<CatalogPlan, EngineError> {
        let none = Removals::default();
        self.apply_catalog_removing(file, &none, actor).await
    }

    /// Applies `file`: from the next request on it decides. Features and plans that it leaves out go, and accounts that
    /// hold one lose it: `removals` must name each of those (C7). An account that begins to hold one while the accounts
    /// are examined is not seen.
    ///
    /// # Errors
    /// [`EngineError::Catalog`] names what is wrong with the file, [`EngineError::StillHeld`] what accounts hold and
    /// `removals` does not name, [`EngineError::UnknownRemoval`] what it names and is not there, [`EngineError::CatalogChanged`] when another one was applied meanwhile.
    pub async fn apply_catalog_removing(
        &self,
        file: &CatalogFile,
        removals: &Removals,
        actor: Option<&str>,
    ) -> Result<CatalogPlan, EngineError> {
        let current = self.catalog().await?;
        let next = applied(&current, file)?;
        let mut plan = difference(&current, &next);
        if plan.is_empty() {
            return Ok(plan);
        }
        if let Some(unknown) = removals.unknown(&current, &next) {
            return Err(EngineError::UnknownRemoval(unknown));
        }
        self.examine_accounts(&current, &next, &mut plan).await?;
        let unnamed = plan.held.iter().filter(|held| !held.is_named(removals));
        let unnamed: Vec<HeldEntry> = unnamed.cloned().collect();
        if !unnamed.is_empty() {
            return Err(EngineError::StillHeld(unnamed));
        }
        if !self.storage().put_catalog(&next, actor, self.now()).await? {
            return Err(EngineError::CatalogChanged);
        }
        self.inner.decider.catalogs.refresh().await?;
        Ok(plan)
    }

    /// Finds who would be over a limit or lose a flag, and who holds what goes; the effort is bounded.
    async fn examine_accounts(
        &self,
        current: &Catalog,
        next: &Catalog,
        plan: &mut CatalogPlan,
    ) -> Result<(), EngineError> {
        let features = plan.features_removed.iter().cloned().map(Entry::Feature);
        let plans = plan.plans_removed.iter().cloned().map(Entry::Plan);
        let mut left_out: Vec<HeldEntry> = features.chain(plans).map(HeldEntry::new).collect();
        let changes_limits = !plan.plans_changed.is_empty()
            || !plan.features_changed.is_empty()
            || plan.default_plan.is_some();
        if !changes_limits && left_out.is_empty() {
            return Ok(());
        }
        let setting = self.setting_now();
        let mut page = AccountPage {
            limit: PAGE,
            ..AccountPage::default()
        };
        plan.is_partial = true;
        let mut orgs = LimitedOrgs::default();
        for _ in 0..PAGES_MAX {
            let rows = self.storage().accounts(&page).await?;
            for row in &rows {
                plan.examine(row, &setting, (current, next));
                plan.name_over(orgs.examine(row, &setting, (current, next)));
                for entry in &mut left_out {
                    entry.examine(row, setting.now, current);
                }
            }
            let Some(last) = rows.last() else {
                plan.is_partial = false;
                break;
            };
            page.after = Some(last.id.clone());
        }
        // Of accounts that were not examined nothing is known: they may hold it.
        left_out.retain(|entry| entry.accounts != 0 || plan.is_partial);
        plan.held = left_out;
        Ok(())
    }
}

impl CatalogPlan {
    fn examine(&mut self, row: &AccountRow, setting: &Setting, (now, next): (&Catalog, &Catalog)) {
        self.examined += 1;
        self.examine_flags(row, setting, (now, next));
        let less = less_on_demand(row, setting, (now, next));
        self.less_on_demand_count += u64::try_from(less.len()).unwrap_or(u64::MAX);
        let room = NAMED_MAX.saturating_sub(self.less_on_demand.len());
        self.less_on_demand.extend(less.into_iter().take(room));
        self.name_over(over_limits(row, setting, (now, next)));
        let lost = lost_limits(row, setting, (now, next));
        self.lost_limit_count += u64::try_from(lost.len()).unwrap_or(u64::MAX);
        let room = NAMED_MAX.saturating_sub(self.lost_limits.len());
        self.lost_limits.extend(lost.into_iter().take(room));
    }

    fn name_over(&mut self, over: Vec<OverLimit>) {
        self.over_limit_count += u64::try_from(over.len()).unwrap_or(u64::MAX);
        let room = NAMED_MAX.saturating_sub(self.over_limit.len());
        self.over_limit.extend(over.into_iter().take(room));
    }

    /// Finds the flags that the plan of an account gives now and would not give then.
    fn examine_flags(
        &mut self,
        row: &AccountRow,
        setting: &Setting,
        (now, next): (&Catalog, &Catalog),
    ) {
        if row.account.terms.unlimited {
            return;
        }
        let has = |catalog: &Catalog, feature: &Feature| {
            has_flag(&setting.under(catalog), &row.account, feature)
        };
        let flags = now.features.values();
        for flag in flags.filter(|feature| feature.kind == Kind::Flag) {
            let keeps = next.features.contains_key(&flag.code) && has(next, flag);
            if keeps || !has(now, flag) {
                continue;
            }
            self.lost_flag_count += 1;
            if self.lost_flags.len() < NAMED_MAX {
                self.lost_flags.push(LostFlag {
                    account: row.id.clone(),
                    feature: flag.code.clone(),
                });
            }
        }
    }

    /// Whether the file says what is in force already.
    pub fn is_empty(&self) -> bool {
        self.default_plan.is_none()
            && self.features_added.is_empty()
            && self.features_changed.is_empty()
            && self.features_removed.is_empty()
            && self.plans_added.is_empty()
            && self.plans_changed.is_empty()
            && self.plans_removed.is_empty()
            && self.packs_changed().is_empty()
    }

    /// The packs that are new, change or go, each once.
    pub fn packs_changed(&self) -> BTreeSet<&PackCode> {
        packs(&self.fields_changed)
    }
}

/// The catalog after `file`, without the plans that it leaves out.
fn applied(current: &Catalog, file: &CatalogFile) -> Result<Catalog, EngineError> {
    Ok(current.applied(file)?.without_plans_left_out(file))
}

fn difference(current: &Catalog, next: &Catalog) -> CatalogPlan {
    let added = |code: &&FeatureCode| !current.features.contains_key(*code);
    let changed = |code: &&FeatureCode| {
        let before = current.features.get(*code);
        before.is_some() && before != next.features.get(*code)
    };
    let left_out = |code: &&PlanCode| !next.plans.contains_key(*code);
    let removed = |code: &&FeatureCode| !next.features.contains_key(*code);
    let mut plan = CatalogPlan {
        version: next.version,
        names_nothing: next.features.is_empty() && next.plans.is_empty(),
        default_plan: (current.default_plan != next.default_plan).then(|| DefaultPlanChange {
            from: current.default_plan.clone(),
            to: next.default_plan.clone(),
        }),
        features_added: next.features.keys().filter(added).cloned().collect(),
        features_changed: next.features.keys().filter(changed).cloned().collect(),
        features_removed: current.features.keys().filter(removed).cloned().collect(),
        plans_added: Vec::new(),
        plans_changed: BTreeMap::new(),
        plans_removed: current.plans.keys().filter(left_out).cloned().collect(),
        fields_changed: differing(current, next),
        held: Vec::new(),
        over_limit: Vec::new(),
        over_limit_count: 0,
        lost_flags: Vec::new(),
        lost_flag_count: 0,
        lost_limits: Vec::new(),
        lost_limit_count: 0,
        less_on_demand: Vec::new(),
        less_on_demand_count: 0,
        examined: 0,
        is_partial: false,
    };
    for code in next.plans.keys() {
        match (current.plan(code, None), next.plan(code, None)) {
            (None, Some(_)) => plan.plans_added.push(code.clone()),
            (Some(before), Some(after)) if before != after => {
                let features = before.limits.keys().chain(after.limits.keys());
                let mut limits: Vec<LimitChange> = features
                    .map(|feature| LimitChange {
                        feature: feature.clone(),
                        from: before.limits.get(feature).cloned(),
                        to: after.limits.get(feature).cloned(),
                    })
                    .filter(|change| change.from != change.to)
                    .collect();
                limits.sort_by(|a, b| a.feature.cmp(&b.feature));
                limits.dedup();
                plan.plans_changed.insert(code.clone(), limits);
            }
            _ => {}
        }
    }
    if plan.is_empty() {
        plan.version = current.version;
    }
    plan
}
