//! Offers: what of the catalog would end a denial (F8). Each is bought on a copy of the home, and is listed if the very
//! request is allowed there; so none is listed that would not help.

use super::check::check_items;
use super::context::Context;
use super::execute::execute;
use super::had::in_force;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::balance::Bucket;
use crate::catalog::{Interval, Plan, PlanKind};
use crate::command::{
    ChangePlan, ChangeWhen, Command, Consume, GrantCredits, Request, SetAddon, Subscribe,
    UsageAfterChange,
};
use crate::draw::Scope;
use crate::home::{Account, Books, Home};
use crate::ids::{AccountId, FeatureCode, GrantId, PlanCode};
use crate::quantity::{QUANTITY_MAX, Quantity};

/// Most plans that are offered for one denial, and most add-ons: who is to choose does not read more.
pub const OFFERS_MAX: usize = 20;
/// Most purchases that are tried for one denial; each decides the request anew. A plan takes up to three, an add-on that helps
/// up to 19.
const TRIES_MAX: usize = 500;
/// Most items that are decided in all tries for one denial: a long list of items is tried less often.
const ITEMS_TRIED_MAX: usize = 2_000;

/// What would end a denial, bought by the account whose plan or wallet bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// Who would have to buy: the user, or the org that it belongs to.
    pub buyer: AccountId,
    /// The scope that it is.
    pub scope: Scope,
    /// What there is to buy: plans, then add-ons, each by code, then credits.
    pub offers: Vec<Offer>,
}

/// Something that would end a denial. Any one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// A plan to subscribe to, or to change to.
    Plan {
        /// The plan.
        plan: OfferedPlan,
        /// Whether the change must be asked for at once: unasked it would wait for the period's end (S5).
        at_once: bool,
    },
    /// So many of an add-on.
    Addon {
        /// The add-on.
        plan: OfferedPlan,
        /// How many the account must have: the fewest that are enough.
        quantity: Quantity,
        /// How many of them it has now.
        held: u32,
    },
    /// The fewest credits that are enough.
    Credits(Amount),
}

/// What people ask of a plan before they buy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPlan {
    /// Its code, as in the catalog.
    pub code: PlanCode,
    /// Its name for people.
    pub name: String,
    /// Price of one interval in minor units of `currency`; of an add-on, of one of it.
    pub price: u64,
    /// Three-letter currency code, lower case.
    pub currency: String,
    /// How long one period lasts.
    pub interval: Interval,
}

impl OfferedPlan {
    fn of(plan: &Plan) -> Self {
        Self {
            code: plan.code.clone(),
            name: plan.name.clone(),
            price: plan.price,
            currency: plan.currency.clone(),
            interval: plan.interval,
        }
    }
}

/// What would end the denial that `user` of `home` gets for what is asked; none when it is allowed, when the user is
/// unknown, and when a token bound, for which nothing can be bought.
pub fn offers(
    context: &Context<'_>,
    home: &Home,
    user: &AccountId,
    asked: &Consume,
) -> Option<Offers> {
    let checked = check_items(context, home.clone(), user, asked).ok()?;
    let (denied, denial) = checked.denial?;
    let buyer = match denial.scope {
        Scope::Token => return None,
        Scope::User => user,
        Scope::Org => &home.id,
    };
    let account = home.accounts.get(buyer)?;
    let items = asked.items.len().max(1);
    let mut trying = Trying {
        context,
        home,
        user,
        asked,
        buyer,
        denied: &denied.feature,
        left: TRIES_MAX.min(ITEMS_TRIED_MAX.checked_div(items).unwrap_or(0)),
    };
    let mut offers = trying.plans(account);
    offers.extend(trying.addons(account));
    offers.extend(trying.credits(account));
    Some(Offers {
        buyer: buyer.clone(),
        scope: denial.scope,
        offers,
    })
}

/// A denied request, and who might buy something for it.
struct Trying<'a> {
    context: &'a Context<'a>,
    home: &'a Home,
    user: &'a AccountId,
    asked: &'a Consume,
    buyer: &'a AccountId,
    /// What the denial is of.
    denied: &'a FeatureCode,
    /// How many purchases may still be tried.
    left: usize,
}

impl<'a> Trying<'a> {
    /// Whether the request is allowed once this was bought.
    fn is_allowed_with(&mut self, purchase: Command) -> bool {
        self.allowed_with(purchase).is_some()
    }

    /// The same, where the buyer then has what was denied: a plan that gives nothing of it is no offer, though without a limit the
    /// trial may pay (F2).
    fn is_had_with(&mut self, purchase: Command) -> bool {
        let Some(home) = self.allowed_with(purchase) else {
            return false;
        };
        let feature = self.context.catalog.features.get(self.denied);
        let feature = feature.filter(|feature| feature.is_drawn());
        feature.is_none_or(|feature| {
            let buyer = home.accounts.get(self.buyer);
            buyer.is_some_and(|buyer| self.context.allowance(buyer, feature).limit().is_some())
        })
    }

    /// The home once this was bought, if the request is allowed there.
    fn allowed_with(&mut self, purchase: Command) -> Option<Home> {
        self.left = self.left.checked_sub(1)?;
        let (context, mut home) = (self.context, self.home.clone());
        let purchase = Request::rehearsal(self.buyer, purchase);
        execute(&mut home, &purchase, context).ok()?;
        let checked = check_items(context, home.clone(), self.user, self.asked);
        let is_allowed = checked.is_ok_and(|checked| checked.denial.is_none());
        is_allowed.then_some(home)
    }

