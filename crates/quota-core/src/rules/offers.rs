//! Offers: what of the catalog would end a denial (F8). Each is bought on a copy of the home, and is listed if the very
//! request is allowed there; so none is listed that would not help.

use chrono::TimeDelta;

use super::check::check_items;
use super::context::Context;
use super::had::in_force;
use super::trying::Trying;
use super::wallet::Wallet;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::balance::Bucket;
use crate::catalog::{Interval, Pack, Plan, PlanKind};
use crate::command::{
    ChangePlan, ChangeWhen, Command, Consume, GrantCredits, SetAddon, SetSeats, Subscribe,
    UsageAfterChange,
};
use crate::draw::Scope;
use crate::home::{Account, Books, Home};
use crate::ids::{AccountId, GrantId, PackCode, PlanCode};
use crate::item::Item;
use crate::quantity::{QUANTITY_MAX, Quantity};
use crate::terms::{Addon, Subscription};

/// Most plans that are offered for one denial, most add-ons and most packs: who is to choose does not read more.
pub const OFFERS_MAX: usize = 20;

/// What would end a denial, bought by the account whose plan or wallet bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// Who would have to buy: the user, or the org that it belongs to.
    pub buyer: AccountId,
    /// The scope that it is.
    pub scope: Scope,
    /// What there is to buy: plans, those that cost less than the one that is had last; then add-ons, seats, credits and packs of
    /// them; plans, add-ons and packs by code.
    pub offers: Vec<Offer>,
}

/// Something that would end a denial. Any one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// A plan to subscribe to, or to change to.
    Plan {
        /// What the account would be on instead of its plan.
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
        /// How many of them count beside its plan now.
        held: u32,
    },
    /// So many seats of the plan that the account has.
    Seats {
        /// The one that the account is on, at the price that the catalog has for it.
        plan: OfferedPlan,
        /// How many seats it must have: the fewest that are enough.
        seats: Quantity,
        /// How many it has now.
        held: Quantity,
    },
    /// The fewest credits that are enough.
    Credits(Amount),
    /// So many of a pack of credits.
    Pack {
        /// What would be bought, at the price of one.
        pack: OfferedPack,
        /// How many of it: the fewest that are enough.
        quantity: Quantity,
    },
}

/// What people ask of a pack before they buy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPack {
    /// Its code, as in the catalog.
    pub code: PackCode,
    /// Its name for people.
    pub name: String,
    /// How many credits one of it gives.
    pub credits: Amount,
    /// Price of one in minor units of `currency`.
    pub price: u64,
    /// Three-letter currency code, lower case.
    pub currency: String,
}

impl OfferedPack {
    fn of(pack: &Pack, credits: Amount) -> Self {
        Self {
            code: pack.code.clone(),
            name: pack.name.clone(),
            credits,
            price: pack.price,
            currency: pack.currency.clone(),
        }
    }
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
    let mut trying = Trying::new((context, home), (user, asked), (buyer, &denied.feature));
    let mut offers = trying.plans(account);
    offers.extend(trying.addons(account));
    offers.extend(trying.seats(account));
    offers.extend(trying.credits(account));
    Some(Offers {
        buyer: buyer.clone(),
        scope: denial.scope,
        offers,
    })
}

