//! What is written: each call changes the store and says which object to show.

use serde_json::{Value, json};

use super::asked::{Asked, Written, known, merge, no_such_path, there};
use super::payments::{self, RefundAs};
use super::reply::Reply;
use super::store::{Store, number, text};
use super::{billing, meters, objects, write_billing, write_payments};

/// Carries out a write; the id of what is shown.
pub(super) fn write(store: &mut Store, asked: &Asked<'_>) -> Written {
    let form = asked.form;
    if asked.method == "DELETE" {
        return remove(store, asked.path);
    }
    match asked.path {
        ["customers"] => {
            known(
                form,
                "email name description metadata invoice_settings payment_method",
            )?;
            Ok(objects::customer(store, form))
        }
        ["customers", id] => {
            known(form, "email name description metadata invoice_settings")?;
            let id = there(store, id, "customer")?;
            merge(store, &id, form);
            store.happened("customer.updated", &id);
            Ok(id)
        }
        ["products"] => {
            known(form, "name description metadata")?;
            Ok(objects::product(store, form))
        }
        ["products", id] => {
            known(form, "name description metadata active")?;
            let id = there(store, id, "product")?;
            merge(store, &id, form);
            store.happened("product.updated", &id);
            Ok(id)
        }
        ["prices"] => new_price(store, form),
        ["prices", id] => {
            known(
                form,
                "active lookup_key transfer_lookup_key metadata nickname",
            )?;
            let id = there(store, id, "price")?;
            if let Some(active) = form["active"].as_str() {
                store.set(&id, "active", active == "true");
            }
            store.happened("price.updated", &id);
            Ok(id)
        }
        ["checkout", "sessions", ..] => write_payments::session(store, asked),
        ["subscriptions", ..] => write_billing::subscription(store, asked.path, form),
        ["subscription_schedules", ..] => write_billing::schedule(store, asked.path, form),
        ["invoices", ..] | ["invoiceitems"] => write_payments::invoice(store, asked.path, form),
        _ => other(store, asked),
    }
}

fn other(store: &mut Store, asked: &Asked<'_>) -> Written {
    let form = asked.form;
    match asked.path {
        ["payment_intents"] => write_payments::intent(store, form),
        ["payment_intents", id, "cancel"] => write_payments::cancel_intent(store, id),
        ["refunds"] => {
            known(form, "payment_intent charge amount reason metadata")?;
            let intent = there(store, text(form, "payment_intent"), "payment_intent")?;
            let all = number(store.get(&intent), "amount_received");
            let amount = text(form, "amount").parse().unwrap_or(all);
            payments::refund(store, &intent, amount, RefundAs::Succeeded)
                .map_err(|message| Reply::refused("charge_already_refunded", &message))
        }
        ["billing_portal", "sessions"] => {
            known(form, "customer return_url configuration flow_data locale")?;
            let customer = there(store, text(form, "customer"), "customer")?;
            let mut session = store.new_object("bps", "billing_portal.session");
            session["customer"] = json!(customer);
            session["return_url"] = form["return_url"].clone();
            session["configuration"] = form["configuration"].clone();
            session["url"] = json!(format!("{}/_fake/portal/{customer}", asked.base_url));
            Ok(store.put("portal_session", session))
        }
        ["billing_portal", "configurations"] => {
            known(
                form,
                "features default_return_url metadata business_profile name",
            )?;
            let mut made = store.new_object("bpc", "billing_portal.configuration");
            made["active"] = json!(true);
            made["is_default"] = json!(false);
            made["features"] = with_booleans(&form["features"]);
            made["metadata"] = form["metadata"].clone();
            made["default_return_url"] = form["default_return_url"].clone();
            Ok(store.put("portal_configuration", made))
        }
        ["billing_portal", "configurations", id] => {
            known(
                form,
                "features default_return_url metadata active business_profile name",
            )?;
            let id = there(store, id, "billing_portal.configuration")?;
            merge(store, &id, form);
            if form["features"].is_object() {
                store.set(&id, "features", with_booleans(&form["features"]));
            }
            Ok(id)
        }
        ["billing", ..] => meters::write(store, asked),
        _ => Err(no_such_path()),
    }
}

fn remove(store: &mut Store, path: &[&str]) -> Written {
    match path {
        ["subscriptions", id] => {
            let id = there(store, id, "subscription")?;
            if text(store.get(&id), "status") == "canceled" {
                return Err(Reply::missing(&id));
            }
            billing::end(store, &id);
            Ok(id)
        }
        ["customers", id] => {
            let id = there(store, id, "customer")?;
            objects::remove_customer(store, &id);
            Ok(id)
        }
        _ => Err(no_such_path()),
    }
}

/// A form has texts alone; what Stripe shows has what they mean.
fn with_booleans(form: &Value) -> Value {
    match form {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), with_booleans(value)))
            .collect(),
        Value::Array(items) => items.iter().map(with_booleans).collect(),
        Value::String(text) if text == "true" || text == "false" => json!(text == "true"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => form.clone(),
    }
}

fn new_price(store: &mut Store, form: &Value) -> Written {
    known(
        form,
        "product currency unit_amount recurring lookup_key transfer_lookup_key metadata nickname",
    )?;
    there(store, text(form, "product"), "product")?;
    let key = text(form, "lookup_key");
    let has_key = |price: &Value| !key.is_empty() && text(price, "lookup_key") == key;
    for other in store.ids("price", has_key) {
        if form["transfer_lookup_key"] != json!("true") {
            let message = format!("A price (`{other}`) already uses that lookup key.");
            return Err(Reply::refused("resource_already_exists", &message));
        }
        store.set(&other, "lookup_key", Value::Null);
    }
    Ok(objects::price(store, form))
}
