//! Webhooks: signed, and delivered in the order and number that a test wants.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::endpoint::{Endpoint, SignedBy};
use super::handle::{FakeStripe, locked};
use super::reads;
use super::store::{Happened, Store, text};

/// How often a webhook is sent that nobody takes.
const TRIES: usize = 3;

/// An event that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNote {
    /// Its place among all events, from 0.
    pub place: usize,
    /// Its id.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// The object.
    pub object: String,
}

/// A webhook as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where it goes.
    pub url: String,
    /// `Stripe-Signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: String,
}

/// `Stripe-Signature` of a body.
///
/// # Panics
/// Never: a key of any length will do.
pub fn sign(body: &str, secrets: &[String], at: i64) -> String {
    let mut header = format!("t={at}");
    for secret in secrets {
        let mut mac = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
            Ok(mac) => mac,
            Err(error) => panic!("a key of any length will do: {error}"),
        };
        mac.update(format!("{at}.{body}").as_bytes());
        header.push_str(",v1=");
        header.push_str(&hex::encode(mac.finalize().into_bytes()));
    }
    header
}

impl FakeStripe {
    /// Adds an endpoint.
    pub fn endpoint(&self, endpoint: Endpoint) {
        locked(&self.endpoints).push(endpoint);
    }

    /// Takes all endpoints away.
    pub fn clear_endpoints(&self) {
        locked(&self.endpoints).clear();
    }

    /// All events that happened, oldest first.
    pub fn events(&self) -> Vec<EventNote> {
        let core = self.core();
        let events = core.store.events.iter().enumerate();
        let notes = events.map(|(place, event)| EventNote {
            place,
            id: event.id.clone(),
            kind: event.kind.clone(),
            object: text(&event.object, "id").to_owned(),
        });
        notes.collect()
    }

    /// The events that have neither been delivered nor dropped.
    pub fn pending(&self) -> Vec<EventNote> {
        let delivered = *locked(&self.delivered);
        self.events().split_off(delivered)
    }

    /// The webhook of an event as an endpoint gets it.
    ///
    /// # Panics
    /// When there is no such event.
    pub fn webhook(&self, place: usize, endpoint: &Endpoint) -> Webhook {
        let core = self.core();
        let Some(happened) = core.store.events.get(place) else {
            panic!("there is no event {place}");
        };
        let body = body(&core.store, happened, endpoint);
        let at = match endpoint.signed_by {
            SignedBy::FakeClock => core.store.now,
            SignedBy::MachineClock => Utc::now().timestamp(),
        };
        Webhook {
            url: endpoint.url.clone(),
            signature: sign(&body, &endpoint.secrets, at),
            body,
        }
    }

    /// Delivers events to every endpoint, in this order, as often as they are named; what each was answered. An endpoint that
    /// is not there is status 0.
    pub async fn deliver(&self, places: &[usize]) -> Vec<u16> {
        let endpoints = locked(&self.endpoints).clone();
        let mut answers = Vec::new();
        for place in places {
            for endpoint in &endpoints {
                let webhook = self.webhook(*place, endpoint);
                answers.push(send(&self.http, &webhook).await);
            }
        }
        answers
    }

    /// Delivers everything that is pending, in order; what each was answered.
    pub async fn deliver_pending(&self) -> Vec<u16> {
        let places: Vec<usize> = self.pending().iter().map(|event| event.place).collect();
        self.drop_first(places.len());
        self.deliver(&places).await
    }

    /// From now on delivers events as they happen, in order, until the returned task is aborted. What is not taken with a 2xx is
    /// tried twice more at once, and then left to the list of events.
    pub fn deliver_as_it_happens(&self) -> tokio::task::AbortHandle {
        let (fake, told) = (self.clone(), Arc::clone(&self.core().store.told));
        let task = tokio::spawn(async move {
            loop {
                let places: Vec<usize> = fake.pending().iter().map(|event| event.place).collect();
                fake.drop_first(places.len());
                for place in places {
                    for _ in 0..TRIES {
                        let answers = fake.deliver(&[place]).await;
                        if answers.iter().all(|status| (200..300).contains(status)) {
                            break;
                        }
                    }
                }
                told.notified().await;
            }
        });
        task.abort_handle()
    }

    fn drop_first(&self, count: usize) {
        *locked(&self.delivered) += count;
    }

    /// Forgets what is pending: it is never delivered. The list of events has it still.
    pub fn drop_pending(&self) {
        let all = self.core().store.events.len();
        *locked(&self.delivered) = all;
    }
}

fn body(store: &Store, happened: &Happened, endpoint: &Endpoint) -> String {
    if endpoint.is_thin {
        let mut notice = thin(store, happened);
        notice["context"] = json!(endpoint.account);
        return notice.to_string();
    }
    let mut event = reads::event(store, happened, endpoint.shape);
    if let Some(account) = &endpoint.account {
        event["account"] = json!(account);
    }
    format!("{event:#}")
}

/// An event with ids only. It is another event than the snapshot of the same change.
fn thin(store: &Store, happened: &Happened) -> Value {
    let id = happened.id.replace("evt_", "evt_test_");
    let object = text(&happened.object, "object");
    let created = DateTime::<Utc>::from_timestamp(happened.at, 0).unwrap_or_default();
    let path = match object {
        "checkout.session" => "checkout/sessions".to_owned(),
        other => format!("{other}s"),
    };
    let object_id = text(&happened.object, "id");
    json!({
        "id": id, "object": "v2.core.event", "type": format!("v1.{}", happened.kind), "livemode": store.livemode,
        "created": created.to_rfc3339_opts(SecondsFormat::Millis, true), "context": null,
        "related_object": {"id": object_id, "type": object, "url": format!("/v1/{path}/{object_id}")},
    })
}

async fn send(http: &reqwest::Client, webhook: &Webhook) -> u16 {
    let sent = http
        .post(&webhook.url)
        .header("stripe-signature", &webhook.signature)
        .header("content-type", "application/json; charset=utf-8")
        .body(webhook.body.clone())
        .send()
        .await;
    sent.map_or(0, |answer| answer.status().as_u16())
}
