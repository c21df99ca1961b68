//! Use that is paid for afterwards.

use serde::Serialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Meter, MeterEvent, MeterSum};

const METERS: &str = "/v1/billing/meters";

/// Use that is told.
#[derive(Clone, Debug)]
pub struct MeterUse {
    /// The name that the meter's events have.
    pub event_name: String,
    /// Whose use.
    pub customer: String,
    /// How much.
    pub value: u64,
    /// Our id of it, up to 100 characters: told twice it counts once, for at least a day.
    pub identifier: String,
    /// When it was (seconds since 1970): within the last 35 days and not in the future.
    pub timestamp: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Telling<'a> {
    event_name: &'a str,
    identifier: &'a str,
    timestamp: Option<i64>,
    payload: Payload<'a>,
}

#[derive(Debug, Serialize)]
struct Payload<'a> {
    stripe_customer_id: &'a str,
    value: u64,
}

/// Whether it was told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Now.
    Now(MeterEvent),
    /// Before: nothing was added.
    Before,
}

/// Whose use, from when until when. Both ends lie on whole minutes.
#[derive(Clone, Debug, Serialize)]
pub struct MeterSumFilter {
    /// Whose.
    pub customer: String,
    /// From when (seconds since 1970).
    pub start_time: i64,
    /// Until when.
    pub end_time: i64,
}

#[derive(Debug, Serialize)]
struct Cancelling<'a> {
    event_name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    cancel: Cancel<'a>,
}

#[derive(Debug, Serialize)]
struct Cancel<'a> {
    identifier: &'a str,
}

/// Whether what was told is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterCancel {
    /// It is, now or before.
    Done,
    /// It is not: Stripe cancels it no more.
    Refused,
}

impl Client {
    /// Cancels use that was told within the last 24 hours.
    ///
    /// # Errors
    /// [`StripeError`]; of what Stripe does not find it may still be on its way.
    pub async fn cancel_meter(
        &self,
        event_name: &str,
        identifier: &str,
        key: &IdempotencyKey,
    ) -> Result<MeterCancel, StripeError> {
        let cancelling = Cancelling {
            event_name,
            kind: "cancel",
            cancel: Cancel { identifier },
        };
        let path = "/v1/billing/meter_event_adjustments";
        let call = Call::post("cancel_meter", path, &cancelling, key);
        match self.call::<Adjustment>(&call).await {
            Ok(_) => Ok(MeterCancel::Done),
            Err(error) if is_cancelled(&error) => Ok(MeterCancel::Done),
            Err(StripeError::Refused { .. }) => Ok(MeterCancel::Refused),
            Err(error) => Err(error),
        }
    }

    /// Tells use. The key is best made of the identifier, which holds longer than any key.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn tell_meter(
        &self,
        told: &MeterUse,
        key: &IdempotencyKey,
    ) -> Result<Told, StripeError> {
        let telling = Telling {
            event_name: &told.event_name,
            identifier: &told.identifier,
            timestamp: told.timestamp,
            payload: Payload {
                stripe_customer_id: &told.customer,
                value: told.value,
            },
        };
        let call = Call::post("tell_meter", "/v1/billing/meter_events", &telling, key);
        match self.call(&call).await {
            Ok(event) => Ok(Told::Now(event)),
            Err(error) if is_told(&error) => Ok(Told::Before),
            Err(error) => Err(error),
        }
    }

    /// All meters.
    pub fn list_meters(&self) -> Pages<Meter> {
        Pages::new(self, "list_meters", METERS, &Nothing {})
    }

    /// What a meter counted of a customer.
    ///
    /// # Errors
    /// [`StripeError`] when the id cannot be one.
    pub fn list_meter_sums(
        &self,
        meter: &str,
        filter: &MeterSumFilter,
    ) -> Result<Pages<MeterSum>, StripeError> {
        let path = format!("{}/event_summaries", path(METERS, meter)?);
        Ok(Pages::new(self, "list_meter_sums", path, filter))
    }
}

/// That something is cancelled; it says nothing that is not known.
#[derive(Debug, serde::Deserialize)]
struct Adjustment {}

/// Whether Stripe refuses it because it has cancelled it.
fn is_cancelled(error: &StripeError) -> bool {
    matches!(error, StripeError::Refused { said, .. } if said.contains("already been cancel"))
}

/// Whether Stripe refuses it because it has it.
fn is_told(error: &StripeError) -> bool {
    let StripeError::Refused { code, said, .. } = error else {
        return false;
    };
    let by_code = code.as_deref() == Some("duplicate_meter_event");
    by_code || said.contains("already exists with identifier")
}
