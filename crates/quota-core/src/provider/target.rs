//! What the subscriptions of a provider make of an account (S1, S10 to S13, P12, P13).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::choice::{Candidate, Force, Rank, is_in_force, yearly};
use super::{Problem, ProviderPeriod, ProviderSubscription};
use crate::catalog::{Catalog, Plan, PlanKind, Renewal};
use crate::ids::{PlanCode, PriceId, ProviderCode, SubscriptionRef};
use crate::quantity::{QUANTITY_MAX, Quantity};
use crate::terms::{PlanChange, Status, Subscription, Terms};

/// What an account is to have of its provider's subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Its base plan; none where what it has stays as it is.
    pub base: Option<BaseTarget>,
    /// Its add-ons by their plans.
    pub addons: BTreeMap<PlanCode, AddonTarget>,
    /// What does not fit, for whoever looks after it. Nothing of it is guessed.
    pub problems: Vec<Problem>,
}

/// The base plan that an account is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseTarget {
    /// The subscription that it is.
    pub subscription: SubscriptionRef,
    /// The plan.
    pub plan: PlanCode,
    /// How many seats.
    pub seats: Quantity,
    /// Where it stands.
    pub status: Status,
    /// Its period.
    pub period: ProviderPeriod,
    /// When it ends, or ended, if that is set.
    pub cancel_at: Option<DateTime<Utc>>,
    /// The change that is scheduled.
    pub scheduled: Option<PlanChange>,
}

/// An add-on that an account is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonTarget {
    /// The subscription that it is in.
    pub subscription: SubscriptionRef,
    /// How many of it.
    pub quantity: Quantity,
}

/// What `facts`, all subscriptions that one fetch saw of a customer, make of an account with `terms` at `now`.
///
/// Several are in force: the one with the dearer plan counts, then the one that began later, then the id. What the account has of
/// another customer or by hand is one of them; only its own end ends it (P12), and that ends it whatever is sold in it. Of a price
/// that stands for nothing in the catalog nothing is known: where that is the plan's, nothing changes.
pub fn target(
    provider: &ProviderCode,
    facts: &[ProviderSubscription],
    (terms, catalog): (&Terms, &Catalog),
    (now, grace): (DateTime<Utc>, TimeDelta),
) -> Target {
    let reading = Reading {
        provider,
        catalog,
        now,
        grace,
        held: terms.subscription.as_ref(),
    };
    let mut target = Target::default();
    let mut candidates = Vec::new();
    for fact in facts {
        let Ok(status) = Status::from_stripe(&fact.status) else {
            target.problems.push(Problem::UnknownStatus {
                subscription: fact.id.clone(),
                status: fact.status.clone(),
            });
            continue;
        };
        let (plans, problems) = reading.plans_of(fact);
        if is_in_force(fact, status, now) {
            add_addons(&mut target.addons, fact, &plans);
        }
        let (plan, several) = base_of(fact, &plans);
        // What was sold in one that is over is nobody's problem any more.
        if status != Status::Canceled {
            target.problems.extend(problems.into_iter().chain(several));
        }
        if let Some(plan) = plan.or_else(|| reading.plan_that_ends(fact, status)) {
            candidates.push(Candidate { fact, plan, status });
        }
    }
    let live = candidates
        .iter()
        .filter(|one| is_in_force(one.fact, one.status, now));
    let live: Vec<SubscriptionRef> = live.map(|one| one.fact.id.clone()).collect();
    if live.len() > 1 {
        let subscriptions = live;
        target
            .problems
            .push(Problem::SeveralSubscriptions { subscriptions });
    }
    let chosen = reading.chosen(&candidates, facts);
    target.base = chosen.and_then(|chosen| reading.base(&chosen, &mut target.problems));
    let second = target.base.as_ref();
    let second = second.filter(|base| reading.is_second_trial(base, terms));
    let second = second.map(|base| base.subscription.clone());
    target
        .problems
        .extend(second.map(|subscription| Problem::SecondTrial { subscription }));
    target
}

/// With what the facts are read.
struct Reading<'a> {
    provider: &'a ProviderCode,
    catalog: &'a Catalog,
    now: DateTime<Utc>,
    /// How long one that is late with a payment stays in force.
    grace: TimeDelta,
    /// What the account has.
    held: Option<&'a Subscription>,
}

impl<'a> Reading<'a> {
    /// Whether the account has this subscription of the provider.
    fn is_held(&self, id: &SubscriptionRef) -> bool {
        let provided = self.held.and_then(|held| held.provided.as_ref());
        provided.is_some_and(|provided| provided.is(self.provider, id))
    }

