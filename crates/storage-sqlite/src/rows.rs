//! Many rows by few statements: each statement is a trip to the connection's thread, so rows go by chunks.

use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

use crate::error::{Fault, refused};

/// Sizes of chunks: few, so that each statement is prepared once and found again.
const CHUNK_ROWS: [usize; 5] = [256, 64, 16, 4, 1];

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

    /// Runs the statement for all rows and counts those that it changes; `bind` binds the values of one.
    pub(crate) async fn run<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl Fn(Statement, R) -> Statement,
    ) -> Result<usize, Fault> {
        let mut changed = 0;
        for statement in self.statements(rows, bind) {
            changed += statement.execute(&mut *connection).await?.rows_affected();
        }
        usize::try_from(changed).map_err(|_| refused("more rows changed than there can be"))
    }

    /// Runs the statement for all rows and gives back what it finds.
    pub(crate) async fn fetch<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl Fn(Statement, R) -> Statement,
    ) -> Result<Vec<SqliteRow>, Fault> {
        let mut found = Vec::new();
        for statement in self.statements(rows, bind) {
            found.append(&mut statement.fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }

    fn statements<R>(
        &self,
        rows: Vec<R>,
        bind: impl Fn(Statement, R) -> Statement,
    ) -> impl Iterator<Item = Statement> {
        let mut rows = rows.into_iter();
        let mut sizes = CHUNK_ROWS.into_iter().zip(&self.0).peekable();
        std::iter::from_fn(move || {
            while sizes.next_if(|(count, _)| rows.len() < *count).is_some() {}
            let (count, text) = sizes.peek()?;
            let statement = sqlx::query(AssertSqlSafe(Arc::clone(text)));
            Some(rows.by_ref().take(*count).fold(statement, &bind))
        })
    }
}
