//! `POST /v1/batch`: many independent operations, a result each, also for one that cannot be read.

use api_types::{
    BatchAnswer, BatchBody, BatchItem, BatchResult, ConsumeBody, DecisionBody, FieldError,
    OperationVerb,
};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use futures::StreamExt as _;
use futures::stream;
use quota_core::command::{Command, Consume, Track};
use quota_core::ids::IdempotencyKey;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::consume::{count, features, in_items, of_user, requested_use};
use crate::ApiState;
use crate::body::{json_bytes, parse_json, read};
use crate::caller::{Caller, Writes};
use crate::decision::decision_body;
use crate::meters::Verb;
use crate::offers::add_offers;
use crate::problem::Problem;
use crate::submit::submit;

/// Most operations in one batch.
const OPERATIONS_MAX: usize = 1_000;
/// How problems name the header of the key.
const KEY_HEADER: &str = "Idempotency-Key";

/// A batch: each operation, or why it cannot be read.
pub(crate) struct Operations(Vec<Result<BatchItem, Problem>>);

/// A batch whose operations are not read yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unread {
    operations: Vec<Box<RawValue>>,
}

impl FromRequest<ApiState> for Operations {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        let operations = read_operations(&bytes)?;
        if !(1..=OPERATIONS_MAX).contains(&operations.len()) {
            return Err(Problem::invalid_body(FieldError::at(
                "/operations",
                format!("must have 1 to {OPERATIONS_MAX} operations"),
            )));
        }
        Ok(Self(operations))
    }
}

/// Reads the whole; only where that fails each operation by itself.
fn read_operations(bytes: &[u8]) -> Result<Vec<Result<BatchItem, Problem>>, Problem> {
    let problem = match parse_json::<BatchBody>(bytes) {
        Ok(body) => return Ok(body.operations.into_iter().map(Ok).collect()),
        Err(problem) => problem,
    };
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(problem);
    }
    let unread: Unread = read(bytes)?;
    let operations = unread.operations.iter().enumerate();
    let operations = operations.map(|(index, text)| {
        let read = parse_json(text.get().as_bytes());
        read.map_err(|problem: Problem| problem.below(&format!("/operations/{index}")))
    });
    Ok(operations.collect())
}

/// Carries out operations in a list, up to 1,000. Each succeeds or fails on its own: one that cannot be read has its problem in
/// its own place, and the others are carried out. Only a body that is no such list is refused as a whole.
#[utoipa::path(post, path = "/v1/batch", tag = "decide", request_body = BatchBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Operations without a key of their own get this one with `#` and their index")),
    responses((status = 200, description = "A result for each operation; the `errors` of a problem name index and field: `/operations/3/amount`", body = BatchAnswer)))]
pub(crate) async fn batch(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Operations(operations): Operations,
) -> Result<Json<BatchAnswer>, Problem> {
    let operations = operations.into_iter().enumerate();
    let work = operations.map(|(index, item)| run(&state, &caller, index, item));
    // All of them wait together: the engine commits them in as few batches as it can.
    let results = stream::iter(work).buffered(OPERATIONS_MAX).collect().await;
    Ok(Json(BatchAnswer { results }))
}

async fn run(
    state: &ApiState,
    caller: &Caller,
    index: usize,
    item: Result<BatchItem, Problem>,
) -> BatchResult {
    let decided = match item {
        Ok(item) => try_run(state, caller, index, item).await,
        Err(problem) => Err(problem),
    };
    match decided {
        Ok(decision) => BatchResult::Decision(Box::new(decision)),
        Err(problem) => {
            if let Some(cause) = &problem.away {
                state.outage().refused(cause);
            }
            BatchResult::Problem(*problem.body)
        }
    }
}

async fn try_run(
    state: &ApiState,
    caller: &Caller,
    index: usize,
    item: BatchItem,
) -> Result<DecisionBody, Problem> {
    let (verb, has_own_key) = (item.verb, item.idempotency_key.is_some());
    let caller = caller.with_key(own_key(caller, index, item.idempotency_key)?);
    let body = ConsumeBody {
        user: item.user,
        token: item.token,
        feature: item.feature,
        amount: item.amount,
        items: item.items,
        offers: item.offers,
        resource_type: item.resource_type,
        resource_id: item.resource_id,
        reason: item.reason,
    };
    let at = format!("/operations/{index}");
    if item.at.is_some() && matches!(verb, OperationVerb::Consume) {
        let why = "only a track may tell of an earlier instant";
        let error = FieldError::at(format!("{at}/at"), why);
        return Err(Problem::invalid_body(error));
    }
    if item.offers && matches!(verb, OperationVerb::Track) {
        let error = FieldError::at(format!("{at}/offers"), "a track is never denied");
        return Err(Problem::invalid_body(error));
    }
    let wanted = requested_use(body, &at)?;
    let features = features(&wanted.items);
    let (token, items) = (wanted.token, wanted.items);
    let offers_for = item.offers.then(|| {
        let (token, items) = (token.clone(), items.clone());
        (wanted.account.clone(), Consume { token, items })
    });
    let command = match verb {
        OperationVerb::Consume => Command::Consume(Consume { token, items }),
        OperationVerb::Track => Command::Track(Track {
            token,
            items,
            at: item.at,
        }),
    };
    let (account, note) = (wanted.account, wanted.note);
    let is_single = wanted.requested.is_some();
    let reply = submit(state, &caller, Verb::Batch, account, command, note).await;
    let reply = reply.map_err(|mut problem| {
        problem = in_items(of_user(problem), is_single).below(&at);
        if has_own_key {
            problem = problem.in_body(KEY_HEADER, &format!("{at}/idempotency_key"));
        }
        problem
    })?;
    if matches!(verb, OperationVerb::Consume) {
        count(state, &reply, &features);
    }
    let mut answer = decision_body(&reply, wanted.requested);
    if let Some((account, asked)) = &offers_for {
        Box::pin(add_offers(state, &mut answer, (account, asked))).await;
    }
    Ok(answer)
}

fn own_key(
    caller: &Caller,
    index: usize,
    own: Option<IdempotencyKey>,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(shared) = caller.idempotency_key.as_ref().filter(|_| own.is_none()) else {
        return Ok(own);
    };
    IdempotencyKey::new(&format!("{shared}#{index}"))
        .map(Some)
        .map_err(|error| Problem::invalid_header(KEY_HEADER, error.why))
}