    /// Whether an account that had its trial tries a plan again (S13): also once it has that trial.
    fn is_second_trial(&self, base: &BaseTarget, terms: &Terms) -> bool {
        let held = self.held.filter(|_| self.is_held(&base.subscription));
        let is_another = |settled_at: DateTime<Utc>| {
            held.is_none_or(|held| held.status != Status::Trialing || settled_at < held.starts_at)
        };
        base.status == Status::Trialing && terms.trial_settled_at.is_some_and(is_another)
    }

    /// The plan of what the account has, where its provider says that this grants nothing any more: that is followed whatever is
    /// sold in it.
    fn plan_that_ends(&self, fact: &ProviderSubscription, status: Status) -> Option<&'a Plan> {
        let held = self.held.filter(|_| self.is_held(&fact.id))?;
        let ends = match status {
            Status::Canceled | Status::Unpaid => true,
            Status::Active | Status::Trialing | Status::PastDue => false,
        };
        let plan = self.catalog.held_plan(&held.plan, held.plan_version);
        plan.filter(|_| ends)
    }

    /// The plans of a subscription's items, with how many of each, and the prices that stand for none.
    fn plans_of(&self, fact: &ProviderSubscription) -> (Vec<(&'a Plan, Quantity)>, Vec<Problem>) {
        let (mut plans, mut problems) = (Vec::new(), Vec::new());
        for item in &fact.items {
            let Some(plan) = self.catalog.plan_of_price(self.provider, &item.price) else {
                problems.push(Problem::UnknownPrice {
                    subscription: fact.id.clone(),
                    price: item.price.clone(),
                });
                continue;
            };
            let most = u64::from(QUANTITY_MAX);
            let count = item.quantity.unwrap_or(1).min(most);
            let count = u32::try_from(count).unwrap_or(QUANTITY_MAX);
            // Of none nothing is had.
            if let Ok(quantity) = Quantity::new(count) {
                plans.push((plan, quantity));
            }
        }
        (plans, problems)
    }

    /// The subscription whose plan is the account's base plan; none where it has another one that goes before, or where
    /// nothing is in force that could take the place of what it has.
    fn chosen(
        &self,
        candidates: &[Candidate<'a>],
        facts: &[ProviderSubscription],
    ) -> Option<Candidate<'a>> {
        let mut best: Option<Candidate<'a>> = None;
        let rank = |one: &Candidate<'a>| one.rank(self.force(one));
        for one in candidates {
            if best.is_none_or(|best| rank(one).is_before(&rank(&best))) {
                best = Some(*one);
            }
        }
        let best = best?;
        if let Some(other) = self.held_elsewhere(facts)
            && other.is_before(&rank(&best))
        {
            return None;
        }
        if rank(&best).force != Force::None {
            return Some(best);
        }
        // Nothing is in force: of what the account has its own end is told, and of anything else nothing.
        let mut own = candidates.iter();
        own.find(|one| self.is_held(&one.fact.id)).copied()
    }

    /// How far a subscription of the provider is in force (S2): since when one is late is known of that alone which the account has.
    fn force(&self, one: &Candidate<'_>) -> Force {
        if !is_in_force(one.fact, one.status, self.now) {
            return Force::None;
        }
        let held = self.held.filter(|_| self.is_held(&one.fact.id));
        match (one.status, held) {
            (Status::PastDue, Some(held)) if self.is_in_grace(held) => Force::Full,
            (Status::PastDue, _) => Force::Late,
            (Status::Active | Status::Trialing | Status::Unpaid | Status::Canceled, _) => {
                Force::Full
            }
        }
    }

    /// Whether what the account has is not late, or not yet for longer than the grace.
    fn is_in_grace(&self, held: &Subscription) -> bool {
        let current = held.current(self.catalog, self.now);
        let since = current.past_due_at;
        since.is_none_or(|since| self.now.signed_duration_since(since) <= self.grace)
    }

    /// What the account has of another customer of a provider, or of another provider.
    fn held_elsewhere(&self, facts: &[ProviderSubscription]) -> Option<Rank<'a>> {
        let held = self.held?;
        let provided = held.provided.as_ref()?;
        let is_told = facts
            .iter()
            .any(|fact| provided.is(self.provider, &fact.id));
        if is_told {
            return None;
        }
        let current = held.current(self.catalog, self.now);
        let plan = self.catalog.held_plan(&held.plan, held.plan_version);
        let is_of_it = current.provided.is_some() && current.is_paid();
        let force = if !is_of_it || !current.period(self.now).contains(self.now) {
            Force::None
        } else if self.is_in_grace(held) {
            Force::Full
        } else {
            Force::Late
        };
        Some(Rank {
            force,
            price: plan.map_or(0, yearly),
            started_at: held.anchor_at,
            id: &provided.subscription,
        })
    }

    /// The base plan that a subscription comes to.
    fn base(&self, chosen: &Candidate<'_>, problems: &mut Vec<Problem>) -> Option<BaseTarget> {
        let (fact, plan) = (chosen.fact, chosen.plan);
        let held = self.held.filter(|_| self.is_held(&fact.id));
        let of_plan = |price: &PriceId| {
            let found = self.catalog.plan_of_price(self.provider, price);
            found.is_some_and(|found| found.code == plan.code)
        };
        let item = fact.items.iter().find(|item| of_plan(&item.price));
        let own = item.and_then(|item| item.period).or(fact.period);
        if own.is_none() && chosen.status != Status::Canceled {
            let subscription = fact.id.clone();
            problems.push(Problem::NoPeriod { subscription });
        }
        let kept = held.map(|held| ProviderPeriod {
            starts_at: held.starts_at,
            ends_at: held.ends_at,
        });
        let period = own.filter(|own| own.starts_at < own.ends_at).or(kept)?;
        let count = item.and_then(|item| item.quantity).unwrap_or(1);
        let count = u32::try_from(count)
            .unwrap_or(QUANTITY_MAX)
            .min(QUANTITY_MAX);
        let seats = Quantity::new(count).unwrap_or_default();
        let (plan, seats) = self.paid_for(chosen.status, (plan, seats), held);
        let ends = match chosen.status {
            Status::Canceled => Some(fact.ended_at.unwrap_or(self.now)),
            Status::Active | Status::Trialing | Status::PastDue | Status::Unpaid => fact.cancel_at,
        };
        let scheduled = fact.scheduled.as_ref().and_then(|change| {
            let next = self.catalog.plan_of_price(self.provider, &change.price)?;
            Some(PlanChange {
                plan: next.code.clone(),
                at: change.at,
            })
        });
        Some(BaseTarget {
            subscription: fact.id.clone(),
            status: status_of(chosen, plan),
            plan: plan.code.clone(),
            seats,
            period,
            cancel_at: ends,
            scheduled: scheduled.filter(|change| change.plan != plan.code),
        })
    }

    /// What was paid for: while a payment is outstanding, another plan or more seats do not act (S12).
    fn paid_for(
        &self,
        status: Status,
        (plan, seats): (&'a Plan, Quantity),
        held: Option<&Subscription>,
    ) -> (&'a Plan, Quantity) {
        let Some(held) = held.filter(|_| status == Status::PastDue) else {
            return (plan, seats);
        };
        let paid = self.catalog.held_plan(&held.plan, held.plan_version);
        (paid.unwrap_or(plan), seats.min(held.seats))
    }
}

