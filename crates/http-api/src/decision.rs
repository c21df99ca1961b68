//! Decisions as answers: what an operation or a check came to, as a body and as a response.

use api_types::{
    BalanceBody, DecisionBody, DrawBody, MemberBalanceBody, Named, OnDemandBody, PROBLEM_JSON,
    ReleasedBody, RoomBody, WindowBody, problem_type, public_id,
};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::answer::{
    Answer, MemberBalance, OnDemandBalance, Released, RoomBalance, ScopeBalance, WindowBalance,
};
use quota_core::balance::Bucket;
use quota_core::denial::{Denial, Reason};
use quota_core::draw::{Draw, Source};
use quota_core::ids::{BoostId, FeatureCode, GrantId, TokenId};
use quota_core::operation::{Entry, Operation, OperationKind};
use quota_core::reservation::ReservationState;
use quota_core::rules::check::Checked;
use quota_service::Reply;

use crate::{caller, ratelimit, reason};

/// Room for an answer about a user and its org: it is written without growing.
const BYTES_USUAL: usize = 1024;

pub(crate) fn balance_body(balance: &ScopeBalance) -> BalanceBody {
    BalanceBody {
        scope: balance.scope,
        feature: balance.feature.clone(),
        granted: balance.granted,
        used: balance.used,
        held: balance.held,
        overage: balance.overage,
        remaining: balance.remaining,
        unlimited: balance.granted == Some(Limit::Unlimited),
        plan_value: balance.plan_value,
        override_value: balance.override_value,
        added: balance.added,
        credits: balance.credits,
        boosts: Some(balance.boosts).filter(|left| *left != 0),
        room: balance.room.map(room_body),
        trial: balance.trial,
        resets_at: balance.resets_at,
        windows: balance.windows.iter().map(window_body).collect(),
        on_demand: balance.on_demand.as_deref().map(on_demand_body),
        member: balance.member.as_deref().map(member_body),
    }
}

pub(crate) fn member_body(member: &MemberBalance) -> MemberBalanceBody {
    MemberBalanceBody {
        limit: member.limit,
        used: member.used,
        held: member.held,
        remaining: member.remaining,
        plan_value: member.plan_value,
        all_value: member.all_value,
        override_value: member.override_value,
        resets_at: member.resets_at,
    }
}

fn on_demand_body(sold: &OnDemandBalance) -> OnDemandBody {
    OnDemandBody {
        used: sold.used,
        held: sold.held,
        remaining: sold.remaining,
        price: sold.sale.price,
        per: sold.sale.per,
        currency: sold.sale.currency.clone(),
        owed: sold.owed,
        cap: sold.cap,
        period_ends_at: sold.ends_at,
    }
}

fn room_body(room: RoomBalance) -> RoomBody {
    RoomBody {
        granted: room.granted,
        used: room.used,
        held: room.held,
        remaining: room.remaining,
    }
}

fn window_body(window: &WindowBalance) -> WindowBody {
    WindowBody {
        per: window.per,
        anchor: window.anchor,
        granted: window.granted,
        added: window.added,
        used: window.used,
        held: window.held,
        overage: window.overage,
        remaining: window.remaining,
        rolled_over: window.rolled_over,
        starts_at: window.starts_at,
        resets_at: window.resets_at,
    }
}

fn balance_bodies(balances: &[ScopeBalance]) -> Vec<BalanceBody> {
    balances.iter().map(balance_body).collect()
}

