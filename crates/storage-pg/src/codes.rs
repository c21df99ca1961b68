//! The tables `code_batches`, `codes` and `code_failures`. Nothing of them is read or written on the way of a request for
//! quota.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse, CodeWindow};
use quota_core::ids::AccountId;
use quota_core::ports::{CodeBatchPage, CodeClaim, CodePage, CodeStore, CodeUsePage, StoreError};
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use crate::code_uses;
use crate::error::store_error;
use crate::pool::to_the_end;
use crate::store::PgStore;
use crate::values::{Reading, json_text, stored_count};

const PUT_BATCH: &str = "\
insert into code_batches
    (id, shard, name, gift, uses_max, from_at, until_at, count, created_at, revoked_at, body_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (id, shard) do nothing";
const PUT_CODES: &str = "\
insert into codes
    (hash, shard, id, number, prefix, batch, gift, uses_max, from_at, until_at, uses, created_at)
select c.hash, c.shard, c.id, c.number, c.prefix, $6, $7, $8, $9, $10, 0, $11
from unnest($1::bytea[], $2::smallint[], $3::uuid[], $4::bigint[], $5::text[]) as c (hash, shard, id, number, prefix)";
const BATCH: &str = "\
select b.id, b.name, b.gift, b.uses_max, b.from_at, b.until_at, b.count, b.created_at, b.revoked_at, b.body_hash
from code_batches b where b.id = $1 and b.shard = $2";
const NEWEST_BATCHES: &str = "\
select b.id, b.name, b.gift, b.uses_max, b.from_at, b.until_at, b.count, b.created_at, b.revoked_at, b.body_hash
from code_batches b order by b.created_at desc, b.id desc limit $1";
const BATCHES_BEHIND: &str = "\
select b.id, b.name, b.gift, b.uses_max, b.from_at, b.until_at, b.count, b.created_at, b.revoked_at, b.body_hash
from code_batches b where (b.created_at, b.id) < ($2, $3) order by b.created_at desc, b.id desc limit $1";
const BATCH_USES: &str = "select coalesce(sum(c.uses), 0)::bigint from codes c where c.batch = $1";
const BY_HASH: &str = "\
select c.hash, c.id, c.batch, c.number, c.prefix, c.gift, c.uses_max, c.from_at, c.until_at, c.uses, c.created_at,
    c.revoked_at
from codes c where c.hash = $1 and c.shard = $2";
const CODE_BY_ID: &str = "\
select c.hash, c.id, c.batch, c.number, c.prefix, c.gift, c.uses_max, c.from_at, c.until_at, c.uses, c.created_at,
    c.revoked_at
from codes c where c.id = $1";
const CODES: &str = "\
select c.hash, c.id, c.batch, c.number, c.prefix, c.gift, c.uses_max, c.from_at, c.until_at, c.uses, c.created_at,
    c.revoked_at
from codes c where c.id > $2 order by c.id limit $1";
const CODES_OF_BATCH: &str = "\
select c.hash, c.id, c.batch, c.number, c.prefix, c.gift, c.uses_max, c.from_at, c.until_at, c.uses, c.created_at,
    c.revoked_at
from codes c where c.id > $2 and c.batch = $3 order by c.id limit $1";
const REVOKE_CODE: &str =
    "update codes c set revoked_at = coalesce(c.revoked_at, $2) where c.id = $1";
const REVOKE_CODES: &str =
    "update codes c set revoked_at = coalesce(c.revoked_at, $2) where c.batch = $1";
const REVOKE_BATCH: &str = "\
update code_batches b set revoked_at = coalesce(b.revoked_at, $3) where b.id = $1 and b.shard = $2";
const FAILURES: &str = "\
select f.began_at, f.failures from code_failures f where f.account = $1 and f.shard = $2";
const COUNT_FAILURE: &str = "\
insert into code_failures (account, shard, began_at, failures) values ($1, $2, $3, 1)
on conflict (account, shard) do update
set began_at = case when code_failures.began_at <= $4 then excluded.began_at else code_failures.began_at end,
    failures = case when code_failures.began_at <= $4 then 1 else code_failures.failures + 1 end
where code_failures.began_at <= $4 or code_failures.failures < $5";

#[async_trait]
impl CodeStore for PgStore {
    async fn put_codes(
        &self,
        batch: &CodeBatch,
        codes: &[Code],
    ) -> Result<Option<CodeBatch>, StoreError> {
        let work = put(self.pool.clone(), batch.clone(), codes.to_vec());
        if Box::pin(to_the_end(work)).await? {
            return Ok(None);
        }
        self.code_batch(batch.id).await
    }

    async fn code_batch(&self, id: Uuid) -> Result<Option<CodeBatch>, StoreError> {
        let row = sqlx::query(BATCH)
            .bind(id)
            .bind(i16::from(CodeBatch::shard(id)))
            .fetch_optional(&self.pool)
            .await;
        row.map_err(store_error)?
            .as_ref()
            .map(read_batch)
            .transpose()
    }

    async fn code_batches(&self, page: &CodeBatchPage) -> Result<Vec<CodeBatch>, StoreError> {
        let text = match page.after {
            Some(_) => BATCHES_BEHIND,
            None => NEWEST_BATCHES,
        };
        let mut statement = sqlx::query(text).bind(i64::from(page.limit));
        if let Some(after) = &page.after {
            statement = statement.bind(after.created_at).bind(after.id);
        }
        let rows = statement.fetch_all(&self.pool).await;
        rows.map_err(store_error)?.iter().map(read_batch).collect()
    }

    async fn code_batch_uses(&self, id: Uuid) -> Result<u64, StoreError> {
        let sum: i64 = sqlx::query_scalar(BATCH_USES)
            .bind(id)
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        // The schema has no negative uses.
        Ok(u64::try_from(sum).unwrap_or_default())
    }

    async fn codes(&self, page: &CodePage) -> Result<Vec<Code>, StoreError> {
        let text = match page.batch {
            Some(_) => CODES_OF_BATCH,
            None => CODES,
        };
        let statement = sqlx::query(text).bind(i64::from(page.limit));
        let mut statement = statement.bind(page.after.unwrap_or_default());
        if let Some(batch) = page.batch {
            statement = statement.bind(batch);
        }
        let rows = statement.fetch_all(&self.pool).await;
        rows.map_err(store_error)?.iter().map(read_code).collect()
    }

    async fn code(&self, id: Uuid) -> Result<Option<Code>, StoreError> {
        let row = sqlx::query(CODE_BY_ID)
            .bind(id)
            .fetch_optional(&self.pool)
            .await;
        row.map_err(store_error)?
            .as_ref()
            .map(read_code)
            .transpose()
    }

    async fn code_by_hash(&self, hash: &CodeHash) -> Result<Option<Code>, StoreError> {
        let row = sqlx::query(BY_HASH)
            .bind(hash.0.as_slice())
            .bind(i16::from(hash.shard()))
            .fetch_optional(&self.pool)
            .await;
        row.map_err(store_error)?
            .as_ref()
            .map(read_code)
            .transpose()
    }

    async fn revoke_code(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoke = sqlx::query(REVOKE_CODE).bind(id).bind(at);
        let revoked = revoke.execute(&self.pool).await.map_err(store_error)?;
        Ok(revoked.rows_affected() == 1)
    }

    async fn revoke_code_batch(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        // The codes first: once the batch says so, no code of it can be used.
        let codes = sqlx::query(REVOKE_CODES).bind(id).bind(at);
        codes.execute(&self.pool).await.map_err(store_error)?;
        let revoked = sqlx::query(REVOKE_BATCH)
            .bind(id)
            .bind(i16::from(CodeBatch::shard(id)))
            .bind(at)
            .execute(&self.pool)
            .await;
        Ok(revoked.map_err(store_error)?.rows_affected() == 1)
    }

    async fn claim_code(&self, claim: &CodeClaim) -> Result<Option<CodeUse>, StoreError> {
        let work = code_uses::claim(self.pool.clone(), claim.clone());
        Box::pin(to_the_end(work)).await
    }

    async fn code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<Option<CodeUse>, StoreError> {
        code_uses::one(&self.pool, hash, account).await
    }

    async fn end_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        code_uses::end(&self.pool, (hash, account), at).await
    }

    async fn refuse_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let work = code_uses::refuse(self.pool.clone(), *hash, account.clone());
        Box::pin(to_the_end(work)).await
    }

    async fn code_uses(&self, page: &CodeUsePage) -> Result<Vec<CodeUse>, StoreError> {
        code_uses::page(&self.pool, page).await
    }

    async fn code_failures(&self, account: &AccountId) -> Result<Option<CodeFailures>, StoreError> {
        let row = sqlx::query(FAILURES)
            .bind(account.as_str())
            .bind(i16::from(account.shard()))
            .fetch_optional(&self.pool)
            .await;
        let failures = |row: &PgRow| {
            let reading = Reading::new(row, "code_failures", account.as_str());
            Ok(CodeFailures {
                began_at: reading.get("began_at")?,
                failures: reading.small("failures")?,
            })
        };
        row.map_err(store_error)?.as_ref().map(failures).transpose()
    }

    async fn count_code_failure(
        &self,
        account: &AccountId,
        (now, over_before): (DateTime<Utc>, DateTime<Utc>),
        most: u32,
    ) -> Result<bool, StoreError> {
        let counted = sqlx::query(COUNT_FAILURE)
            .bind(account.as_str())
            .bind(i16::from(account.shard()))
            .bind(now)
            .bind(over_before)
            .bind(i64::from(most))
            .execute(&self.pool)
            .await;
        Ok(counted.map_err(store_error)?.rows_affected() == 1)
    }
}

