//! Decisions as callers see them: one body for allowed and denied, for decide, settle and give back.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::answer::{Answer, ScopeBalance};
use quota_core::balance::Bucket;
use quota_core::denial::{Denial, Reason};
use quota_core::draw::{Draw, Scope, Source};
use quota_core::ids::{FeatureCode, GrantId, TokenId};
use quota_core::operation::{Entry, Operation, OperationKind};
use quota_core::reservation::ReservationState;
use quota_core::rules::standing::Checked;
use quota_service::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{PROBLEM_JSON, problem_type};
use crate::public_id::{Named, public_id};
use crate::{caller, instant, ratelimit, reason, schema};

/// Room for an answer about a user and its org: it is written without growing.
const BYTES_USUAL: usize = 1024;

/// What was drawn from, or given back to, one balance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DrawBody {
    /// Who paid: `token`, `user` or `org`.
    #[schema(value_type = schema::Scope)]
    pub scope: Scope,
    /// What paid.
    #[schema(value_type = schema::Source)]
    pub source: Source,
    /// How much: credits for a grant, units of the feature elsewhere.
    pub amount: u64,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub feature: Option<FeatureCode>,
    /// Which credit grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub grant: Option<GrantId>,
    /// Which token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub token: Option<TokenId>,
}

/// How one scope stands for one feature.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceBody {
    /// Whose.
    #[schema(value_type = schema::Scope)]
    pub scope: Scope,
    /// The feature; none for a token, whose cap counts them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub feature: Option<FeatureCode>,
    /// What may be used at most in the current window, in stored units; none when nothing grants the feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    pub granted: Option<Limit>,
    /// Spent for good in the current window.
    pub used: u64,
    /// Reserved and not yet settled.
    pub held: u64,
    /// Spent beyond what there was.
    pub overage: u64,
    /// What a new request can still get of the allowance; none when there is no ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Whether there is no ceiling.
    pub unlimited: bool,
    /// The plan's limit in stored units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    pub plan_value: Option<Limit>,
    /// The account's own limit in stored units; beats the plan's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    pub override_value: Option<Limit>,
    /// Credits left, where they can pay for the feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Free uses left, where there are any to begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// When the allowance is whole again.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
}

impl From<&ScopeBalance> for BalanceBody {
    fn from(balance: &ScopeBalance) -> Self {
        Self {
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
            credits: balance.credits,
            trial: balance.trial,
            resets_at: balance.resets_at,
        }
    }
}

/// What a request was answered. A denial carries the members of a problem too.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct DecisionBody {
    /// For a denial: names the kind of problem.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// For a denial: the kind of problem, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub title: Option<&'static str>,
    /// For a denial: the HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For a denial: why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// For a denial: the reason, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub code: Option<&'static str>,
    /// The operation's id, or the reservation's for a new one; none for a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "op.dXNlcjphbGljZQ.0199c2f0-0000-7000-8000-000000000000")]
    pub id: Option<String>,
    /// The reservation that the operation is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<String>,
    /// When it was decided.
    #[serde(serialize_with = "instant::serialize_option")]
    pub at: Option<DateTime<Utc>>,
    /// Whether it was, or would be, carried out.
    pub allowed: bool,
    /// Whether this is the first answer to an earlier request with the same key, again.
    pub replayed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Reason>)]
    pub reason: Option<Reason>,
    /// Who bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Scope>)]
    pub scope: Option<Scope>,
    /// The feature that was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub feature: Option<FeatureCode>,
    /// How much was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<u64>,
    /// How much would have been granted at the scope that bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// When the allowance that bound is whole again.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
    /// When a reservation counts no more.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "instant::serialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
    /// Where a reservation stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ReservationState>)]
    pub state: Option<ReservationState>,
    /// Whether a commit came after the deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
    /// What was taken, in the order of drawing.
    pub draws: Vec<DrawBody>,
    /// What was given back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<DrawBody>,
    /// How the scopes stand after it.
    pub balances: Vec<BalanceBody>,
}

