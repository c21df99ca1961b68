//! From a parsed request to the engine and back.

use std::time::Instant;

use api_types::ChangeBody;
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use quota_core::answer::Answer;
use quota_core::change::{Change, Effect};
use quota_core::command::Command;
use quota_core::ids::AccountId;
use quota_service::{Ask, Reply};

use crate::ApiState;
use crate::caller::{Caller, replayed_header};
use crate::decision::operation_id;
use crate::meters::Verb;
use crate::note::Note;
use crate::problem::Problem;

/// Has one command decided and booked.
pub(crate) async fn submit(
    state: &ApiState,
    caller: &Caller,
    verb: Verb,
    account: AccountId,
    command: Command,
    note: Note,
) -> Result<Reply, Problem> {
    let ask = Ask {
        account,
        key: caller.idempotency_key.clone(),
        command,
        origin: caller.origin(note),
    };
    let began = Instant::now();
    let reply = state.engine().submit(ask).await;
    state.meters().decided(verb, began.elapsed());
    Ok(reply?)
}

fn change_body(reply: &Reply) -> ChangeBody {
    let operation = &reply.operation;
    let (changed, detail) = match &operation.answer {
        Answer::Changed { change, detail, .. } => (told(*change).to_owned(), detail.clone()),
        Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Denied { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. }
        | Answer::Unchanged => ("nothing".to_owned(), None),
    };
    let is_change = matches!(operation.answer, Answer::Changed { .. });
    ChangeBody {
        id: is_change.then(|| operation_id(operation)),
        account: operation.account.clone(),
        at: operation.at,
        changed,
        detail,
        unlimited: is_unlimited(&operation.answer),
        in_force: is_in_force(&operation.answer),
        replayed: reply.is_replay,
    }
}

/// A change in the word of its event: a move is one thing, though the ledgers of both homes have their part of it.
fn told(change: Change) -> &'static str {
    let is_move = matches!(change, Change::MovedIn | Change::MovedOut);
    if is_move { Change::Moved } else { change }.as_str()
}

/// What became of `unlimited`, where the answer is about that (U8).
fn is_unlimited(answer: &Answer) -> Option<bool> {
    let Answer::Changed { effect, .. } = answer else {
        return None;
    };
    match effect.as_ref()? {
        Effect::UnlimitedKept => Some(true),
        Effect::UnlimitedEnded => Some(false),
        Effect::IdleForUnlimited
        | Effect::IdleForSubscription
        | Effect::IdleForPlan
        | Effect::IdleForUser => None,
    }
}

/// Whether an override or a member limit counts, where one was set.
fn is_in_force(answer: &Answer) -> Option<bool> {
    let Answer::Changed { change, effect, .. } = answer else {
        return None;
    };
    let is_limit = matches!(change, Change::OverrideSet | Change::MemberLimitSet);
    is_limit.then_some(effect.is_none())
}

/// Has a change carried out.
pub(crate) async fn change(
    state: &ApiState,
    caller: &Caller,
    account: AccountId,
    command: Command,
    note: Note,
) -> Result<Response, Problem> {
    let reply = submit(state, caller, Verb::Change, account, command, note).await?;
    Ok(changed(&reply))
}

/// The answer to a change: 201 when something new came to be.
pub(crate) fn changed(reply: &Reply) -> Response {
    let body = change_body(reply);
    let is_new =
        matches!(&reply.operation.answer, Answer::Changed { change, .. } if change.creates());
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut headers = HeaderMap::new();
    if body.replayed {
        let (name, value) = replayed_header();
        headers.insert(name, value);
    }
    (status, headers, Json(body)).into_response()
}
