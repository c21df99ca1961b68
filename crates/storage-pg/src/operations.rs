//! The table `operations`: the ledger, which is only appended to.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveTime, TimeDelta};
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::{Operation, ReadEntries, WrittenEntries};
use quota_core::origin::Origin;
use quota_core::ports::StoreError;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use crate::accounts;
use crate::columns::{Bound, Columns, Parameters, columns};
use crate::error::store_error;
use crate::row_kind::{RowKind, arm};
use crate::values::{Instant, Reading, json_text, stored_count};

columns! {
    /// New operations.
    pub(crate) struct OperationColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        account: &'b str => "text",
        id: Uuid => "uuid",
        sequence: i64 => "bigint",
        at: Instant => "timestamptz",
        kind: &'static str => "text",
        key: Option<&'b str> => "text",
        body_hash: &'b [u8] => "bytea",
        refers_to: Option<Uuid> => "uuid",
        entries: String => "text",
        answer: String => "text",
        origin: Option<String> => "text",
    }
}

columns! {
    /// Keys that were not looked for at load.
    pub(crate) struct KeyColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        account: &'b str => "text",
        key: &'b str => "text",
    }
}

impl<'b> OperationColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        operation: &'b Operation,
    ) -> Result<(), StoreError> {
        let origin = (operation.origin != Origin::default()).then(|| json_text(&operation.origin));
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(operation.account.as_str());
        self.id.push(operation.id);
        self.sequence.push(stored_count(operation.sequence)?);
        self.at.push(operation.at);
        self.kind.push(operation.kind.as_str());
        self.key
            .push(operation.key.as_ref().map(IdempotencyKey::as_str));
        self.body_hash.push(&operation.body_hash);
        self.refers_to.push(operation.refers_to);
        self.entries
            .push(json_text(&WrittenEntries::of(operation, home))?);
        self.answer.push(json_text(&operation.answer)?);
        self.origin.push(origin.transpose()?);
        Ok(())
    }
}

/// Appends them, with the shard and the life of their home.
fn insert(columns: Bound, (shard, life): (&str, &str), passing: &str) -> String {
    let left_out = ["place"];
    let (names, rows) = (columns.names("", &left_out), columns.rows());
    let values = columns.names("o", &left_out);
    format!(
        "insert into operations (shard, life, {names})
    select {shard}, {life}, {values}
    from ({rows}) o{passing}"
    )
}

/// The operations of the homes that passed.
pub(crate) fn booked(columns: Bound, has_passed: &str, shards: &str) -> String {
    let life = "((select p.lives from passed p)::integer[])[
            case when (select p.every from passed p) then o.place
            else array_position((select p.places from passed p), o.place) end]";
    let shard = format!("{shards}[o.place]");
    let passing = format!("\n    where {has_passed}");
    let insert = insert(columns, (&shard, life), &passing);
    format!("booked as (\n    {insert}\n)")
}

/// Places of the homes in which an operation carries one of the keys.
pub(crate) fn with_keys(columns: Bound, within: &str) -> String {
    let rows = columns.rows();
    format!(
        "select k.place
            from ({rows}) k
            cross join lateral (
                select from operations o
                where o.home = k.home and o.shard = $shard and o.account = k.account and o.key = k.key
                    and o.at >= ({within}::timestamptz[])[1] and o.at < ({within}::timestamptz[])[2] offset 0
            ) o"
    )
}

static BOOK: LazyLock<String> = LazyLock::new(|| {
    let mut parameters = Parameters::default();
    let columns = parameters.columns::<OperationColumns<'_>>();
    let (shard, life) = (parameters.value(), parameters.value());
    let shard = format!("{shard}::smallint");
    insert(columns, (&shard, &format!("{life}::integer")), "")
});

/// Appends one operation to the ledger of a home, in the life that the home is in.
pub(crate) async fn book(
    connection: &mut PgConnection,
    home: &AccountId,
    operation: &Operation,
) -> Result<(), StoreError> {
    let mut row = OperationColumns::default();
    row.push((home, 1), operation)?;
    let shard = i16::from(home.shard());
    let life: i32 = sqlx::query_scalar(accounts::LIFE)
        .bind(home.as_str())
        .bind(shard)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let statement = row.bind(sqlx::query(BOOK.as_str()));
    let booked = statement.bind(shard).bind(life).execute(connection);
    booked.await.map(drop).map_err(store_error)
}

/// The columns that an operation is read from.
macro_rules! read_columns {
    () => {
        "o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer,
        o.origin"
    };
}

/// Operations of a span of time that sold on demand, or gave back: their entries name such a balance.
pub(crate) const SOLD: &str = concat!(
    "select ",
    read_columns!(),
    "
from operations o where o.at >= $1 and o.at < $2 and strpos(o.entries, '\"ondemand:') > 0
order by o.at limit $3"
);

fn operation_rows(kind: RowKind, row: &str, from: &str) -> String {
    let of = |column: &str| format!("{row}.{column}");
    let columns = [
        ("home", of("home")),
        ("account", of("account")),
        ("number", of("sequence")),
        ("at", of("at")),
        ("id", of("id")),
        ("kind", of("kind")),
        ("key", of("key")),
        ("body_hash", of("body_hash")),
        ("refers_to", of("refers_to")),
        ("document", of("entries")),
        ("answer", of("answer")),
        ("origin", of("origin")),
    ];
    arm(kind, &columns, from)
}

