//! Consume and track: one request over all its scopes, one batch as a whole (O5, X2, X5).

use super::booking::{
    Booking, Drawing, Posting, book, count_units, operation, post_by, scope_account, signed,
};
use super::decide::{Drawn, Mode, draw};
use super::settle::paid_units;
use super::standing::{scope_balances, standing_of};
use crate::answer::{Answer, Rejection, ScopeBalance};
use crate::balance::Bucket;
use crate::command::{ITEMS_MAX, Request};
use crate::denial::{Denial, Reason};
use crate::draw::{Draw, Scope};
use crate::home::Home;
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::item::Item;
use crate::operation::{Entry, OperationKind};
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;

/// Decides all items and spends them, or spends none.
pub(crate) fn spend(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    token: Option<&TokenId>,
    items: &[Item],
    mode: Mode,
) -> Result<Outcome, Rejection> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(Rejection::OutOfRange {
            field: "items",
            least: 1,
            most: ITEMS_MAX.try_into().unwrap_or(u64::MAX),
        });
    }
    if mode == Mode::Force {
        must_exist(home, context, request, token, items)?;
    }
    // One item needs no way back: it is decided before anything changes.
    let before = (items.len() > 1).then(|| home.accounts_of(&request.account));
    let (mut entries, mut balances) = (Vec::new(), Vec::new());
    for item in items {
        let part = spend_item(home, context, &request.account, token, item, mode);
        let (mut drawn, mut standing) = match part {
            Ok(Ok(part)) if items.len() == 1 => {
                (entries, balances) = part;
                break;
            }
            Ok(Ok(part)) => part,
            Ok(Err(denial)) => {
                if let Some(before) = before {
                    home.accounts.extend(before);
                }
                return Ok(denied(home, context, request, token, item, denial));
            }
            Err(rejection) => {
                if let Some(before) = before {
                    home.accounts.extend(before);
                }
                return Err(rejection);
            }
        };
        entries.append(&mut drawn);
        let is_stale = |earlier: &ScopeBalance| {
            standing
                .iter()
                .any(|now| now.scope == earlier.scope && now.feature == earlier.feature)
        };
        balances.retain(|earlier| !is_stale(earlier));
        balances.append(&mut standing);
    }
    let booking = Booking {
        kind: match mode {
            Mode::Ask => OperationKind::Consume,
            Mode::Force => OperationKind::Track,
        },
        refers_to: None,
        entries,
        answer: Answer::Allowed { balances },
    };
    Ok(Outcome {
        operation: book(home, context, request, booking),
        is_booked: true,
    })
}

/// What is recorded after the fact cannot be denied, so what it names must exist.
fn must_exist(
    home: &Home,
    context: &Context<'_>,
    request: &Request,
    token: Option<&TokenId>,
    items: &[Item],
) -> Result<(), Rejection> {
    let account = home.accounts.get(&request.account);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    if let Some(token) = token
        && !account.terms.tokens.contains_key(token)
    {
        return Err(Rejection::UnknownToken(token.clone()));
    }
    items
        .iter()
        .try_for_each(|item| context.feature(&item.feature).map(|_| ()))
}

type Part = (Vec<Entry>, Vec<ScopeBalance>);

/// Decides one item and books it on the home, or says why not; the home is unchanged then.
pub(crate) fn spend_item(
    home: &mut Home,
    context: &Context<'_>,
    user: &AccountId,
    token: Option<&TokenId>,
    item: &Item,
    mode: Mode,
) -> Result<Result<Part, Denial>, Rejection> {
    let question = context.question(home, user, token, (&item.feature, item.amount), mode)?;
    let drawn = match draw(&question) {
        Ok(drawn) => drawn,
        Err(denial) => return Ok(Err(denial)),
    };
    let entries = take(home, context, user, (&item.feature, &drawn), Drawing::Spend)?;
    let standing = scope_balances(home, context, user, token, &item.feature, &drawn);
    Ok(Ok((entries, standing)))
}

/// Books draws, spent or held; nothing is changed when one of them cannot be booked.
pub(crate) fn take(
    home: &mut Home,
    context: &Context<'_>,
    user: &AccountId,
    (feature, decided): (&FeatureCode, &Drawn),
    drawing: Drawing,
) -> Result<Vec<Entry>, Rejection> {
    let draws = &decided.draws;
    let total = draws
        .iter()
        .fold(0_u64, |sum, draw| sum.saturating_add(draw.amount));
    let fits = draws
        .iter()
        .all(|draw| has_room(home, user, (draw.scope, &draw.bucket), feature, total));
    if !fits {
        return Err(Rejection::CounterFull);
    }
    let mut entries = Vec::with_capacity(draws.len());
    for draw in draws {
        let id = scope_account(home, user, draw.scope).clone();
        let posting = Posting::drawn(draw, feature, drawing);
        let own = decided.allowance(draw.scope);
        entries.push(post_by(home, context, (&id, own), posting)?);
    }
    if drawing == Drawing::Spend {
        count_credits(home, user, feature, draws, signed)?;
    }
    Ok(entries)
}

/// Whether no counter can leave its range, the lifetime total included, when `total` is added to it.
fn has_room(
    home: &Home,
    user: &AccountId,
    (scope, bucket): (Scope, &Bucket),
    feature: &FeatureCode,
    total: u64,
) -> bool {
    let Some(account) = home.accounts.get(scope_account(home, user, scope)) else {
        return false;
    };
    let balance = account.books.balance(&account.books.resolved(bucket));
    let most = balance.map_or(0, |balance| {
        balance.used.max(balance.overage).max(balance.held)
    });
    let lifetime = account.books.lifetime.get(feature).copied().unwrap_or(0);
    most.max(lifetime).saturating_add(total) <= crate::amount::COUNT_MAX
}

/// Counts the units that credits paid in the lifetime totals of user and org.
pub(crate) fn count_credits(
    home: &mut Home,
    user: &AccountId,
    feature: &FeatureCode,
    draws: &[Draw],
    sign: fn(u64) -> i64,
) -> Result<(), Rejection> {
    for scope in [Scope::User, Scope::Org] {
        let units = paid_units(draws.iter().filter(|draw| draw.scope == scope));
        if units != 0 {
            let id = scope_account(home, user, scope).clone();
            count_units(home, &id, feature, sign(units))?;
        }
    }
    Ok(())
}

/// A denial: booked when it carries a key and there is an account whose key it is, so that its replay is the same.
pub(crate) fn denied(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    token: Option<&TokenId>,
    item: &Item,
    denial: Denial,
) -> Outcome {
    let balances = match denial.reason {
        Reason::UnknownUser | Reason::UnknownFeature => Vec::new(),
        _ => standing_of(home, context, &request.account, token, &item.feature),
    };
    let booking = Booking {
        kind: OperationKind::Consume,
        refers_to: None,
        entries: Vec::new(),
        answer: Answer::Denied {
            feature: item.feature.clone(),
            requested: item.amount.get(),
            denial,
            balances,
        },
    };
    if request.key.is_some() && home.version != 0 && denial.reason != Reason::UnknownUser {
        return Outcome {
            operation: book(home, context, request, booking),
            is_booked: true,
        };
    }
    Outcome {
        operation: operation(home, context, request, booking),
        is_booked: false,
    }
}
