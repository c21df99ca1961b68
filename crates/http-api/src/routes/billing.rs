//! The payment provider that is connected: its events, its customers, and syncs by hand.

use std::collections::BTreeSet;

use api_types::{
    BillingEventBody, BillingEventList, BillingObjectBody, ClaimPaymentBody, CustomerBody,
    CustomerList, FieldError, LinkCustomerBody, SyncBody, SyncOutcome,
};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use quota_core::ids::{CustomerRef, EventRef};
use quota_core::ports::{EventPage, ProviderFault};
use quota_core::provider::{
    CustomerId, CustomerLink, EventId, EventState, KeptEvent, ProviderObject,
};
use quota_service::billing::{BillingError, Synced};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Reads, Writes};
use crate::newest_page::{NewestPage, next_place};
use crate::params::{Account, part, query, why};
use crate::problem::Problem;
use crate::state::ConnectedProvider;

/// Seconds after which to ask again when the provider is away.
const RETRY_SECONDS: u32 = 5;

/// The provider that is connected.
pub(crate) fn connected(state: &ApiState) -> Result<&ConnectedProvider, Problem> {
    let provider = state.settings().provider.as_ref();
    provider.ok_or_else(|| {
        let detail = "no payment provider is connected";
        Problem::new(StatusCode::NOT_FOUND, "no_billing", detail)
    })
}

impl From<BillingError> for Problem {
    fn from(error: BillingError) -> Self {
        let detail = error.to_string();
        match error {
            BillingError::Engine(error) => error.into(),
            BillingError::Store(error) => quota_service::EngineError::Store(error).into(),
            BillingError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
                .retry_after(RETRY_SECONDS),
            BillingError::Provider(ref error) => match error.fault {
                ProviderFault::Later => {
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "provider_away", detail)
                        .retry_after(RETRY_SECONDS)
                }
                ProviderFault::Key => {
                    Self::new(StatusCode::BAD_GATEWAY, "provider_key_refused", detail)
                }
                ProviderFault::Refused => {
                    Self::new(StatusCode::BAD_GATEWAY, "provider_refused", detail)
                }
                ProviderFault::Unreadable => {
                    Self::new(StatusCode::BAD_GATEWAY, "provider_unreadable", detail)
                }
            },
            BillingError::OtherAccount { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "provider_other_account", detail)
            }
        }
    }
}

/// The event that the path names.
pub(crate) struct OfEvent(EventRef);

impl FromRequestParts<ApiState> for OfEvent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let read = |text: &str| EventRef::new(text).map_err(why);
        part(parts, "id", read).await.map(Self)
    }
}

/// The customer that the path names.
pub(crate) struct OfCustomer(CustomerRef);

impl FromRequestParts<ApiState> for OfCustomer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let read = |text: &str| CustomerRef::new(text).map_err(why);
        part(parts, "customer", read).await.map(Self)
    }
}

/// Which events are asked for.
pub(crate) struct EventQuery {
    page: NewestPage<EventId>,
    state: Option<EventState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEventQuery {
    after: Option<String>,
    limit: Option<String>,
    state: Option<String>,
}

impl FromRequestParts<ApiState> for EventQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawEventQuery = query(parts)?;
        Ok(Self {
            page: NewestPage::read(raw.after.as_deref(), raw.limit.as_deref())?,
            state: word("state", raw.state)?,
        })
    }
}

/// A word of one of our lists.
pub(crate) fn word<T: DeserializeOwned>(
    name: &'static str,
    text: Option<String>,
) -> Result<Option<T>, Problem> {
    let read = |text: String| serde_json::from_value(serde_json::Value::String(text));
    let word = text.map(read).transpose();
    word.map_err(|error| Problem::invalid_parameter(name, crate::words::plain(&error.to_string())))
}

fn event_body(event: KeptEvent) -> BillingEventBody {
    let waits = event.state == EventState::Waiting;
    BillingEventBody {
        id: event.id.event,
        provider: event.id.provider,
        mode: event.id.mode,
        kind: event.kind,
        about: event
            .about
            .map(|ProviderObject { kind, id }| BillingObjectBody { kind, id }),
        made_at: event.made_at,
        received_at: event.received_at,
        state: event.state,
        tries: event.tries,
        next_try_at: waits.then_some(event.next_try_at),
        error: event.error,
    }
}

fn customer_body(link: CustomerLink) -> CustomerBody {
    let CustomerId {
        provider,
        mode,
        customer,
    } = link.id;
    CustomerBody {
        customer,
        provider,
        mode,
        account: link.account,
        linked_at: link.linked_at,
    }
}

pub(crate) fn sync_body(synced: Synced) -> SyncBody {
    let (outcome, account, changed, problems) = match synced {
        Synced::Applied {
            account,
            is_news,
            problems,
        } => (SyncOutcome::Applied, Some(account), is_news, problems),
        Synced::Parked(_) => (SyncOutcome::Parked, None, false, BTreeSet::new()),
        Synced::NotOurs => (SyncOutcome::NotOurs, None, false, BTreeSet::new()),
        Synced::Gone => (SyncOutcome::Gone, None, false, BTreeSet::new()),
    };
    SyncBody {
        outcome,
        account,
        changed,
        problems: problems.into_iter().collect(),
    }
}

