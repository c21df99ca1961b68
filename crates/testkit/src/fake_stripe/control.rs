//! The fake by hand: a page on which a person pays, the portal, and acts by `curl`.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::billing::EndBy;
use super::checkout::Pay;
use super::endpoint::{Endpoint, SignedBy};
use super::form;
use super::handle::FakeStripe;
use super::page;
use super::payments::{Card, RefundAs};
use super::shape::Shape;
use super::store::{number, text};

/// What is asked of `/_fake/…`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) is_get: bool,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a str,
}

/// Does it. What happened is delivered at once.
pub(super) async fn answer(fake: &FakeStripe, asked: &Asked<'_>) -> Response {
    let mut form = form::parse(asked.query);
    for (name, value) in form::parse(asked.body).as_object().into_iter().flatten() {
        form[name] = value.clone();
    }
    let path: Vec<&str> = asked.path.split('/').collect();
    if asked.is_get {
        return shown(fake, &path);
    }
    if let Some(missing) = path.iter().find(|id| is_missing(fake, id)) {
        return plain(StatusCode::NOT_FOUND, &format!("there is no {missing}"));
    }
    let done = act(fake, &path, &form);
    let statuses = if path == ["endpoints"] {
        Vec::new()
    } else {
        fake.deliver_pending().await
    };
    match done {
        Ok(Done::Object(made)) => {
            let answer = json!({"made": made, "webhooks": statuses});
            plain(StatusCode::OK, &format!("{answer}\n"))
        }
        Ok(Done::GoTo(url)) => to(&url),
        Err(message) => plain(StatusCode::BAD_REQUEST, &format!("{message}\n")),
    }
}

/// Whether a part of a path looks like an id and names nothing.
fn is_missing(fake: &FakeStripe, part: &str) -> bool {
    let is_id = part.contains('_') && part.bytes().any(|byte| byte.is_ascii_digit());
    is_id && fake.core().store.find(part).is_none()
}

fn shown(fake: &FakeStripe, path: &[&str]) -> Response {
    let core = fake.core();
    match path {
        ["pay", id] => match core.store.find(id) {
            Some(session) => html(page::session(session)),
            None => plain(StatusCode::NOT_FOUND, "no such session"),
        },
        ["portal", id] => html(page::portal(&core.store, id)),
        ["calls"] => plain(StatusCode::OK, &format!("{:#}\n", json!(core.counts))),
        ["events"] => {
            drop(core);
            let events = fake.events();
            let lines = events.iter().map(|event| {
                format!(
                    "{} {} {} {}\n",
                    event.place, event.id, event.kind, event.object
                )
            });
            plain(StatusCode::OK, &lines.collect::<String>())
        }
        _ => html(page::index(&core.store)),
    }
}

enum Done {
    Object(String),
    GoTo(String),
}

fn act(fake: &FakeStripe, path: &[&str], form: &Value) -> Result<Done, String> {
    let made = |id: &str| Ok(Done::Object(id.to_owned()));
    let amount = |of: i64| text(form, "amount").parse().unwrap_or(of);
    match path {
        ["pay", session] => pay(fake, session, form),
        ["portal", customer, what, subscription] => {
            match *what {
                "end" => fake.end_with_period(subscription, EndBy::Instant),
                "resume" => fake.go_on(subscription),
                _ => return Err(format!("no {what} in the portal")),
            }
            Ok(Done::GoTo(format!("/_fake/portal/{customer}")))
        }
        ["advance"] => {
            let days: i64 = text(form, "days").parse().unwrap_or(0);
            let seconds: i64 = text(form, "seconds").parse().unwrap_or(0);
            fake.advance(days * 86_400 + seconds);
            made(&fake.now().to_string())
        }
        ["card", customer, card] => {
            fake.set_card(customer, Card::of(&format!("pm_{card}")));
            made(customer)
        }
        ["refund", intent] => {
            let all = number(&fake.object(intent), "amount_received");
            fake.refund(intent, amount(all), RefundAs::Succeeded)
                .map(Done::Object)
        }
        ["dispute", intent] => {
            let all = number(&fake.object(intent), "amount_received");
            made(&fake.dispute(intent, amount(all), "needs_response"))
        }
        ["becomes", id, status] => {
            if id.starts_with("re_") {
                fake.refund_becomes(id, status);
            } else {
                fake.dispute_becomes(id, status);
            }
            made(id)
        }
        ["payment", intent, how] => {
            fake.payment_ends(intent, *how == "paid");
            made(intent)
        }
        ["endpoints"] => {
            let mut endpoint = Endpoint::new(text(form, "url"), text(form, "secret"));
            endpoint.is_thin = text(form, "thin") == "true";
            endpoint.signed_by = SignedBy::MachineClock;
            if text(form, "shape") == "old" {
                endpoint.shape = Shape::Old;
            }
            fake.endpoint(endpoint);
            made("endpoint")
        }
        ["deliver"] => made("delivered"),
        _ => Err(format!("no such act: {}", path.join("/"))),
    }
}

fn pay(fake: &FakeStripe, session: &str, form: &Value) -> Result<Done, String> {
    let object = fake.object(session);
    if text(&object, "status") != "open" {
        return Err(format!("{session} is {}", text(&object, "status")));
    }
    let mut pay = Pay::by(Card::of(&format!("pm_{}", text(form, "card"))));
    pay.discount_percent = text(form, "discount").parse().unwrap_or(0);
    fake.pay(session, &pay);
    if text(&fake.object(session), "status") == "open" {
        return Ok(Done::GoTo(format!("/_fake/pay/{session}")));
    }
    let url = text(&object, "success_url").replace("{CHECKOUT_SESSION_ID}", session);
    Ok(Done::GoTo(if url.is_empty() {
        "/_fake/".to_owned()
    } else {
        url
    }))
}

fn answered(status: StatusCode, name: header::HeaderName, value: &str, body: String) -> Response {
    let response = Response::builder().status(status).header(name, value);
    response.body(Body::from(body)).unwrap_or_default()
}

fn plain(status: StatusCode, text: &str) -> Response {
    answered(
        status,
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
        text.to_owned(),
    )
}

fn html(page: String) -> Response {
    answered(
        StatusCode::OK,
        header::CONTENT_TYPE,
        "text/html; charset=utf-8",
        page,
    )
}

fn to(url: &str) -> Response {
    answered(StatusCode::SEE_OTHER, header::LOCATION, url, String::new())
}
