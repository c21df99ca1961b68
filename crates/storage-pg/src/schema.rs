//! How a database's schema stands to the one that this version of the program needs.

use std::fmt;

use quota_core::ports::StoreError;

use crate::PgStore;
use crate::error::store_error;
use crate::migrate::FILES;

/// How a database's schema stands to the one that this version of the program needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// Nothing was ever migrated.
    Missing,
    /// Migrations are still to be applied.
    Behind {
        /// The last that was applied with all before it; 0 for none.
        applied: i64,
        /// The last that is needed.
        needed: i64,
    },
    /// As needed.
    Current,
    /// A newer version of the program was here; it leaves in place what this one needs.
    Ahead {
        /// The last that was applied.
        applied: i64,
        /// The last that is needed.
        needed: i64,
    },
}

impl Schema {
    /// Whether this version of the program can work with it.
    pub fn is_enough(self) -> bool {
        match self {
            Self::Missing | Self::Behind { .. } => false,
            Self::Current | Self::Ahead { .. } => true,
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Behind { applied, needed } => {
                write!(f, "is at version {applied} and must be at {needed}")
            }
            Self::Current => f.write_str("is current"),
            Self::Ahead { applied, needed } => {
                write!(
                    f,
                    "is at version {applied}, newer than the {needed} that is needed"
                )
            }
        }
    }
}

impl PgStore {
    /// How this database's schema stands to the one that is needed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer, [`StoreError::Refused`] when it does not let
    /// this user see what was applied.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let known = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null");
        let is_known: bool = known.fetch_one(self.pool()).await.map_err(store_error)?;
        if !is_known {
            return Ok(Schema::Missing);
        }
        let applied = sqlx::query_scalar(
            "select version from _sqlx_migrations where success order by version",
        );
        let applied: Vec<i64> = applied.fetch_all(self.pool()).await.map_err(store_error)?;
        Ok(compare(&applied, &FILES.map(|(version, ..)| version)))
    }
}

/// Compares versions, both in ascending order.
fn compare(applied: &[i64], needed: &[i64]) -> Schema {
    let last = |versions: &[i64]| versions.last().copied().unwrap_or_default();
    let open = needed.iter().position(|version| !applied.contains(version));
    match open {
        Some(_) if applied.is_empty() => Schema::Missing,
        Some(open) => Schema::Behind {
            applied: needed.get(..open).map(last).unwrap_or_default(),
            needed: last(needed),
        },
        None if last(needed) < last(applied) => Schema::Ahead {
            applied: last(applied),
            needed: last(needed),
        },
        None => Schema::Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_applied_is_held_against_what_is_needed() {
        let behind = |applied| Schema::Behind { applied, needed: 3 };
        let ahead = Schema::Ahead {
            applied: 4,
            needed: 3,
        };
        let cases: [(&[i64], Schema); 6] = [
            (&[], Schema::Missing),
            (&[1, 2], behind(2)),
            (&[1, 3], behind(1)),
            (&[2, 3, 4], behind(0)),
            (&[1, 2, 3], Schema::Current),
            (&[1, 2, 3, 4], ahead),
        ];
        for (applied, expected) in cases {
            assert_eq!(compare(applied, &[1, 2, 3]), expected, "{applied:?}");
        }
    }
}
