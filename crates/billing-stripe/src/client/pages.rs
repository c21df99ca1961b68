//! Lists, a page at a time, to their end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::StripeError;
use super::send::{Call, Client};
use crate::shapes::Listed;

/// As many as Stripe gives at once.
pub const PAGE_SIZE: u32 = 100;
/// A million objects: a list that has more is not coming to an end.
pub const PAGES_MAX: u32 = 10_000;

/// A list that is read page by page. It ends with `None`, and with an error when it leads in a circle or nowhere.
#[derive(Debug)]
pub struct Pages<T> {
    client: Client,
    name: &'static str,
    path: String,
    parameters: Value,
    after: Option<String>,
    seen: BTreeSet<String>,
    read: u32,
    is_over: bool,
    of: std::marker::PhantomData<fn() -> T>,
}

/// A page. Both fields must be there: what is no list is not an empty one, which would look as if everything were gone.
#[derive(Debug, Deserialize)]
struct Page<T> {
    data: Vec<T>,
    has_more: bool,
}

impl<T: Listed> Pages<T> {
    pub(crate) fn new(
        client: &Client,
        name: &'static str,
        path: impl Into<String>,
        filter: &impl Serialize,
    ) -> Self {
        let mut parameters = match serde_json::to_value(filter) {
            Ok(parameters) => parameters,
            Err(error) => unreachable!("filters are plain structs: {error}"),
        };
        parameters["limit"] = Value::from(PAGE_SIZE);
        Self {
            client: client.clone(),
            name,
            path: path.into(),
            parameters,
            after: None,
            seen: BTreeSet::new(),
            read: 0,
            is_over: false,
            of: std::marker::PhantomData,
        }
    }

    /// Goes on behind an object that was read before.
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after = Some(id.into());
        self
    }

    /// The last object of the last page: where to go on.
    pub fn cursor(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether the page that was read last was the last one.
    pub fn is_at_end(&self) -> bool {
        self.is_over
    }

    /// The next page; none at the end.
    ///
    /// # Errors
    /// [`StripeError`]. After an error that passes, the same page is asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, StripeError> {
        if self.is_over {
            return Ok(None);
        }
        if self.read == PAGES_MAX {
            let pages = self.read;
            return Err(StripeError::EndlessList {
                call: self.name,
                pages,
            });
        }
        if let Some(after) = &self.after {
            self.parameters["starting_after"] = Value::from(after.as_str());
        }
        let call = Call::get(self.name, &self.path, &self.parameters);
        let page: Page<T> = self.client.call(&call).await?;
        self.read += 1;
        self.is_over = !page.has_more;
        let last = page.data.last().map(|last| last.id().to_owned());
        if last.is_none() && self.is_over {
            return Ok(None);
        }
        // An empty page that says that there is more has no place to go on from: the same one again.
        let cursor = last.or_else(|| self.after.clone()).unwrap_or_default();
        if self.after.as_ref() == Some(&cursor) || !self.seen.insert(cursor.clone()) {
            return Err(StripeError::RepeatingList {
                call: self.name,
                cursor,
            });
        }
        self.after = Some(cursor);
        Ok(Some(page.data))
    }

    /// All of it at once: for lists that are short by nature, such as the refunds of a payment.
    ///
    /// # Errors
    /// [`StripeError`], and then nothing.
    pub async fn all(mut self) -> Result<Vec<T>, StripeError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }
}