/// The body for an operation; `requested` where one amount was asked for.
pub(crate) fn decision_body(reply: &Reply, requested: Option<u64>) -> DecisionBody {
    let operation = &reply.operation;
    let mut body = DecisionBody {
        id: Some(operation_id(operation)),
        reservation: reservation_id(operation),
        at: Some(operation.at),
        allowed: operation.is_allowed(),
        replayed: reply.is_replay,
        requested,
        draws: draws(operation),
        returned: returned(operation),
        released: released(operation),
        balances: balance_bodies(operation.answer.balances()),
        ..DecisionBody::default()
    };
    match &operation.answer {
        Answer::Denied {
            feature,
            requested,
            denial,
            ..
        } => {
            // It has no id where it is not booked: without a key, and for what is unknown (X1).
            let is_unknown = matches!(denial.reason, Reason::UnknownUser | Reason::UnknownFeature);
            if operation.key.is_none() || is_unknown {
                body.id = None;
            }
            body.feature = Some(feature.clone());
            body.requested = Some(*requested);
            deny(&mut body, denial);
        }
        Answer::Reserved { expires_at, .. } => {
            if operation.kind == OperationKind::Reserve {
                body.id.clone_from(&body.reservation);
            }
            body.expires_at = Some(*expires_at);
            body.state = Some(ReservationState::Open);
        }
        Answer::Settled { state, late, .. } => {
            body.state = Some(*state);
            body.late = Some(*late);
        }
        Answer::Allowed { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. }
        | Answer::Changed { .. }
        | Answer::Unchanged => {}
    }
    body
}

/// The body for a check.
pub(crate) fn check_body(
    checked: &Checked,
    requested: Option<u64>,
    at: DateTime<Utc>,
) -> DecisionBody {
    let mut body = DecisionBody {
        at: Some(at),
        allowed: checked.denial.is_none(),
        requested,
        value: checked.value.clone(),
        values: checked.values.clone(),
        draws: checked.draws.iter().map(draw_of).collect(),
        balances: balance_bodies(&checked.balances),
        ..DecisionBody::default()
    };
    if let Some((item, denial)) = &checked.denial {
        body.feature = Some(item.feature.clone());
        body.requested = Some(item.amount.get());
        name_denial(&mut body, denial);
        body.detail = Some(in_words(&body, denial));
    }
    body
}

fn name_denial(body: &mut DecisionBody, denial: &Denial) {
    body.reason = Some(denial.reason);
    body.scope = Some(denial.scope);
    body.available = Some(denial.available);
    body.window = denial.window;
    body.resets_at = denial.resets_at;
}

/// Adds the members of a problem.
fn deny(body: &mut DecisionBody, denial: &Denial) {
    name_denial(body, denial);
    let (code, status) = (denial.reason.code(), reason::status(denial.reason));
    body.kind = Some(problem_type(code));
    body.title = status.canonical_reason().map(Into::into);
    body.status = Some(status.as_u16());
    body.code = Some(code.into());
    body.detail = Some(in_words(body, denial));
}

fn in_words(body: &DecisionBody, denial: &Denial) -> String {
    let requested = body.requested.unwrap_or_default();
    let feature = body.feature.as_ref();
    // What is not counted has no balance, and nothing pays for it.
    let is_counted = body
        .balances
        .iter()
        .any(|of| of.feature.as_ref() == feature);
    if !is_counted && let Some(detail) = reason::not_given(denial, feature) {
        return detail;
    }
    reason::detail(denial, requested, feature)
}

