//! Check: what a consume would be answered now, with nothing booked.

use std::collections::BTreeMap;

use super::allowance::Allowance;
use super::context::{Context, Uses};
use super::decide::{Mode, Question, draw};
use super::desk::Desk;
use super::given::given;
use super::had::Member;
use super::posting::fits_counters;
use super::refusal::first_refusal;
use super::scope_balances::{org_balance, scope_balance, token_balance};
use super::spend::{spend_item, standing_of_items};
use crate::amount::Amount;
use crate::answer::{Rejection, ScopeBalance};
use crate::catalog::{Feature, Given, Kind};
use crate::command::{Command, Consume, Request};
use crate::denial::Denial;
use crate::draw::{Draw, Scope};
use crate::entry::draws;
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::item::Item;

/// The answer that a consume would get now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The item whose denial comes first in F7, and why; none when all would be allowed.
    pub denial: Option<(Item, Denial)>,
    /// What would be drawn, and for which feature; nothing when an item would be denied.
    pub draws: Vec<(FeatureCode, Draw)>,
    /// The balances as they are, before the draws.
    pub balances: Vec<ScopeBalance>,
    /// What a setting is, where one is asked for alone (C2).
    pub value: Option<Given>,
    /// What each setting is that is asked for with other items; nothing when an item would be denied (C2).
    pub values: BTreeMap<FeatureCode, Given>,
}

/// Checks one item on a user and its org; without accounts the user is unknown.
///
/// # Errors
/// [`Rejection::CounterFull`] when a counter would pass its largest value, [`Rejection::CountsMembers`] for what no request
/// uses.
pub fn check(
    context: &Context<'_>,
    accounts: Option<(&Account, Option<&Account>)>,
    token: Option<&TokenId>,
    feature: &FeatureCode,
    amount: Amount,
) -> Result<Checked, Rejection> {
    let (user, org) = accounts.map_or((None, None), |(user, org)| (Some(user), org));
    let question = Question {
        now: context.now,
        catalog: context.catalog,
        grace: context.grace,
        user: user.map(Account::view),
        org: org.map(Account::view),
        token,
        feature,
        amount,
        mode: Mode::Ask,
    };
    let of_feature = |draw| (feature.clone(), draw);
    let counts = |code| context.catalog.features.get(code)?.counts;
    let (denial, draws, own) = match draw(&question) {
        Ok(drawn) if drawn.draws.is_empty() && counts(feature).is_some() => {
            return Err(context.not_drawn(feature));
        }
        Ok(drawn) => {
            let account = |scope| match scope {
                Scope::Token | Scope::User => user,
                Scope::Org => org,
            };
            fits_counters(&drawn.draws, feature, account)?;
            let named = drawn.draws.into_iter().map(of_feature).collect();
            (None, named, Some((drawn.user, drawn.org)))
        }
        Err(denial) => {
            let feature = feature.clone();
            (Some((Item { feature, amount }, denial)), Vec::new(), None)
        }
    };
    let feature = context.catalog.features.get(feature);
    let (mut value, mut balances) = (None, Vec::new());
    if let (Some(user), Some(feature)) = (user, feature) {
        if feature.kind.is_counted() {
            balances = standing(context, (user, org), token, (feature, own));
        } else if denial.is_none() {
            value = value_of(context, (user, org), feature);
        }
    }
    Ok(Checked {
        denial,
        draws,
        balances,
        value,
        values: BTreeMap::new(),
    })
}

/// How token, user and org stand for a feature, by the allowances that it was decided with, where they are known.
fn standing(
    context: &Context<'_>,
    (user, org): Member<'_>,
    token: Option<&TokenId>,
    (feature, decided_with): (&Feature, Option<(Allowance, Option<Allowance>)>),
) -> Vec<ScopeBalance> {
    let allowances = || {
        let of_org = org.map(|org| context.allowance(org, feature));
        (context.allowance(user, feature), of_org)
    };
    let (of_user, of_org) = decided_with.unwrap_or_else(allowances);
    let mut balances = Vec::with_capacity(3);
    balances.extend(token.and_then(|token| token_balance(user, token, context.now)));
    balances.push(scope_balance(context, Scope::User, user, feature, &of_user));
    if let (Some(org), Some(own)) = (org, &of_org) {
        balances.push(org_balance(context, (Some(user), org), feature, own));
    }
    balances
}

/// What a setting is for a user; of a flag it is known that it is had.
fn value_of(context: &Context<'_>, (user, org): Member<'_>, feature: &Feature) -> Option<Given> {
    if feature.kind != Kind::Setting {
        return None;
    }
    let org = org.map(Account::view);
    let given = given((&user.view(), org.as_ref()), feature, context.asked());
    given.ok().flatten()
}

fn counts_members(context: &Context<'_>, item: &Item) -> bool {
    let feature = context.catalog.features.get(&item.feature);
    feature.is_some_and(|feature| feature.counts.is_some())
}

/// Checks several items of one user, all or none (X2). They are spent on `home`, a copy that is thrown away, so that
/// each finds what the ones before it leave.
///
/// # Errors
/// [`Rejection::InList`] with [`Rejection::CounterFull`] when a counter would pass its largest value.
pub fn check_items(
    context: &Context<'_>,
    mut home: Home,
    user: &AccountId,
    asked: &Consume,
) -> Result<Checked, Rejection> {
    let request = Request::rehearsal(user, Command::Consume(asked.clone()));
    let mut desk = Desk {
        home: &mut home,
        context: *context,
        request: &request,
    };
    let wanted = Uses {
        token: asked.token.as_ref(),
        items: &asked.items,
        mode: Mode::Ask,
    };
    let mut checked = Checked {
        denial: None,
        draws: Vec::new(),
        balances: standing_of_items(&desk, wanted),
        value: None,
        values: BTreeMap::new(),
    };
    let before = desk.home.accounts_of(user);
    for (index, item) in wanted.items.iter().enumerate() {
        let why = match spend_item(&mut desk, wanted, item) {
            Ok(Ok((entries, _))) if entries.is_empty() && counts_members(context, item) => {
                Err(context.not_drawn(&item.feature).in_list(index))
            }
            Ok(Ok((entries, _))) => {
                checked.draws.extend(draws(&entries));
                continue;
            }
            Ok(Err(denial)) => Ok(denial),
            Err(rejection) => Err(rejection.in_list(index)),
        };
        desk.home.accounts.extend(before);
        let (item, denial) = first_refusal(&mut desk, wanted, (item, why))?;
        checked.draws.clear();
        checked.denial = Some((item, denial));
        return Ok(checked);
    }
    checked.values = values_of(&desk, &asked.items);
    Ok(checked)
}

/// What the settings are among some items that are all allowed.
fn values_of(desk: &Desk<'_>, items: &[Item]) -> BTreeMap<FeatureCode, Given> {
    let Ok(user) = desk.account() else {
        return BTreeMap::new();
    };
    let (context, home) = (desk.context, &desk.home);
    let lives_in_org = user.terms.org.is_some();
    let org = home.accounts.get(&home.id).filter(|_| lives_in_org);
    let accounts = (user, org.map(AsRef::as_ref));
    let codes = items.iter().map(|item| &item.feature);
    codes
        .filter_map(|code| {
            let feature = context.catalog.features.get(code)?;
            Some((code.clone(), value_of(&context, accounts, feature)?))
        })
        .collect()
}