/// Stores a batch with its codes; `false` when it is there already.
async fn put(pool: PgPool, batch: CodeBatch, codes: Vec<Code>) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let gift = json_text(&batch.gift)?;
    let stored = sqlx::query(PUT_BATCH)
        .bind(batch.id)
        .bind(i16::from(CodeBatch::shard(batch.id)))
        .bind(&batch.name)
        .bind(&gift)
        .bind(stored_count(batch.uses_max.into())?)
        .bind(batch.window.from)
        .bind(batch.window.until)
        .bind(stored_count(batch.count.into())?)
        .bind(batch.created_at)
        .bind(batch.revoked_at)
        .bind(batch.body_hash.as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(store_error)?;
    if stored.rows_affected() == 0 {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    }
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code.hash.0.to_vec()).collect();
    let shards: Vec<i16> = codes.iter().map(|code| code.hash.shard().into()).collect();
    let ids: Vec<Uuid> = codes.iter().map(|code| code.id).collect();
    let numbers: Vec<i64> = codes.iter().map(|code| code.number.into()).collect();
    let prefixes: Vec<String> = codes.into_iter().map(|code| code.prefix).collect();
    sqlx::query(PUT_CODES)
        .bind(hashes)
        .bind(shards)
        .bind(ids)
        .bind(numbers)
        .bind(prefixes)
        .bind(batch.id)
        .bind(gift)
        .bind(stored_count(batch.uses_max.into())?)
        .bind(batch.window.from)
        .bind(batch.window.until)
        .bind(batch.created_at)
        .execute(&mut *transaction)
        .await
        .map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    Ok(true)
}

