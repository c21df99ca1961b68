//! Rows of the ledger.

use std::sync::LazyLock;

use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::origin::Origin;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::Fault;
use crate::rows::ManyRows;
use crate::values::{Reading, counter, json, micros, name};

/// The columns that an operation is read from, then its home.
macro_rules! operation_columns {
    () => {
        "o.id, o.sequence, o.account, o.at, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, \
         o.origin, o.home"
    };
}
pub(crate) use operation_columns;

/// An operation with all that has to be encoded.
pub(crate) struct OperationRow {
    id: Uuid,
    home: AccountId,
    pub(crate) era: i64,
    sequence: i64,
    account: AccountId,
    at: i64,
    kind: String,
    key: Option<String>,
    body_hash: [u8; 32],
    refers_to: Option<Uuid>,
    entries: String,
    answer: String,
    /// None when nothing is known of it.
    origin: Option<String>,
}

impl OperationRow {
    /// The row of an operation in `home`; its era is still to be set.
    pub(crate) fn new(home: &AccountId, operation: &Operation) -> Result<Self, Fault> {
        Ok(Self {
            id: operation.id,
            home: home.clone(),
            era: 0,
            sequence: counter(operation.sequence)?,
            account: operation.account.clone(),
            at: micros(operation.at),
            kind: name(&operation.kind)?,
            key: operation.key.as_ref().map(|key| key.as_str().to_owned()),
            body_hash: operation.body_hash,
            refers_to: operation.refers_to,
            entries: json(&operation.entries)?,
            answer: json(&operation.answer)?,
            origin: known_origin(&operation.origin)?,
        })
    }
}

fn known_origin(origin: &Origin) -> Result<Option<String>, Fault> {
    let is_known = *origin != Origin::default();
    is_known.then(|| json(origin)).transpose()
}

/// Appends operations to the ledger. A row that is refused ends the transaction: to undo only its statement, SQLite
/// would copy every page before it changes.
pub(crate) async fn insert_operations(
    connection: &mut SqliteConnection,
    rows: Vec<OperationRow>,
) -> Result<(), Fault> {
    static INSERT: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "insert or rollback into operations (id, home, era, sequence, account, at, kind, key, body_hash, \
                    refers_to, entries, answer, origin) values";
        ManyRows::new(head, 13, "")
    });
    let bind = |statement: crate::rows::Statement, row: OperationRow| {
        statement
            .bind(row.id)
            .bind(row.home.as_str())
            .bind(row.era)
            .bind(row.sequence)
            .bind(row.account.as_str())
            .bind(row.at)
            .bind(row.kind)
            .bind(row.key)
            .bind(row.body_hash.as_slice())
            .bind(row.refers_to)
            .bind(row.entries)
            .bind(row.answer)
            .bind(row.origin)
    };
    INSERT.run(connection, rows, bind).await?;
    Ok(())
}

/// An operation and the home it was booked in.
pub(crate) fn read_operation(row: &SqliteRow) -> Result<(AccountId, Operation), Fault> {
    let id: Uuid = Reading::new(row, "operations", "").raw(0)?;
    let row = Reading::new(row, "operations", id);
    let operation = Operation {
        id,
        sequence: row.counter(1)?,
        account: row.text(2)?,
        at: row.instant(3)?,
        kind: row.text(4)?,
        key: row.optional_text(5)?,
        body_hash: row.hash(6)?,
        refers_to: row.raw(7)?,
        entries: row.json(8)?,
        answer: row.json(9)?,
        origin: row.optional_json(10)?.unwrap_or_default(),
    };
    Ok((row.text(11)?, operation))
}
