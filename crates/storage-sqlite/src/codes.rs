//! The tables `code_batches`, `codes` and `code_failures`. Nothing of them is read or written on the way of a request for
//! quota.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse, CodeWindow};
use quota_core::ids::AccountId;
use quota_core::ports::{CodeBatchPage, CodeClaim, CodePage, CodeStore, CodeUsePage, StoreError};
use sqlx::SqliteExecutor;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::SqliteStore;
use crate::code_uses;
use crate::error::Fault;
use crate::values::{Reading, json, micros};

#[async_trait]
impl CodeStore for SqliteStore {
    async fn put_codes(
        &self,
        batch: &CodeBatch,
        codes: &[Code],
    ) -> Result<Option<CodeBatch>, StoreError> {
        let (batch, codes) = (batch.clone(), codes.to_vec());
        self.writing(move |connection| Box::pin(put(connection, batch, codes)))
            .await
    }

    async fn code_batch(&self, id: Uuid) -> Result<Option<CodeBatch>, StoreError> {
        Ok(one_batch(&self.readers, id).await?)
    }

    async fn code_batches(&self, page: &CodeBatchPage) -> Result<Vec<CodeBatch>, StoreError> {
        let newest = "select id, name, gift, uses_max, from_at, until_at, count, created_at, revoked_at, body_hash \
                      from code_batches order by created_at desc, id desc limit ?1";
        let behind = "select id, name, gift, uses_max, from_at, until_at, count, created_at, revoked_at, body_hash \
                      from code_batches where (created_at, id) < (?2, ?3) \
                      order by created_at desc, id desc limit ?1";
        let text = if page.after.is_some() { behind } else { newest };
        let mut statement = sqlx::query(text).bind(page.limit);
        if let Some(after) = &page.after {
            statement = statement.bind(micros(after.created_at)).bind(after.id);
        }
        let rows = statement.fetch_all(&self.readers).await;
        let rows = rows.map_err(Fault::from)?;
        Ok(rows.iter().map(read_batch).collect::<Result<_, Fault>>()?)
    }

    async fn code_batch_uses(&self, id: Uuid) -> Result<u64, StoreError> {
        let text = "select coalesce(sum(uses), 0) from codes where batch = ?1";
        let sum: Result<i64, _> = sqlx::query_scalar(text)
            .bind(id)
            .fetch_one(&self.readers)
            .await;
        // The schema has no negative uses.
        Ok(u64::try_from(sum.map_err(Fault::from)?).unwrap_or_default())
    }

    async fn codes(&self, page: &CodePage) -> Result<Vec<Code>, StoreError> {
        let all = "select hash, id, batch, number, prefix, gift, uses_max, from_at, until_at, uses, created_at, \
                   revoked_at from codes where id > ?2 order by id limit ?1";
        let of_batch = "select hash, id, batch, number, prefix, gift, uses_max, from_at, until_at, uses, created_at, \
                        revoked_at from codes where id > ?2 and batch = ?3 order by id limit ?1";
        let text = if page.batch.is_some() { of_batch } else { all };
        let mut statement = sqlx::query(text)
            .bind(page.limit)
            .bind(page.after.unwrap_or_default());
        if let Some(batch) = page.batch {
            statement = statement.bind(batch);
        }
        let rows = statement.fetch_all(&self.readers).await;
        let rows = rows.map_err(Fault::from)?;
        Ok(rows.iter().map(read_code).collect::<Result<_, Fault>>()?)
    }

    async fn code(&self, id: Uuid) -> Result<Option<Code>, StoreError> {
        let text = "select hash, id, batch, number, prefix, gift, uses_max, from_at, until_at, uses, created_at, \
                    revoked_at from codes where id = ?1";
        let row = sqlx::query(text)
            .bind(id)
            .fetch_optional(&self.readers)
            .await;
        let row = row.map_err(Fault::from)?;
        Ok(row.as_ref().map(read_code).transpose()?)
    }

    async fn code_by_hash(&self, hash: &CodeHash) -> Result<Option<Code>, StoreError> {
        let text = "select hash, id, batch, number, prefix, gift, uses_max, from_at, until_at, uses, created_at, \
                    revoked_at from codes where hash = ?1";
        let row = sqlx::query(text)
            .bind(hash.0.to_vec())
            .fetch_optional(&self.readers)
            .await;
        let row = row.map_err(Fault::from)?;
        Ok(row.as_ref().map(read_code).transpose()?)
    }

    async fn revoke_code(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let text = "update codes set revoked_at = coalesce(revoked_at, ?2) where id = ?1";
        self.writing(move |connection| Box::pin(revoke(connection, text, (id, at))))
            .await
    }

    async fn revoke_code_batch(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let codes = "update codes set revoked_at = coalesce(revoked_at, ?2) where batch = ?1";
        let batch = "update code_batches set revoked_at = coalesce(revoked_at, ?2) where id = ?1";
        self.writing(move |connection| {
            Box::pin(async move {
                revoke(&mut *connection, codes, (id, at)).await?;
                revoke(connection, batch, (id, at)).await
            })
        })
        .await
    }

    async fn claim_code(&self, claim: &CodeClaim) -> Result<Option<CodeUse>, StoreError> {
        let claim = claim.clone();
        self.writing(move |connection| Box::pin(code_uses::claim(connection, claim)))
            .await
    }

    async fn code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<Option<CodeUse>, StoreError> {
        Ok(code_uses::one(&self.readers, hash, account).await?)
    }

