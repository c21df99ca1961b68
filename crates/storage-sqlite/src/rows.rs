//! Many rows by few statements: each statement is a trip to the connection's thread, so rows go by chunks.

use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Sqlite};

use crate::error::Fault;

/// Sizes of chunks: few, so that each statement is prepared once and found again.
const CHUNK_ROWS: [usize; 4] = [128, 32, 8, 1];

/// A statement with its values still to be bound.
pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// The texts of one statement that takes many rows, one for each size of chunk.
pub(crate) struct ManyRows([Arc<str>; CHUNK_ROWS.len()]);

impl ManyRows {
    /// `head` and `tail` go around the rows of `columns` values each.
    pub(crate) fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        Self(CHUNK_ROWS.map(|count| {
            let rows = vec![row.as_str(); count].join(", ");
            format!("{head} {rows} {tail}").into()
        }))
    }

    /// Runs the statement for all rows; `bind` binds the values of one.
    pub(crate) async fn run<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl Fn(Statement, R) -> Statement,
    ) -> Result<(), Fault> {
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        for (count, text) in CHUNK_ROWS.into_iter().zip(&self.0) {
            while left >= count {
                let statement = sqlx::query(AssertSqlSafe(Arc::clone(text)));
                let chunk = rows.by_ref().take(count);
                chunk
                    .fold(statement, &bind)
                    .execute(&mut *connection)
                    .await?;
                left -= count;
            }
        }
        Ok(())
    }
}
