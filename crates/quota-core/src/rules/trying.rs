//! Purchases that are tried for a denied request, each on a copy of the home (F8).

use super::check::check_items;
use super::context::Context;
use super::execute::execute;
use crate::catalog::{Plan, PlanKind};
use crate::command::{Command, Consume, Request};
use crate::home::Home;
use crate::ids::{AccountId, FeatureCode};

/// Most purchases that are tried for one denial; each decides the request anew. A plan takes up to three, an add-on that helps
/// up to 19, a pack one.
const TRIES_MAX: usize = 500;
/// Most items that are decided in all tries for one denial: a long list of items is tried less often.
const ITEMS_TRIED_MAX: usize = 2_000;

/// A denied request, and who might buy something for it.
pub(super) struct Trying<'a> {
    pub(super) context: &'a Context<'a>,
    home: &'a Home,
    user: &'a AccountId,
    pub(super) asked: &'a Consume,
    buyer: &'a AccountId,
    /// What the denial is of.
    denied: &'a FeatureCode,
    /// How many purchases may still be tried.
    left: usize,
}

impl<'a> Trying<'a> {
    /// A request of `user`, who was denied, and for which `buyer` might buy something.
    pub(super) fn new(
        (context, home): (&'a Context<'a>, &'a Home),
        (user, asked): (&'a AccountId, &'a Consume),
        (buyer, denied): (&'a AccountId, &'a FeatureCode),
    ) -> Self {
        let items = asked.items.len().max(1);
        let left = TRIES_MAX.min(ITEMS_TRIED_MAX.checked_div(items).unwrap_or(0));
        Self {
            context,
            home,
            user,
            asked,
            buyer,
            denied,
            left,
        }
    }

    /// Whether the request is allowed once this was bought.
    pub(super) fn is_allowed_with(&mut self, purchase: Command) -> bool {
        self.allowed_with(purchase).is_some()
    }

    /// The same, where the buyer then has what was denied: a plan that gives nothing of it is no offer, though without a limit the
    /// trial may pay (F2).
    pub(super) fn is_had_with(&mut self, purchase: Command) -> bool {
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
    pub(super) fn catalog_plans(&self, kind: PlanKind) -> impl Iterator<Item = &'a Plan> + use<'a> {
        let catalog = self.context.catalog;
        let codes = catalog.plans.keys();
        let newest = codes.filter_map(|code| catalog.plan(code, None));
        newest.filter(move |plan| plan.kind == kind)
    }

    /// The least number from the first to the last with which the request is allowed: with more of what is bought, no less
    /// is allowed.
    pub(super) fn least(
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