    /// The newest version of every plan of a kind, by code.
    fn catalog_plans(&self, kind: PlanKind) -> impl Iterator<Item = &'a Plan> + use<'a> {
        let catalog = self.context.catalog;
        let codes = catalog.plans.keys();
        let newest = codes.filter_map(|code| catalog.plan(code, None));
        newest.filter(move |plan| plan.kind == kind)
    }

    /// Base plans that are enough.
    fn plans(&mut self, account: &Account) -> Vec<Offer> {
        let is_in_force = in_force(self.context, &account.terms).is_some();
        let plans = self.catalog_plans(PlanKind::Base);
        let offered = plans.filter_map(|plan| {
            let at_once = if is_in_force {
                self.must_be_at_once(&plan.code)?
            } else {
                let start = Command::Subscribe(Subscribe::to(plan.code.clone()));
                if !self.is_had_with(start) {
                    return None;
                }
                false
            };
            let plan = OfferedPlan::of(plan);
            Some(Offer::Plan { plan, at_once })
        });
        offered.take(OFFERS_MAX).collect()
    }

    /// Whether a change to a plan that is enough must be asked for at once; none where no change to it is enough. A change
    /// that would wait for the period's end (S5) is enough only by what the plan gives, not because use begins anew with
    /// it: or else every plan would be on every list.
    fn must_be_at_once(&mut self, plan: &PlanCode) -> Option<bool> {
        let change = |when, usage| {
            let plan = plan.clone();
            Command::ChangePlan(ChangePlan { plan, when, usage })
        };
        let (now, unsaid) = (Some(ChangeWhen::Now), UsageAfterChange::default());
        if self.is_had_with(change(None, unsaid)) {
            return Some(false);
        }
        let is_enough = self.is_had_with(change(now, UsageAfterChange::Keep))
            && self.is_had_with(change(now, unsaid));
        is_enough.then_some(true)
    }

    /// Add-ons, each in the smallest quantity that is enough. One that is held keeps its end.
    fn addons(&mut self, account: &Account) -> Vec<Offer> {
        let now = self.context.now;
        let plans = self.catalog_plans(PlanKind::Addon);
        let offered = plans.filter_map(|plan| {
            let held = account.terms.addons.get(&plan.code);
            let held = held.filter(|held| !held.is_over(now));
            let (has, ends_at) = held.map_or((0, None), |held| (held.quantity.get(), held.ends_at));
            let with = |number: u64| {
                let number = u32::try_from(number).ok()?;
                Some(Command::SetAddon(SetAddon {
                    plan: plan.code.clone(),
                    quantity: Quantity::new(number).ok()?,
                    ends_at,
                }))
            };
            let fewest = u64::from(has).saturating_add(1);
            let enough = self.least((fewest, QUANTITY_MAX.into()), with)?;
            let quantity = Quantity::new(u32::try_from(enough).ok()?).ok()?;
            Some(Offer::Addon {
                plan: OfferedPlan::of(plan),
                quantity,
                held: has,
            })
        });
        offered.take(OFFERS_MAX).collect()
    }

    /// The fewest credits that are enough, where they can pay for something of what is asked.
    fn credits(&mut self, account: &Account) -> Option<Offer> {
        let features = &self.context.catalog.features;
        let cost = self.asked.items.iter().fold(0_u64, |sum, item| {
            let feature = features.get(&item.feature);
            let unit_cost = feature.and_then(|feature| feature.credit_cost);
            let cost = item.amount.get().saturating_mul(unit_cost.unwrap_or(0));
            sum.saturating_add(cost)
        });
        let grant = unused_grant(&account.books)?;
        let with = |credits: u64| {
            Some(Command::GrantCredits(GrantCredits {
                grant: grant.clone(),
                credits: Amount::new(credits).ok()?,
                priority: 0,
                expires_at: None,
            }))
        };
        let enough = self.least((1, cost.min(AMOUNT_MAX)), with)?;
        Amount::new(enough).ok().map(Offer::Credits)
    }

    /// The least number from the first to the last with which the request is allowed: with more of what is bought, no less
    /// is allowed.
    fn least(
        &mut self,
        (first, last): (u64, u64),
        with: impl Fn(u64) -> Option<Command>,
    ) -> Option<u64> {
        let mut is_enough =
            |number| with(number).is_some_and(|bought| self.is_allowed_with(bought));
        if last < first {
            return None;
        }
        if is_enough(first) {
            return Some(first);
        }
        if last == first || !is_enough(last) {
            return None;
        }
        // Not enough, and enough.
        let (mut few, mut many) = (first, last);
        while few.saturating_add(1) < many {
            let middle = few.midpoint(many);
            if is_enough(middle) {
                many = middle;
            } else {
                few = middle;
            }
        }
        Some(many)
    }
}

/// A grant's id that the account has not used yet.
fn unused_grant(books: &Books) -> Option<GrantId> {
    let used = books
        .closed_grants
        .len()
        .saturating_add(books.balances.len());
    // Of one more names than are used one is free.
    (0..=used).find_map(|number| {
        let grant = GrantId::new(&format!("offer-{number}")).ok()?;
        let is_known = books.closed_grants.contains(&grant)
            || books.balance(&Bucket::Grant(grant.clone())).is_some();
        (!is_known).then_some(grant)
    })
}