/// Earlier operations with the keys asked for.
pub(crate) fn earlier_rows() -> String {
    let from = concat!(
        "unnest($4::text[], $5::text[], $6::text[]) as k (home, account, key)
cross join lateral (
    select ",
        read_columns!(),
        "
    from operations o
    where o.home = k.home and o.shard = $shard and o.account = k.account and o.key = k.key
        and o.at >= ($7::timestamptz[])[1] and o.at < ($7::timestamptz[])[2] offset 0
) o"
    );
    operation_rows(RowKind::Earlier, "o", from)
}

/// The operations that are referred to, of any life of their home: lives are counted from 1, and mostly there is one. An id
/// ends with the place in the home's history: its last 40 bits.
pub(crate) const REFERRED: &str = concat!(
    "wanted as materialized (
    select n.home, n.id, ('x' || right(replace(n.id::text, '-', ''), 10))::bit(40)::bigint as sequence,
        array(select generate_series(1, coalesce(
            (select f.life from found f where f.home = n.home and f.account = n.home),
            (select d.life from directory d where d.account = n.home), 1))) as lives
    from named n
), referred as materialized (
    select ",
    read_columns!(),
    "
    from wanted w
    cross join lateral unnest(w.lives) as l (life)
    cross join lateral (
        select ",
    read_columns!(),
    "
        from operations o
        where o.home = w.home and o.shard = $shard and o.life = l.life and o.sequence = w.sequence offset 0
    ) o
    where o.id = w.id
)"
);

/// Those operations.
pub(crate) fn referred_rows() -> String {
    operation_rows(RowKind::Referred, "r", "referred r")
}

/// Their refunds.
pub(crate) fn refund_rows() -> String {
    let from = concat!(
        "wanted w
cross join lateral (
    select ",
        read_columns!(),
        "
    from operations o
    where o.home = w.home and o.shard = $shard and o.refers_to = w.id and o.kind = 'refund' offset 0
) o"
    );
    operation_rows(RowKind::Refund, "o", from)
}

/// A page of the ledger of an account, newest first. Sequences go on counting from one life of a home to the next.
pub(crate) const PAGE: &str = concat!(
    "select ",
    read_columns!(),
    " from operations o
where o.home = $1 and o.shard = $4 and o.account = $5 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3"
);
/// A page of the ledger of a home.
pub(crate) const PAGE_OF_HOME: &str = concat!(
    "select ",
    read_columns!(),
    " from operations o
where o.home = $1 and o.shard = $4 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3"
);
/// Operations of one life of a home after a sequence.
pub(crate) const OF_LIFE: &str = concat!(
    "select ",
    read_columns!(),
    " from operations o
where o.home = $1 and o.shard = $2 and o.life = $3 and o.sequence > $4
order by o.sequence limit $5"
);
/// Ids of what was refunded in one life of a home.
pub(crate) const REFUNDED: &str = "\
select distinct o.refers_to from operations o
where o.home = $1 and o.shard = $2 and o.life = $3 and o.kind = 'refund' and o.refers_to is not null";

/// The operation of a row; sequence and entries may be in columns with other names.
pub(crate) fn read(row: &PgRow, sequence: &str, entries: &str) -> Result<Operation, StoreError> {
    let id: Uuid = Reading::new(row, "operations", "?").get("id")?;
    let reading = Reading::new(row, "operations", id.to_string());
    let key: Option<&str> = reading.get("key")?;
    let key = key.map(IdempotencyKey::new).transpose();
    let origin: Option<&str> = reading.get("origin")?;
    let origin: Option<Origin> = origin
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| reading.bad(error))?;
    let account = reading.account_id("account")?;
    let read: ReadEntries = reading.json(entries)?;
    let entries = read.of(&account, &reading.account_id("home")?);
    Ok(Operation {
        id,
        account,
        sequence: reading.count(sequence)?,
        at: reading.get::<Instant>("at")?,
        kind: reading.name("kind")?,
        key: key.map_err(|error| reading.bad(error))?,
        body_hash: reading.hash("body_hash")?,
        refers_to: reading.get("refers_to")?,
        entries,
        answer: reading.json("answer")?,
        origin: origin.unwrap_or_default(),
    })
}

/// Where a key is looked for: from the beginning of a month, since keys are unique within one, to a day from now, since
/// clocks differ. What lies ahead of that is not even opened.
pub(crate) fn keys_within(since: Instant, now: Instant) -> [Instant; 2] {
    [month_of(since), now + TimeDelta::days(1)]
}

/// The same without the month of `operations`, in which the index finds a key that is taken. None where more than one
/// month may hold such a key: when they are of several, or a month ends within a day.
pub(crate) fn keys_before_month<'o>(
    since: Instant,
    operations: impl Iterator<Item = &'o Operation> + Clone,
) -> Option<[Instant; 2]> {
    let times = operations.map(|operation| operation.at);
    let month = month_of(times.clone().min()?);
    let [since, until] = keys_within(since, times.max()?);
    (month_of(until) == month).then_some([since, month])
}

/// The beginning of the month that holds `moment`.
fn month_of(moment: Instant) -> Instant {
    let first_day = moment.date_naive().with_day(1);
    first_day.map_or(moment, |day| day.and_time(NaiveTime::MIN).and_utc())
}
