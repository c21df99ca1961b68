//! All objects, in the order in which they were made, and the events of their changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

/// Stripe keeps events for 30 days.
const EVENTS_KEPT_SECONDS: i64 = 30 * 86_400;

/// What is to happen at an instant of the fake's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A period or a trial ends.
    PeriodEnd(String),
    /// A draft of a renewal becomes an invoice and is paid.
    Finalize(String),
    /// An invoice that could not be paid is tried again.
    Retry(String),
    /// A session can no longer be paid.
    Expire(String),
    /// A refund turns out to have failed.
    RefundFails(String),
    /// A subscription ends at `cancel_at`.
    Cancel(String),
    /// A phase of a schedule begins.
    Phase(String),
}

/// An event, with its object as it was.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) at: i64,
    pub(super) object: Value,
}

/// Everything that the fake knows. Objects are kept in one form, which holds what both shapes need; what begins with `_` is
/// shown to nobody.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) now: i64,
    pub(super) livemode: bool,
    made: u64,
    objects: HashMap<String, Value>,
    lists: BTreeMap<&'static str, Vec<String>>,
    places: HashMap<String, usize>,
    pub(super) events: Vec<Happened>,
    pub(super) is_quiet: bool,
    /// Told of every event.
    pub(super) told: Arc<Notify>,
    due: BTreeMap<(i64, u64), Due>,
}

impl Store {
    /// A new id.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{:014}", self.made)
    }

    /// Keeps an object under its id, in the list of its kind.
    pub(super) fn put(&mut self, kind: &'static str, object: Value) -> String {
        let id = text(&object, "id").to_owned();
        let list = self.lists.entry(kind).or_default();
        if !self.objects.contains_key(&id) {
            self.places.insert(id.clone(), list.len());
            list.push(id.clone());
        }
        self.objects.insert(id.clone(), object);
        id
    }

    /// An object.
    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.objects.get(id)
    }

    /// An object that must be there: a test that names another is wrong.
    pub(super) fn get(&self, id: &str) -> &Value {
        match self.objects.get(id) {
            Some(object) => object,
            None => panic!("the fake Stripe has no {id}"),
        }
    }

    /// The same, to be changed.
    pub(super) fn edit(&mut self, id: &str) -> &mut Value {
        match self.objects.get_mut(id) {
            Some(object) => object,
            None => panic!("the fake Stripe has no {id}"),
        }
    }

    /// Takes an object out of the world.
    pub(super) fn forget(&mut self, id: &str) {
        self.objects.remove(id);
    }

    /// Sets one field.
    pub(super) fn set(&mut self, id: &str, field: &str, value: impl Into<Value>) {
        self.edit(id)[field] = value.into();
    }

    /// Objects of a kind, newest first.
    pub(super) fn newest(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.after(kind, None)
    }

    /// Objects of a kind that are older than one of them, newest first.
    pub(super) fn after(&self, kind: &str, id: Option<&str>) -> impl Iterator<Item = &Value> {
        let list = self.lists.get(kind).map(Vec::as_slice).unwrap_or_default();
        let end = id.and_then(|id| self.places.get(id).copied());
        let end = end.unwrap_or(list.len());
        let older = list.get(..end).unwrap_or_default();
        older.iter().rev().filter_map(|id| self.objects.get(id))
    }

    /// Ids of the objects of a kind for which something holds, oldest first.
    pub(super) fn ids(&self, kind: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
        let list = self.lists.get(kind).into_iter().flatten();
        let found = list.filter(|id| self.objects.get(*id).is_some_and(&holds));
        found.cloned().collect()
    }

    /// Notes that something happened to an object, as it is now.
    pub(super) fn happened(&mut self, kind: &str, id: &str) {
        if self.is_quiet {
            return;
        }
        let object = self.get(id).clone();
        self.happened_to(kind, object);
    }

    /// The same with a picture of an object.
    pub(super) fn happened_to(&mut self, kind: &str, object: Value) {
        if self.is_quiet {
            return;
        }
        let event = Happened {
            id: self.id("evt"),
            kind: kind.to_owned(),
            at: self.now,
            object,
        };
        self.events.push(event);
        self.told.notify_one();
    }

    /// Events that Stripe still keeps, newest first.
    pub(super) fn kept_events(&self) -> impl Iterator<Item = &Happened> {
        let oldest = self.now - EVENTS_KEPT_SECONDS;
        self.events
            .iter()
            .rev()
            .filter(move |event| oldest <= event.at)
    }

    /// Has something happen at an instant.
    pub(super) fn plan(&mut self, at: i64, due: Due) {
        self.made += 1;
        self.due.insert((at, self.made), due);
    }

    /// The next thing that is due by an instant; the clock moves to it.
    pub(super) fn next_due(&mut self, by: i64) -> Option<Due> {
        let (key, _) = self
            .due
            .first_key_value()
            .filter(|((at, _), _)| *at <= by)?;
        let key = *key;
        self.now = self.now.max(key.0);
        self.due.remove(&key)
    }

    /// What every object has.
    pub(super) fn new_object(&mut self, prefix: &str, object: &str) -> Value {
        let id = self.id(prefix);
        json!({"id": id, "object": object, "created": self.now, "livemode": self.livemode, "metadata": {}})
    }
}

/// A text of an object; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// A number of an object; 0 where there is none.
pub(super) fn number(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_default()
}

/// The rows of a list inside an object.
pub(super) fn rows<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    let data = object[field]["data"].as_array();
    data.map(Vec::as_slice).unwrap_or_default()
}
