//! The router, and the OpenAPI document that it comes with.
//!
//! A check and a consume are not routed: [`Front`] calls their handlers past this router and its layers. Both stand here
//! for the document, and for requests that are odd. So a layer that is added here misses nearly all requests; what has to
//! hold for every one of them belongs into [`EdgeLayer::around`], which both ways go through.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use axum::{Extension, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::ApiState;
use crate::document::{catalog_schema, described, finished};
use crate::edge::EdgeLayer;
use crate::front::Front;
use crate::problem::Problem;
use crate::routes::{
    accounts, addons, batch, billing, billing_problems, boosts, catalog, check, checkout, codes,
    consume, credits, entitlements, give_back, jobs, keys, ledger, member_limits, members, moves,
    operate, overrides, overview, payments, redeem, reservations, spend_cap, spending,
    subscription, tokens, top_up, webhooks,
};

/// All routes over one engine, as a server takes them.
pub fn service(state: ApiState) -> Front {
    let edge = EdgeLayer::new(&state, true);
    let routes = routes_within(&edge, state.clone());
    Front::new(state, edge, routes)
}

fn routes_within(edge: &EdgeLayer, state: ApiState) -> Router {
    let (bounded, bounded_api) = bounded_routes().split_for_parts();
    let (probes, probes_api) = probe_routes().split_for_parts();
    let document = finished(bounded_api.merge_from(probes_api));
    let text: HeaderValue = HeaderValue::from_static("application/json");
    let json = document.to_json().unwrap_or_default();
    let openapi = move || {
        let answer = ([(header::CONTENT_TYPE, text.clone())], json.clone());
        async move { answer }
    };
    let schema = catalog::SchemaText(Arc::from(catalog_schema(&document).to_string()));
    let docs = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    let probes = probes
        .route("/openapi.json", get(openapi))
        .route("/", get(async || Redirect::temporary("/docs/")))
        .merge(Router::<ApiState>::from(docs))
        .layer(Extension(schema))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(EdgeLayer::new(&state, false));
    bounded
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // `Front` applies this one itself; all other layers miss checks and consumes.
        .layer(edge.clone())
        .merge(probes)
        .with_state(state)
}

/// The OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    let (_, api) = bounded_routes().split_for_parts();
    finished(api.merge_from(probe_routes().into_openapi()))
}

async fn not_found() -> impl IntoResponse {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such route")
}

async fn method_not_allowed() -> impl IntoResponse {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "the route does not have this method; `Allow` lists those that it has",
    )
}

fn bounded_routes() -> OpenApiRouter<ApiState> {
    // Nested first: nesting puts its paths in place of those that the document has already.
    OpenApiRouter::with_openapi(described())
        .nest("/v1/users", shared_routes())
        .nest("/v1/orgs", shared_routes())
        .routes(routes!(check::check))
        .routes(routes!(consume::consume))
        .routes(routes!(consume::track))
        .routes(routes!(batch::batch))
        .routes(routes!(reservations::reserve))
        .routes(routes!(reservations::reservation))
        .routes(routes!(reservations::commit))
        .routes(routes!(reservations::release))
        .routes(routes!(reservations::extend))
        .routes(routes!(give_back::refund))
        .routes(routes!(give_back::release_capacity))
        .routes(routes!(accounts::list_users, accounts::create_user))
        .routes(routes!(accounts::put_user, accounts::patch_user))
        .routes(routes!(moves::move_user))
        .routes(routes!(accounts::list_orgs, accounts::create_org))
        .routes(routes!(accounts::put_org, accounts::patch_org))
        .routes(routes!(members::members))
        .routes(routes!(
            member_limits::member_limit,
            member_limits::set_member_limit,
            member_limits::clear_member_limit
        ))
        .routes(routes!(
            member_limits::one_member_limit,
            member_limits::set_one_member_limit,
            member_limits::clear_one_member_limit
        ))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(
            tokens::token,
            tokens::put_token,
            tokens::patch_token,
            tokens::revoke_token
        ))
        .routes(routes!(payments::payment))
        .routes(routes!(webhooks::webhook))
        .routes(routes!(checkout::check_out))
        .routes(routes!(checkout::checkout))
        .routes(routes!(checkout::portal))
        .routes(routes!(billing::events))
        .routes(routes!(billing::replay))
        .routes(routes!(billing_problems::problems))
        .routes(routes!(billing_problems::retry))
        .routes(routes!(billing_problems::settle))
        .routes(routes!(billing::link, billing::unlink))
        .routes(routes!(codes::list_codes, codes::make_codes))
        .routes(routes!(codes::code))
        .routes(routes!(codes::revoke_code))
        .routes(routes!(codes::code_uses))
        .routes(routes!(codes::list_code_batches))
        .routes(routes!(codes::code_batch))
        .routes(routes!(codes::revoke_code_batch))
        .routes(routes!(ledger::operation))
        .routes(routes!(catalog::catalog))
        .routes(routes!(catalog::plan_catalog))
        .routes(routes!(catalog::apply_catalog))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::revoke_key))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::run_job))
        .routes(routes!(jobs::list_runs))
        .routes(routes!(jobs::list_batches))
}

