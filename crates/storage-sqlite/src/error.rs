//! What a failure of SQLite means to the engine, decided in one place.

use quota_core::ports::StoreError;
use sqlx::error::DatabaseError;

/// The file could not be opened, or is not at a state that this version can read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// SQLite refused to open the file.
    #[error("could not open the database")]
    Open(#[source] sqlx::Error),
    /// A migration failed, or the file was migrated by a newer version.
    #[error("could not migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// What goes wrong inside a transaction.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(sqlx::Error),
    Store(StoreError),
    /// A home was not as it was expected to be. Nothing of the batch stays written.
    Stale,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Stale => StoreError::Refused {
                what: "a home is not as it was loaded".to_owned(),
            },
            Fault::Sqlite(error) => classed(error),
        }
    }
}

/// Whether a batch is to be looked at more closely: a home was not as it was expected to be, or a key is taken.
pub(crate) fn is_stale(fault: &Fault) -> bool {
    match fault {
        Fault::Stale => true,
        Fault::Sqlite(sqlx::Error::Database(error)) => error.is_unique_violation(),
        Fault::Sqlite(_) | Fault::Store(_) => false,
    }
}

/// A row that the rules cannot read.
pub(crate) fn corrupt(
    table: &'static str,
    key: impl Into<String>,
    what: impl std::fmt::Display,
) -> Fault {
    Fault::Store(StoreError::Corrupt {
        table,
        key: key.into(),
        what: what.to_string(),
    })
}

/// A write that can never be right.
pub(crate) fn refused(what: impl Into<String>) -> Fault {
    Fault::Store(StoreError::Refused { what: what.into() })
}

/// Which kind of fault an error of sqlx is.
fn classed(error: sqlx::Error) -> StoreError {
    use sqlx::Error as E;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver adds kinds")]
    match error {
        E::Database(error) => classed_by_code(error),
        E::ColumnDecode { ref index, .. } => StoreError::Corrupt {
            table: "unknown",
            key: index.clone(),
            what: error.to_string(),
        },
        E::Configuration(_)
        | E::InvalidArgument(_)
        | E::Protocol(_)
        | E::RowNotFound
        | E::TypeNotFound { .. }
        | E::ColumnIndexOutOfBounds { .. }
        | E::ColumnNotFound(_)
        | E::Encode(_)
        | E::Decode(_)
        | E::AnyDriverError(_)
        | E::Migrate(_)
        | E::InvalidSavePointStatement => StoreError::Refused {
            what: error.to_string(),
        },
        // Input and output, the pool, the connection's thread, and kinds that sqlx may add: what is not known may
        // have taken effect.
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// Primary result codes: <https://www.sqlite.org/rescode.html>.
fn classed_by_code(error: Box<dyn DatabaseError>) -> StoreError {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    const READ_ONLY: u32 = 8;
    const FULL: u32 = 13;
    /// Perm, busy, locked, nomem, interrupt, ioerr, cantopen, protocol, schema.
    const UNAVAILABLE: [u32; 9] = [3, 5, 6, 7, 9, 10, 14, 15, 17];
    let extended = error.code().and_then(|code| code.parse::<u32>().ok());
    let primary = extended.map(|code| code % 256);
    match primary {
        Some(code) if UNAVAILABLE.contains(&code) => {
            StoreError::Unavailable(Box::new(sqlx::Error::Database(error)))
        }
        // The transaction is undone.
        Some(FULL) => StoreError::Full(Box::new(sqlx::Error::Database(error))),
        Some(READ_ONLY) => StoreError::ReadOnly(Box::new(sqlx::Error::Database(error))),
        Some(CORRUPT | NOT_A_DATABASE) => StoreError::Corrupt {
            table: "unknown",
            key: String::new(),
            what: error.to_string(),
        },
        _ => StoreError::Refused {
            what: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use quota_core::ports::{Store, StoreError};
    use testkit::fixtures::{batch, first_write, home_query, load_query, next_write, user};

    use crate::{SqliteSettings, SqliteStore};

    /// A file that may grow no more, or not be written, changes nothing and is named; it goes on when that is over.
    #[tokio::test]
    async fn a_full_and_a_read_only_file_are_named() {
        let store = SqliteStore::open_in_memory(&SqliteSettings::patient()).await;
        let store = store.expect("opens");
        let alice = user("alice");
        let first = batch(vec![first_write(&alice)]);
        store.write(&first).await.expect("writes");
        let pragma = async |text: &'static str| {
            let ran = sqlx::query(text).execute(&store.writer).await;
            ran.expect("is set");
        };
        let mut version = 1;
        pragma("pragma max_page_count = 1").await;
        let error = loop {
            // What is left of the last page is filled first.
            match store.write(&batch(vec![next_write(&alice, version)])).await {
                Ok(_) => version += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        pragma("pragma max_page_count = 1000000").await;
        pragma("pragma query_only = on").await;
        let next = batch(vec![next_write(&alice, version)]);
        let error = store.write(&next).await.expect_err("is read-only");
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
        pragma("pragma query_only = off").await;
        let loaded = store.load(&load_query(vec![home_query(&alice)])).await;
        assert_eq!(loaded.expect("reads").homes[0].version, version);
        assert_eq!(store.write(&next).await.expect("writes"), [alice]);
    }
}
