//! The table `code_uses`: which account uses which code. Whoever takes a use or gives one back locks the code first, so that
//! its count and its uses are one.

use chrono::{DateTime, Utc};
use quota_core::code::{CodeHash, CodeUse};
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::ports::{CodeClaim, CodeUsePage, StoreError};
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgExecutor, PgPool, PgRow};
use sqlx::query::Query;

use crate::error::{store_error, unavailable};
use crate::values::Reading;

/// Tries of a claim while the same account claims or gives back beside it.
const ATTEMPTS_MAX: u32 = 8;

const TRY_AGAIN: &str = "\
update code_uses u set tries = u.tries + 1
where u.hash = $1 and u.shard = $2 and u.account = $3 and u.done_at is null
returning u.account, u.key, u.claimed_at, u.tries, u.refused, u.done_at";
const ONE: &str = "\
select u.account, u.key, u.claimed_at, u.tries, u.refused, u.done_at
from code_uses u where u.hash = $1 and u.shard = $2 and u.account = $3";
const COUNT: &str = "\
update codes c set uses = c.uses + 1
where c.hash = $1 and c.shard = $2 and c.uses < c.uses_max and c.revoked_at is null
    and (c.from_at is null or c.from_at <= $3) and (c.until_at is null or $3 < c.until_at)";
const ENTER: &str = "\
insert into code_uses (hash, shard, account, key, claimed_at, tries, refused) values ($1, $2, $3, $4, $5, 1, 0)
on conflict (hash, account, shard) do nothing
returning account, key, claimed_at, tries, refused, done_at";
const END: &str = "\
update code_uses u set done_at = coalesce(u.done_at, $4) where u.hash = $1 and u.shard = $2 and u.account = $3";
const LOCK: &str = "select c.id from codes c where c.hash = $1 and c.shard = $2 for update";
const REFUSE: &str = "\
update code_uses u set refused = u.refused + 1
where u.hash = $1 and u.shard = $2 and u.account = $3 and u.done_at is null and u.refused < u.tries";
const REMOVE: &str = "\
delete from code_uses u
where u.hash = $1 and u.shard = $2 and u.account = $3 and u.done_at is null and u.refused = u.tries";
const UNCOUNT: &str = "update codes c set uses = c.uses - 1 where c.hash = $1 and c.shard = $2";
const USES: &str = "\
select u.account, u.key, u.claimed_at, u.tries, u.refused, u.done_at
from code_uses u where u.hash = $1 and u.shard = $2 and u.account > $3 order by u.account limit $4";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A statement about a code.
fn of_code<'q>(text: &'static str, hash: &'q CodeHash) -> Statement<'q> {
    sqlx::query(text)
        .bind(hash.0.as_slice())
        .bind(i16::from(hash.shard()))
}

/// A statement about an account's use of a code.
fn of_use<'q>(text: &'static str, hash: &'q CodeHash, account: &'q AccountId) -> Statement<'q> {
    of_code(text, hash).bind(account.as_str())
}

/// See [`quota_core::ports::CodeStore::claim_code`].
pub(crate) async fn claim(pool: PgPool, claim: CodeClaim) -> Result<Option<CodeUse>, StoreError> {
    let (hash, account) = (&claim.hash, &claim.account);
    for _ in 0..ATTEMPTS_MAX {
        let again = of_use(TRY_AGAIN, hash, account).fetch_optional(&pool).await;
        if let Some(row) = again.map_err(store_error)? {
            return read(&row).map(Some);
        }
        if let Some(known) = one(&pool, hash, account).await? {
            if known.done_at.is_some() {
                return Ok(Some(known));
            }
            continue;
        }
        if let Some(taken) = take(&pool, &claim).await? {
            return Ok(Some(taken));
        }
        // The last use may have been taken for the same account.
        if one(&pool, hash, account).await?.is_none() {
            return Ok(None);
        }
    }
    Err(unavailable("the use of a code changes all the time"))
}

/// Counts one more use and enters it: both or neither.
async fn take(pool: &PgPool, claim: &CodeClaim) -> Result<Option<CodeUse>, StoreError> {
    let (hash, account) = (&claim.hash, &claim.account);
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let counted = of_code(COUNT, hash).bind(claim.at);
    let counted = counted.execute(&mut *transaction).await;
    let mut taken = None;
    if counted.map_err(store_error)?.rows_affected() == 1 {
        let key = claim.key.as_ref().map(IdempotencyKey::as_str);
        let entered = of_use(ENTER, hash, account).bind(key).bind(claim.at);
        taken = entered
            .fetch_optional(&mut *transaction)
            .await
            .map_err(store_error)?;
    }
    if taken.is_some() {
        transaction.commit().await.map_err(store_error)?;
    } else {
        transaction.rollback().await.map_err(store_error)?;
    }
    taken.as_ref().map(read).transpose()
}

/// See [`quota_core::ports::CodeStore::refuse_code_use`].
pub(crate) async fn refuse(
    pool: PgPool,
    hash: CodeHash,
    account: AccountId,
) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let lock = of_code(LOCK, &hash).fetch_optional(&mut *transaction).await;
    lock.map_err(store_error)?;
    let mut changed = Vec::new();
    for text in [REFUSE, REMOVE] {
        let done = of_use(text, &hash, &account).execute(&mut *transaction);
        changed.push(done.await.map_err(store_error)?.rows_affected() == 1);
    }
    let is_free = changed.pop().unwrap_or(false);
    if is_free {
        let uncounted = of_code(UNCOUNT, &hash).execute(&mut *transaction);
        uncounted.await.map_err(store_error)?;
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(is_free)
}

/// An account's use of a code.
pub(crate) async fn one(
    executor: impl PgExecutor<'_>,
    hash: &CodeHash,
    account: &AccountId,
) -> Result<Option<CodeUse>, StoreError> {
    let row = of_use(ONE, hash, account).fetch_optional(executor).await;
    row.map_err(store_error)?.as_ref().map(read).transpose()
}

/// Enters that a use is done.
pub(crate) async fn end(
    pool: &PgPool,
    (hash, account): (&CodeHash, &AccountId),
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ended = of_use(END, hash, account).bind(at).execute(pool).await;
    ended.map(drop).map_err(store_error)
}

/// A page of a code's uses.
pub(crate) async fn page(pool: &PgPool, page: &CodeUsePage) -> Result<Vec<CodeUse>, StoreError> {
    let after = page.after.as_ref().map_or("", AccountId::as_str);
    let rows = of_code(USES, &page.hash)
        .bind(after)
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await;
    rows.map_err(store_error)?.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<CodeUse, StoreError> {
    let account: &str = Reading::new(row, "code_uses", "?").get("account")?;
    let reading = Reading::new(row, "code_uses", account);
    let key: Option<&str> = reading.get("key")?;
    Ok(CodeUse {
        account: reading.account_id("account")?,
        key: key.map(|_| reading.name("key")).transpose()?,
        claimed_at: reading.get("claimed_at")?,
        tries: reading.small("tries")?,
        refused: reading.small("refused")?,
        done_at: reading.get("done_at")?,
    })
}