/// What users and orgs have alike, nested under `/v1/users` and under `/v1/orgs`.
fn shared_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        // /v1/{users,orgs}/{id}
        .routes(routes!(accounts::get))
        // /v1/{users,orgs}/{id}/overview
        .routes(routes!(overview::overview))
        // /v1/{users,orgs}/{id}/entitlements
        .routes(routes!(entitlements::entitlements))
        // /v1/{users,orgs}/{id}/ledger
        .routes(routes!(ledger::ledger))
        // /v1/{users,orgs}/{id}/overrides/{feature}
        .routes(routes!(overrides::set_override, overrides::clear_override))
        // /v1/{users,orgs}/{id}/reset
        .routes(routes!(give_back::reset))
        // /v1/{users,orgs}/{id}/subscription
        .routes(routes!(subscription::subscription, subscription::start))
        // /v1/{users,orgs}/{id}/subscription/renew
        .routes(routes!(subscription::renew))
        // /v1/{users,orgs}/{id}/subscription/change-plan
        .routes(routes!(subscription::change_plan))
        // /v1/{users,orgs}/{id}/subscription/cancel
        .routes(routes!(subscription::cancel))
        // /v1/{users,orgs}/{id}/subscription/resume
        .routes(routes!(subscription::resume))
        // /v1/{users,orgs}/{id}/subscription/status
        .routes(routes!(subscription::set_status))
        // /v1/{users,orgs}/{id}/subscription/seats
        .routes(routes!(subscription::set_seats))
        // /v1/{users,orgs}/{id}/credits
        .routes(routes!(credits::credits, credits::grant_credits))
        // /v1/{users,orgs}/{id}/credits/{grant}
        .routes(routes!(credits::grant, credits::take_back_rest))
        // /v1/{users,orgs}/{id}/credits/{grant}/take-back
        .routes(routes!(credits::take_back))
        // /v1/{users,orgs}/{id}/purchases
        .routes(routes!(payments::purchase))
        // /v1/{users,orgs}/{id}/refunds
        .routes(routes!(payments::refund))
        // /v1/{users,orgs}/{id}/disputes
        .routes(routes!(payments::dispute))
        // /v1/{users,orgs}/{id}/customers
        .routes(routes!(billing::customers))
        // /v1/{users,orgs}/{id}/sync
        .routes(routes!(billing::sync))
        // /v1/{users,orgs}/{id}/purchases/claim
        .routes(routes!(billing::claim))
        // /v1/{users,orgs}/{id}/payments
        .routes(routes!(payments::payments))
        // /v1/{users,orgs}/{id}/debt/forgive
        .routes(routes!(payments::forgive_debt))
        // /v1/{users,orgs}/{id}/redeem
        .routes(routes!(redeem::redeem))
        // /v1/{users,orgs}/{id}/boosts
        .routes(routes!(boosts::boosts, boosts::give_boost))
        // /v1/{users,orgs}/{id}/boosts/{boost}
        .routes(routes!(boosts::take_back_boost))
        // /v1/{users,orgs}/{id}/addons
        .routes(routes!(addons::addons))
        // /v1/{users,orgs}/{id}/addons/{plan}
        .routes(routes!(addons::set_addon, addons::end_addon))
        // /v1/{users,orgs}/{id}/spending
        .routes(routes!(spending::spending))
        // /v1/{users,orgs}/{id}/spend-cap
        .routes(routes!(
            spend_cap::set_spend_cap,
            spend_cap::clear_spend_cap
        ))
        // /v1/{users,orgs}/{id}/top-up
        .routes(routes!(
            top_up::top_up,
            top_up::set_top_up,
            top_up::clear_top_up
        ))
}

fn probe_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(operate::healthz))
        .routes(routes!(operate::readyz))
        .routes(routes!(operate::metrics))
        .routes(routes!(catalog::catalog_file_schema))
}
