//! What is read: single objects, lists with their filters, lists inside objects.

use serde_json::{Value, json};

use super::meters;
use super::reply::Reply;
use super::shape::{self, Shape, show};
use super::store::{Happened, Store, number, rows, text};

/// As many as a list gives unless it is asked for more.
const PAGE: usize = 10;
/// As many as it gives at most.
const PAGE_MAX: usize = 100;

/// A collection: its path, its kind in the store, what its objects call themselves, and what it can be filtered by.
struct Collection {
    path: &'static str,
    kind: &'static str,
    object: &'static str,
    filters: &'static str,
}

const COLLECTIONS: [Collection; 13] = [
    of("customers", "customer", "customer", "email created"),
    of(
        "subscriptions",
        "subscription",
        "subscription",
        "customer status price created",
    ),
    of(
        "subscription_schedules",
        "subscription_schedule",
        "subscription_schedule",
        "customer created",
    ),
    of(
        "invoices",
        "invoice",
        "invoice",
        "customer status subscription created",
    ),
    of(
        "invoice_payments",
        "invoice_payment",
        "invoice_payment",
        "invoice payment status created",
    ),
    of(
        "payment_intents",
        "payment_intent",
        "payment_intent",
        "customer created",
    ),
    of(
        "charges",
        "charge",
        "charge",
        "customer payment_intent created",
    ),
    of(
        "refunds",
        "refund",
        "refund",
        "charge payment_intent created",
    ),
    of(
        "disputes",
        "dispute",
        "dispute",
        "charge payment_intent created",
    ),
    of(
        "prices",
        "price",
        "price",
        "active lookup_keys product created type",
    ),
    of("products", "product", "product", "active created"),
    of(
        "checkout/sessions",
        "session",
        "checkout.session",
        "customer payment_intent subscription status created",
    ),
    of(
        "billing_portal/configurations",
        "portal_configuration",
        "billing_portal.configuration",
        "active is_default",
    ),
];

const fn of(
    path: &'static str,
    kind: &'static str,
    object: &'static str,
    filters: &'static str,
) -> Collection {
    Collection {
        path,
        kind,
        object,
        filters,
    }
}

