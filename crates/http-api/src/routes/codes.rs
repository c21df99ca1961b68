//! Codes: made and told once, looked at without their secrets, revoked.

use api_types::{
    BoostGiftBody, CodeBatchBody, CodeBatchList, CodeBody, CodeList, CodeUseBody, CodeUseList,
    CreditsGiftBody, FieldError, GiftBody, MadeCodesBody, NewCodeBody, NewCodesBody, PlanGiftBody,
};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use quota_core::code::{
    BoostGift, Code, CodeBatch, CodeGift, CodeUse, CodeWindow, CreditsGift, GiftEnd, PlanGift,
};
use quota_core::ids::AccountId;
use quota_core::ports::{CodeBatchPage, CodeBatchPlace, CodePage};
use quota_service::{Codes, MadeCodes, NewCode, NewCodes};
use serde::Deserialize;
use uuid::Uuid;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Reads, Writes, replayed_header};
use crate::newest_page::{NewestPage, next_place};
use crate::params::{OfUuid, Page, query};
use crate::problem::Problem;

/// The codes of this installation.
pub(crate) fn codes_of(state: &ApiState) -> Result<&Codes, Problem> {
    let codes = state.settings().codes.as_ref();
    codes.ok_or_else(|| {
        let detail = "the store of this installation keeps no codes";
        Problem::new(StatusCode::NOT_FOUND, "no_codes", detail)
    })
}

/// Which codes are asked for.
pub(crate) struct CodeQuery(CodePage);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCodeQuery {
    after: Option<String>,
    batch: Option<String>,
    limit: Option<String>,
}

impl FromRequestParts<ApiState> for CodeQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawCodeQuery = query(parts)?;
        Ok(Self(CodePage {
            batch: uuid("batch", raw.batch.as_deref())?,
            after: uuid("after", raw.after.as_deref())?,
            limit: Page::read(None, raw.limit.as_deref())?.limit,
        }))
    }
}

fn uuid(name: &'static str, text: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let read = text.map(Uuid::try_parse).transpose();
    read.map_err(|_| Problem::invalid_parameter(name, "must be a UUID"))
}

/// Which batches are asked for.
pub(crate) struct CodeBatchQuery(NewestPage<Uuid>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCodeBatchQuery {
    after: Option<String>,
    limit: Option<String>,
}

impl FromRequestParts<ApiState> for CodeBatchQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawCodeBatchQuery = query(parts)?;
        let page = NewestPage::read(raw.after.as_deref(), raw.limit.as_deref());
        page.map(Self)
    }
}

/// What is asked for as a gift, and its place in the body.
fn gift_of(body: GiftBody) -> Result<(CodeGift, &'static str), Problem> {
    match (body.credits, body.boost, body.plan) {
        (Some(credits), None, None) => {
            let gift = CodeGift::Credits(CreditsGift {
                credits: credits.amount,
                priority: credits.priority,
                days: credits.days,
            });
            Ok((gift, "/gift/credits"))
        }
        (None, Some(boost), None) => {
            let ends = match (boost.until, boost.days) {
                (None, None) => GiftEnd::Period,
                (Some(until), None) => GiftEnd::At(until),
                (None, Some(days)) => GiftEnd::Days(days),
                (Some(_), Some(_)) => {
                    let why = "stands beside `until`: leave one of them out";
                    return Err(wrong("/gift/boost/days", why));
                }
            };
            let gift = CodeGift::Boost(BoostGift {
                feature: boost.feature,
                amount: boost.amount,
                ends,
            });
            Ok((gift, "/gift/boost"))
        }
        (None, None, Some(plan)) => {
            let gift = CodeGift::Plan(PlanGift {
                plan: plan.plan,
                days: plan.days,
                seats: plan.seats,
            });
            Ok((gift, "/gift/plan"))
        }
        _several => Err(wrong(
            "/gift",
            "must have one of `credits`, `boost` and `plan`",
        )),
    }
}

fn wrong(pointer: &'static str, why: &'static str) -> Problem {
    Problem::invalid_body(FieldError::at(pointer, why))
}

