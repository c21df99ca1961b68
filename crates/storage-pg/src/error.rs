//! What went wrong, and whether it may be tried again: decided here and nowhere else.

use quota_core::ports::StoreError;
use sqlx::Error;
use sqlx::error::DatabaseError;

/// The disk has no room left for a statement, which is undone.
const DISK_FULL: &str = "53100";
/// A write in a transaction that may only read: the server is a standby, or was set so.
const READ_ONLY: &str = "25006";

/// What an error of the driver means for the caller.
pub(crate) fn store_error(error: Error) -> StoreError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver adds kinds")]
    match error {
        Error::Database(refusal) => by_code(refusal),
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::WorkerCrashed
        | Error::BeginFailed => unavailable(error),
        // No connection was to be had, so nothing was sent.
        Error::PoolTimedOut | Error::PoolClosed => StoreError::Unreachable(error.into()),
        // A mistake of ours or of the configuration; the next attempt would make it again.
        other => StoreError::Refused {
            what: other.to_string(),
        },
    }
}

fn by_code(refusal: Box<dyn DatabaseError>) -> StoreError {
    let code = refusal.code().unwrap_or_default().into_owned();
    match code.as_str() {
        DISK_FULL => StoreError::Full(Error::Database(refusal).into()),
        READ_ONLY => StoreError::ReadOnly(Error::Database(refusal).into()),
        code if is_passing(code) => unavailable(Error::Database(refusal)),
        _ => refused(refusal.as_ref()),
    }
}

/// The store cannot be reached, or is overloaded.
pub(crate) fn unavailable(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// A row that the rules cannot read.
pub(crate) fn corrupt(
    table: &'static str,
    key: impl Into<String>,
    what: impl std::fmt::Display,
) -> StoreError {
    StoreError::Corrupt {
        table,
        key: key.into(),
        what: what.to_string(),
    }
}

/// Whether the statement lost against another one and is worth an immediate second try.
pub(crate) fn lost_to_another(error: &Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// Whether a unique index refused a row.
pub(crate) fn is_taken(error: &Error) -> bool {
    let refusal = error.as_database_error();
    refusal.is_some_and(DatabaseError::is_unique_violation)
}

/// Whether the server's refusal is about its own state, by SQLSTATE: connection, resources and the system below it by
/// class; then serialization failure and deadlock after the retries, cancelled by a time-out, shut down or starting
/// up, lock time-out, idle transaction ended.
fn is_passing(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "53" | "58")
        || matches!(
            code,
            "40001" | "40P01" | "40003" | "57014" | "57P01" | "57P02" | "57P03"
        )
        || matches!(code, "57P05" | "55P03" | "25P03")
}

fn refused(refusal: &dyn DatabaseError) -> StoreError {
    let code = refusal.code().unwrap_or_default();
    let what = match refusal.constraint() {
        Some(constraint) => format!("constraint `{constraint}` ({code})"),
        None => format!("{} ({code})", refusal.message()),
    };
    StoreError::Refused { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_may_be_tried_again() {
        let passing = [
            "08006", "40001", "40P01", "53300", "55P03", "57014", "57P01", "58030",
        ];
        for code in passing {
            assert!(is_passing(code), "{code}");
        }
        for code in ["23505", "23514", "42P01", "42501", "22P02", "", "4"] {
            assert!(!is_passing(code), "{code}");
        }
        assert!(store_error(Error::PoolTimedOut).is_transient());
        assert!(store_error(Error::Io(std::io::Error::other("cut"))).is_transient());
        assert!(!store_error(Error::RowNotFound).is_transient());
    }
}
