//! Whether Stripe's own library knows what we send (`golden/parameters.py`).

use std::sync::LazyLock;

use billing_stripe::client::{Method, Request};
use serde_json::Value;

static LIBRARY: LazyLock<Value> = LazyLock::new(|| {
    let library: Value =
        serde_json::from_str(include_str!("../golden/parameters.json")).expect("a tree");
    assert_eq!(library["made_by"], "stripe 16.1.0");
    library["calls"].clone()
});

/// Ids of these tests, which stand in paths.
const IDS: [&str; 15] = [
    "sub_1",
    "sub_sched_1",
    "cs_1",
    "bpc_1",
    "pi_1",
    "ch_1",
    "re_1",
    "dp_1",
    "in_1",
    "prod_1",
    "p",
    "cus_1",
    "evt_1",
    "mtr_1",
    "x",
];

/// Fails on a call or a parameter that the library does not have.
pub fn check(request: &Request) {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if IDS.contains(&part) { ":id" } else { part })
        .collect();
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    let call = format!("{method} {}", parts.join("/"));
    let tree = &LIBRARY[&call];
    assert!(tree.is_object(), "{call} is not in the library");
    let form = request.form.as_deref().unwrap_or(query);
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        let name = name.replace("%5B", "[").replace("%5D", "]");
        let mut at = tree;
        for part in name.split('[').map(|part| part.trim_end_matches(']')) {
            if at == "*" || part.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            at = &at[part];
            assert!(!at.is_null(), "{call} has no `{name}` in the library");
        }
        assert!(
            at["."].is_null(),
            "`{name}` of {call} is an object in the library"
        );
    }
}

#[test]
#[should_panic(
    expected = "`billing_cycle_anchor` of POST /v1/subscriptions/:id is an object in the library"
)]
fn a_word_where_stripe_takes_an_object_is_found() {
    check(&Request {
        method: Method::Post,
        path: "/v1/subscriptions/sub_1".to_owned(),
        form: Some("billing_cycle_anchor=now".to_owned()),
        idempotency_key: None,
    });
}

#[test]
#[should_panic(expected = "POST /v1/subscriptions/:id has no `items[0][prise]` in the library")]
fn a_parameter_that_stripe_does_not_have_is_found() {
    check(&Request {
        method: Method::Post,
        path: "/v1/subscriptions/sub_1".to_owned(),
        form: Some("items%5B0%5D%5Bprice%5D=a&items%5B0%5D%5Bprise%5D=a".to_owned()),
        idempotency_key: None,
    });
}
