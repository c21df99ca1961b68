//! What of the payment provider fits nothing here: listed, retried, settled.

use api_types::{BillingProblemBody, BillingProblemList, Label, SettleProblemBody, SettledBody};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use quota_core::ids::AccountId;
use quota_core::ports::ProblemPage;
use quota_core::provider::{BillingProblem, ProblemId, ProblemKind, Settled};
use quota_service::billing::BillingError;
use serde::Deserialize;

use crate::ApiState;
use crate::body::OptionalBody;
use crate::caller::{Reads, Writes};
use crate::newest_page::{NewestPage, next_place};
use crate::params::{part, query, why};
use crate::problem::Problem;
use crate::routes::billing::{connected, word};

/// The problem that the path names.
pub(crate) struct OfProblem(ProblemId);

impl FromRequestParts<ApiState> for OfProblem {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let read = |text: &str| text.parse().map_err(why);
        part(parts, "id", read).await.map(Self)
    }
}

/// Which problems are asked for.
pub(crate) struct ProblemQuery {
    page: NewestPage<ProblemId>,
    is_open: bool,
    kind: Option<ProblemKind>,
    account: Option<AccountId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProblemQuery {
    after: Option<String>,
    limit: Option<String>,
    open: Option<String>,
    kind: Option<String>,
    account: Option<String>,
}

impl FromRequestParts<ApiState> for ProblemQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawProblemQuery = query(parts)?;
        let account = raw.account.as_deref().map(AccountId::parse).transpose();
        let is_open = match raw.open.as_deref() {
            None | Some("true") => true,
            Some("false") => false,
            Some(_other) => {
                return Err(Problem::invalid_parameter(
                    "open",
                    "must be `true` or `false`",
                ));
            }
        };
        Ok(Self {
            page: NewestPage::read(raw.after.as_deref(), raw.limit.as_deref())?,
            is_open,
            kind: word("kind", raw.kind)?,
            account: account.map_err(|error| Problem::invalid_parameter("account", error.why))?,
        })
    }
}

fn problem_body(problem: BillingProblem) -> BillingProblemBody {
    BillingProblemBody {
        id: problem.id.to_string(),
        kind: problem.id.kind,
        account: problem.account,
        detail: problem.detail,
        advice: advice(problem.id.kind).to_owned(),
        evidence: problem.evidence,
        times: problem.times,
        first_seen_at: problem.first_seen_at,
        last_seen_at: problem.last_seen_at,
        settled: problem
            .settled
            .map(|Settled { at, by, note }| SettledBody { at, by, note }),
    }
}

/// What to do about a problem.
fn advice(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::UnknownStatus => {
            "nothing changed here; look at the subscription at the provider, and tell us the status"
        }
        ProblemKind::UnknownPrice => {
            "name the price under `provider_prices` of a plan or pack, apply the catalog, and retry"
        }
        ProblemKind::NoPeriod => {
            "the period that was known stays; look at the subscription at the provider"
        }
        ProblemKind::SeveralPlans => {
            "the dearest plan counts; leave one base plan in the subscription"
        }
        ProblemKind::SeveralSubscriptions => {
            "the dearest one counts; cancel the others at the provider, and refund what was paid twice"
        }
        ProblemKind::SecondTrial => {
            "the provider gives the trial, so the account has it (S13): end it there if that is not meant, or settle this"
        }
        ProblemKind::UnknownCustomer => {
            "say which account it is: `PUT /v1/billing/customers/{customer}`"
        }
        ProblemKind::UnknownPayer => {
            "say whose it is: `POST /v1/users/{id}/purchases/claim`, or link the customer"
        }
        ProblemKind::OfAnotherAccount => {
            "the account that had it first keeps it; refund it at the provider if it was paid for another"
        }
        ProblemKind::AmountMismatch => {
            "nothing was credited; grant the credits by hand, or refund it at the provider"
        }
        ProblemKind::PaymentChanged => {
            "what was credited stays; compare the payment with the provider"
        }
        ProblemKind::ForeignAccount => {
            "an endpoint of another account sends its events here: remove it there"
        }
        ProblemKind::TestClock => {
            "nothing of it is applied; delete the test clock when you are through"
        }
        ProblemKind::Refused => "the detail says why; mend that, and retry",
        ProblemKind::TopUpFailed => {
            "it is tried again after a pause, three times in all; have the account pay otherwise, and set its auto top-up again"
        }
        ProblemKind::MeterWithoutCustomer => {
            "say which customer it is: `PUT /v1/billing/customers/{customer}`, or have it check out; then it is told by itself"
        }
        ProblemKind::MeterRefused => {
            "the detail has the provider's words; mend the meter or the customer there, and retry"
        }
        ProblemKind::MeterLate => {
            "look whether the provider's invoice has it, bill by hand what it lacks, and settle this"
        }
        ProblemKind::MeterDiffers => {
            "compare the sums; correct the invoice at the provider by hand, and settle this, or retry"
        }
    }
}

