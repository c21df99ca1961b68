//! Writes of sessions, invoices and payments.

use serde_json::{Value, json};

use super::asked::{Asked, Written, known, no_such_path, there};
use super::invoices::{self, Bill};
use super::payments::{self, Card, Taken};
use super::reply::Reply;
use super::store::{Store, text};
use super::{billing, checkout, clock};

/// Opens or expires a session.
pub(super) fn session(store: &mut Store, asked: &Asked<'_>) -> Written {
    let form = asked.form;
    match asked.path {
        [_, _] => {
            known(
                form,
                "mode line_items customer client_reference_id success_url cancel_url expires_at allow_promotion_codes invoice_creation payment_intent_data subscription_data metadata automatic_tax customer_email payment_method_collection locale",
            )?;
            for line in form["line_items"].as_array().into_iter().flatten() {
                there(store, text(line, "price"), "price")?;
            }
            if let Some(customer) = form["customer"].as_str() {
                there(store, customer, "customer")?;
            }
            let id = checkout::open(store, form, asked.base_url);
            store.set(&id, "_old", asked.is_old);
            Ok(id)
        }
        [_, _, id, "expire"] => {
            let id = there(store, id, "checkout.session")?;
            if text(store.get(&id), "status") != "open" {
                let message = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
                return Err(Reply::refused("", message));
            }
            checkout::expire(store, &id);
            Ok(id)
        }
        _ => Err(no_such_path()),
    }
}

/// Makes an invoice, or does something to it.
pub(super) fn invoice(store: &mut Store, path: &[&str], form: &Value) -> Written {
    match path {
        ["invoices"] => {
            known(
                form,
                "customer description metadata auto_advance collection_method pending_invoice_items_behavior",
            )?;
            let customer = there(store, text(form, "customer"), "customer")?;
            let bill = Bill {
                customer: json!(customer),
                reason: "manual",
                metadata: form["metadata"].clone(),
                ..Bill::default()
            };
            Ok(invoices::draft(store, &bill))
        }
        ["invoiceitems"] => {
            known(
                form,
                "customer invoice pricing price quantity metadata description",
            )?;
            let invoice = there(store, text(form, "invoice"), "invoice")?;
            let named = form["pricing"]["price"]
                .as_str()
                .unwrap_or(text(form, "price"));
            let price = there(store, named, "price")?;
            let quantity = text(form, "quantity").parse().unwrap_or(1);
            Ok(invoices::add_line(store, &invoice, &price, quantity))
        }
        ["invoices", id, act] => {
            let id = there(store, id, "invoice")?;
            let status = text(store.get(&id), "status").to_owned();
            let fits = match *act {
                "finalize" => status == "draft",
                "pay" | "void" | "mark_uncollectible" => status == "open",
                _ => return Err(Reply::missing(&id)),
            };
            if !fits {
                let message = format!("This invoice is {status}: it cannot {act}.");
                return Err(Reply::refused("invoice_not_editable", &message));
            }
            act_on_invoice(store, &id, act, form)
        }
        _ => Err(no_such_path()),
    }
}

fn act_on_invoice(store: &mut Store, id: &str, act: &str, form: &Value) -> Written {
    match act {
        "finalize" => invoices::finalize(store, id),
        "void" => invoices::void(store, id, "void"),
        "mark_uncollectible" => invoices::void(store, id, "uncollectible"),
        _ => {
            known(form, "off_session paid_out_of_band payment_method")?;
            if form["paid_out_of_band"] == json!("true") {
                invoices::paid_outside(store, id);
                billing::after_payment(store, id, Taken::Paid);
                return Ok(id.to_owned());
            }
            match clock::pay_from_card(store, id) {
                Some(Taken::Paid | Taken::Processing) | None => {}
                Some(Taken::Declined) => return Err(declined(&Value::Null, "card_declined")),
                Some(Taken::NeedsCustomer) => {
                    return Err(declined(
                        &Value::Null,
                        "invoice_payment_intent_requires_action",
                    ));
                }
            }
        }
    }
    Ok(id.to_owned())
}

fn declined(intent: &Value, code: &str) -> Reply {
    let error = json!({"type": "card_error", "code": code, "decline_code": code, "message": "Your card was declined.", "payment_intent": intent});
    Reply {
        status: 402,
        body: json!({"error": error}),
        headers: Vec::new(),
    }
}

/// Makes a payment at once.
pub(super) fn intent(store: &mut Store, form: &Value) -> Written {
    known(
        form,
        "amount currency customer payment_method off_session confirm metadata description",
    )?;
    let customer = there(store, text(form, "customer"), "customer")?;
    let metadata = if form["metadata"].is_object() {
        form["metadata"].clone()
    } else {
        json!({})
    };
    let order = payments::Order {
        customer: json!(customer),
        amount: text(form, "amount").parse().unwrap_or_default(),
        currency: text(form, "currency").to_owned(),
        card: Card::of(text(form, "payment_method")),
        metadata,
    };
    let (intent, taken) = payments::take(store, &order);
    match taken {
        Taken::Paid | Taken::Processing => Ok(intent),
        Taken::Declined => Err(declined(store.get(&intent), "card_declined")),
        Taken::NeedsCustomer => {
            // Off session nobody is there to be asked.
            payments::fail(store, &intent);
            store.edit(&intent)["last_payment_error"]["code"] = json!("authentication_required");
            Err(declined(store.get(&intent), "authentication_required"))
        }
    }
}

/// Takes a payment back that was not made.
pub(super) fn cancel_intent(store: &mut Store, id: &str) -> Written {
    let id = there(store, id, "payment_intent")?;
    let status = text(store.get(&id), "status").to_owned();
    if status == "succeeded" || status == "canceled" {
        let message =
            format!("You cannot cancel this PaymentIntent because it has a status of {status}.");
        return Err(Reply::refused("payment_intent_unexpected_state", &message));
    }
    store.set(&id, "status", "canceled");
    store.set(&id, "next_action", Value::Null);
    store.happened("payment_intent.canceled", &id);
    Ok(id)
}