pub(crate) fn gift_body(gift: CodeGift) -> GiftBody {
    match gift {
        CodeGift::Credits(gift) => GiftBody {
            credits: Some(CreditsGiftBody {
                amount: gift.credits,
                priority: gift.priority,
                days: gift.days,
            }),
            ..GiftBody::default()
        },
        CodeGift::Boost(gift) => {
            let (until, days) = match gift.ends {
                GiftEnd::Period => (None, None),
                GiftEnd::At(until) => (Some(until), None),
                GiftEnd::Days(days) => (None, Some(days)),
            };
            GiftBody {
                boost: Some(BoostGiftBody {
                    feature: gift.feature,
                    amount: gift.amount,
                    until,
                    days,
                }),
                ..GiftBody::default()
            }
        }
        CodeGift::Plan(gift) => GiftBody {
            plan: Some(PlanGiftBody {
                plan: gift.plan,
                days: gift.days,
                seats: gift.seats,
            }),
            ..GiftBody::default()
        },
    }
}

fn batch_body(batch: CodeBatch, uses: Option<u64>) -> CodeBatchBody {
    CodeBatchBody {
        id: batch.id,
        name: batch.name,
        gift: gift_body(batch.gift),
        count: batch.count,
        uses_max: batch.uses_max,
        uses,
        from: batch.window.from,
        until: batch.window.until,
        created_at: batch.created_at,
        revoked_at: batch.revoked_at,
    }
}

fn code_body(code: Code, now: DateTime<Utc>) -> CodeBody {
    CodeBody {
        id: code.id,
        batch: code.batch,
        number: code.number,
        state: code.state(now),
        prefix: code.prefix,
        gift: gift_body(code.gift),
        uses: code.uses,
        uses_max: code.uses_max,
        from: code.window.from,
        until: code.window.until,
        created_at: code.created_at,
        revoked_at: code.revoked_at,
    }
}

fn made_answer(made: MadeCodes) -> Response {
    let mut headers = HeaderMap::new();
    if made.codes.is_none() {
        let (name, value) = replayed_header();
        headers.insert(name, value);
    }
    let code = |NewCode { code, secret }| NewCodeBody {
        id: code.id,
        number: code.number,
        code: secret,
    };
    let codes = made
        .codes
        .map(|codes| codes.into_iter().map(code).collect());
    let batch = batch_body(made.batch, None);
    (
        StatusCode::CREATED,
        headers,
        Json(MadeCodesBody { batch, codes }),
    )
        .into_response()
}

