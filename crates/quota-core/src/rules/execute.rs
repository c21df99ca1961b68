//! One command on one home: decided, applied and booked, or refused with nothing changed.

use super::context::Context;
use super::desk::Desk;
use super::outcome::Outcome;
use super::{
    accounts, addons, boosts, cancel, capacity, change_plan, close_windows, commit, credits,
    expire_holds, expire_subscription, expiring, extend, give_plan, member_limits, overrides,
    purchases, refund, release, renew, reserve, reset, seats, set_status, spend, spend_cap,
    subscribe, sync, tokens, top_ups, track,
};
use crate::answer::Rejection;
use crate::command::{Command, Request};
use crate::home::Home;

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
/// use quota_core::command::{AccountSpec, Command, Presence, PutAccount, Request};
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
///     command: Command::PutAccount(PutAccount {
///         presence: Presence::New,
///         spec: AccountSpec::default(),
///     }),
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
    expire_holds::expire_due(home, context);
    let watched = top_ups::watched(home, &request.account, context.now);
    let outcome = decided(home, request, context)?;
    if outcome.is_booked && !watched.is_empty() {
        top_ups::tell_low(home, &outcome, watched, context.now);
    }
    Ok(outcome)
}

/// The same, when nothing is due that ends by itself.
fn decided(
    home: &mut Home,
    request: &Request,
    context: &Context<'_>,
) -> Result<Outcome, Rejection> {
    let mut desk = Desk {
        home,
        context: *context,
        request,
    };
    if request.command.traits().decides_first {
        return carry_out(&mut desk, &request.command);
    }
    // What is refused midway is undone.
    let before = desk.home.accounts_of(&request.account);
    let closed = desk.home.changes.closed.len();
    let outcome = carry_out(&mut desk, &request.command);
    if outcome.is_err() {
        home.accounts.extend(before);
        home.changes.closed.truncate(closed);
    }
    outcome
}

fn carry_out(desk: &mut Desk<'_>, command: &Command) -> Result<Outcome, Rejection> {
    match command {
        Command::Consume(asked) => spend::consume(desk, asked),
        Command::Track(asked) => track::track(desk, asked),
        Command::Reserve(asked) => reserve::reserve(desk, asked),
        Command::Commit(asked) => commit::commit(desk, asked),
        Command::Release(asked) => release::release(desk, asked),
        Command::Extend(asked) => extend::extend(desk, asked),
        Command::Refund(asked) => refund::refund(desk, asked),
        Command::ReleaseCapacity(asked) => capacity::release_capacity(desk, asked),
        Command::Reset(asked) => reset::reset(desk, asked),
        Command::PutAccount(asked) => accounts::put_account(desk, asked),
        Command::SetOverride(asked) => overrides::set_override(desk, asked),
        Command::SetGiven(asked) => overrides::set_given(desk, asked),
        Command::ClearOverride(asked) => overrides::clear_override(desk, asked),
        Command::PutToken(asked) => tokens::put_token(desk, asked),
        Command::RevokeToken(asked) => tokens::revoke_token(desk, asked),
        Command::Subscribe(asked) => subscribe::subscribe(desk, asked),
        Command::Renew(asked) => renew::renew(desk, asked),
        Command::ChangePlan(asked) => change_plan::change_plan(desk, asked),
        Command::SetAddon(asked) => addons::set_addon(desk, asked),
        Command::EndAddon(asked) => addons::end_addon(desk, asked),
        Command::SetSeats(asked) => seats::set_seats(desk, asked),
        Command::SetStatus(asked) => set_status::set_status(desk, asked),
        Command::Cancel(asked) => cancel::cancel(desk, asked),
        Command::Resume => cancel::resume(desk),
        Command::GivePlan(asked) => give_plan::give_plan(desk, asked),
        Command::SyncSubscription(asked) => sync::sync_subscription(desk, asked),
        Command::GrantCredits(asked) => credits::grant_credits(desk, asked),
        Command::TakeBackCredits(asked) => credits::take_back_credits(desk, asked),
        Command::CreditPurchase(asked) => purchases::credit_purchase(desk, asked),
        Command::SetPaymentFacts(asked) => purchases::set_payment_facts(desk, asked),
        Command::ForgiveDebt(asked) => purchases::forgive_debt(desk, asked),
        Command::GiveBoost(asked) => boosts::give_boost(desk, asked),
        Command::TakeBackBoost(asked) => boosts::take_back_boost(desk, asked),
        Command::SetSpendCap(asked) => spend_cap::set_spend_cap(desk, asked),
        Command::ClearSpendCap(asked) => spend_cap::clear_spend_cap(desk, asked),
        Command::SetTopUp(asked) => top_ups::set_top_up(desk, asked),
        Command::ClearTopUp => top_ups::clear_top_up(desk),
        Command::EndTopUp(asked) => top_ups::end_top_up(desk, asked),
        Command::SetMemberLimit(asked) => member_limits::set_member_limit(desk, asked),
        Command::ClearMemberLimit(asked) => member_limits::clear_member_limit(desk, asked),
        // The holds that are due were ended before.
        Command::Sweep => Ok(desk.unchanged()),
        Command::ExpireSubscription => expire_subscription::expire_subscription(desk),
        Command::CloseWindows(asked) => close_windows::close_windows(desk, asked),
        Command::TellExpiry(asked) => expiring::tell_expiry(desk, asked),
    }
}
