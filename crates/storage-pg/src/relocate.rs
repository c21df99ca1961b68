//! A user moves from one home to another: the only change over two homes, in one transaction.

use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use quota_core::relocation::Relocation;
use sqlx::postgres::{PgConnection, PgExecutor, PgPool};

use crate::accounts;
use crate::closed_balances;
use crate::error::store_error;
use crate::locked::lock_home;
use crate::operations::book;
use crate::outbox::{append, carry_events};
use crate::statements::Layout;
use crate::values::{json_text, stored_count};

const SET_ORG: &str = "\
update accounts a set terms = $2, books = $3 where a.home = $1 and a.shard = $4 and a.account = $1";
const SET_HOME: &str = "\
insert into directory (account, home) values ($1, $2)
on conflict (account) do update set home = excluded.home, life = directory.life + $3
returning life";

/// On Citus a commit over two servers is not seen on both at one instant, and the user would be found in neither home. Who
/// looks for it in the directory waits by this lock until the commit is complete: an advisory lock outlives it.
const TAKE_USER: &str = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
const WAIT_FOR_USER: &str = "select pg_advisory_xact_lock_shared(hashtextextended($1, 0))";

/// Waits while the user is being moved, where a move may be half seen.
pub(crate) async fn wait_for_move(
    pool: &PgPool,
    layout: Layout,
    user: &AccountId,
) -> Result<(), StoreError> {
    match layout {
        Layout::Whole => Ok(()),
        Layout::Distributed => run_lock(pool, WAIT_FOR_USER, user).await,
    }
}

async fn run_lock(
    executor: impl PgExecutor<'_>,
    lock: &'static str,
    user: &AccountId,
) -> Result<(), StoreError> {
    let taken = sqlx::query(lock).bind(user.as_str()).execute(executor);
    taken.await.map(drop).map_err(store_error)
}

/// See [`quota_core::ports::Directory::relocate`].
pub(crate) async fn relocate(
    (pool, layout): (PgPool, Layout),
    moved: Relocation,
) -> Result<bool, StoreError> {
    let becomes_home = moved.to.0 == moved.user;
    if moved.from.0 == moved.to.0 || becomes_home != (moved.to.1 == 0) {
        return Err(StoreError::Refused {
            what: format!("`{}` cannot move to `{}`", moved.user, moved.to.0),
        });
    }
    let mut transaction = pool.begin().await.map_err(store_error)?;
    match layout {
        Layout::Whole => {}
        Layout::Distributed => run_lock(&mut *transaction, TAKE_USER, &moved.user).await?,
    }
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
    for event in &moved.org_events {
        // One by one: each lies in the shard of its org.
        append(&mut transaction, (&[], event), vec![None]).await?;
    }
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
    let left = sqlx::query(accounts::REMOVE)
        .bind(moved.from.0.as_str())
        .bind(moved.user.as_str())
        .bind(i16::from(moved.from.0.shard()))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if moved.from.0 != moved.user {
        set_version(connection, &moved.from.0, moved.left.sequence).await?;
    }
    if let Some(org) = &moved.left_org {
        set_org(connection, &moved.from.0, org).await?;
    }
    for closed in &moved.closed {
        closed_balances::set(connection, &moved.from.0, closed).await?;
    }
    Ok(left.rows_affected() == 1)
}

/// Writes the org whose home it is.
async fn set_org(
    connection: &mut PgConnection,
    home: &AccountId,
    org: &Account,
) -> Result<(), StoreError> {
    sqlx::query(SET_ORG)
        .bind(home.as_str())
        .bind(json_text(&org.terms)?)
        .bind(json_text(&org.books)?)
        .bind(i16::from(home.shard()))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn enter(connection: &mut PgConnection, moved: &Relocation) -> Result<(), StoreError> {
    if let Some(org) = &moved.joined_org {
        set_org(connection, &moved.to.0, org).await?;
    }
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
    sqlx::query(accounts::ENTER)
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
    sqlx::query(accounts::SET_VERSION)
        .bind(home.as_str())
        .bind(stored_count(version)?)
        .bind(i16::from(home.shard()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}
