//! What the subscriptions of a provider make of an account (S1, S10 to S13, P12, P13).

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::choice::{Candidate, Rank, is_in_force, yearly};
use super::{ProviderPeriod, ProviderSubscription};
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

/// What of a provider's subscriptions does not fit, and changes nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each says in words what it is about")]
pub enum Problem {
    UnknownStatus {
        subscription: SubscriptionRef,
        status: String,
    },
    UnknownPrice {
        subscription: SubscriptionRef,
        price: PriceId,
    },
    NoPeriod {
        subscription: SubscriptionRef,
    },
    SeveralPlans {
        subscription: SubscriptionRef,
        plans: Vec<PlanCode>,
    },
    SeveralSubscriptions {
        subscriptions: Vec<SubscriptionRef>,
    },
    SecondTrial {
        subscription: SubscriptionRef,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStatus {
                subscription,
                status,
            } => {
                write!(
                    f,
                    "subscription `{subscription}` has the unknown status `{status}`"
                )
            }
            Self::UnknownPrice {
                subscription,
                price,
            } => write!(
                f,
                "subscription `{subscription}` has price `{price}`, which stands for nothing in the catalog"
            ),
            Self::NoPeriod { subscription } => {
                write!(f, "subscription `{subscription}` has no period")
            }
            Self::SeveralPlans { subscription, .. } => {
                write!(
                    f,
                    "subscription `{subscription}` has several base plans: the dearest counts"
                )
            }
            Self::SeveralSubscriptions { .. } => {
                f.write_str("several subscriptions are in force: one of them counts")
            }
            Self::SecondTrial { subscription } => {
                write!(
                    f,
                    "subscription `{subscription}` is a second trial of the account"
                )
            }
        }
    }
}

/// What `facts`, all subscriptions that one fetch saw of a customer, make of an account with `terms` at `now`.
///
/// Several are in force: the one with the dearer plan counts, then the one that began later, then the id. What the account has of
/// another customer or by hand is one of them; only its own end ends it (P12). Of a price that stands for nothing in the catalog
/// nothing is known: where that is the plan's, nothing changes.
pub fn target(
    provider: &ProviderCode,
    facts: &[ProviderSubscription],
    (terms, catalog): (&Terms, &Catalog),
    now: DateTime<Utc>,
) -> Target {
    let reading = Reading {
        provider,
        catalog,
        now,
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
        let plans = reading.plans_of(fact, &mut target.problems);
        if is_in_force(fact, status, now) {
            add_addons(&mut target.addons, fact, &plans);
        }
        if let Some(plan) = base_of(fact, &plans, &mut target.problems) {
            candidates.push(Candidate { fact, plan, status });
        }
    }
    let live = candidates.iter().filter(|one| one.rank(now).is_in_force);
    let live: Vec<SubscriptionRef> = live.map(|one| one.fact.id.clone()).collect();
    if live.len() > 1 {
        let subscriptions = live;
        target
            .problems
            .push(Problem::SeveralSubscriptions { subscriptions });
    }
    let chosen = reading.chosen(&candidates, facts);
    target.base = chosen.and_then(|chosen| reading.base(&chosen, &mut target.problems));
    if let Some(base) = &target.base
        && base.status == Status::Trialing
        && terms.trial_settled_at.is_some()
        && !reading.is_held(&base.subscription)
    {
        let subscription = base.subscription.clone();
        target.problems.push(Problem::SecondTrial { subscription });
    }
    target
}

/// With what the facts are read.
struct Reading<'a> {
    provider: &'a ProviderCode,
    catalog: &'a Catalog,
    now: DateTime<Utc>,
    /// What the account has.
    held: Option<&'a Subscription>,
}

impl<'a> Reading<'a> {
    /// Whether the account has this subscription of the provider.
    fn is_held(&self, id: &SubscriptionRef) -> bool {
        let provided = self.held.and_then(|held| held.provided.as_ref());
        provided.is_some_and(|provided| provided.is(self.provider, id))
    }

    /// The plans of a subscription's items, with how many of each.
    fn plans_of(
        &self,
        fact: &ProviderSubscription,
        problems: &mut Vec<Problem>,
    ) -> Vec<(&'a Plan, Quantity)> {
        let mut plans = Vec::new();
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
        plans
    }

    /// The subscription whose plan is the account's base plan; none where it has another one that goes before, or where
    /// nothing is in force that could take the place of what it has.
    fn chosen(
        &self,
        candidates: &[Candidate<'a>],
        facts: &[ProviderSubscription],
    ) -> Option<Candidate<'a>> {
        let mut best: Option<Candidate<'a>> = None;
        for one in candidates {
            let rank = one.rank(self.now);
            if best.is_none_or(|best| rank.is_before(&best.rank(self.now))) {
                best = Some(*one);
            }
        }
        let best = best?;
        if let Some(other) = self.held_elsewhere(facts)
            && other.is_before(&best.rank(self.now))
        {
            return None;
        }
        if best.rank(self.now).is_in_force {
            return Some(best);
        }
        // Nothing is in force: of what the account has its own end is told, and of anything else nothing.
        let mut own = candidates.iter();
        own.find(|one| self.is_held(&one.fact.id)).copied()
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
        let is_of_it = current.provided.is_some();
        Some(Rank {
            is_in_force: is_of_it
                && current.is_paid()
                && current.period(self.now).contains(self.now),
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
        if own.is_none() {
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
    problems: &mut Vec<Problem>,
) -> Option<&'a Plan> {
    let bases = plans.iter().map(|(plan, _)| *plan);
    let mut bases: Vec<&Plan> = bases.filter(|plan| plan.kind == PlanKind::Base).collect();
    bases.sort_by_key(|plan| (yearly(plan), &plan.code));
    bases.dedup_by_key(|plan| &plan.code);
    if bases.len() > 1 {
        problems.push(Problem::SeveralPlans {
            subscription: fact.id.clone(),
            plans: bases.iter().map(|plan| plan.code.clone()).collect(),
        });
    }
    bases.pop()
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
