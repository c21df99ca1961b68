//! Pages for a person: plain HTML, no script.

use serde_json::Value;

use super::store::{Store, number, rows, text};

/// More than anybody scrolls through.
const SHOWN_MAX: usize = 50;
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}\
table{width:100%;border-collapse:collapse}td{padding:.3rem 0;border-bottom:1px solid #ddd}td:last-child{text-align:right}\
button{font:inherit;padding:.5rem 1rem;margin:.3rem .3rem 0 0;cursor:pointer}.main{background:#1a4;color:#fff;border:0}\
small{color:#555}";

fn whole(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <link rel=\"icon\" href=\"data:,\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}<p><small>A fake Stripe: no money moves.</small></p></body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// `9.00 EUR`.
fn money(amount: i64, currency: &str) -> String {
    let currency = currency.to_uppercase();
    format!("{}.{:02} {currency}", amount / 100, (amount % 100).abs())
}

fn button(action: &str, label: &str, class: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\" style=\"display:inline\"><button class=\"{class}\">{label}</button></form>"
    )
}

/// Where a session is paid.
pub(super) fn session(session: &Value) -> String {
    let (id, currency) = (text(session, "id"), text(session, "currency"));
    let lines = session["_lines"].as_array().into_iter().flatten();
    let lines: Vec<String> = lines
        .map(|line| {
            let quantity = number(line, "quantity");
            let what = escaped(text(line, "description"));
            let sum = money(number(line, "amount_total"), currency);
            format!("<tr><td>{quantity} × {what}</td><td>{sum}</td></tr>")
        })
        .collect();
    let total = money(number(session, "amount_total"), currency);
    let status = text(session, "status");
    let end = if status == "open" {
        let at = |card: &str| format!("/_fake/pay/{id}?card={card}");
        let free = format!("{}&amp;discount=100", at("good"));
        [
            button(&at("good"), "Pay", "main"),
            button(&at("declined"), "Pay with a card that is declined", ""),
            button(&at("late"), "Pay by a debit that takes days", ""),
            button(&free, "Use a coupon of 100 %", ""),
        ]
        .concat()
    } else {
        format!("<p>This session is {status}.</p>")
    };
    let lines = lines.concat();
    let total = format!("<tr><td><b>Total</b></td><td><b>{total}</b></td></tr>");
    whole("Checkout", &format!("<table>{lines}{total}</table>{end}"))
}

/// What a customer has, and how it ends.
pub(super) fn portal(store: &Store, customer: &str) -> String {
    let of_it = |subscription: &&Value| text(subscription, "customer") == customer;
    let subscriptions = store.newest("subscription").filter(of_it);
    let parts: Vec<String> = subscriptions
        .map(|subscription| {
            let id = text(subscription, "id");
            let names = rows(subscription, "items").iter();
            let names: Vec<&str> = names.map(|item| text(&item["price"], "id")).collect();
            let names = escaped(&names.join(", "));
            let (what, label) = if subscription["cancel_at"].is_null() {
                ("end", "End with the period")
            } else {
                ("resume", "Go on after all")
            };
            let status = text(subscription, "status");
            let action = format!("/_fake/portal/{}/{what}/{id}", escaped(customer));
            let button = if status == "canceled" {
                String::new()
            } else {
                button(&action, label, "")
            };
            format!("<p>{names} ({status})<br>{button}</p>")
        })
        .collect();
    whole("Your subscriptions", &parts.concat())
}

/// What there is.
pub(super) fn index(store: &Store) -> String {
    let links = |kind: &str, page: &str, beside: &str| {
        let objects = store.newest(kind).take(SHOWN_MAX);
        let links = objects.map(|object| {
            let (id, more) = (text(object, "id"), escaped(text(object, beside)));
            format!("<li><a href=\"/_fake/{page}/{id}\">{id}</a> {more}</li>")
        });
        links.collect::<Vec<String>>().concat()
    };
    let sessions = links("session", "pay", "status");
    let customers = links("customer", "portal", "email");
    let body = format!(
        "<h2>Sessions</h2><ul>{sessions}</ul><h2>Customers</h2><ul>{customers}</ul>\
         <p><a href=\"/_fake/events\">events</a> · <a href=\"/_fake/calls\">calls</a></p>"
    );
    whole("Fake Stripe", &body)
}