impl DecisionBody {
    /// What an operation came to.
    pub(crate) fn of(reply: &Reply, requested: Option<u64>) -> Self {
        let operation = &reply.operation;
        let mut body = Self {
            id: Some(operation_id(operation)),
            reservation: reservation_id(operation),
            at: Some(operation.at),
            allowed: operation.answer.is_allowed(),
            replayed: reply.is_replay,
            requested,
            draws: draws(operation),
            returned: returned(operation),
            balances: operation.answer.balances().iter().map(Into::into).collect(),
            ..Self::default()
        };
        match &operation.answer {
            Answer::Denied {
                feature,
                requested,
                denial,
                ..
            } => {
                // Without a key a denial is not booked: there is nothing to name.
                if operation.key.is_none() {
                    body.id = None;
                }
                body.feature = Some(feature.clone());
                body.requested = Some(*requested);
                body.deny(denial);
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
            _ => {}
        }
        body
    }

    /// What a check found.
    pub(crate) fn checked(checked: &Checked, requested: u64, at: DateTime<Utc>) -> Self {
        let mut body = Self {
            at: Some(at),
            allowed: checked.denial.is_none(),
            requested: Some(requested),
            draws: checked.draws.iter().map(draw_of).collect(),
            balances: checked.balances.iter().map(Into::into).collect(),
            ..Self::default()
        };
        if let Some(denial) = &checked.denial {
            body.name_denial(denial);
        }
        body
    }

    fn name_denial(&mut self, denial: &Denial) {
        self.reason = Some(denial.reason);
        self.scope = Some(denial.scope);
        self.available = Some(denial.available);
        self.resets_at = denial.resets_at;
    }

    fn deny(&mut self, denial: &Denial) {
        self.name_denial(denial);
        let (code, status) = (reason::code(denial.reason), reason::status(denial.reason));
        self.kind = Some(problem_type(code));
        self.title = status.canonical_reason();
        self.status = Some(status.as_u16());
        self.code = Some(code);
        self.detail = Some(reason::detail(
            denial,
            self.requested.unwrap_or_default(),
            self.feature.as_ref(),
        ));
    }

    /// The status of the answer: 200, or what the denial says.
    pub(crate) fn http_status(&self) -> StatusCode {
        self.status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::OK)
    }

    /// The answer, with the fields that tell clients how much is left.
    pub(crate) fn answer(self, now: DateTime<Utc>) -> Response {
        let status = self.http_status();
        let content_type = if self.code.is_some() {
            PROBLEM_JSON
        } else {
            "application/json"
        };
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        // Plain data into memory: there is nothing that could fail.
        drop(serde_json::to_writer(&mut bytes, &self));
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self.replayed {
            let (name, value) = caller::replayed_header();
            headers.insert(name, value);
        }
        ratelimit::put(headers, &self.balances, now);
        if status == StatusCode::TOO_MANY_REQUESTS
            && let Some(resets_at) = self.resets_at
        {
            let seconds = ratelimit::seconds_until(resets_at, now).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
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
        _ => None,
    };
    id.map(|id| public_id(Named::Reservation, &operation.account, id))
}

/// What an operation took: spent or overspent, or for a reservation held.
pub(crate) fn draws(operation: &Operation) -> Vec<DrawBody> {
    let taken = |entry: &Entry| match operation.kind {
        OperationKind::Reserve => entry.held,
        _ => entry.used.saturating_add(entry.overage),
    };
    parts(operation, taken)
}

/// What an operation gave back.
pub(crate) fn returned(operation: &Operation) -> Vec<DrawBody> {
    let net = |entry: &Entry| {
        let taken = entry.used.saturating_add(entry.overage);
        taken.saturating_add(entry.held).saturating_neg()
    };
    parts(operation, net)
}

fn parts(operation: &Operation, amount: impl Fn(&Entry) -> i64) -> Vec<DrawBody> {
    let part = |entry: &Entry| {
        let amount = u64::try_from(amount(entry))
            .ok()
            .filter(|amount| *amount != 0)?;
        let (grant, token) = owner(&entry.bucket);
        Some(DrawBody {
            scope: entry.scope,
            source: entry.source,
            amount,
            feature: entry.feature.clone(),
            grant,
            token,
        })
    };
    operation.entries.iter().filter_map(part).collect()
}

fn draw_of(draw: &Draw) -> DrawBody {
    let (grant, token) = owner(&draw.bucket);
    DrawBody {
        scope: draw.scope,
        source: draw.source,
        amount: draw.amount,
        feature: None,
        grant,
        token,
    }
}

fn owner(bucket: &Bucket) -> (Option<GrantId>, Option<TokenId>) {
    match bucket {
        Bucket::Grant(grant) => (Some(grant.clone()), None),
        Bucket::Token(token) => (None, Some(token.clone())),
        Bucket::Window(..) | Bucket::Standing(_) | Bucket::Tracked(..) | Bucket::Trial(_) => {
            (None, None)
        }
    }
}
