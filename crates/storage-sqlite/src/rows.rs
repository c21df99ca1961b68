//! Many rows by few statements: each statement is a trip to the connection's thread, so rows go by chunks.
//!
//! A row's columns are declared once, by [`row!`]: what is bound, how many values there are, and how a statement names
//! them all come from that list.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

use crate::error::{Fault, refused};
use crate::values::json;

/// Sizes of chunks: few, so that each statement is prepared once and found again.
const CHUNK_ROWS: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement with its values still to be bound.
pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A row with every value encoded.
pub(crate) trait Row {
    /// The columns, in the order in which they are bound.
    const COLUMNS: &'static [&'static str];

    /// Binds the values.
    fn bind(self, statement: Statement) -> Statement;
}

/// Declares a row: a struct with a field for each column.
macro_rules! row {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident { $($(#[$why:meta])* $column:ident: $type:ty,)+ }
    ) => {
        $(#[$doc])*
        $vis struct $name { $($(#[$why])* pub(crate) $column: $type,)+ }

        impl $crate::rows::Row for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            fn bind(self, statement: $crate::rows::Statement) -> $crate::rows::Statement {
                statement$(.bind(self.$column))+
            }
        }
    };
}
pub(crate) use row;

/// The texts of one statement that takes many rows, one for each size of chunk.
pub(crate) struct ManyRows<R> {
    texts: [Arc<str>; CHUNK_ROWS.len()],
    rows: PhantomData<fn(R)>,
}

impl<R: Row> ManyRows<R> {
    /// `insert` names the table, such as `insert into outbox`.
    pub(crate) fn insert(insert: &str) -> Self {
        let columns = R::COLUMNS.join(", ");
        Self::new(&format!("{insert} ({columns}) values"), "")
    }

    /// As [`Self::insert`]; of a row that is there, all columns but those of its key are replaced.
    pub(crate) fn upsert(insert: &str, key: &[&str]) -> Self {
        let replaced = R::COLUMNS.iter().filter(|column| !key.contains(column));
        let replaced: Vec<String> = replaced
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        Self::upsert_by(insert, key, &replaced.join(", "))
    }

    /// As [`Self::insert`]; of a row that is there, `set` says what is replaced.
    pub(crate) fn upsert_by(insert: &str, key: &[&str], set: &str) -> Self {
        let (columns, key) = (R::COLUMNS.join(", "), key.join(", "));
        let tail = format!("on conflict ({key}) do update set {set}");
        Self::new(&format!("{insert} ({columns}) values"), &tail)
    }

    /// `statement` reads the rows from `q`, in which they have the names of the columns.
    pub(crate) fn from_q(statement: &str) -> Self {
        let columns = R::COLUMNS.join(", ");
        Self::new(
            &format!("with q ({columns}) as (values"),
            &format!(") {statement}"),
        )
    }

    fn new(head: &str, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; R::COLUMNS.len()].join(", "));
        let texts = CHUNK_ROWS.map(|count| {
            let rows = vec![row.as_str(); count].join(", ");
            format!("{head} {rows} {tail}").into()
        });
        Self {
            texts,
            rows: PhantomData,
        }
    }

    /// The statement for one row, for tests that read it.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        self.texts.last().map_or("", |text| text)
    }

    /// Runs the statement for all rows and counts those that it changes.
    pub(crate) async fn run(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
    ) -> Result<usize, Fault> {
        let mut changed = 0;
        for statement in self.statements(rows) {
            changed += statement.execute(&mut *connection).await?.rows_affected();
        }
        usize::try_from(changed).map_err(|_| refused("more rows changed than there can be"))
    }

    /// Runs the statement for all rows and gives back what it finds.
    pub(crate) async fn fetch(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
    ) -> Result<Vec<SqliteRow>, Fault> {
        let mut found = Vec::new();
        for statement in self.statements(rows) {
            found.append(&mut statement.fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }

    fn statements(&self, rows: Vec<R>) -> impl Iterator<Item = Statement> {
        let mut rows = rows.into_iter();
        let mut sizes = CHUNK_ROWS.into_iter().zip(&self.texts).peekable();
        std::iter::from_fn(move || {
            while sizes.next_if(|(count, _)| rows.len() < *count).is_some() {}
            let (count, text) = sizes.peek()?;
            let statement = sqlx::query(AssertSqlSafe(Arc::clone(text)));
            let bind = |statement, row: R| row.bind(statement);
            Some(rows.by_ref().take(*count).fold(statement, bind))
        })
    }
}

/// The rows of a statement that takes its keys as one JSON array; none, and no statement, for no keys.
pub(crate) async fn fetch_by_keys<K: Serialize>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    keys: &K,
) -> Result<Vec<SqliteRow>, Fault> {
    let keys = json(keys)?;
    if keys == "[]" {
        return Ok(Vec::new());
    }
    let statement = sqlx::query(statement).bind(keys);
    Ok(statement.fetch_all(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    row! {
        struct Pair {
            name: String,
            count: i64,
        }
    }

    #[test]
    fn a_statement_takes_the_columns_that_the_row_declares() {
        let insert = ManyRows::<Pair>::insert("insert into pairs");
        assert_eq!(
            insert.text(),
            "insert into pairs (name, count) values (?, ?) "
        );
        let upsert = ManyRows::<Pair>::upsert("insert into pairs", &["name"]);
        assert!(
            upsert
                .text()
                .ends_with("(?, ?) on conflict (name) do update set count = excluded.count")
        );
        let update = ManyRows::<Pair>::from_q("update pairs set count = q.count from q");
        assert_eq!(
            update.text(),
            "with q (name, count) as (values (?, ?) ) update pairs set count = q.count from q"
        );
    }
}
