//! Payments of any provider: booked, refunded, disputed, listed, and what is owed forgiven.

use api_types::{
    BoughtBoostBody, ChangeBody, FieldError, ForgiveBody, NewPaymentDisputeBody,
    NewPaymentRefundBody, NewPurchaseBody, PaymentBody, PaymentDisputeBody, PaymentLineBody,
    PaymentList, PaymentRefundBody,
};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use quota_core::answer::Rejection;
use quota_core::command::{Command, ForgiveDebt};
use quota_core::ids::{AccountId, PaymentRef, ProviderCode};
use quota_core::payment::{BoughtLine, Disputed, Payment, PaymentId, PaymentMode, Refunded};
use quota_core::ports::{PaymentPage, PaymentPlace};
use quota_core::rules::payment_news::{PaidNews, PaymentNews};
use quota_service::{BookPayment, BookedPayment};

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Caller, Reads, Writes, replayed_header};
use crate::note::Note;
use crate::params::{Account, Page, part, why};
use crate::problem::Problem;
use crate::submit::change;

/// Most other ids of one payment.
const IDS_MAX: usize = 20;

/// The payment that the path names by `{provider}` and `{ref}`.
pub(crate) struct OfPayment(pub(crate) ProviderCode, pub(crate) PaymentRef);

impl FromRequestParts<ApiState> for OfPayment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let provider = part(parts, "provider", |text| {
            ProviderCode::new(text).map_err(why)
        });
        let provider = provider.await?;
        let payment = part(parts, "ref", |text| PaymentRef::new(text).map_err(why)).await?;
        Ok(Self(provider, payment))
    }
}

fn payment_body(payment: Payment) -> PaymentBody {
    let status = payment.status();
    let refunds = payment.refunds.into_iter();
    let disputes = payment.disputes.into_iter();
    PaymentBody {
        account: payment.account,
        provider: payment.id.provider,
        payment: payment.id.payment,
        mode: payment.id.mode,
        status,
        amount: payment.amount,
        currency: payment.currency,
        lines: payment.lines.into_iter().map(line_body).collect(),
        refunds: refunds
            .map(|(refund, Refunded { amount, status })| PaymentRefundBody {
                refund,
                amount,
                status,
            })
            .collect(),
        disputes: disputes
            .map(
                |(dispute, Disputed { amount, status })| PaymentDisputeBody {
                    dispute,
                    amount,
                    status,
                },
            )
            .collect(),
        paid_at: payment.paid_at,
        created_at: payment.created_at,
        changed_at: payment.fetched_at,
    }
}

/// What a line bought.
fn line_body(line: BoughtLine) -> PaymentLineBody {
    let amount = line.credits;
    let (credits, boost) = match line.boost {
        Some(feature) => (None, Some(BoughtBoostBody { feature, amount })),
        None => (Some(amount), None),
    };
    PaymentLineBody {
        line: line.line,
        credits,
        boost,
        priority: line.priority,
        expires_at: line.expires_at,
    }
}

/// The line that a body says: it buys credits or a boost, and not both.
fn line_of(at: usize, body: PaymentLineBody) -> Result<BoughtLine, Problem> {
    let wrong = |field: &str, why: &str| {
        let field = FieldError::at(format!("/lines/{at}/{field}"), why);
        Err(Problem::invalid_body(field))
    };
    let (credits, boost) = match (body.credits, body.boost) {
        (Some(credits), None) => (credits, None),
        (None, Some(boost)) if body.priority == 0 => (boost.amount, Some(boost.feature)),
        (None, Some(_)) => {
            return wrong(
                "priority",
                "is for credits: the boost that ends first is spent first",
            );
        }
        (None, None) => return wrong("credits", "is required, or a `boost`"),
        (Some(_), Some(_)) => {
            return wrong(
                "boost",
                "cannot stand beside `credits`: a line buys the one or the other",
            );
        }
    };
    Ok(BoughtLine {
        line: body.line,
        credits,
        boost,
        priority: body.priority,
        expires_at: body.expires_at,
    })
}

