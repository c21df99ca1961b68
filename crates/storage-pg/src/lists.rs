//! Lists, page by page.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::{AccountPage, AccountRow, LedgerPage, Lists, StoreError};

use crate::error::{corrupt, store_error};
use crate::store::PgStore;
use crate::values::stored_count;
use crate::{accounts, operations, reservations};

#[async_trait]
impl Lists for PgStore {
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError> {
        // The names are compared byte by byte; `;` is the character after `:`.
        let (from, before) = match page.kind {
            None => ("", "user;"),
            Some(AccountKind::Org) => ("org:", "org;"),
            Some(AccountKind::User) => ("user:", "user;"),
        };
        let after = page.after.as_ref().map_or("", AccountId::as_str);
        let org = page.org.as_ref().map(AccountId::org);
        let statement = if org.is_some() {
            accounts::PAGE_OF_ORG
        } else {
            accounts::PAGE
        };
        let mut statement = sqlx::query(statement)
            .bind(after)
            .bind(from)
            .bind(before)
            .bind(page.due_before)
            .bind(i64::from(page.limit));
        if let Some(org) = &org {
            statement = statement.bind(org.as_str()).bind(i16::from(org.shard()));
        }
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        let rows = rows.iter().map(|row| accounts::read(row, "terms"));
        rows.collect()
    }

    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError> {
        let before = page.before.map_or(Ok(i64::MAX), stored_count)?;
        let statement = if page.members {
            operations::PAGE_OF_HOME
        } else {
            operations::PAGE
        };
        let mut statement = sqlx::query(statement)
            .bind(page.home.as_str())
            .bind(before)
            .bind(i64::from(page.limit))
            .bind(i16::from(page.home.shard()));
        if !page.members {
            statement = statement.bind(page.account.as_str());
        }
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        let rows = rows
            .iter()
            .map(|row| operations::read(row, "sequence", "entries"));
        rows.collect()
    }

    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let homes: Vec<String> = sqlx::query_scalar(reservations::HOMES_WITH_DUE)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let homes = homes.iter().map(|home| {
            AccountId::parse(home).map_err(|error| corrupt("reservations", home, error))
        });
        homes.collect()
    }
}
