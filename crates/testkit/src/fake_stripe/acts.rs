//! What a test does at Stripe: as a customer, as a bank, in the dashboard, in the portal.

use serde_json::{Value, json};

use super::billing::{self, EndBy, Start};
use super::changes::{self, ItemChange, ItemsChange};
use super::checkout::{self, Pay};
use super::handle::FakeStripe;
use super::invoices::{self, Bill, Line};
use super::payments::{self, Card, RefundAs, Taken};
use super::shape::{Shape, show};
use super::store::{rows, text};
use super::{objects, schedules};

/// A price that a test sets up, under an id of its own.
#[derive(Clone, Debug)]
pub struct SetPrice<'a> {
    /// Its id.
    pub id: &'a str,
    /// In the smallest unit.
    pub amount: i64,
    /// Three letters.
    pub currency: &'a str,
    /// `month`, `year`; none is once.
    pub interval: Option<&'a str>,
}

/// How a subscription begins without a checkout.
#[derive(Clone, Debug, Default)]
pub struct Subscribe<'a> {
    /// Price and quantity of each item.
    pub items: &'a [(&'a str, i64)],
    /// Days of trial.
    pub trial_days: i64,
    /// Whether a trial without a card pauses at its end; else it ends the subscription.
    pub pauses_without_card: bool,
    /// Whether the last failed payment makes it `unpaid`; else it ends the subscription.
    pub unpaid_after_dunning: bool,
}

impl FakeStripe {
    /// An object as it is shown in the shape of today.
    pub fn object(&self, id: &str) -> Value {
        let core = self.core();
        show(&core.store, core.store.get(id), Shape::New, &[])
    }

    /// Sets up a price, with a product of its own.
    pub fn price(&self, set: &SetPrice<'_>) -> String {
        let core = &mut *self.core();
        let product = objects::product(&mut core.store, &json!({"name": set.id}));
        let mut asked = json!({"id": set.id, "product": product, "currency": set.currency, "unit_amount": set.amount, "nickname": set.id});
        if let Some(interval) = set.interval {
            asked["recurring"] = json!({"interval": interval, "interval_count": 1});
        }
        objects::price(&mut core.store, &asked)
    }

    /// A price that is paid once, in euros.
    pub fn pack(&self, id: &str, amount: i64) -> String {
        self.price(&SetPrice {
            id,
            amount,
            currency: "eur",
            interval: None,
        })
    }

    /// A price that is paid every month, in euros.
    pub fn plan(&self, id: &str, amount: i64) -> String {
        self.price(&SetPrice {
            id,
            amount,
            currency: "eur",
            interval: Some("month"),
        })
    }

    /// A customer with a card.
    pub fn customer(&self, card: Card) -> String {
        let id = objects::customer(&mut self.core().store, &json!({}));
        self.set_card(&id, card);
        id
    }

    /// Gives a customer another card.
    pub fn set_card(&self, customer: &str, card: Card) {
        let method = if card == Card::None {
            Value::Null
        } else {
            json!(card.word())
        };
        let core = &mut *self.core();
        core.store.edit(customer)["invoice_settings"]["default_payment_method"] = method;
        core.store.happened("customer.updated", customer);
    }

    /// Adds a card to a customer that is charged by nothing unless it is asked for.
    pub fn add_card(&self, customer: &str, card: Card) {
        let core = &mut *self.core();
        let customer = core.store.edit(customer);
        if !customer["_cards"].is_array() {
            customer["_cards"] = json!([]);
        }
        if let Some(cards) = customer["_cards"].as_array_mut() {
            cards.push(json!(card.word()));
        }
    }

    /// Removes a customer in the dashboard.
    pub fn remove_customer(&self, customer: &str) {
        objects::remove_customer(&mut self.core().store, customer);
    }

    /// Opens a session as the dashboard's payment link does: for nobody that we know.
    pub fn payment_link(&self, price: &str, quantity: i64) -> String {
        let asked = json!({"mode": "payment", "line_items": [{"price": price, "quantity": quantity.to_string()}]});
        let core = &mut *self.core();
        checkout::open(&mut core.store, &asked, &self.url)
    }

    /// Somebody pays a session.
    pub fn pay(&self, session: &str, pay: &Pay) {
        checkout::pay(&mut self.core().store, session, pay);
    }

    /// The intent that pays a session or an invoice.
    ///
    /// # Panics
    /// When nothing has tried to pay it.
    pub fn intent_of(&self, id: &str) -> String {
        match self.pays(id) {
            Some(intent) => intent,
            None => panic!("nothing pays {id}"),
        }
    }

