//! What a write asks for, and what is checked of it.

use serde_json::{Value, json};

use super::reply::Reply;
use super::store::{Store, text};

/// A write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a [&'a str],
    pub(super) form: &'a Value,
    pub(super) base_url: &'a str,
    /// Whether it is answered in the shape of old.
    pub(super) is_old: bool,
}

/// The id of what is shown, or why nothing was done.
pub(super) type Written = Result<String, Reply>;

/// There is no such path.
pub(super) fn no_such_path() -> Reply {
    Reply::error(404, "invalid_request_error", "", "Unrecognized request URL")
}

/// Refuses a parameter that Stripe does not have.
pub(super) fn known(form: &Value, names: &str) -> Result<(), Reply> {
    let asked = form.as_object().into_iter().flatten();
    for (name, _) in asked {
        if name != "expand" && !names.split(' ').any(|known| known == name) {
            let message = format!("Received unknown parameter: {name}");
            return Err(Reply::refused("parameter_unknown", &message));
        }
    }
    Ok(())
}

/// The id of an object that has to be there.
pub(super) fn there(store: &Store, id: &str, object: &str) -> Written {
    let found = store
        .find(id)
        .filter(|found| text(found, "object") == object);
    let is_there = found.is_some_and(|found| found["deleted"] != json!(true));
    is_there
        .then(|| id.to_owned())
        .ok_or_else(|| Reply::missing(id))
}

/// Sets what is said; metadata is added to, and an empty text clears.
pub(super) fn merge(store: &mut Store, id: &str, form: &Value) {
    let object = store.edit(id);
    for (name, value) in form.as_object().into_iter().flatten() {
        if let Some(pairs) = value
            .as_object()
            .filter(|_| name == "metadata" || name == "invoice_settings")
        {
            for (key, value) in pairs {
                object[name][key] = value.clone();
            }
        } else if name != "expand" {
            object[name] = if value == &json!("") {
                Value::Null
            } else {
                value.clone()
            };
        }
    }
}
