//! One call from its beginning to its end: key, version, faults, idempotency.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::asked::Asked;
use super::faults::{Fault, FaultKind, When};
use super::form;
use super::reply::{Call, Reply, Sent};
use super::shape::Shape;
use super::store::Store;
use super::{reads, writes};

/// Keys are forgotten after a day.
const KEY_SECONDS: i64 = 86_400;

/// A key that was used, and for what.
#[derive(Clone, Debug)]
struct Key {
    print: String,
    kept: Kept,
    at: i64,
}

#[derive(Clone, Debug)]
enum Kept {
    AtWork,
    Done(Reply),
}

/// How often which call was made.
pub type CallCounts = std::collections::BTreeMap<String, u64>;

/// The fake without its sockets.
#[derive(Debug, Default)]
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) base_url: String,
    keys: HashMap<String, Key>,
    pub(super) faults: Vec<Fault>,
    pub(super) counts: CallCounts,
    /// How long each answer takes.
    pub(super) latency: Duration,
    /// The shape of every answer, whatever version is asked for: a Stripe that never heard of versions.
    pub(super) shape: Option<Shape>,
    pub(super) is_key_dead: bool,
}

/// What a call that has begun needs.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is answered.
    Answered(Sent),
    /// It is at work; it has to be ended after this time, and the fault that was scripted for then.
    AtWork(Duration, Option<FaultKind>),
}

impl Core {
    /// Takes a call. Faults before the effect come here.
    pub(super) fn begin(&mut self, call: &Call) -> Begun {
        *self.counts.entry(count_name(call)).or_default() += 1;
        let fault = Fault::take(&mut self.faults, &call.line());
        let after = match fault {
            Some(fault) if fault.when == When::Before => {
                return Begun::Answered(fault.kind.sent());
            }
            other => other.map(|fault| fault.kind),
        };
        let is_key = call
            .bearer
            .as_deref()
            .is_some_and(|key| key.starts_with("sk_") || key.starts_with("rk_"));
        if self.is_key_dead || !is_key {
            return Begun::Answered(FaultKind::KeyDead.sent());
        }
        if let Some(key) = call.key.as_ref().filter(|_| call.method == "POST")
            && let Some(sent) = self.meets(key, call)
        {
            return Begun::Answered(sent);
        }
        Begun::AtWork(self.latency, after)
    }

    /// What a key that was used before is answered; a new one is noted.
    fn meets(&mut self, key: &str, call: &Call) -> Option<Sent> {
        let print = format!("{} {}", call.line(), call.body);
        let now = self.store.now;
        let earlier = self.keys.get(key).filter(|key| now < key.at + KEY_SECONDS);
        let Some(earlier) = earlier else {
            let kept = Kept::AtWork;
            let at = now;
            self.keys.insert(key.to_owned(), Key { print, kept, at });
            return None;
        };
        if earlier.print != print {
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            let reply = Reply::error(400, "idempotency_error", "", message);
            return Some(Sent::Reply(reply));
        }
        match &earlier.kept {
            Kept::AtWork => Some(FaultKind::KeyInUse.sent()),
            Kept::Done(reply) => {
                let mut reply = reply.clone();
                reply
                    .headers
                    .push(("idempotent-replayed", "true".to_owned()));
                Some(Sent::Reply(reply))
            }
        }
    }

    /// Carries a call out. Faults after the effect come here.
    pub(super) fn end(&mut self, call: &Call, fault: Option<FaultKind>) -> Sent {
        let shape = self.shape_for(call);
        let mut reply = self.answer(call, shape);
        let is_kept_failure = matches!(fault, Some(FaultKind::KeptFailure));
        if is_kept_failure {
            reply = Reply::error(500, "api_error", "", "An unknown error occurred");
        }
        // What was refused before anything was done is not kept.
        let is_kept = !matches!(reply.status, 400 | 404);
        if let Some(key) = call.key.as_ref().filter(|_| !is_kept) {
            self.keys.remove(key);
        }
        if let Some(kept) = call.key.as_ref().and_then(|key| self.keys.get_mut(key)) {
            kept.kept = Kept::Done(reply.clone());
        }
        match fault {
            Some(fault) if !is_kept_failure => fault.sent(),
            Some(_) | None => Sent::Reply(reply),
        }
    }

    /// The version that a call is answered in.
    fn shape_for(&self, call: &Call) -> Shape {
        let asked = call.version.as_deref().map(Shape::of_version);
        self.shape.or(asked).unwrap_or_default()
    }

    fn answer(&mut self, call: &Call, shape: Shape) -> Reply {
        let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let path = path.get(1..).unwrap_or_default();
        let query = form::parse(&call.query);
        match call.method.as_str() {
            "GET" => reads::read(&self.store, path, &query, shape),
            "POST" | "DELETE" => {
                let form = form::parse(&call.body);
                let asked = Asked {
                    method: &call.method,
                    path,
                    form: &form,
                    base_url: &self.base_url,
                    is_old: shape == Shape::Old,
                };
                match writes::write(&mut self.store, &asked) {
                    Ok(object) => {
                        let object = self
                            .store
                            .find(&object)
                            .cloned()
                            .unwrap_or_else(|| json!({}));
                        let expand = reads::expands(&form);
                        let shown = super::shape::show(&self.store, &object, shape, &expand);
                        Reply::ok(shown)
                    }
                    Err(reply) => reply,
                }
            }
            _ => Reply::error(405, "invalid_request_error", "", "No such method"),
        }
    }
}

/// `GET /v1/subscriptions/:id`: calls are counted without ids.
fn count_name(call: &Call) -> String {
    let parts = call.path.split('/').map(|part| {
        let is_id = part.bytes().any(|byte| byte.is_ascii_digit()) && part != "v1" && part != "v2";
        if is_id { ":id" } else { part }
    });
    let path: Vec<&str> = parts.collect();
    format!("{} {}", call.method, path.join("/"))
}