/// The answer to what was told of a payment: 201 for what was not known.
fn booked_answer(booked: BookedPayment) -> Response {
    let status = if booked.is_news {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut headers = HeaderMap::new();
    if booked.is_replay {
        let (name, value) = replayed_header();
        headers.insert(name, value);
    }
    (status, headers, Json(payment_body(booked.payment))).into_response()
}

/// Books what is told; mistakes name their place in the body.
async fn book(
    state: &ApiState,
    (caller, note): (&Caller, Note),
    (account, id): (AccountId, PaymentId),
    news: PaymentNews,
) -> Result<Response, Problem> {
    let asked = BookPayment {
        account,
        id,
        aliases: Vec::new(),
        news,
        key: caller.idempotency_key.clone(),
        origin: caller.origin(note),
    };
    let booked = state.engine().book_payment(asked).await;
    let in_its_place = |error| Problem::from(error).at_instead("/ref", "/payment");
    booked.map(booked_answer).map_err(in_its_place)
}

/// Books a payment, and gives what it bought: credits, or units of a feature as a boost.
#[utoipa::path(post, path = "/{id}/purchases", tag = "money", request_body = NewPurchaseBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Booked and credited", body = PaymentBody), (status = 200, description = "It was booked already, the same; nothing changed", body = PaymentBody), (status = 409, description = "It is of another account, is known with another amount, currency or other lines, or is of the provider that is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn purchase(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewPurchaseBody>,
) -> Result<Response, Problem> {
    if IDS_MAX < body.ids.len() {
        let (field, least, most) = ("ids", 0, u64::try_from(IDS_MAX).unwrap_or(0));
        return Err(Rejection::OutOfRange { field, least, most }.into());
    }
    let lines = body.lines.into_iter().enumerate();
    let lines: Result<Vec<BoughtLine>, Problem> =
        lines.map(|(at, line)| line_of(at, line)).collect();
    let asked = BookPayment {
        account,
        id: told(&state, body.provider, body.payment)?,
        aliases: body.ids,
        news: PaymentNews::Paid(PaidNews {
            amount: body.amount,
            currency: body.currency,
            lines: lines?,
            paid_at: body.paid_at,
        }),
        key: caller.idempotency_key.clone(),
        origin: caller.origin(Note::reason(body.reason)),
    };
    let booked = state.engine().book_payment(asked).await;
    let in_its_line = |problem: Problem| match problem.index {
        Some(index) => problem
            .at_instead("/feature", "/boost/feature")
            .below(&format!("/lines/{index}")),
        None => problem,
    };
    let booked = booked.map_err(|error| in_its_line(error.into()))?;
    Ok(booked_answer(booked))
}

/// A payment that is told by this interface: it is money. Of the provider that is connected nothing is told here: a payment of it is
/// changed by what is fetched from it, and by nobody else (P16).
fn told(
    state: &ApiState,
    provider: ProviderCode,
    payment: PaymentRef,
) -> Result<PaymentId, Problem> {
    if connected_as(state, &provider).is_some() {
        let detail = format!(
            "`{provider}` is connected: its payments are fetched from it, and nobody else tells of them"
        );
        let problem = Problem::new(
            StatusCode::CONFLICT,
            "provider_tells_itself",
            detail.clone(),
        );
        return Err(problem.about(FieldError::at("/provider", detail)));
    }
    Ok(PaymentId {
        provider,
        mode: PaymentMode::Live,
        payment,
    })
}

/// The mode that a provider is connected in, if it is.
fn connected_as(state: &ApiState, provider: &ProviderCode) -> Option<PaymentMode> {
    let connected = state.settings().provider.as_ref()?.billing.provider();
    (connected.code() == provider).then(|| connected.mode())
}