    /// The intent that pays a session or an invoice, if something has tried to.
    pub fn pays(&self, id: &str) -> Option<String> {
        let core = self.core();
        if let Some(intent) = core.store.get(id)["payment_intent"].as_str() {
            return Some(intent.to_owned());
        }
        let payment = super::shape::payments_of(&core.store, id).pop();
        payment.map(|payment| text(&payment["payment"], "payment_intent").to_owned())
    }

    /// A payment that was under way comes to its end: a debit that took days, or a customer whom the bank asked for.
    pub fn payment_ends(&self, intent: &str, is_paid: bool) {
        checkout::payment_ends(&mut self.core().store, intent, is_paid);
    }

    /// A session can no longer be paid.
    pub fn expire(&self, session: &str) {
        checkout::expire(&mut self.core().store, session);
    }

    /// Begins a subscription in the dashboard, paid with the customer's card.
    pub fn subscribe(&self, customer: &str, how: &Subscribe<'_>) -> String {
        let core = &mut *self.core();
        let items = how.items.iter();
        let start = Start {
            customer: json!(customer),
            items: items
                .map(|(price, quantity)| ((*price).to_owned(), *quantity))
                .collect(),
            trial_days: how.trial_days,
            ..Start::default()
        };
        let card = billing::customer_card(&core.store, customer);
        let (id, _) = billing::start(&mut core.store, &start, card);
        if how.pauses_without_card {
            core.store.set(&id, "_without_card", "pause");
        }
        if how.unpaid_after_dunning {
            core.store.set(&id, "_after_dunning", "unpaid");
        }
        id
    }

    /// Many subscriptions of as many customers, without an event and without an invoice that anybody looks at.
    pub fn many_subscriptions(&self, count: usize, price: &str) -> Vec<String> {
        self.core().store.is_quiet = true;
        let how = Subscribe {
            items: &[(price, 1)],
            ..Subscribe::default()
        };
        let made = (0..count).map(|_| {
            let customer = self.customer(Card::Good);
            self.subscribe(&customer, &how)
        });
        let made = made.collect();
        self.core().store.is_quiet = false;
        made
    }

    /// Changes the price of the first item, in the portal or the dashboard; with `begins_period` a period begins now.
    pub fn change_price(&self, subscription: &str, price: &str, begins_period: bool) {
        let item = self.first_item(subscription);
        let change = ItemsChange {
            items: vec![ItemChange {
                id: Some(item),
                price: Some(price.to_owned()),
                ..ItemChange::default()
            }],
            is_anchored_now: begins_period,
            is_invoiced: true,
            waits_for_payment: false,
        };
        changes::change_items(&mut self.core().store, subscription, &change);
    }

    /// Changes the quantity of the first item.
    pub fn change_quantity(&self, subscription: &str, quantity: i64) {
        let item = self.first_item(subscription);
        let change = ItemsChange {
            items: vec![ItemChange {
                id: Some(item),
                quantity: Some(quantity),
                ..ItemChange::default()
            }],
            is_invoiced: true,
            ..ItemsChange::default()
        };
        changes::change_items(&mut self.core().store, subscription, &change);
    }

    fn first_item(&self, subscription: &str) -> String {
        let object = self.object(subscription);
        let item = rows(&object, "items")
            .first()
            .map(|item| text(item, "id").to_owned());
        item.unwrap_or_default()
    }

    /// A change that waited for its payment is paid, or dropped.
    pub fn pending_update_ends(&self, subscription: &str, is_paid: bool) {
        changes::pending_update_ends(&mut self.core().store, subscription, is_paid);
    }

    /// The portal's downgrade: another price from the end of the period on.
    pub fn change_price_at_period_end(&self, subscription: &str, price: &str) -> String {
        let core = &mut *self.core();
        let schedule = schedules::schedule(&mut core.store, subscription);
        let mut phases = core.store.get(&schedule)["phases"].clone();
        let next = json!({"start_date": phases[0]["end_date"], "items": [{"price": price, "quantity": 1}]});
        if let Some(phases) = phases.as_array_mut() {
            phases.push(next);
        }
        schedules::set_phases(&mut core.store, &schedule, phases);
        schedule
    }

    /// Sets a subscription to end with its period.
    pub fn end_with_period(&self, subscription: &str, by: EndBy) {
        billing::end_with_period(&mut self.core().store, subscription, by);
    }

    /// Sets a subscription to end at an instant.
    pub fn end_at(&self, subscription: &str, at: i64) {
        billing::end_at(&mut self.core().store, subscription, at);
    }

