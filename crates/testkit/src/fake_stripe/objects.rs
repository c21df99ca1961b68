//! Customers, products and prices.

use serde_json::{Value, json};

use super::store::{Store, text};

/// A customer of what a call or a test says.
pub(super) fn customer(store: &mut Store, asked: &Value) -> String {
    let mut customer = store.new_object("cus", "customer");
    for field in ["email", "name", "description"] {
        customer[field] = asked[field].clone();
    }
    if asked["metadata"].is_object() {
        customer["metadata"] = asked["metadata"].clone();
    }
    let method = asked["invoice_settings"]["default_payment_method"].clone();
    customer["invoice_settings"] = json!({"default_payment_method": method});
    let id = store.put("customer", customer);
    store.happened("customer.created", &id);
    id
}

/// A removed customer: little is left of it, and its subscriptions end.
pub(super) fn remove_customer(store: &mut Store, id: &str) {
    store.happened("customer.deleted", id);
    let of_it = |subscription: &Value| text(subscription, "customer") == id;
    for subscription in store.ids("subscription", of_it) {
        super::billing::end(store, &subscription);
    }
    let gone = json!({"id": id, "object": "customer", "deleted": true});
    store.put("customer", gone);
}

/// A product.
pub(super) fn product(store: &mut Store, asked: &Value) -> String {
    let mut product = store.new_object("prod", "product");
    product["name"] = asked["name"].clone();
    product["description"] = asked["description"].clone();
    product["active"] = json!(true);
    if asked["metadata"].is_object() {
        product["metadata"] = asked["metadata"].clone();
    }
    let id = store.put("product", product);
    store.happened("product.created", &id);
    id
}

/// A price. A call cannot choose its id; a test does.
pub(super) fn price(store: &mut Store, asked: &Value) -> String {
    let mut price = store.new_object("price", "price");
    if let Some(id) = asked["id"].as_str() {
        price["id"] = json!(id);
    }
    let whole = |value: &Value| {
        value
            .as_str()
            .map_or(value.clone(), |text| json!(text.parse::<i64>().ok()))
    };
    price["product"] = asked["product"].clone();
    price["currency"] = asked["currency"].clone();
    price["unit_amount"] = whole(&asked["unit_amount"]);
    price["active"] = json!(true);
    price["lookup_key"] = asked["lookup_key"].clone();
    price["nickname"] = asked["nickname"].clone();
    let product = asked["product"].as_str().and_then(|id| store.find(id));
    price["_name"] = product
        .map(|product| product["name"].clone())
        .unwrap_or_default();
    let recurring = &asked["recurring"];
    price["recurring"] = if recurring.is_object() {
        let count = whole(&recurring["interval_count"]).as_i64().unwrap_or(1);
        json!({"interval": recurring["interval"], "interval_count": count, "meter": recurring["meter"],
            "usage_type": recurring["usage_type"].as_str().unwrap_or("licensed")})
    } else {
        Value::Null
    };
    price["type"] = json!(if recurring.is_object() {
        "recurring"
    } else {
        "one_time"
    });
    if asked["metadata"].is_object() {
        price["metadata"] = asked["metadata"].clone();
    }
    let id = store.put("price", price);
    store.happened("price.created", &id);
    id
}
