//! The table `accounts`: a row for each account; the row of the home's own account guards the home.

use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::ports::{AccountRow, AccountWrite, HomeWrite, StoreError};
use sqlx::postgres::PgRow;

use crate::columns::{Bound, columns};
use crate::row_kind::{RowKind, arm};
use crate::values::{Instant, Reading, json_text, stored_count};

columns! {
    /// The guards, each with the home's own account where that changed. A home is known by its place in the statement,
    /// from 1 on.
    pub(crate) struct HomeColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        shard: i16 => "smallint",
        expected_version: i64 => "bigint",
        new_version: i64 => "bigint",
        hold_before: Option<Instant> => "timestamptz",
        terms: Option<String> => "text",
        books: Option<String> => "text",
        due_at: Option<Instant> => "timestamptz",
    }
}

columns! {
    /// Accounts that are not their home's own and whose terms stay.
    pub(crate) struct ChargedColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        account: &'b str => "text",
        due_at: Option<Instant> => "timestamptz",
        books: String => "text",
    }
}

columns! {
    /// Accounts that are not their home's own, new or with changed terms.
    pub(crate) struct JoinedColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        account: &'b str => "text",
        due_at: Option<Instant> => "timestamptz",
        terms: String => "text",
        books: String => "text",
    }
}

impl<'b> HomeColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (write, place): (&'b HomeWrite, i32),
        own: Option<&AccountWrite>,
    ) -> Result<(), StoreError> {
        let changed = own.filter(|own| own.has_new_terms);
        let terms = changed.map(|own| json_text(&own.account.terms));
        let books = own.map(|own| json_text(&own.account.books));
        self.place.push(place);
        self.home.push(write.home.as_str());
        self.shard.push(write.home.shard().into());
        self.expected_version
            .push(stored_count(write.expected_version)?);
        self.new_version.push(stored_count(write.new_version)?);
        self.hold_before.push(write.hold_before);
        self.terms.push(terms.transpose()?);
        self.books.push(books.transpose()?);
        self.due_at.push(own.and_then(|own| own.due_at));
        Ok(())
    }
}

impl<'b> ChargedColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        member: &'b AccountWrite,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(member.id.as_str());
        self.due_at.push(member.due_at);
        self.books.push(json_text(&member.account.books)?);
        Ok(())
    }
}

impl<'b> JoinedColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        member: &'b AccountWrite,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(member.id.as_str());
        self.due_at.push(member.due_at);
        self.terms.push(json_text(&member.account.terms)?);
        self.books.push(json_text(&member.account.books)?);
        Ok(())
    }
}

/// Homes that still are as they were loaded. A home's own account is written together with its version: no row may be
/// written twice in one statement.
pub(crate) const MOVED: &str = "moved as (
    update accounts a
    set version = f.new_version, hold_before = f.hold_before,
        terms = coalesce(f.terms, a.terms), books = coalesce(f.books, a.books),
        due_at = case when f.books is null then a.due_at else f.due_at end
    from fresh f
    where a.home = f.home and a.shard = $shard and a.account = f.home and a.version = f.expected_version and f.expected_version > 0
    returning f.place, a.life
)";

/// Homes that are new. A new user enters the directory first, so that it cannot come to be in two homes.
pub(crate) const MADE: &str = "entered as (
    insert into directory (account, home)
    select f.home, f.home from fresh f where f.expected_version = 0 and f.home like 'user:%'
    on conflict (account) do nothing
    returning home
), made as (
    insert into accounts (home, shard, account, version, hold_before, due_at, life, terms, books)
    select f.home, f.shard, f.home, f.new_version, f.hold_before, f.due_at,
        coalesce((select d.life from directory d where d.account = f.home), 1), f.terms, f.books
    from fresh f
    where f.expected_version = 0 and (
        f.home not like 'user:%'
        or f.home in (select e.home from entered e)
        or exists (select 1 from directory d where d.account = f.home and d.home = f.home))
    on conflict (home, account, shard) do nothing
    returning home, life
), there as (
    select m.place, m.life from moved m
    union all
    select f.place, m.life from made m join fresh f on f.home = m.home
)";

/// The books of accounts that are not their home's own.
pub(crate) fn charged(columns: Bound, has_passed: &str) -> String {
    let rows = columns.rows();
    format!(
        "charged as (
    update accounts a set due_at = m.due_at, books = m.books
    from ({rows}) m
    where {has_passed} and a.home = m.home and a.shard = $shard and a.account = m.account
)"
    )
}

