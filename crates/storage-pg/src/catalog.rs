//! The catalog in force, and the ones before it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::catalog::Catalog;
use quota_core::ports::{CatalogStore, StoreError};

use crate::error::{corrupt, store_error};
use crate::statements::CATALOG_VERSION;
use crate::store::PgStore;
use crate::values::{Reading, json_text, stored_count};

const NEWEST: &str = "select c.version, c.document from catalogs c order by c.version desc limit 1";
const PUT: &str = "\
insert into catalogs (version, document, actor, at)
select $1, $2::jsonb, $3, $4
where (select coalesce(max(c.version), 0) from catalogs c) = $1 - 1
on conflict (version) do nothing";

#[async_trait]
impl CatalogStore for PgStore {
    async fn catalog(&self) -> Result<Catalog, StoreError> {
        let newest = sqlx::query(NEWEST).fetch_optional(&self.pool).await;
        let Some(row) = newest.map_err(store_error)? else {
            return Ok(Catalog::default());
        };
        let version = Reading::new(&row, "catalogs", "newest").count("version")?;
        let reading = Reading::new(&row, "catalogs", version.to_string());
        let catalog: Catalog = reading.jsonb("document")?;
        if catalog.version != version {
            return Err(reading.bad("its document has another version"));
        }
        Ok(catalog)
    }

    async fn catalog_version(&self) -> Result<u64, StoreError> {
        let version: i64 = sqlx::query_scalar(CATALOG_VERSION)
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        u64::try_from(version).map_err(|error| corrupt("catalogs", version.to_string(), error))
    }

    async fn put_catalog(
        &self,
        next: &Catalog,
        actor: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let put = sqlx::query(PUT)
            .bind(stored_count(next.version)?)
            .bind(json_text(next)?)
            .bind(actor)
            .bind(at)
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(put.rows_affected() == 1)
    }
}