/// What is asked to be shown in full.
pub(super) fn expands(asked: &Value) -> Vec<String> {
    let expand = asked["expand"].as_array().into_iter().flatten();
    expand
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Answers a read.
pub(super) fn read(store: &Store, path: &[&str], query: &Value, shape: Shape) -> Reply {
    match path {
        ["account"] => Reply::ok(json!({"id": "acct_fake", "object": "account"})),
        ["events"] => events(store, query, shape),
        ["events", id] => match store.kept_events().find(|event| event.id == *id) {
            Some(found) => Reply::ok(event(store, found, shape)),
            None => Reply::missing(id),
        },
        ["billing", "meters"] => page(store.newest("meter").cloned().collect(), query, path),
        ["billing", "meters", id, "event_summaries"] => match meters::sum(store, id, query) {
            Ok(sum) => page(vec![sum], query, path),
            Err(refused) => refused,
        },
        ["customers", id, "payment_methods"] => match store.find(id) {
            Some(customer) => page(methods(customer), query, path),
            None => Reply::missing(id),
        },
        ["invoices", id, "lines"] => lines(store, id, query, shape),
        ["subscription_items"] => items(store, query, shape),
        ["checkout", "sessions", id, "line_items"] => match store.find(id) {
            Some(session) => {
                let lines = session["_lines"].as_array().cloned();
                page(lines.unwrap_or_default(), query, path)
            }
            None => Reply::missing(id),
        },
        _ => in_collection(store, path, query, shape),
    }
}

fn in_collection(store: &Store, path: &[&str], query: &Value, shape: Shape) -> Reply {
    let whole = path.join("/");
    if let Some(collection) = COLLECTIONS
        .iter()
        .find(|collection| collection.path == whole)
    {
        return list(store, collection, query, shape);
    }
    let Some((id, before)) = path.split_last() else {
        return Reply::error(404, "invalid_request_error", "", "Unrecognized request URL");
    };
    let before = before.join("/");
    let Some(collection) = COLLECTIONS
        .iter()
        .find(|collection| collection.path == before)
    else {
        return Reply::error(404, "invalid_request_error", "", "Unrecognized request URL");
    };
    match store
        .find(id)
        .filter(|object| text(object, "object") == collection.object)
    {
        Some(object) => Reply::ok(show(store, object, shape, &expands(query))),
        None => Reply::missing(id),
    }
}

fn list(store: &Store, collection: &Collection, query: &Value, shape: Shape) -> Reply {
    let paging = ["limit", "starting_after", "expand"];
    let asked = query.as_object().into_iter().flatten();
    for (name, _) in asked {
        if !paging.contains(&name.as_str())
            && !collection.filters.split(' ').any(|known| known == name)
        {
            let message = format!("Received unknown parameter: {name}");
            return Reply::refused("parameter_unknown", &message);
        }
    }
    let Some(limit) = limit(query) else {
        return Reply::refused("parameter_invalid_integer", "limit is from 1 to 100");
    };
    let after = query["starting_after"].as_str();
    if let Some(missing) = after.filter(|id| store.find(id).is_none()) {
        return Reply::refused("resource_missing", &format!("No such object: '{missing}'"));
    }
    let mut found = store
        .after(collection.kind, after)
        .filter(|object| passes(object, query));
    let page: Vec<&Value> = found.by_ref().take(limit).collect();
    let has_more = found.next().is_some();
    let inside: Vec<String> = expands(query)
        .iter()
        .filter_map(|path| path.strip_prefix("data.").map(str::to_owned))
        .collect();
    let data: Vec<Value> = page
        .into_iter()
        .map(|object| show(store, object, shape, &inside))
        .collect();
    Reply::ok(
        json!({"object": "list", "data": data, "has_more": has_more, "url": format!("/v1/{}", collection.path)}),
    )
}

fn limit(query: &Value) -> Option<usize> {
    let Some(asked) = query["limit"].as_str() else {
        return Some(PAGE);
    };
    asked
        .parse()
        .ok()
        .filter(|limit| (1..=PAGE_MAX).contains(limit))
}

/// Whether an object passes all filters.
fn passes(object: &Value, query: &Value) -> bool {
    let filters = query.as_object().into_iter().flatten();
    let is_list_of_subscriptions = text(object, "object") == "subscription";
    if is_list_of_subscriptions && query["status"].is_null() && text(object, "status") == "canceled"
    {
        return false;
    }
    filters
        .into_iter()
        .all(|(name, wanted)| match name.as_str() {
            "limit" | "starting_after" | "expand" => true,
            "status" => match wanted.as_str() {
                Some("all") => true,
                Some("ended") => {
                    matches!(text(object, "status"), "canceled" | "incomplete_expired")
                }
                _ => object["status"] == *wanted,
            },
            "created" => created_within(number(object, "created"), wanted),
            "subscription" => {
                let of = if text(object, "object") == "invoice" {
                    "_subscription"
                } else {
                    "subscription"
                };
                object[of] == *wanted
            }
            "price" => rows(object, "items")
                .iter()
                .any(|item| item["price"]["id"] == *wanted),
            "lookup_keys" => {
                let keys = wanted.as_array().into_iter().flatten();
                keys.into_iter().any(|key| object["lookup_key"] == *key)
            }
            "active" | "is_default" => object[name] == json!(text(query, name) == "true"),
            "payment" => {
                let payment = wanted.as_object().into_iter().flatten();
                payment
                    .into_iter()
                    .all(|(name, wanted)| object["payment"][name] == *wanted)
            }
            name => object[name] == *wanted,
        })
}

fn created_within(created: i64, wanted: &Value) -> bool {
    let bound = |name: &str| {
        wanted[name]
            .as_str()
            .and_then(|text| text.parse::<i64>().ok())
    };
    bound("gte").is_none_or(|from| from <= created)
        && bound("gt").is_none_or(|from| from < created)
        && bound("lte").is_none_or(|until| created <= until)
        && bound("lt").is_none_or(|until| created < until)
}

/// A page of rows that are at hand.
fn page(data: Vec<Value>, query: &Value, path: &[&str]) -> Reply {
    let Some(limit) = limit(query) else {
        return Reply::refused("parameter_invalid_integer", "limit is from 1 to 100");
    };
    let after = query["starting_after"].as_str();
    let start = after.and_then(|id| data.iter().position(|row| text(row, "id") == id));
    let start = start.map_or(0, |place| place + 1);
    let has_more = start + limit < data.len();
    let rows: Vec<Value> = data.into_iter().skip(start).take(limit).collect();
    Reply::ok(
        json!({"object": "list", "data": rows, "has_more": has_more, "url": format!("/v1/{}", path.join("/"))}),
    )
}

/// What a customer may be charged with: cards that were added to it, the last one first.
fn methods(customer: &Value) -> Vec<Value> {
    let cards = customer["_cards"].as_array().into_iter().flatten().rev();
    cards
        .map(|card| json!({"id": card, "object": "payment_method", "customer": customer["id"]}))
        .collect()
}

fn lines(store: &Store, id: &str, query: &Value, shape: Shape) -> Reply {
    let Some(invoice) = store.find(id) else {
        return Reply::missing(id);
    };
    let mut all = rows(invoice, "lines").to_vec();
    for row in &mut all {
        shape::line(row, shape);
    }
    page(all, query, &["invoices", id, "lines"])
}

fn items(store: &Store, query: &Value, shape: Shape) -> Reply {
    let id = text(query, "subscription");
    let Some(subscription) = store.find(id) else {
        return Reply::missing(id);
    };
    let mut all = rows(subscription, "items").to_vec();
    for row in &mut all {
        shape::item(row, shape);
    }
    page(all, query, &["subscription_items"])
}

/// An event as a snapshot shows it.
pub(super) fn event(store: &Store, happened: &Happened, shape: Shape) -> Value {
    let object = show(store, &happened.object, shape, &[]);
    json!({
        "id": happened.id, "object": "event", "type": happened.kind, "created": happened.at, "livemode": store.livemode,
        "api_version": shape.version(), "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
        "data": {"object": object},
    })
}

fn events(store: &Store, query: &Value, shape: Shape) -> Reply {
    let types: Vec<&str> = query["types"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(Some(&query["type"]))
        .filter_map(Value::as_str)
        .collect();
    let wanted = store.kept_events().filter(|event| {
        let is_kind = types.is_empty() || types.contains(&event.kind.as_str());
        is_kind && created_within(event.at, &query["created"])
    });
    let after = query["starting_after"].as_str();
    let mut older = wanted.skip_while(|event| after.is_some_and(|after| event.id != after));
    if after.is_some() {
        older.next();
    }
    let Some(limit) = limit(query) else {
        return Reply::refused("parameter_invalid_integer", "limit is from 1 to 100");
    };
    let page: Vec<&Happened> = older.by_ref().take(limit).collect();
    let data: Vec<Value> = page
        .into_iter()
        .map(|happened| event(store, happened, shape))
        .collect();
    let has_more = older.next().is_some();
    Reply::ok(json!({"object": "list", "data": data, "has_more": has_more, "url": "/v1/events"}))
}