/// Accounts that are not their home's own, new or with changed terms; `shards` are those of the homes by place.
pub(crate) fn joined(columns: Bound, has_passed: &str, shards: &str) -> String {
    let rows = columns.rows();
    format!(
        "joined as (
    insert into accounts (home, shard, account, version, due_at, terms, books)
    select m.home, {shards}[m.place], m.account, 0, m.due_at, m.terms, m.books
    from ({rows}) m
    where {has_passed}
    on conflict (home, account, shard) do update
    set due_at = excluded.due_at, terms = excluded.terms, books = excluded.books
)"
    )
}

/// The accounts asked for, each home's own among them.
pub(crate) const FOUND: &str = "found as materialized (
    select a.home, a.account, a.life, a.version, a.hold_before, a.terms, a.books
    from unnest($1::text[], $2::text[]) as q (home, account)
    join accounts a on a.home = q.home and a.shard = $shard and a.account = q.account
)";

/// The accounts found; of a home in which a hold is over, the next deadline is looked up.
pub(crate) fn found_rows() -> String {
    let hold_before = "case when f.hold_before <= $3 then (
        select min(o.expires_at) from (
            select r.expires_at from reservations r
            where r.home = f.home and r.shard = $shard and r.state = 'open' and r.expires_at > $3 offset 0
        ) o
    ) else f.hold_before end";
    account_rows("f", hold_before, "found f")
}

/// The accounts of the reservations that are due.
pub(crate) fn holder_rows() -> String {
    let from = "(select distinct d.home, d.account from due d where d.account <> d.home) d
join accounts a on a.home = d.home and a.shard = $shard and a.account = d.account";
    account_rows("a", "null::timestamptz", from)
}

fn account_rows(row: &str, hold_before: &str, from: &str) -> String {
    let of = |column: &str| format!("{row}.{column}");
    let columns = [
        ("home", of("home")),
        ("account", of("account")),
        ("number", of("version")),
        ("at", hold_before.to_owned()),
        ("document", of("terms")),
        ("books", of("books")),
    ];
    arm(RowKind::Account, &columns, from)
}

/// All accounts of a home.
pub(crate) const OF_HOME: &str = "\
select a.home, a.account, a.version, a.life, a.hold_before, a.terms, a.books
from accounts a where a.home = $1 and a.shard = $2 order by a.account";
/// A page of accounts.
pub(crate) const PAGE: &str = "\
select a.home, a.account, a.terms, a.books
from accounts a
where a.account > $1 and a.account >= $2 and a.account < $3
    and ($4::timestamptz is null or a.due_at <= $4)
order by a.account limit $5";
/// A page of the members of an org.
pub(crate) const PAGE_OF_ORG: &str = "\
select a.home, a.account, a.terms, a.books
from accounts a
where a.home = $6 and a.shard = $7 and a.account <> $6 and a.account > $1 and a.account >= $2 and a.account < $3
    and ($4::timestamptz is null or a.due_at <= $4)
order by a.account limit $5";
/// Homes by name, after one.
pub(crate) const HOMES: &str = "\
select a.home from accounts a
where a.home > $1 and a.account = a.home
order by a.home limit $2";
/// Takes the guard of a home.
pub(crate) const LOCK: &str = "select a.version from accounts a where a.home = $1 and a.shard = $2 and a.account = $1 for update";
/// Takes an account out of its home.
pub(crate) const REMOVE: &str =
    "delete from accounts a where a.home = $1 and a.shard = $3 and a.account = $2";
/// Moves a home on.
pub(crate) const SET_VERSION: &str =
    "update accounts a set version = $2 where a.home = $1 and a.shard = $3 and a.account = $1";
/// Puts an account into a home.
pub(crate) const ENTER: &str = "\
insert into accounts (home, account, version, due_at, life, terms, books, shard)
values ($1, $2, $3, $4, $5, $6, $7, $8)";
/// The life of a home: that of its guard; of a home that has ceased, the one it had.
pub(crate) const LIFE: &str = "\
select coalesce(
    (select a.life from accounts a where a.home = $1 and a.shard = $2 and a.account = $1),
    (select d.life from directory d where d.account = $1), 1)";

/// An account from a row, its terms in the column that is named.
pub(crate) fn read(row: &PgRow, terms: &str) -> Result<AccountRow, StoreError> {
    let key: &str = Reading::new(row, "accounts", "?").get("account")?;
    let reading = Reading::new(row, "accounts", key);
    Ok(AccountRow {
        home: reading.account_id("home")?,
        id: reading.account_id("account")?,
        account: Account {
            terms: reading.json(terms)?,
            books: reading.json("books")?,
        },
    })
}
