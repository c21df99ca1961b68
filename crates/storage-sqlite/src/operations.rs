//! The table `operations`: the ledger, which is only appended to.

use std::sync::LazyLock;

use quota_core::ids::AccountId;
use quota_core::operation::{Operation, ReadEntries, WrittenEntries};
use quota_core::origin::Origin;
use quota_core::ports::KeyQuery;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::Fault;
use crate::rows::{ManyRows, row};
use crate::values::{Reading, counter, home_in, json, micros, name};

/// The columns that an operation is read from, and its home.
macro_rules! columns {
    () => {
        "o.id, o.home, o.sequence, o.account, o.at, o.kind, o.key, o.body_hash, o.refers_to, o.entries, \
         o.answer, o.origin"
    };
}

/// Operations by home, id and sequence, in JSON, of any life of their home: lives are counted from 1, and mostly there is one.
pub(crate) const LOAD: &str = concat!(
    "with recursive wanted (home, id, sequence, life) as ( \
         select q.value ->> 0, unhex(q.value ->> 1), q.value ->> 2, \
             (select max(l.life) from operations as l where l.home = q.value ->> 0) \
         from json_each(?1) as q \
         union all \
         select w.home, w.id, w.sequence, w.life - 1 from wanted as w where w.life > 1) \
     select ",
    columns!(),
    " from wanted as w cross join operations as o on o.home = w.home and o.life = w.life \
     and o.sequence = w.sequence and o.id = w.id"
);

/// Refunds of operations, by home and id, in JSON.
pub(crate) const REFUNDS: &str = concat!(
    "select ",
    columns!(),
    " from json_each(?1) as q cross join operations as o on o.home = q.value ->> 0 \
     and o.refers_to = unhex(q.value ->> 1) where o.kind = 'refund' order by o.life, o.sequence"
);

/// Operations with keys, by home, account as the index has it, and key, in JSON.
pub(crate) const EARLIER: &str = concat!(
    "select ",
    columns!(),
    " from json_each(?1) as q cross join operations as o on o.home = q.value ->> 0 \
     and iif(o.account = o.home, '', o.account) = q.value ->> 1 and o.key = q.value ->> 2"
);

/// A page of the ledger, newest first.
pub(crate) const PAGE: &str = concat!(
    "select ",
    columns!(),
    " from operations as o where o.home = ?1 and (?2 is null or o.account = ?2) \
     and o.sequence < ?3 order by o.life desc, o.sequence desc limit ?4"
);

/// Operations of one life of a home after a sequence.
pub(crate) const OF_LIFE: &str = concat!(
    "select ",
    columns!(),
    " from operations as o where o.home = ?1 and o.life = ?2 and o.sequence > ?3 \
     order by o.sequence limit ?4"
);

/// Operations that sold on demand, or gave back, by rowid: nothing is ever removed, so that what is written later has a greater one.
pub(crate) const SOLD: &str = concat!(
    "select ",
    columns!(),
    " from operations as o where o.rowid > ?1 and o.rowid <= ?2 and instr(o.entries, '\"ondemand:') > 0 order by o.rowid"
);

/// The rowid of what was written last.
pub(crate) const LAST: &str = "select coalesce(max(rowid), 0) as last from operations";

/// Ids of what was refunded in one life of a home.
pub(crate) const REFUNDED: &str = "select distinct refers_to from operations \
     where home = ?1 and life = ?2 and kind = 'refund' and refers_to is not null";

/// The life that a home begins next.
pub(crate) const NEXT_LIFE: &str =
    "select 1 + coalesce(max(life), 0) from operations where home = ?1";

/// The lives that homes begin next, in JSON; not of accounts that live elsewhere.
pub(crate) const NEXT_LIVES: &str = "select q.value as home, \
     1 + coalesce((select max(o.life) from operations as o where o.home = q.value), 0) as life \
     from json_each(?1) as q where not exists \
     (select 1 from directory as d where d.account = q.value and d.home <> q.value)";