impl<'a> Trying<'a> {
    /// Base plans that are enough.
    fn plans(&mut self, account: &Account) -> Vec<Offer> {
        let held = in_force(self.context, &account.terms);
        let is_in_force = held.is_some();
        let held = held.as_deref().and_then(|held| self.plan_of(held));
        let mut plans: Vec<&Plan> = self.catalog_plans(PlanKind::Base).collect();
        plans.sort_by_key(|plan| held.is_some_and(|held| plan.is_cheaper_than(held)));
        let offered = plans.into_iter().filter_map(|plan| {
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
        let (context, now) = (self.context, self.context.now);
        let base = account.terms.subscription.as_ref();
        let base = base.map(|held| held.current(context.catalog, now));
        let plans = self.catalog_plans(PlanKind::Addon);
        let offered = plans.filter_map(|plan| {
            let held = account.terms.addons.get(&plan.code);
            // One that was bought beside what has ended does not count, and would be bought anew (P13).
            let counts = |held: &Addon| base.as_ref().is_none_or(|base| base.has_beside(held));
            let held = held.filter(|held| !held.is_over(now) && counts(held));
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

    /// The plan of a subscription, in the version that it has.
    fn plan_of(&self, held: &Subscription) -> Option<&'a Plan> {
        let catalog = self.context.catalog;
        catalog.held_plan(&held.plan, held.plan_version)
    }

    /// The fewest seats that are enough, where the plan limits something of what is asked by seat.
    fn seats(&mut self, account: &Account) -> Option<Offer> {
        let current = in_force(self.context, &account.terms)?;
        let plan = self.plan_of(&current)?;
        let is_per_seat = |item: &Item| {
            let value = plan.limits.get(&item.feature);
            value.is_some_and(|value| value.limits().iter().any(|limit| limit.per_seat))
        };
        if !self.asked.items.iter().any(is_per_seat) {
            return None;
        }
        let held = current.seats;
        let with = |number: u64| {
            let seats = Quantity::new(u32::try_from(number).ok()?).ok()?;
            Some(Command::SetSeats(SetSeats { seats }))
        };
        let fewest = u64::from(held.get()).saturating_add(1);
        let enough = self.least((fewest, QUANTITY_MAX.into()), with)?;
        Some(Offer::Seats {
            plan: OfferedPlan::of(plan),
            seats: Quantity::new(u32::try_from(enough).ok()?).ok()?,
            held,
        })
    }

    /// The fewest credits that are enough, where they can pay for something of what is asked; then the packs that give them.
    fn credits(&mut self, account: &Account) -> Vec<Offer> {
        let Some(grant) = unused_grant(&account.books) else {
            return Vec::new();
        };
        let Some(enough) = self.fewest_credits(account, &grant) else {
            return Vec::new();
        };
        let packs = self.context.catalog.packs.values();
        let packs = packs.filter_map(|pack| self.pack(pack, (&grant, enough)));
        let packs: Vec<Offer> = packs.take(OFFERS_MAX).collect();
        std::iter::once(Offer::Credits(enough))
            .chain(packs)
            .collect()
    }

    fn fewest_credits(&mut self, account: &Account, grant: &GrantId) -> Option<Amount> {
        let features = &self.context.catalog.features;
        let cost = self.asked.items.iter().fold(0_u64, |sum, item| {
            let feature = features.get(&item.feature);
            let unit_cost = feature.and_then(|feature| feature.credit_cost);
            let cost = item.amount.get().saturating_mul(unit_cost.unwrap_or(0));
            sum.saturating_add(cost)
        });
        if cost == 0 {
            return None;
        }
        let with = |credits: u64| {
            Some(Command::GrantCredits(GrantCredits {
                grant: grant.clone(),
                credits: Amount::new(credits).ok()?,
                priority: 0,
                expires_at: None,
            }))
        };
        // A debt is paid first (P10).
        let debt = Wallet::of(&account.books, self.context.now).debt;
        let most = cost.saturating_add(debt).min(AMOUNT_MAX);
        let enough = self.least((1, most), with)?;
        Amount::new(enough).ok()
    }

    /// The fewest of a pack that give so many credits; none of one that gives a boost.
    fn pack(&mut self, pack: &Pack, (grant, enough): (&GrantId, Amount)) -> Option<Offer> {
        let credits = pack.credits?;
        let number = enough.get().div_ceil(credits.get());
        let quantity = Quantity::new(u32::try_from(number).ok()?).ok()?;
        let days = pack.days.map(|days| TimeDelta::days(days.into()));
        let bought = Command::GrantCredits(GrantCredits {
            grant: grant.clone(),
            credits: Amount::new(credits.get().saturating_mul(number)).ok()?,
            priority: pack.priority,
            expires_at: days.and_then(|days| self.context.now.checked_add_signed(days)),
        });
        self.is_allowed_with(bought).then(|| Offer::Pack {
            pack: OfferedPack::of(pack, credits),
            quantity,
        })
    }
}

/// A grant's id that the account has not used yet.
fn unused_grant(books: &Books) -> Option<GrantId> {
    let lengths = [books.balances.len(), books.waiting.len()];
    let closed = books.closed_grants.len();
    let used = lengths.into_iter().fold(closed, usize::saturating_add);
    // Of one more names than are used one is free.
    (0..=used).find_map(|number| {
        let grant = GrantId::new(&format!("offer-{number}")).ok()?;
        let bucket = Bucket::Grant(grant.clone());
        let is_known = books.closed_grants.contains(&grant)
            || books.all().any(|balance| balance.bucket == bucket);
        (!is_known).then_some(grant)
    })
}
