//! Payments: intents, charges, refunds, disputes.

use serde_json::{Value, json};

use super::store::{Due, Store, number, text};

/// What a customer's card does when it is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Card {
    /// It pays.
    #[default]
    Good,
    /// The bank says no.
    Declined,
    /// The bank asks for the customer (SCA).
    NeedsCustomer,
    /// It is a debit that takes days.
    Late,
    /// There is none.
    None,
}

impl Card {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "pm_good",
            Self::Declined => "pm_declined",
            Self::NeedsCustomer => "pm_needs_customer",
            Self::Late => "pm_late",
            Self::None => "",
        }
    }

    /// The card that a payment method stands for: ours, and the best known of Stripe's own for tests.
    pub(super) fn of(method: &str) -> Self {
        match method {
            "" => Self::None,
            "pm_declined" | "pm_card_chargeDeclined" | "pm_card_chargeCustomerFail" => {
                Self::Declined
            }
            "pm_needs_customer" | "pm_card_authenticationRequired" => Self::NeedsCustomer,
            "pm_late" => Self::Late,
            _ => Self::Good,
        }
    }
}

/// What became of a payment at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Paid,
    Declined,
    NeedsCustomer,
    Processing,
}

/// A payment that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) customer: Value,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) card: Card,
    pub(super) metadata: Value,
}

/// Makes an intent and tries to be paid.
pub(super) fn take(store: &mut Store, order: &Order) -> (String, Taken) {
    let mut intent = store.new_object("pi", "payment_intent");
    intent["customer"] = order.customer.clone();
    intent["amount"] = json!(order.amount);
    intent["amount_received"] = json!(0);
    intent["currency"] = json!(order.currency);
    intent["latest_charge"] = Value::Null;
    intent["last_payment_error"] = Value::Null;
    intent["next_action"] = Value::Null;
    intent["metadata"] = order.metadata.clone();
    intent["status"] = json!("requires_payment_method");
    let id = store.put("payment_intent", intent);
    store.happened("payment_intent.created", &id);
    let taken = try_again(store, &id, order.card);
    (id, taken)
}

/// Tries to be paid once more, with this card.
pub(super) fn try_again(store: &mut Store, intent: &str, card: Card) -> Taken {
    match card {
        Card::Good => {
            succeed(store, intent);
            Taken::Paid
        }
        Card::Declined | Card::None => {
            fail(store, intent);
            Taken::Declined
        }
        Card::NeedsCustomer => {
            store.set(intent, "status", "requires_action");
            store.set(intent, "next_action", json!({"type": "use_stripe_sdk"}));
            store.happened("payment_intent.requires_action", intent);
            Taken::NeedsCustomer
        }
        Card::Late => {
            store.set(intent, "status", "processing");
            store.happened("payment_intent.processing", intent);
            Taken::Processing
        }
    }
}

/// The money came.
pub(super) fn succeed(store: &mut Store, intent: &str) {
    let paid = store.get(intent).clone();
    let mut charge = store.new_object("ch", "charge");
    for field in ["customer", "amount", "currency", "metadata", "_invoice"] {
        charge[field] = paid[field].clone();
    }
    charge["payment_intent"] = json!(intent);
    charge["status"] = json!("succeeded");
    charge["amount_refunded"] = json!(0);
    charge["refunded"] = json!(false);
    charge["disputed"] = json!(false);
    let charge = store.put("charge", charge);
    let changed = store.edit(intent);
    changed["status"] = json!("succeeded");
    changed["amount_received"] = changed["amount"].clone();
    changed["latest_charge"] = json!(charge);
    changed["next_action"] = Value::Null;
    changed["last_payment_error"] = Value::Null;
    store.happened("charge.succeeded", &charge);
    store.happened("payment_intent.succeeded", intent);
}

/// The money did not come.
pub(super) fn fail(store: &mut Store, intent: &str) {
    let changed = store.edit(intent);
    changed["status"] = json!("requires_payment_method");
    changed["next_action"] = Value::Null;
    changed["last_payment_error"] = json!({"code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds."});
    store.happened("payment_intent.payment_failed", intent);
}

