//! What a test sees and does at meters.

use serde_json::{Value, json};

use super::handle::FakeStripe;
use super::meters::summed;
use super::store::text;

impl FakeStripe {
    /// What meters counted of a customer in all time.
    pub fn metered(&self, customer: &str) -> i64 {
        summed(&self.core().store, |event| {
            text(&event["payload"], "stripe_customer_id") == customer
        })
    }

    /// How many events meters took of a customer, those that were cancelled left out.
    pub fn meter_events(&self, customer: &str) -> usize {
        let core = self.core();
        let is_counted = |event: &&Value| {
            event["_cancelled"] != json!(true)
                && text(&event["payload"], "stripe_customer_id") == customer
        };
        core.store.newest("meter_event").filter(is_counted).count()
    }

    /// Somebody else tells a meter use, now and under no identifier.
    pub fn tell_meter_by_hand(&self, customer: &str, event_name: &str, value: i64) {
        let store = &mut self.core().store;
        let mut event = store.new_object("mtrevt", "billing.meter_event");
        event["event_name"] = json!(event_name);
        event["payload"] = json!({"stripe_customer_id": customer, "value": value.to_string()});
        event["timestamp"] = json!(store.now);
        store.put("meter_event", event);
    }

    /// Takes back what was told by hand of a customer.
    pub fn take_back_by_hand(&self, customer: &str) {
        let store = &mut self.core().store;
        let by_hand = |event: &Value| {
            text(&event["payload"], "stripe_customer_id") == customer
                && text(event, "identifier").is_empty()
        };
        for event in store.ids("meter_event", by_hand) {
            store.set(&event, "_cancelled", true);
        }
    }

    /// Gives a meter up, or takes it up again.
    pub fn set_meter_active(&self, event_name: &str, is_active: bool) {
        let store = &mut self.core().store;
        let named = |meter: &Value| text(meter, "event_name") == event_name;
        let status = if is_active { "active" } else { "inactive" };
        for meter in store.ids("meter", named) {
            store.set(&meter, "status", status);
        }
    }
}