/// Books where a refund of a payment stands: what it takes of the credits follows from the sum of all refunds.
#[utoipa::path(post, path = "/{id}/refunds", tag = "money", request_body = NewPaymentRefundBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Booked", body = PaymentBody), (status = 200, description = "It was booked already, the same; nothing changed", body = PaymentBody), (status = 404, description = "There is no such account or payment", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The payment is of another account, the refund is known with another amount, or the provider is connected and tells by itself", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn refund(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewPaymentRefundBody>,
) -> Result<Response, Problem> {
    let news = PaymentNews::Refund {
        refund: body.refund,
        told: Refunded {
            amount: body.amount.get(),
            status: body.status,
        },
        currency: body.currency,
    };
    let of = (account, told(&state, body.provider, body.payment)?);
    book(&state, (&caller, Note::reason(body.reason)), of, news).await
}

/// Books where a dispute about a payment stands: an open one freezes credits, a lost one takes them.
#[utoipa::path(post, path = "/{id}/disputes", tag = "money", request_body = NewPaymentDisputeBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Booked", body = PaymentBody), (status = 200, description = "It was booked already, the same; nothing changed", body = PaymentBody), (status = 404, description = "There is no such account or payment", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The payment is of another account, or the provider is connected and tells by itself", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn dispute(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewPaymentDisputeBody>,
) -> Result<Response, Problem> {
    let news = PaymentNews::Dispute {
        dispute: body.dispute,
        told: Disputed {
            amount: body.amount.get(),
            status: body.status,
        },
        currency: body.currency,
    };
    let of = (account, told(&state, body.provider, body.payment)?);
    book(&state, (&caller, Note::reason(body.reason)), of, news).await
}

/// Lists an account's payments, the one that was told last first.
#[utoipa::path(get, path = "/{id}/payments", tag = "money",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many payments a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = PaymentList)))]
pub(crate) async fn payments(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    page: Page,
) -> Result<Json<PaymentList>, Problem> {
    let after = match &page.after {
        Some(after) => Some(place_of(&state, &account, after).await?),
        None => None,
    };
    let limit = page.limit;
    let asked = PaymentPage {
        account,
        after,
        limit: limit.saturating_add(1),
    };
    let mut found = state.engine().payments(&asked).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = limit < found.len();
    found.truncate(limit);
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| last.id.to_string());
    let items = found.into_iter().map(payment_body).collect();
    Ok(Json(PaymentList { items, next }))
}

/// Where the payment stands that the page before ended with.
async fn place_of(
    state: &ApiState,
    account: &AccountId,
    after: &str,
) -> Result<PaymentPlace, Problem> {
    let read: Result<PaymentId, _> = after.parse();
    let id = read.map_err(|error| Problem::invalid_parameter("after", error.why))?;
    let last = state.engine().payment_of(account, &id).await?;
    let unknown = || Problem::invalid_parameter("after", "must be the `next` of a page");
    let created_at = last.ok_or_else(unknown)?.created_at;
    Ok(PaymentPlace { created_at, id })
}

/// Shows a payment, by any of its ids. Of the provider that is connected it is one of the mode of the key.
#[utoipa::path(get, path = "/v1/payments/{provider}/{ref}", tag = "money",
    params(("provider" = String, Path, description = "Who took the payment"), ("ref" = String, Path, description = "The payment, by any of its ids")),
    responses((status = 200, body = PaymentBody), (status = 404, description = "There is no such payment", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn payment(
    State(state): State<ApiState>,
    _caller: Reads,
    OfPayment(provider, payment): OfPayment,
) -> Result<Json<PaymentBody>, Problem> {
    let mode = connected_as(&state, &provider).unwrap_or(PaymentMode::Live);
    let id = PaymentId {
        provider,
        mode,
        payment,
    };
    let payment = state.engine().payment(&id).await?;
    Ok(Json(payment_body(payment)))
}

/// Forgives what an account owes: credits that were spent and taken back since.
#[utoipa::path(post, path = "/{id}/debt/forgive", tag = "money", request_body = ForgiveBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Forgiven", body = ChangeBody), (status = 409, description = "The account owes less than that, or nothing", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn forgive_debt(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<ForgiveBody>,
) -> Result<Response, Problem> {
    let command = Command::ForgiveDebt(ForgiveDebt {
        credits: body.amount,
    });
    let note = Note::reason(Some(body.reason));
    change(&state, &caller, account, command, note).await
}