/// Lists what of the provider fits nothing here, the one that was met last first.
#[utoipa::path(get, path = "/v1/billing/problems", tag = "billing",
    params(("open" = Option<bool>, Query, description = "`false` lists the settled ones too"), ("kind" = Option<ProblemKind>, Query, description = "Only those of this kind"), ("account" = Option<String>, Query, description = "Only those of this account, `user:alice`"), ("after" = Option<String>, Query, description = "The `next` of the page before"), ("limit" = Option<u32>, Query, description = "1 to 1000; 100 by default")),
    responses((status = 200, body = BillingProblemList), (status = 404, description = "No payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn problems(
    State(state): State<ApiState>,
    _caller: Reads,
    asked: ProblemQuery,
) -> Result<Json<BillingProblemList>, Problem> {
    let billing = &connected(&state)?.billing;
    let limit = asked.page.limit;
    let page = ProblemPage {
        provider: billing.provider().code().clone(),
        is_open: asked.is_open,
        kind: asked.kind,
        account: asked.account,
        after: asked.page.after,
        limit: limit.saturating_add(1),
    };
    let mut found = billing
        .store()
        .problems(&page)
        .await
        .map_err(BillingError::from)?;
    let next = next_place(&mut found, limit, |last| {
        (last.last_seen_at, last.id.clone())
    });
    let items = found.into_iter().map(problem_body).collect();
    Ok(Json(BillingProblemList { items, next }))
}

async fn known_problem(state: &ApiState, id: &ProblemId) -> Result<BillingProblem, Problem> {
    let billing = &connected(state)?.billing;
    let problem = billing
        .store()
        .problem(id)
        .await
        .map_err(BillingError::from)?;
    problem.ok_or_else(|| {
        let detail = format!("there is no problem `{id}`");
        Problem::new(StatusCode::NOT_FOUND, "unknown_problem", detail)
    })
}

/// Syncs what a problem is about once more; it is settled if that fits now.
#[utoipa::path(post, path = "/v1/billing/problems/{id}/retry", tag = "billing",
    params(("id" = String, Path, description = "The problem")),
    responses((status = 200, description = "The problem as it stands now", body = BillingProblemBody), (status = 404, description = "There is no such problem, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfProblem(id): OfProblem,
) -> Result<Json<BillingProblemBody>, Problem> {
    let problem = known_problem(&state, &id).await?;
    let billing = &connected(&state)?.billing;
    billing.retry(&problem).await?;
    Ok(Json(problem_body(known_problem(&state, &id).await?)))
}

/// Settles a problem by hand, with a note of what was done. It opens again when it is met again.
#[utoipa::path(post, path = "/v1/billing/problems/{id}/settle", tag = "billing", request_body = Option<SettleProblemBody>,
    params(("id" = String, Path, description = "The problem")),
    responses((status = 200, description = "The problem as it stands now", body = BillingProblemBody), (status = 404, description = "There is no such problem, or no payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn settle(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    OfProblem(id): OfProblem,
    OptionalBody(body): OptionalBody<SettleProblemBody>,
) -> Result<Json<BillingProblemBody>, Problem> {
    known_problem(&state, &id).await?;
    let settled = Settled {
        at: state.engine().now(),
        by: caller.name().to_owned(),
        note: body.note.map(Label::into_text),
    };
    let store = connected(&state)?.billing.store();
    store
        .settle_problem(&id, &settled)
        .await
        .map_err(BillingError::from)?;
    Ok(Json(problem_body(known_problem(&state, &id).await?)))
}
