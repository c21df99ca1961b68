//! API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{ApiKey, KeyStore, StoreError};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::store_error;
use crate::store::PgStore;
use crate::values::{Reading, name_text};

const PUT: &str = "\
insert into api_keys (id, name, scope, prefix, hash, created_at, revoked_at) values ($1, $2, $3, $4, $5, $6, $7)";
const BY_HASH: &str = "\
select k.id, k.name, k.scope, k.prefix, k.hash, k.created_at, k.revoked_at
from api_keys k where k.hash = $1";
const ALL: &str = "\
select k.id, k.name, k.scope, k.prefix, k.hash, k.created_at, k.revoked_at
from api_keys k order by k.created_at, k.id";
const REVOKE: &str = "update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1";

#[async_trait]
impl KeyStore for PgStore {
    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        sqlx::query(PUT)
            .bind(key.id)
            .bind(&key.name)
            .bind(name_text(&key.scope)?)
            .bind(&key.prefix)
            .bind(key.hash.as_slice())
            .bind(key.created_at)
            .bind(key.revoked_at)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let read = sqlx::query(BY_HASH)
            .bind(hash.as_slice())
            .fetch_optional(&self.pool);
        let read = async { read.await.map_err(store_error) };
        let found = self.guarded(read).await?;
        found.as_ref().map(api_key).transpose()
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let all = sqlx::query(ALL).fetch_all(&self.pool).await;
        all.map_err(store_error)?.iter().map(api_key).collect()
    }

    async fn revoke_key(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoked = sqlx::query(REVOKE)
            .bind(id)
            .bind(at)
            .execute(&self.pool)
            .await;
        Ok(revoked.map_err(store_error)?.rows_affected() == 1)
    }
}

fn api_key(row: &PgRow) -> Result<ApiKey, StoreError> {
    let id: Uuid = Reading::new(row, "api_keys", "?").get("id")?;
    let reading = Reading::new(row, "api_keys", id.to_string());
    Ok(ApiKey {
        id,
        name: reading.get("name")?,
        scope: reading.name("scope")?,
        prefix: reading.get("prefix")?,
        hash: reading.hash("hash")?,
        created_at: reading.get("created_at")?,
        revoked_at: reading.get("revoked_at")?,
    })
}
