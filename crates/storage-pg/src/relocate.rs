//! A user moves from one home to another: the only change over two homes, in one transaction.

use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::StoreError;
use quota_core::relocation::Relocation;
use sqlx::postgres::{PgConnection, PgPool};

use crate::error::store_error;
use crate::locked::lock_home;
use crate::outbox::carry_events;
use crate::rows::{json_text, stored_count};
use crate::write_columns::OperationColumns;

const LEAVE: &str = "delete from accounts a where a.home = $1 and a.shard = $3 and a.account = $2";
const SET_VERSION: &str =
    "update accounts a set version = $2 where a.home = $1 and a.shard = $3 and a.account = $1";
const ENTER: &str = "\
insert into accounts (home, account, version, due_at, life, terms, books, shard)
values ($1, $2, $3, $4, $5, $6, $7, $8)";
const SET_HOME: &str = "\
insert into directory (account, home) values ($1, $2)
on conflict (account) do update set home = excluded.home, life = directory.life + $3
returning life";
/// The life of a home: that of its guard; of a home that has ceased, the one it had.
const LIFE: &str = "\
select coalesce(
    (select a.life from accounts a where a.home = $1 and a.shard = $2 and a.account = $1),
    (select d.life from directory d where d.account = $1), 1)";
const BOOK: &str = "\
insert into operations
    (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
select o.home, $14, o.account, o.id, o.sequence, $13, o.at, o.kind, o.key, o.body_hash, o.refers_to,
    o.entries, o.answer, o.origin
from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::text[],
        $7::text[], $8::bytea[], $9::uuid[], $10::text[], $11::text[], $12::text[])
    as o (home, account, id, sequence, at, kind, key, body_hash, refers_to, entries, answer, origin)";

/// See [`quota_core::ports::Directory::relocate`].
pub(crate) async fn relocate(pool: PgPool, moved: Relocation) -> Result<bool, StoreError> {
    let becomes_home = moved.to.0 == moved.user;
    if moved.from.0 == moved.to.0 || becomes_home != (moved.to.1 == 0) {
        return Err(StoreError::Refused {
            what: format!("`{}` cannot move to `{}`", moved.user, moved.to.0),
        });
    }
    let mut transaction = pool.begin().await.map_err(store_error)?;
    if !are_unchanged(&mut transaction, &moved).await? {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    }
    book(&mut transaction, &moved.from.0, &moved.left).await?;
    if !leave(&mut transaction, &moved).await? {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    }
    enter(&mut transaction, &moved).await?;
    book(&mut transaction, &moved.to.0, &moved.joined).await?;
    carry_events(&mut transaction, &moved.from.0, &moved.event).await?;
    transaction.commit().await.map_err(store_error)?;
    Ok(true)
}

/// Takes both homes, the lower id first as everybody does, and looks at their versions.
async fn are_unchanged(
    connection: &mut PgConnection,
    moved: &Relocation,
) -> Result<bool, StoreError> {
    let mut homes = [&moved.from, &moved.to];
    homes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (home, version) in homes {
        let expected = stored_count(*version)?;
        let found = lock_home(connection, home).await?;
        if found.unwrap_or(0) != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes the user out of its home; `false` when it is not there.
async fn leave(connection: &mut PgConnection, moved: &Relocation) -> Result<bool, StoreError> {
    let left = sqlx::query(LEAVE)
        .bind(moved.from.0.as_str())
        .bind(moved.user.as_str())
        .bind(i16::from(moved.from.0.shard()))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if moved.from.0 != moved.user {
        set_version(connection, &moved.from.0, moved.left.sequence).await?;
    }
    Ok(left.rows_affected() == 1)
}

async fn enter(connection: &mut PgConnection, moved: &Relocation) -> Result<(), StoreError> {
    let Account { terms, books } = &moved.account;
    let own = moved.to.0 == moved.user;
    let version = if own { moved.joined.sequence } else { 0 };
    let life: i32 = sqlx::query_scalar(SET_HOME)
        .bind(moved.user.as_str())
        .bind(moved.to.0.as_str())
        .bind(i32::from(own))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(ENTER)
        .bind(moved.to.0.as_str())
        .bind(moved.user.as_str())
        .bind(stored_count(version)?)
        .bind(moved.due_at)
        .bind(if own { life } else { 1 })
        .bind(json_text(terms)?)
        .bind(json_text(books)?)
        .bind(i16::from(moved.to.0.shard()))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if own {
        return Ok(());
    }
    set_version(connection, &moved.to.0, moved.joined.sequence).await
}

async fn set_version(
    connection: &mut PgConnection,
    home: &AccountId,
    version: u64,
) -> Result<(), StoreError> {
    sqlx::query(SET_VERSION)
        .bind(home.as_str())
        .bind(stored_count(version)?)
        .bind(i16::from(home.shard()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}

async fn book(
    connection: &mut PgConnection,
    home: &AccountId,
    operation: &Operation,
) -> Result<(), StoreError> {
    let mut row = OperationColumns::default();
    row.push((home, 1), operation)?;
    let life: i32 = sqlx::query_scalar(LIFE)
        .bind(home.as_str())
        .bind(i16::from(home.shard()))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(BOOK)
        .bind(row.home)
        .bind(row.account)
        .bind(row.id)
        .bind(row.sequence)
        .bind(row.at)
        .bind(row.kind)
        .bind(row.key)
        .bind(row.body_hash)
        .bind(row.refers_to)
        .bind(row.entries)
        .bind(row.answer)
        .bind(row.origin)
        .bind(life)
        .bind(i16::from(home.shard()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}
