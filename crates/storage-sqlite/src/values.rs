//! Values as SQLite keeps them: instants as microseconds, counters as 63 bits, the rest as JSON or text.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as TextError, StrDeserializer};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use uuid::Uuid;

use crate::error::{Fault, corrupt, refused};

/// An instant as SQLite keeps it.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A counter as SQLite keeps it.
pub(crate) fn counter(value: u64) -> Result<i64, Fault> {
    i64::try_from(value).map_err(|_| refused(format!("{value} does not fit 63 bits")))
}

/// A value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| refused(error.to_string()))
}

/// The name of a value of an enum.
pub(crate) fn name<T: Serialize>(value: &T) -> Result<String, Fault> {
    let quoted = json(value)?;
    Ok(quoted.trim_matches('"').to_owned())
}

/// A row that is being read: every value that cannot be read names table and row.
pub(crate) struct Reading<'a> {
    row: &'a SqliteRow,
    table: &'static str,
    key: String,
}

impl<'a> Reading<'a> {
    /// Reads a row of `table`; `key` says which.
    pub(crate) fn new(row: &'a SqliteRow, table: &'static str, key: impl Display) -> Self {
        Self {
            row,
            table,
            key: key.to_string(),
        }
    }

    fn corrupt(&self, column: &str, what: impl Display) -> Fault {
        corrupt(self.table, &*self.key, format_args!("{column}: {what}"))
    }

    /// A value as it is.
    pub(crate) fn raw<T>(&self, column: &str) -> Result<T, Fault>
    where
        T: Decode<'a, Sqlite> + Type<Sqlite>,
    {
        let value = self.row.try_get(column);
        value.map_err(|error| self.corrupt(column, error))
    }

    /// A counter.
    pub(crate) fn counter(&self, column: &str) -> Result<u64, Fault> {
        let value: i64 = self.raw(column)?;
        u64::try_from(value).map_err(|_| self.corrupt(column, "below zero"))
    }

    /// A counter of 32 bits.
    pub(crate) fn small(&self, column: &str) -> Result<u32, Fault> {
        let value = self.counter(column)?;
        u32::try_from(value).map_err(|_| self.corrupt(column, "too large"))
    }

    /// An instant.
    pub(crate) fn instant(&self, column: &str) -> Result<DateTime<Utc>, Fault> {
        let at: i64 = self.raw(column)?;
        DateTime::from_timestamp_micros(at).ok_or_else(|| self.corrupt(column, "not an instant"))
    }

    /// An instant, if there is one.
    pub(crate) fn optional_instant(&self, column: &str) -> Result<Option<DateTime<Utc>>, Fault> {
        match self.raw::<Option<i64>>(column)? {
            Some(_) => self.instant(column).map(Some),
            None => Ok(None),
        }
    }

    /// A value that is kept as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Fault> {
        let text: &str = self.raw(column)?;
        serde_json::from_str(text).map_err(|error| self.corrupt(column, error))
    }

    /// Such a value, if there is one.
    pub(crate) fn optional_json<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, Fault> {
        match self.raw::<Option<&str>>(column)? {
            Some(_) => self.json(column).map(Some),
            None => Ok(None),
        }
    }

    /// An identifier or the name of a value of an enum.
    pub(crate) fn text<T: DeserializeOwned>(&self, column: &str) -> Result<T, Fault> {
        let text: &str = self.raw(column)?;
        T::deserialize(StrDeserializer::<TextError>::new(text))
            .map_err(|error| self.corrupt(column, error))
    }

    /// Such a text, if there is one.
    pub(crate) fn optional_text<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, Fault> {
        match self.raw::<Option<&str>>(column)? {
            Some(_) => self.text(column).map(Some),
            None => Ok(None),
        }
    }

    /// A hash.
    pub(crate) fn hash(&self, column: &str) -> Result<[u8; 32], Fault> {
        let bytes: &[u8] = self.raw(column)?;
        bytes
            .try_into()
            .map_err(|_| self.corrupt(column, "not 32 bytes"))
    }
}

/// The account in the column `home`.
pub(crate) fn home_in(row: &SqliteRow, table: &'static str) -> Result<AccountId, Fault> {
    Reading::new(row, table, "").text("home")
}

/// An id in the form that `unhex` reads.
pub(crate) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}