fn read_batch(row: &PgRow) -> Result<CodeBatch, StoreError> {
    let id: Uuid = Reading::new(row, "code_batches", "?").get("id")?;
    let reading = Reading::new(row, "code_batches", id.to_string());
    Ok(CodeBatch {
        id,
        name: reading.get("name")?,
        gift: reading.json("gift")?,
        uses_max: reading.small("uses_max")?,
        window: window(&reading)?,
        count: reading.small("count")?,
        created_at: reading.get("created_at")?,
        revoked_at: reading.get("revoked_at")?,
        body_hash: reading.hash("body_hash")?,
    })
}

fn read_code(row: &PgRow) -> Result<Code, StoreError> {
    let id: Uuid = Reading::new(row, "codes", "?").get("id")?;
    let reading = Reading::new(row, "codes", id.to_string());
    Ok(Code {
        id,
        batch: reading.get("batch")?,
        number: reading.small("number")?,
        hash: CodeHash(reading.hash("hash")?),
        prefix: reading.get("prefix")?,
        gift: reading.json("gift")?,
        uses_max: reading.small("uses_max")?,
        window: window(&reading)?,
        uses: reading.small("uses")?,
        created_at: reading.get("created_at")?,
        revoked_at: reading.get("revoked_at")?,
    })
}

fn window(reading: &Reading<'_>) -> Result<CodeWindow, StoreError> {
    Ok(CodeWindow {
        from: reading.get("from_at")?,
        until: reading.get("until_at")?,
    })
}