/// The response with a decision: 200 or the denial's status, and the headers that say how much is left.
pub(crate) fn respond(body: &DecisionBody, now: DateTime<Utc>) -> Response {
    let status = body.status.map(StatusCode::from_u16);
    let status = status.and_then(Result::ok).unwrap_or(StatusCode::OK);
    let content_type = if body.code.is_some() {
        PROBLEM_JSON
    } else {
        "application/json"
    };
    let mut bytes = Vec::with_capacity(BYTES_USUAL);
    // Plain data into memory: there is nothing that could fail.
    drop(serde_json::to_writer(&mut bytes, body));
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if body.replayed {
        let (name, value) = caller::replayed_header();
        headers.insert(name, value);
    }
    ratelimit::put(headers, &body.balances, now);
    if status == StatusCode::TOO_MANY_REQUESTS
        && let Some(resets_at) = body.resets_at
    {
        let seconds = ratelimit::seconds_until(resets_at, now).max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The public id of an operation.
pub(crate) fn operation_id(operation: &Operation) -> String {
    public_id(Named::Operation, &operation.account, operation.id)
}

/// The public id of the reservation that an operation is about.
pub(crate) fn reservation_id(operation: &Operation) -> Option<String> {
    let id = match operation.kind {
        OperationKind::Reserve if operation.answer.is_allowed() => Some(operation.id),
        OperationKind::Commit
        | OperationKind::Release
        | OperationKind::Extend
        | OperationKind::Expire => operation.refers_to,
        OperationKind::Reserve
        | OperationKind::Consume
        | OperationKind::Track
        | OperationKind::Refund
        | OperationKind::ReleaseCapacity
        | OperationKind::Reset
        | OperationKind::Change
        | OperationKind::Close => None,
    };
    id.map(|id| public_id(Named::Reservation, &operation.account, id))
}

/// What an operation took: spent or overspent, or for a reservation held.
pub(crate) fn draws(operation: &Operation) -> Vec<DrawBody> {
    let holds = operation.kind.traits().holds;
    parts(operation, |entry| {
        if holds {
            (entry.held, 0)
        } else {
            (entry.used, entry.overage)
        }
    })
}

/// What an operation gave back.
pub(crate) fn returned(operation: &Operation) -> Vec<DrawBody> {
    parts(operation, |entry| {
        let paid = entry.used.saturating_add(entry.held);
        (paid.saturating_neg(), entry.overage.saturating_neg())
    })
}

/// What a release of capacity gave back, at each scope.
fn released(operation: &Operation) -> Option<Vec<ReleasedBody>> {
    let Answer::Released { released, .. } = &operation.answer else {
        return None;
    };
    let part = |part: &Released| ReleasedBody {
        scope: part.scope,
        amount: part.amount,
    };
    Some(released.iter().map(part).collect())
}

/// The parts of an operation by source, those that are booked in another home included: of each entry what something paid
/// for, and what was overage.
fn parts(operation: &Operation, amounts: impl Fn(&Entry) -> (i64, i64)) -> Vec<DrawBody> {
    let of_source = |entry: &Entry, source: Source, amount: i64| {
        let amount = u64::try_from(amount).ok().filter(|amount| *amount != 0)?;
        let (grant, boost, token) = owner(&entry.bucket);
        Some(DrawBody {
            scope: entry.scope,
            source,
            amount,
            feature: entry.feature.clone(),
            grant,
            boost,
            token,
        })
    };
    let of_entry = |entry| {
        let (paid, over) = amounts(entry);
        let paid = of_source(entry, entry.source, paid);
        paid.into_iter()
            .chain(of_source(entry, Source::Overage, over))
    };
    // What is booked beside another entry is the same use (C9, X4).
    let own = operation.all_entries().filter(|entry| !entry.is_beside());
    own.flat_map(of_entry).collect()
}

pub(crate) fn draw_of((feature, draw): &(FeatureCode, Draw)) -> DrawBody {
    let (grant, boost, token) = owner(&draw.bucket);
    DrawBody {
        scope: draw.scope,
        source: draw.source,
        amount: draw.amount,
        feature: Some(feature.clone()),
        grant,
        boost,
        token,
    }
}

/// The grant, the boost or the token whose balance it is, if it is one's.
fn owner(bucket: &Bucket) -> (Option<GrantId>, Option<BoostId>, Option<TokenId>) {
    match bucket {
        Bucket::Grant(grant) => (Some(grant.clone()), None, None),
        Bucket::Boost(_, boost) => (None, Some(boost.clone()), None),
        Bucket::Token(token) | Bucket::TokenWindow(token, _) => (None, None, Some(token.clone())),
        Bucket::Window(..)
        | Bucket::Further(..)
        | Bucket::Standing(_)
        | Bucket::Tracked(..)
        | Bucket::OnDemand(..)
        | Bucket::Trial(_)
        | Bucket::Member(..)
        | Bucket::Room(_) => (None, None, None),
    }
}
