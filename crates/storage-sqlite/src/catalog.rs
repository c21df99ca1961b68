//! The catalog in force, and every one before it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::catalog::Catalog;
use quota_core::ports::{CatalogStore, StoreError};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::SqliteStore;
use crate::error::Fault;
use crate::values::{Reading, counter, json, micros};

#[async_trait]
impl CatalogStore for SqliteStore {
    async fn catalog(&self) -> Result<Catalog, StoreError> {
        let newest = sqlx::query("select catalog from catalogs order by version desc limit 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        let Some(row) = newest else {
            return Ok(Catalog::default());
        };
        Ok(Reading::new(&row, "catalogs", "newest").json("catalog")?)
    }

    async fn catalog_version(&self) -> Result<u64, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(Fault::from)?;
        Ok(catalog_version(&mut connection).await?)
    }

    async fn put_catalog(
        &self,
        next: &Catalog,
        actor: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (version, text) = (counter(next.version)?, json(next)?);
        let actor = actor.map(str::to_owned);
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "insert into catalogs (version, catalog, actor, at) \
                                 select ?1, ?2, ?3, ?4 \
                                 where ?1 = (select coalesce(max(version), 0) + 1 from catalogs)";
                let done = sqlx::query(statement)
                    .bind(version)
                    .bind(text)
                    .bind(actor)
                    .bind(micros(at))
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}

/// The version of the catalog in force; 0 when there is none.
pub(crate) async fn catalog_version(connection: &mut SqliteConnection) -> Result<u64, Fault> {
    let newest = sqlx::query("select coalesce(max(version), 0) from catalogs");
    let row = newest.fetch_one(connection).await?;
    let version: i64 = row.try_get(0)?;
    Ok(u64::try_from(version).unwrap_or(0))
}
