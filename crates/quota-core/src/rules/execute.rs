//! One command on one home: decided, applied and booked, or refused with nothing changed.

use super::decide::Mode;
use super::spend::spend;
use super::{administer, capacity, close, commit, expire, hold, reverse, subscribe};
use crate::answer::Rejection;
use crate::command::{Command, Request};
use crate::home::Home;
use crate::item::Item;
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;

/// Carries out a command. What changed is in `home.changes`; the outcome says what the caller is told.
///
/// Holds whose deadline has come are ended first (R4). A denial is an outcome, not an error.
///
/// # Errors
/// [`Rejection`] when the command does not fit what there is; nothing but the end of holds has changed then.
///
/// ```
/// use quota_core::answer::Answer;
/// use quota_core::catalog::Catalog;
/// use quota_core::command::{AccountSpec, Command, Presence, Request};
/// use quota_core::home::Home;
/// use quota_core::ids::AccountId;
/// use quota_core::rules::context::Context;
/// use quota_core::rules::execute::execute;
///
/// let alice = AccountId::parse("user:alice")?;
/// let mut home = Home::empty(alice.clone());
/// let context = Context {
///     now: chrono::DateTime::UNIX_EPOCH,
///     catalog: &Catalog::default(),
///     grace: chrono::TimeDelta::hours(72),
/// };
/// let create = Request {
///     id: uuid::Uuid::from_u128(1),
///     account: alice.clone(),
///     key: None,
///     body_hash: [0; 32],
///     command: Command::PutAccount { presence: Presence::New, spec: AccountSpec::default() },
///     origin: Default::default(),
/// };
/// let outcome = execute(&mut home, &create, &context)?;
/// assert!(matches!(outcome.operation.answer, Answer::Changed { .. }));
/// assert_eq!((home.version, home.changes.operations.len()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn execute(
    home: &mut Home,
    request: &Request,
    context: &Context<'_>,
) -> Result<Outcome, Rejection> {
    expire::expire_due(home, context);
    // Consume, track and reserve look before they change anything; whatever else is refused midway is undone.
    let decides_first = matches!(
        request.command,
        Command::Consume { .. } | Command::Track { .. } | Command::Reserve { .. }
    );
    if decides_first {
        return carry_out(home, request, context);
    }
    let before = home.accounts_of(&request.account);
    let closed = home.changes.closed.len();
    let outcome = carry_out(home, request, context);
    if outcome.is_err() {
        home.accounts.extend(before);
        home.changes.closed.truncate(closed);
    }
    outcome
}

fn carry_out(
    home: &mut Home,
    request: &Request,
    context: &Context<'_>,
) -> Result<Outcome, Rejection> {
    match &request.command {
        Command::Consume { token, items } => {
            spend(home, context, request, token.as_ref(), items, Mode::Ask)
        }
        Command::Track { token, items } => {
            spend(home, context, request, token.as_ref(), items, Mode::Force)
        }
        Command::Reserve {
            token,
            feature,
            amount,
            ttl_seconds,
        } => {
            let item = Item {
                feature: feature.clone(),
                amount: *amount,
            };
            hold::reserve(home, context, request, token.as_ref(), &item, *ttl_seconds)
        }
        Command::Commit {
            reservation,
            actual,
        } => commit::commit(home, context, request, (*reservation, *actual)),
        Command::Release { reservation } => hold::release(home, context, request, *reservation),
        Command::Extend {
            reservation,
            ttl_seconds,
        } => hold::extend(home, context, request, (*reservation, *ttl_seconds)),
        Command::Refund {
            operation,
            feature,
            amount,
        } => reverse::refund(
            home,
            context,
            request,
            (*operation, feature.as_ref(), *amount),
        ),
        Command::ReleaseCapacity { feature, amount } => {
            let item = Item {
                feature: feature.clone(),
                amount: *amount,
            };
            capacity::release_capacity(home, context, request, &item)
        }
        Command::Reset { features } => reverse::reset(home, context, request, features),
        Command::Sweep => Ok(administer::unchanged(home, context, request)),
        other => administer(home, request, context, other),
    }
}

/// Commands of operators, providers and jobs.
fn administer(
    home: &mut Home,
    request: &Request,
    context: &Context<'_>,
    command: &Command,
) -> Result<Outcome, Rejection> {
    match command {
        Command::PutAccount { presence, spec } => {
            administer::put_account(home, context, request, *presence, spec)
        }
        Command::SetOverride {
            feature,
            limit,
            expires_at,
        } => administer::set_override(home, context, request, (feature, *limit, *expires_at)),
        Command::ClearOverride { feature } => {
            administer::clear_override(home, context, request, feature)
        }
        Command::PutToken {
            token,
            presence,
            cap,
            expires_at,
        } => {
            let terms = (*cap, *expires_at);
            administer::put_token(home, context, request, (token, *presence), terms)
        }
        Command::RevokeToken { token } => administer::revoke_token(home, context, request, token),
        Command::GrantCredits {
            grant,
            credits,
            priority,
            expires_at,
        } => {
            let terms = (*priority, *expires_at);
            administer::grant_credits(home, context, request, (grant, *credits), terms)
        }
        Command::Subscribe {
            plan,
            starts_at,
            ends_at,
            status,
        } => {
            let span = (*starts_at, *ends_at);
            subscribe::subscribe(home, context, request, (plan, *status), span)
        }
        Command::Renew { ends_at } => subscribe::renew(home, context, request, *ends_at),
        Command::ChangePlan { plan, when, usage } => {
            subscribe::change_plan(home, context, request, (plan, *when, *usage))
        }
        Command::SetStatus { status } => subscribe::set_status(home, context, request, *status),
        Command::Cancel { at_once } => subscribe::cancel(home, context, request, *at_once),
        Command::ExpireSubscription => subscribe::expire(home, context, request),
        Command::CloseWindows { cadence, features } => {
            close::close_windows(home, context, request, *cadence, features)
        }
        _ => Ok(administer::unchanged(home, context, request)),
    }
}