/// Lists the provider's events, the one that came last first.
#[utoipa::path(get, path = "/v1/billing/events", tag = "billing",
    params(("state" = Option<EventState>, Query, description = "Only those in this state: `given_up` are the ones to look after"), ("after" = Option<String>, Query, description = "The `next` of the page before"), ("limit" = Option<u32>, Query, description = "1 to 1000; 100 by default")),
    responses((status = 200, body = BillingEventList), (status = 404, description = "No payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(state): State<ApiState>,
    _caller: Reads,
    asked: EventQuery,
) -> Result<Json<BillingEventList>, Problem> {
    let billing = &connected(&state)?.billing;
    let limit = asked.page.limit;
    let page = EventPage {
        provider: billing.provider().code().clone(),
        state: asked.state,
        after: asked.page.after,
        limit: limit.saturating_add(1),
    };
    let mut found = billing
        .store()
        .events(&page)
        .await
        .map_err(BillingError::from)?;
    let next = next_place(&mut found, limit, |last| {
        (last.received_at, last.id.clone())
    });
    let items = found.into_iter().map(event_body).collect();
    Ok(Json(BillingEventList { items, next }))
}

/// Works on an event once more, whatever came of it before.
#[utoipa::path(post, path = "/v1/billing/events/{id}/replay", tag = "billing",
    params(("id" = String, Path, description = "The event, as the provider names it")),
    responses((status = 200, description = "The event as it stands now", body = BillingEventBody), (status = 404, description = "There is no such event, or no payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn replay(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfEvent(event): OfEvent,
) -> Result<Json<BillingEventBody>, Problem> {
    let billing = &connected(&state)?.billing;
    let id = EventId {
        provider: billing.provider().code().clone(),
        mode: billing.provider().mode(),
        event,
    };
    let unknown = || {
        let detail = format!("there is no event `{}`", id.event);
        Problem::new(StatusCode::NOT_FOUND, "unknown_event", detail)
    };
    let kept = billing
        .store()
        .event(&id)
        .await
        .map_err(BillingError::from)?;
    billing.replay(&kept.ok_or_else(unknown)?).await?;
    let now = billing
        .store()
        .event(&id)
        .await
        .map_err(BillingError::from)?;
    Ok(Json(event_body(now.ok_or_else(unknown)?)))
}

/// Says which account a customer of the provider is, and gives the account what the customer bought.
///
/// A customer that is another account stays that: take that link away first.
#[utoipa::path(put, path = "/v1/billing/customers/{customer}", tag = "billing", request_body = LinkCustomerBody,
    params(("customer" = String, Path, description = "The customer, as the provider names it")),
    responses((status = 200, description = "Linked", body = CustomerBody), (status = 404, description = "There is no such account, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The customer is another account", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn link(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfCustomer(customer): OfCustomer,
    JsonBody(body): JsonBody<LinkCustomerBody>,
) -> Result<Json<CustomerBody>, Problem> {
    let billing = &connected(&state)?.billing;
    let (link, _) = billing.link_customer(&customer, &body.account).await?;
    if link.account != body.account {
        let detail = format!("customer `{customer}` is `{}`", link.account);
        let problem = Problem::new(
            StatusCode::CONFLICT,
            "customer_of_another_account",
            detail.clone(),
        );
        return Err(problem.about(FieldError::at("/account", detail)));
    }
    Ok(Json(customer_body(link)))
}

/// Takes the link of a customer away. What it bought stays where it is.
#[utoipa::path(delete, path = "/v1/billing/customers/{customer}", tag = "billing",
    params(("customer" = String, Path, description = "The customer, as the provider names it")),
    responses((status = 204, description = "It is no account any more"), (status = 404, description = "The customer is no account, or no payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn unlink(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfCustomer(customer): OfCustomer,
) -> Result<StatusCode, Problem> {
    let billing = &connected(&state)?.billing;
    let id = billing.customer_id(&customer);
    let was_there = billing
        .store()
        .unlink_customer(&id)
        .await
        .map_err(BillingError::from)?;
    if was_there {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("customer `{customer}` is no account here");
    Err(Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_customer",
        detail,
    ))
}

/// Lists the customers that an account is at the provider.
#[utoipa::path(get, path = "/{id}/customers", tag = "billing",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = CustomerList), (status = 404, description = "No payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn customers(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<CustomerList>, Problem> {
    let store = connected(&state)?.billing.store();
    let links = store
        .customers_of(&account)
        .await
        .map_err(BillingError::from)?;
    let items = links.into_iter().map(customer_body).collect();
    Ok(Json(CustomerList { items }))
}

/// Gives an account what the provider says now.
#[utoipa::path(post, path = "/{id}/sync", tag = "billing",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "What it came to", body = SyncBody), (status = 404, description = "No payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn sync(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    Account(account): Account,
) -> Result<Json<SyncBody>, Problem> {
    let billing = &connected(&state)?.billing;
    Ok(Json(sync_body(billing.sync_account(&account).await?)))
}

/// Claims a payment that was parked, since nobody knew whose it is.
///
/// Who knows the id of the session that was paid has proved it. The first account that claims it keeps it.
#[utoipa::path(post, path = "/{id}/purchases/claim", tag = "billing", request_body = ClaimPaymentBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "What it came to", body = SyncBody), (status = 404, description = "There is no such account, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 409, description = "It is of another account", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn claim(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<ClaimPaymentBody>,
) -> Result<Json<SyncBody>, Problem> {
    let billing = &connected(&state)?.billing;
    let BillingObjectBody { kind, id } = body.object;
    let object = ProviderObject { kind, id };
    Ok(Json(sync_body(
        billing.claim_payment(&object, &account).await?,
    )))
}
