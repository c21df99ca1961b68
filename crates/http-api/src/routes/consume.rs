//! `POST /v1/consume` and `POST /v1/track`.

use api_types::{ConsumeBody, DecisionBody, FieldError, ItemBody, TrackBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{Command, Consume, ITEMS_MAX, Track};
use quota_core::denial::Reason;
use quota_core::ids::{AccountId, FeatureCode, TokenId};
use quota_core::item::Item;
use quota_service::Reply;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Writes;
use crate::decision::{decision_body, respond};
use crate::meters::Verb;
use crate::note::Note;
use crate::offers::add_offers;
use crate::problem::Problem;
use crate::reason;
use crate::submit::submit;

/// What a body asks to spend.
pub(crate) struct RequestedUse {
    pub(crate) account: AccountId,
    pub(crate) token: Option<TokenId>,
    pub(crate) items: Vec<Item>,
    /// The amount, when one feature was asked for and not a list.
    pub(crate) requested: Option<u64>,
    pub(crate) note: Note,
}

/// Reads a body; `at` is its place in the request.
pub(crate) fn requested_use(body: ConsumeBody, at: &str) -> Result<RequestedUse, Problem> {
    let (items, requested) = items((body.feature, body.amount, body.items), at)?;
    Ok(RequestedUse {
        account: AccountId::user(&body.user),
        token: body.token,
        items,
        requested,
        note: Note {
            resource_type: body.resource_type,
            resource_id: body.resource_id,
            reason: body.reason,
        },
    })
}

/// What a body may name: a feature and an amount, or a list of both.
type Named = (Option<FeatureCode>, Option<Amount>, Option<Vec<ItemBody>>);

/// The items that a body names, and the amount when it is one without a list; `at` is the body's place in the request.
pub(crate) fn items(named: Named, at: &str) -> Result<(Vec<Item>, Option<u64>), Problem> {
    let invalid = |field: &str, why: &str| {
        Problem::invalid_body(FieldError::at(format!("{at}/{field}"), why))
    };
    match named {
        (Some(feature), Some(amount), None) => {
            Ok((vec![Item { feature, amount }], Some(amount.get())))
        }
        (None, None, Some(items)) if (1..=ITEMS_MAX).contains(&items.len()) => {
            let item = |item: ItemBody| Item {
                feature: item.feature,
                amount: item.amount,
            };
            Ok((items.into_iter().map(item).collect(), None))
        }
        (None, None, Some(_)) => {
            let why = format!("must have 1 to {ITEMS_MAX} items");
            Err(invalid("items", &why))
        }
        (Some(_), None, None) => Err(invalid("amount", "is required with `feature`")),
        (None, _, None) => Err(invalid("feature", "is required, or `items`")),
        (_, _, Some(_)) => {
            let why = "send either `items` or `feature` with `amount`, not both";
            Err(invalid("items", why))
        }
    }
}

/// Spends an amount if the limits allow it: all of it or nothing.
#[utoipa::path(post, path = "/v1/consume", tag = "decide", request_body = ConsumeBody,
    responses(
        (status = 200, description = "Spent", body = DecisionBody),
        (status = 403, description = "Denied; waiting does not help", body = DecisionBody, content_type = "application/problem+json"),
        (status = 404, description = "Denied: unknown user or feature", body = DecisionBody, content_type = "application/problem+json"),
        (status = 409, description = "A counter would exceed its maximum", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Denied: a limit, cap or wallet is exhausted", body = DecisionBody, content_type = "application/problem+json")))]
pub(crate) async fn consume(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<ConsumeBody>,
) -> Result<Response, Problem> {
    let offers = body.offers;
    let wanted = requested_use(body, "")?;
    let features = features(&wanted.items);
    let asked = Consume {
        token: wanted.token,
        items: wanted.items,
    };
    let offers_for = offers.then(|| (wanted.account.clone(), asked.clone()));
    let command = Command::Consume(asked);
    let (account, note) = (wanted.account, wanted.note);
    let is_single = wanted.requested.is_some();
    let reply = submit(&state, &caller, Verb::Consume, account, command, note)
        .await
        .map_err(|problem| in_items(problem, is_single))?;
    count(&state, &reply, &features);
    let mut answer = decision_body(&reply, wanted.requested);
    if let Some((account, asked)) = &offers_for {
        Box::pin(add_offers(&state, &mut answer, (account, asked))).await;
    }
    Ok(respond(&answer, state.engine().now()))
}

/// Records use that already happened: never denied, what nothing pays for is booked as overage. With `at` it is booked in
/// the usage windows of that instant, and the running ones stay as they are.
#[utoipa::path(post, path = "/v1/track", tag = "decide", request_body = TrackBody,
    responses((status = 200, description = "Recorded", body = DecisionBody),
        (status = 404, description = "There is no such user, token or feature", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A counter would exceed its maximum", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn track(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<TrackBody>,
) -> Result<Response, Problem> {
    let at = body.at;
    let body = ConsumeBody {
        user: body.user,
        token: body.token,
        feature: body.feature,
        amount: body.amount,
        items: body.items,
        offers: false,
        resource_type: body.resource_type,
        resource_id: body.resource_id,
        reason: body.reason,
    };
    let wanted = requested_use(body, "")?;
    let is_single = wanted.requested.is_some();
    let command = Command::Track(Track {
        token: wanted.token,
        items: wanted.items,
        at,
    });
    let (account, note) = (wanted.account, wanted.note);
    let reply = submit(&state, &caller, Verb::Track, account, command, note)
        .await
        .map_err(|problem| in_items(of_user(problem), is_single))?;
    Ok(respond(
        &decision_body(&reply, wanted.requested),
        state.engine().now(),
    ))
}

/// That there is no such account, where the body names a user: in the words of a denial.
pub(crate) fn of_user(problem: Problem) -> Problem {
    if problem.body.code != Rejection::UnknownAccount.code() {
        return problem;
    }
    let (why, unknown) = (reason::UNKNOWN_USER, Reason::UnknownUser);
    let problem = Problem::new(reason::status(unknown), unknown.code(), why);
    problem.about(FieldError::at("/user", why))
}

/// Moves the places of a problem into `items`, unless a single feature was sent.
pub(crate) fn in_items(problem: Problem, is_single: bool) -> Problem {
    if is_single {
        return problem;
    }
    let problem = problem.in_list("/items", "/feature");
    problem.at_instead("/amount", "/items")
}

/// The features of some items, in their order.
pub(crate) fn features(items: &[Item]) -> Vec<FeatureCode> {
    items.iter().map(|item| item.feature.clone()).collect()
}

/// Counts a consume in the metrics, for each feature it is about.
pub(crate) fn count(state: &ApiState, reply: &Reply, features: &[FeatureCode]) {
    let meters = state.meters();
    match &reply.operation.answer {
        Answer::Denied {
            feature, denial, ..
        } => {
            let is_unknown = matches!(denial.reason, Reason::UnknownUser | Reason::UnknownFeature);
            let label = (!is_unknown).then_some(feature);
            meters.count_consume(label, denial.reason.code());
        }
        Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. }
        | Answer::Changed { .. }
        | Answer::Unchanged => {
            for feature in features {
                meters.count_consume(Some(feature), "allowed");
            }
        }
    }
}
