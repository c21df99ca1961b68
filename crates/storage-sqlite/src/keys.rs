//! API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{ApiKey, KeyStore, StoreError};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::values::{Reading, micros, name};

fn read_key(row: &SqliteRow) -> Result<ApiKey, Fault> {
    let id: Uuid = Reading::new(row, "api_keys", "").raw("id")?;
    let row = Reading::new(row, "api_keys", id);
    Ok(ApiKey {
        id,
        name: row.raw("name")?,
        scope: row.text("scope")?,
        prefix: row.raw("prefix")?,
        hash: row.hash("hash")?,
        created_at: row.instant("created_at")?,
        revoked_at: row.optional_instant("revoked_at")?,
    })
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let (key, scope) = (key.clone(), name(&key.scope)?);
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "insert into api_keys (id, name, scope, prefix, hash, created_at, revoked_at) \
                                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                sqlx::query(statement)
                    .bind(key.id)
                    .bind(key.name)
                    .bind(scope)
                    .bind(key.prefix)
                    .bind(key.hash.to_vec())
                    .bind(micros(key.created_at))
                    .bind(key.revoked_at.map(micros))
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let statement = "select id, name, scope, prefix, hash, created_at, revoked_at \
                         from api_keys where hash = ?1";
        let row = sqlx::query(statement)
            .bind(hash.to_vec())
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(row.as_ref().map(read_key).transpose()?)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let statement = "select id, name, scope, prefix, hash, created_at, revoked_at \
                         from api_keys order by created_at, id";
        let rows = sqlx::query(statement)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read_key).collect::<Result<_, Fault>>()?)
    }

    async fn revoke_key(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.writing(move |connection| {
            Box::pin(async move {
                let statement =
                    "update api_keys set revoked_at = coalesce(revoked_at, ?2) where id = ?1";
                let statement = sqlx::query(statement).bind(id).bind(micros(at));
                Ok(statement.execute(connection).await?.rows_affected() == 1)
            })
        })
        .await
    }
}
