//! Events, which Stripe keeps for 30 days.

use serde::Serialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::Event;

const PATH: &str = "/v1/events";

/// Which events are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventFilter {
    /// Those of this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
    /// Those of these kinds; else of all. At most 20.
    pub types: Vec<String>,
}

impl Client {
    /// One event.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_event(&self, id: &str) -> Result<Event, StripeError> {
        let call = Call::get("retrieve_event", &path(PATH, id)?, &Nothing {});
        self.call(&call).await
    }

    /// Events, newest first.
    pub fn list_events(&self, filter: &EventFilter) -> Pages<Event> {
        Pages::new(self, "list_events", PATH, filter)
    }
}