row! {
    /// An operation, with every value encoded.
    pub(crate) struct OperationRow {
        id: Uuid,
        home: String,
        /// Still to be set: the home's guard knows it.
        life: i64,
        sequence: i64,
        account: String,
        at: i64,
        kind: String,
        key: Option<String>,
        body_hash: Vec<u8>,
        refers_to: Option<Uuid>,
        entries: String,
        answer: String,
        /// None when nothing is known of it.
        origin: Option<String>,
    }
}

impl OperationRow {
    /// The row of an operation in `home`.
    pub(crate) fn new(home: &AccountId, operation: &Operation) -> Result<Self, Fault> {
        Ok(Self {
            id: operation.id,
            home: home.as_str().to_owned(),
            life: 0,
            sequence: counter(operation.sequence)?,
            account: operation.account.as_str().to_owned(),
            at: micros(operation.at),
            kind: name(&operation.kind)?,
            key: operation.key.as_ref().map(|key| key.as_str().to_owned()),
            body_hash: operation.body_hash.to_vec(),
            refers_to: operation.refers_to,
            entries: json(&WrittenEntries::of(operation, home))?,
            answer: json(&operation.answer)?,
            origin: known_origin(&operation.origin)?,
        })
    }
}

fn known_origin(origin: &Origin) -> Result<Option<String>, Fault> {
    let is_known = *origin != Origin::default();
    is_known.then(|| json(origin)).transpose()
}

/// A row that is refused ends the transaction: to undo only its statement, SQLite would copy every page before it
/// changes.
static INSERT: LazyLock<ManyRows<OperationRow>> =
    LazyLock::new(|| ManyRows::insert("insert or rollback into operations"));

/// Appends operations.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    rows: Vec<OperationRow>,
) -> Result<(), Fault> {
    INSERT.run(connection, rows).await?;
    Ok(())
}

/// An operation and the home that it was booked in.
pub(crate) fn read(row: &SqliteRow) -> Result<(AccountId, Operation), Fault> {
    let id: Uuid = Reading::new(row, "operations", "").raw("id")?;
    let row = Reading::new(row, "operations", id);
    let (home, account): (AccountId, AccountId) = (row.text("home")?, row.text("account")?);
    let entries: ReadEntries = row.json("entries")?;
    let operation = Operation {
        id,
        sequence: row.counter("sequence")?,
        entries: entries.of(&account, &home),
        account,
        at: row.instant("at")?,
        kind: row.text("kind")?,
        key: row.optional_text("key")?,
        body_hash: row.hash("body_hash")?,
        refers_to: row.raw("refers_to")?,
        answer: row.json("answer")?,
        origin: row.optional_json("origin")?.unwrap_or_default(),
    };
    Ok((home, operation))
}

row! {
    /// A key of an account, as the index has it.
    pub(crate) struct KeyRow {
        home: String,
        account: String,
        key: String,
    }
}

impl KeyRow {
    /// The row of a key in `home`.
    pub(crate) fn new(home: &AccountId, wanted: &KeyQuery) -> Self {
        Self {
            home: home.as_str().to_owned(),
            account: other_than(home, wanted).to_owned(),
            key: wanted.key.as_str().to_owned(),
        }
    }
}

static TAKEN: LazyLock<ManyRows<KeyRow>> = LazyLock::new(|| {
    ManyRows::from_q(
        "select o.home from q cross join operations as o on o.home = q.home \
         and iif(o.account = o.home, '', o.account) = q.account and o.key = q.key",
    )
});

/// Those of the homes in which an operation carries one of the keys.
pub(crate) async fn homes_with_keys(
    connection: &mut SqliteConnection,
    keys: Vec<KeyRow>,
) -> Result<Vec<AccountId>, Fault> {
    let found = TAKEN.fetch(connection, keys).await?;
    found.iter().map(|row| home_in(row, "operations")).collect()
}

/// The account of a key as the index has it: nothing for the home's own.
pub(crate) fn other_than<'a>(home: &AccountId, wanted: &'a KeyQuery) -> &'a str {
    if wanted.account == *home {
        ""
    } else {
        wanted.account.as_str()
    }
}
