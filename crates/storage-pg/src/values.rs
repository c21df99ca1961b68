//! Values as PostgreSQL keeps them: rows become values here, and a bad row is named.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Row, Type};

use crate::error::corrupt;

/// An instant.
pub(crate) type Instant = DateTime<Utc>;

/// One row of a table that is being read, with the key that names it should it be bad.
pub(crate) struct Reading<'r> {
    pub(crate) row: &'r PgRow,
    pub(crate) table: &'static str,
    pub(crate) key: String,
}

impl<'r> Reading<'r> {
    pub(crate) fn new(row: &'r PgRow, table: &'static str, key: impl Into<String>) -> Self {
        let key = key.into();
        Self { row, table, key }
    }

    /// A column as it is.
    pub(crate) fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        self.row.try_get(column).map_err(|error| self.bad(error))
    }

    /// A column that holds JSON as text.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text: &str = self.get(column)?;
        serde_json::from_str(text).map_err(|error| self.bad(error))
    }

    /// Such a column, if there is something in it.
    pub(crate) fn optional_json<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.get::<Option<&str>>(column)? {
            Some(_) => self.json(column).map(Some),
            None => Ok(None),
        }
    }

    /// A column of the type `jsonb`.
    pub(crate) fn jsonb<T: DeserializeOwned + 'r>(&self, column: &str) -> Result<T, StoreError> {
        self.get::<Json<T>>(column).map(|Json(value)| value)
    }

    /// A column that holds a number from 0 on.
    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|_| self.bad(format_args!("{column} below zero")))
    }

    /// A column that holds such a number of 32 bits.
    pub(crate) fn small(&self, column: &str) -> Result<u32, StoreError> {
        let number = self.count(column)?;
        u32::try_from(number).map_err(|_| self.bad(format_args!("{column} is too large")))
    }

    /// A column that holds an account.
    pub(crate) fn account_id(&self, column: &str) -> Result<AccountId, StoreError> {
        AccountId::parse(self.get(column)?).map_err(|error| self.bad(error))
    }

    /// A column that holds the name of a state, a kind or a scope.
    pub(crate) fn name<T: for<'de> Deserialize<'de>>(&self, column: &str) -> Result<T, StoreError> {
        let text: &str = self.get(column)?;
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            text.into_deserializer();
        T::deserialize(name).map_err(|error| self.bad(error))
    }

    /// Such a column, if there is something in it.
    pub(crate) fn optional_name<T: for<'de> Deserialize<'de>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.get::<Option<&str>>(column)? {
            Some(_) => self.name(column).map(Some),
            None => Ok(None),
        }
    }

    /// A column that holds a SHA-256.
    pub(crate) fn hash(&self, column: &str) -> Result<[u8; 32], StoreError> {
        let bytes: &[u8] = self.get(column)?;
        bytes.try_into().map_err(|error| self.bad(error))
    }

    pub(crate) fn bad(&self, what: impl Display) -> StoreError {
        corrupt(self.table, &*self.key, what)
    }
}

/// A value as JSON text.
pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused {
        what: format!("cannot be written as json: {error}"),
    })
}

/// The name of a state, a kind or a scope.
pub(crate) fn name_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    json_text(value).map(|text| text.trim_matches('"').to_owned())
}

/// A count as the database keeps it.
pub(crate) fn stored_count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Refused {
        what: format!("{count} is too large to be stored"),
    })
}