/// How a refund begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefundAs {
    /// It is done at once.
    #[default]
    Succeeded,
    /// It takes its time.
    Pending,
    /// The customer has to do something for it.
    RequiresAction,
    /// It is done at once, and turns out to have failed after so many days.
    FailsAfterDays(u32),
}

/// Sends money back. More than is left is refused.
pub(super) fn refund(
    store: &mut Store,
    intent: &str,
    amount: i64,
    how: RefundAs,
) -> Result<String, String> {
    let paid = store.get(intent).clone();
    let charge = text(&paid, "latest_charge").to_owned();
    if charge.is_empty() {
        return Err("This PaymentIntent has no successful charge to refund.".to_owned());
    }
    let before = number(store.get(&charge), "amount_refunded");
    let left = number(&paid, "amount_received") - before;
    if amount < 1 || left < amount {
        let currency = text(&paid, "currency");
        return Err(format!(
            "Refund amount ({amount} {currency}) is greater than unrefunded amount on charge ({left} {currency})"
        ));
    }
    let mut refund = store.new_object("re", "refund");
    if let Some(fields) = refund.as_object_mut() {
        fields.remove("livemode");
    }
    refund["payment_intent"] = json!(intent);
    refund["charge"] = json!(charge);
    refund["amount"] = json!(amount);
    refund["currency"] = paid["currency"].clone();
    refund["reason"] = json!("requested_by_customer");
    refund["status"] = json!(match how {
        RefundAs::Succeeded | RefundAs::FailsAfterDays(_) => "succeeded",
        RefundAs::Pending => "pending",
        RefundAs::RequiresAction => "requires_action",
    });
    let refund = store.put("refund", refund);
    if let RefundAs::FailsAfterDays(days) = how {
        let at = store.now + i64::from(days) * 86_400;
        store.plan(at, Due::RefundFails(refund.clone()));
    }
    let after = before + amount;
    store.set(&charge, "amount_refunded", after);
    store.set(
        &charge,
        "refunded",
        after == number(&paid, "amount_received"),
    );
    store.happened("refund.created", &refund);
    store.happened("charge.refunded", &charge);
    Ok(refund)
}

/// Moves a refund to another state. What the charge says was refunded stays: the list of refunds is what counts.
pub(super) fn refund_becomes(store: &mut Store, refund: &str, status: &str) {
    store.set(refund, "status", status);
    if status == "failed" {
        store.set(refund, "failure_reason", "lost_or_stolen_card");
        store.happened("refund.failed", refund);
    }
    store.happened("refund.updated", refund);
    store.happened("charge.refund.updated", refund);
}

/// A bank wants money back.
pub(super) fn dispute(store: &mut Store, intent: &str, amount: i64, status: &str) -> String {
    let paid = store.get(intent).clone();
    let charge = text(&paid, "latest_charge").to_owned();
    let mut dispute = store.new_object("dp", "dispute");
    dispute["payment_intent"] = json!(intent);
    dispute["charge"] = json!(charge);
    dispute["amount"] = json!(amount);
    dispute["currency"] = paid["currency"].clone();
    dispute["reason"] = json!("fraudulent");
    dispute["status"] = json!(status);
    let dispute = store.put("dispute", dispute);
    store.set(&charge, "disputed", true);
    store.happened("charge.dispute.created", &dispute);
    if !status.starts_with("warning") {
        store.happened("charge.dispute.funds_withdrawn", &dispute);
    }
    dispute
}

/// Moves a dispute to another state.
pub(super) fn dispute_becomes(store: &mut Store, dispute: &str, status: &str) {
    store.set(dispute, "status", status);
    let kind = match status {
        "won" | "lost" | "warning_closed" | "prevented" => "charge.dispute.closed",
        _ => "charge.dispute.updated",
    };
    if status == "won" {
        store.happened("charge.dispute.funds_reinstated", dispute);
    }
    store.happened(kind, dispute);
}