    /// Takes it back.
    pub fn go_on(&self, subscription: &str) {
        billing::go_on(&mut self.core().store, subscription);
    }

    /// Ends a subscription at once.
    pub fn end(&self, subscription: &str) {
        billing::end(&mut self.core().store, subscription);
    }

    /// Pauses collection, or goes on with it; the state stays.
    pub fn pause_collection(&self, subscription: &str, is_paused: bool) {
        let pause = if is_paused {
            json!({"behavior": "void", "resumes_at": null})
        } else {
            Value::Null
        };
        let core = &mut *self.core();
        core.store.set(subscription, "pause_collection", pause);
        core.store
            .happened("customer.subscription.updated", subscription);
    }

    /// Puts a subscription into the state `paused`.
    pub fn pause(&self, subscription: &str) {
        let core = &mut *self.core();
        core.store.set(subscription, "status", "paused");
        core.store.set(
            subscription,
            "status_details",
            json!({"paused": {"reason": "requested"}}),
        );
        core.store
            .happened("customer.subscription.paused", subscription);
    }

    /// The newest invoice of a subscription is tried again at once, with the customer's card.
    pub fn retry_payment(&self, subscription: &str) {
        let core = &mut *self.core();
        let invoice = text(core.store.get(subscription), "latest_invoice").to_owned();
        super::clock::pay_from_card(&mut core.store, &invoice);
    }

    /// An invoice that is made by hand, and open.
    pub fn invoice(&self, customer: &str, prices: &[(&str, i64)]) -> String {
        let core = &mut *self.core();
        let now = core.store.now;
        let lines = prices.iter();
        let lines =
            lines.map(|(price, quantity)| Line::of(core.store.get(price), *quantity, (now, now)));
        let bill = Bill {
            customer: json!(customer),
            reason: "manual",
            lines: lines.collect(),
            ..Bill::default()
        };
        let id = invoices::draft(&mut core.store, &bill);
        invoices::finalize(&mut core.store, &id);
        id
    }

    /// An invoice is paid with the card of its customer.
    pub fn pay_invoice(&self, invoice: &str) {
        super::clock::pay_from_card(&mut self.core().store, invoice);
    }

    /// An invoice is paid outside Stripe.
    pub fn pay_outside(&self, invoice: &str) {
        let core = &mut *self.core();
        invoices::paid_outside(&mut core.store, invoice);
        billing::after_payment(&mut core.store, invoice, Taken::Paid);
    }

    /// An invoice is written off: `void` or `uncollectible`.
    pub fn write_off(&self, invoice: &str, status: &str) {
        invoices::void(&mut self.core().store, invoice, status);
    }

    /// A payment of ours without a session, as `metadata` says.
    pub fn intent(&self, customer: &str, amount: i64, metadata: &Value) -> String {
        let core = &mut *self.core();
        let order = payments::Order {
            customer: json!(customer),
            amount,
            currency: "eur".to_owned(),
            card: billing::customer_card(&core.store, customer),
            metadata: metadata.clone(),
        };
        payments::take(&mut core.store, &order).0
    }

    /// Sends money back.
    ///
    /// # Errors
    /// What Stripe would say, when there is not so much left.
    pub fn refund(&self, intent: &str, amount: i64, how: RefundAs) -> Result<String, String> {
        payments::refund(&mut self.core().store, intent, amount, how)
    }

    /// Moves a refund to another state.
    pub fn refund_becomes(&self, refund: &str, status: &str) {
        payments::refund_becomes(&mut self.core().store, refund, status);
    }

    /// A bank wants money back, or asks (`warning_needs_response`).
    pub fn dispute(&self, intent: &str, amount: i64, status: &str) -> String {
        payments::dispute(&mut self.core().store, intent, amount, status)
    }

    /// Moves a dispute to another state.
    pub fn dispute_becomes(&self, dispute: &str, status: &str) {
        payments::dispute_becomes(&mut self.core().store, dispute, status);
    }

    /// Sets up a meter.
    pub fn meter(&self, event_name: &str) -> String {
        let core = &mut *self.core();
        let mut meter = core.store.new_object("mtr", "billing.meter");
        meter["event_name"] = json!(event_name);
        meter["status"] = json!("active");
        core.store.put("meter", meter)
    }

    /// Edits a field of an object as somebody in the dashboard may, or as no real Stripe would.
    pub fn edit(&self, id: &str, field: &str, value: Value) {
        self.core().store.set(id, field, value);
    }

    /// Makes an object one that is not there any more.
    pub fn forget(&self, id: &str) {
        self.core().store.forget(id);
    }
}