    async fn end_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let text =
            "update code_uses set done_at = coalesce(done_at, ?3) where hash = ?1 and account = ?2";
        let end = code_uses::of_use(text, hash, account).bind(micros(at));
        self.writing(move |connection| {
            Box::pin(async move { Ok(end.execute(connection).await.map(drop)?) })
        })
        .await
    }

    async fn refuse_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let (hash, account) = (*hash, account.clone());
        self.writing(move |connection| Box::pin(code_uses::refuse(connection, hash, account)))
            .await
    }

    async fn code_uses(&self, page: &CodeUsePage) -> Result<Vec<CodeUse>, StoreError> {
        Ok(code_uses::page(&self.readers, page).await?)
    }

    async fn code_failures(&self, account: &AccountId) -> Result<Option<CodeFailures>, StoreError> {
        let text = "select began_at, failures from code_failures where account = ?1";
        let row = sqlx::query(text)
            .bind(account.to_string())
            .fetch_optional(&self.readers)
            .await;
        let failures = |row: &SqliteRow| -> Result<CodeFailures, Fault> {
            let row = Reading::new(row, "code_failures", account);
            Ok(CodeFailures {
                began_at: row.instant("began_at")?,
                failures: row.small("failures")?,
            })
        };
        let row = row.map_err(Fault::from)?;
        Ok(row.as_ref().map(failures).transpose()?)
    }

    async fn count_code_failure(
        &self,
        account: &AccountId,
        (now, over_before): (DateTime<Utc>, DateTime<Utc>),
        most: u32,
    ) -> Result<bool, StoreError> {
        let text = "insert into code_failures (account, began_at, failures) values (?1, ?2, 1) \
                    on conflict (account) do update \
                    set began_at = case when began_at <= ?3 then excluded.began_at else began_at end, \
                    failures = case when began_at <= ?3 then 1 else failures + 1 end \
                    where began_at <= ?3 or failures < ?4";
        let count = sqlx::query(text)
            .bind(account.to_string())
            .bind(micros(now))
            .bind(micros(over_before))
            .bind(most);
        self.writing(move |connection| {
            Box::pin(async move { Ok(count.execute(connection).await?.rows_affected() == 1) })
        })
        .await
    }
}

async fn revoke(
    executor: impl SqliteExecutor<'_>,
    text: &'static str,
    (id, at): (Uuid, DateTime<Utc>),
) -> Result<bool, Fault> {
    let revoke = sqlx::query(text).bind(id).bind(micros(at));
    Ok(revoke.execute(executor).await?.rows_affected() == 1)
}

async fn put(
    connection: &mut SqliteConnection,
    batch: CodeBatch,
    codes: Vec<Code>,
) -> Result<Option<CodeBatch>, Fault> {
    if let Some(known) = one_batch(&mut *connection, batch.id).await? {
        return Ok(Some(known));
    }
    let text = "insert into code_batches \
                (id, name, gift, uses_max, from_at, until_at, count, created_at, revoked_at, body_hash) \
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let gift = json(&batch.gift)?;
    sqlx::query(text)
        .bind(batch.id)
        .bind(batch.name)
        .bind(gift.clone())
        .bind(batch.uses_max)
        .bind(batch.window.from.map(micros))
        .bind(batch.window.until.map(micros))
        .bind(batch.count)
        .bind(micros(batch.created_at))
        .bind(batch.revoked_at.map(micros))
        .bind(batch.body_hash.to_vec())
        .execute(&mut *connection)
        .await?;
    let text = "insert into codes (hash, id, batch, number, prefix, gift, uses_max, from_at, until_at, uses, created_at) \
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10)";
    for code in codes {
        sqlx::query(text)
            .bind(code.hash.0.to_vec())
            .bind(code.id)
            .bind(batch.id)
            .bind(code.number)
            .bind(code.prefix)
            .bind(gift.clone())
            .bind(batch.uses_max)
            .bind(batch.window.from.map(micros))
            .bind(batch.window.until.map(micros))
            .bind(micros(batch.created_at))
            .execute(&mut *connection)
            .await?;
    }
    Ok(None)
}

async fn one_batch(
    executor: impl SqliteExecutor<'_>,
    id: Uuid,
) -> Result<Option<CodeBatch>, Fault> {
    let text = "select id, name, gift, uses_max, from_at, until_at, count, created_at, revoked_at, body_hash \
                from code_batches where id = ?1";
    let row = sqlx::query(text).bind(id).fetch_optional(executor).await?;
    row.as_ref().map(read_batch).transpose()
}

fn read_batch(row: &SqliteRow) -> Result<CodeBatch, Fault> {
    let id: Uuid = Reading::new(row, "code_batches", "").raw("id")?;
    let row = Reading::new(row, "code_batches", id);
    Ok(CodeBatch {
        id,
        name: row.raw("name")?,
        gift: row.json("gift")?,
        uses_max: row.small("uses_max")?,
        window: window(&row)?,
        count: row.small("count")?,
        created_at: row.instant("created_at")?,
        revoked_at: row.optional_instant("revoked_at")?,
        body_hash: row.hash("body_hash")?,
    })
}

fn read_code(row: &SqliteRow) -> Result<Code, Fault> {
    let id: Uuid = Reading::new(row, "codes", "").raw("id")?;
    let row = Reading::new(row, "codes", id);
    Ok(Code {
        id,
        batch: row.raw("batch")?,
        number: row.small("number")?,
        hash: CodeHash(row.hash("hash")?),
        prefix: row.raw("prefix")?,
        gift: row.json("gift")?,
        uses_max: row.small("uses_max")?,
        window: window(&row)?,
        uses: row.small("uses")?,
        created_at: row.instant("created_at")?,
        revoked_at: row.optional_instant("revoked_at")?,
    })
}

fn window(row: &Reading<'_>) -> Result<CodeWindow, Fault> {
    Ok(CodeWindow {
        from: row.optional_instant("from_at")?,
        until: row.optional_instant("until_at")?,
    })
}