/// Its status here: where a plan renews when it is paid, nothing is granted before that (S11).
fn status_of(chosen: &Candidate<'_>, plan: &Plan) -> Status {
    let waits = plan.renewal == Renewal::WhenPaid && chosen.fact.is_paid != Some(true);
    let is_begun = matches!(chosen.status, Status::Active | Status::PastDue);
    if waits && is_begun {
        Status::Unpaid
    } else {
        chosen.status
    }
}

/// The base plan among a subscription's plans, the dearest if there are several.
fn base_of<'a>(
    fact: &ProviderSubscription,
    plans: &[(&'a Plan, Quantity)],
) -> (Option<&'a Plan>, Option<Problem>) {
    let bases = plans.iter().map(|(plan, _)| *plan);
    let mut bases: Vec<&Plan> = bases.filter(|plan| plan.kind == PlanKind::Base).collect();
    bases.sort_by_key(|plan| (yearly(plan), &plan.code));
    bases.dedup_by_key(|plan| &plan.code);
    let several = (bases.len() > 1).then(|| Problem::SeveralPlans {
        subscription: fact.id.clone(),
        plans: bases.iter().map(|plan| plan.code.clone()).collect(),
    });
    (bases.pop(), several)
}

/// Adds the add-ons among a subscription's plans to those of others (P13).
fn add_addons(
    addons: &mut BTreeMap<PlanCode, AddonTarget>,
    fact: &ProviderSubscription,
    plans: &[(&Plan, Quantity)],
) {
    for (plan, quantity) in plans
        .iter()
        .filter(|(plan, _)| plan.kind == PlanKind::Addon)
    {
        let known = addons
            .get(&plan.code)
            .map_or(0, |known| known.quantity.get());
        let sum = known.saturating_add(quantity.get()).min(QUANTITY_MAX);
        addons.insert(
            plan.code.clone(),
            AddonTarget {
                subscription: fact.id.clone(),
                quantity: Quantity::new(sum).unwrap_or(*quantity),
            },
        );
    }
}