/// Makes codes. Their secrets are in this answer only: repeated under its key, the request is answered without them.
#[utoipa::path(post, path = "/v1/codes", tag = "money", request_body = NewCodesBody,
    responses((status = 201, description = "Made", body = MadeCodesBody), (status = 404, description = "There is no such feature, or the store keeps no codes", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn make_codes(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<NewCodesBody>,
) -> Result<Response, Problem> {
    let codes = codes_of(&state)?;
    let (gift, place) = gift_of(body.gift)?;
    let asked = NewCodes {
        name: body.name.into_text(),
        gift,
        uses_max: body.uses_max,
        window: CodeWindow {
            from: body.from,
            until: body.until,
        },
        count: body.count,
        key: caller.idempotency_key.clone(),
    };
    let made = codes.make(asked).await.map_err(Problem::from);
    made.map(made_answer).map_err(|problem| {
        let of_gift = ["/days", "/feature", "/plan", "/ends"];
        of_gift.iter().fold(problem, |problem, field| {
            let name = if *field == "/ends" { "/until" } else { field };
            problem.at_instead(field, &format!("{place}{name}"))
        })
    })
}

/// Lists codes, without their secrets.
#[utoipa::path(get, path = "/v1/codes", tag = "money",
    params(("batch" = Option<Uuid>, Query, description = "Only those of this batch"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many codes a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = CodeList), (status = 404, description = "There is no such batch, or the store keeps no codes", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_codes(
    State(state): State<ApiState>,
    _caller: Reads,
    CodeQuery(page): CodeQuery,
) -> Result<Json<CodeList>, Problem> {
    let limit = page.limit;
    let asked = CodePage {
        limit: limit.saturating_add(1),
        ..page
    };
    let mut found = codes_of(&state)?.codes(&asked).await?;
    let next = cut(&mut found, limit, |last: &Code| last.id.to_string());
    let now = state.engine().now();
    let items = found.into_iter().map(|code| code_body(code, now));
    Ok(Json(CodeList {
        items: items.collect(),
        next,
    }))
}

/// Cuts what was found to a page; says how the next one is asked for, if there is one.
fn cut<T>(found: &mut Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = limit < found.len();
    found.truncate(limit);
    found.last().filter(|_| has_more).map(place)
}

/// Shows a code, without its secret.
#[utoipa::path(get, path = "/v1/codes/{id}", tag = "money",
    params(("id" = Uuid, Path, description = "The code's id")),
    responses((status = 200, body = CodeBody), (status = 404, description = "There is no such code", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn code(
    State(state): State<ApiState>,
    _caller: Reads,
    OfUuid(id): OfUuid,
) -> Result<Json<CodeBody>, Problem> {
    let code = codes_of(&state)?.code(id).await.map_err(in_path)?;
    Ok(Json(code_body(code, state.engine().now())))
}

/// A code that the path names, and not the body.
fn in_path(error: quota_service::EngineError) -> Problem {
    Problem::from(error).in_path("/code", "id")
}

/// Lists the accounts that redeemed a code.
#[utoipa::path(get, path = "/v1/codes/{id}/uses", tag = "money",
    params(("id" = Uuid, Path, description = "The code's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many uses a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = CodeUseList), (status = 404, description = "There is no such code", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn code_uses(
    State(state): State<ApiState>,
    _caller: Reads,
    OfUuid(id): OfUuid,
    page: Page,
) -> Result<Json<CodeUseList>, Problem> {
    let after = page.after.as_deref().map(AccountId::parse).transpose();
    let after = after.map_err(|error| Problem::invalid_parameter("after", error.why))?;
    let wanted = page.limit.saturating_add(1);
    let found = codes_of(&state)?.uses(id, after, wanted).await;
    let mut found = found.map_err(in_path)?;
    let next = cut(&mut found, page.limit, |last: &CodeUse| {
        last.account.to_string()
    });
    let body = |used: CodeUse| CodeUseBody {
        account: used.account,
        claimed_at: used.claimed_at,
        redeemed_at: used.done_at,
    };
    let items = found.into_iter().map(body).collect();
    Ok(Json(CodeUseList { items, next }))
}

/// Revokes a code: nobody can redeem it any more. What it has given stays.
#[utoipa::path(post, path = "/v1/codes/{id}/revoke", tag = "money",
    params(("id" = Uuid, Path, description = "The code's id")),
    responses((status = 200, description = "Revoked, now or before", body = CodeBody), (status = 404, description = "There is no such code", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn revoke_code(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfUuid(id): OfUuid,
) -> Result<Json<CodeBody>, Problem> {
    let code = codes_of(&state)?.revoke(id).await.map_err(in_path)?;
    Ok(Json(code_body(code, state.engine().now())))
}

/// Lists batches of codes, the one that was made last first.
#[utoipa::path(get, path = "/v1/code-batches", tag = "money",
    params(("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many batches a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = CodeBatchList), (status = 404, description = "The store keeps no codes", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_code_batches(
    State(state): State<ApiState>,
    _caller: Reads,
    CodeBatchQuery(page): CodeBatchQuery,
) -> Result<Json<CodeBatchList>, Problem> {
    let place = |(created_at, id)| CodeBatchPlace { created_at, id };
    let asked = CodeBatchPage {
        after: page.after.map(place),
        limit: page.limit.saturating_add(1),
    };
    let mut found = codes_of(&state)?.batches(&asked).await?;
    let next = next_place(&mut found, page.limit, |last| (last.created_at, last.id));
    let items = found.into_iter().map(|batch| batch_body(batch, None));
    Ok(Json(CodeBatchList {
        items: items.collect(),
        next,
    }))
}

/// Shows a batch of codes, and how often they were used.
#[utoipa::path(get, path = "/v1/code-batches/{id}", tag = "money",
    params(("id" = Uuid, Path, description = "The batch's id")),
    responses((status = 200, body = CodeBatchBody), (status = 404, description = "There is no such batch", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn code_batch(
    State(state): State<ApiState>,
    _caller: Reads,
    OfUuid(id): OfUuid,
) -> Result<Json<CodeBatchBody>, Problem> {
    let (batch, uses) = codes_of(&state)?.batch(id).await?;
    Ok(Json(batch_body(batch, Some(uses))))
}

/// Revokes a batch with all its codes. What they have given stays.
#[utoipa::path(post, path = "/v1/code-batches/{id}/revoke", tag = "money",
    params(("id" = Uuid, Path, description = "The batch's id")),
    responses((status = 200, description = "Revoked, now or before", body = CodeBatchBody), (status = 404, description = "There is no such batch", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn revoke_code_batch(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfUuid(id): OfUuid,
) -> Result<Json<CodeBatchBody>, Problem> {
    let (batch, uses) = codes_of(&state)?.revoke_batch(id).await?;
    Ok(Json(batch_body(batch, Some(uses))))
}
