//! Files that another program made: they are left as they are.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};

use crate::error::OpenError;

/// Tables that every file of ours has from its first migration on.
const OURS: [&str; 2] = ["accounts", "directory"];

/// A table of a file that has tables, and not those that every file of ours has: another program made it. Changes nothing.
///
/// # Errors
/// [`OpenError::Open`] when it cannot be read.
pub async fn foreign_table(path: impl AsRef<Path>) -> Result<Option<String>, OpenError> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.map_err(OpenError::Open)?;
    let tables = sqlx::query(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name",
    );
    let tables = tables.fetch_all(&mut connection).await;
    let tables = tables.map_err(OpenError::Open)?;
    connection.close().await.map_err(OpenError::Open)?;
    let mut names = Vec::with_capacity(tables.len());
    for row in &tables {
        names.push(row.try_get::<String, _>("name").map_err(OpenError::Open)?);
    }
    let is_ours = OURS.iter().all(|own| names.iter().any(|name| name == own));
    let mut others = names.into_iter().filter(|name| name != "_sqlx_migrations");
    Ok(others.next().filter(|_| !is_ours))
}
