//! Lists, page by page.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::{AccountPage, AccountRow, LedgerPage, Lists, StoreError};

use crate::error::Fault;
use crate::values::{counter, home_in, micros};
use crate::{SqliteStore, accounts, operations, reservations};

#[async_trait]
impl Lists for SqliteStore {
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError> {
        // Half-open ranges of ids: `;` is the character after `:`.
        let (kind_from, kind_before) = match page.kind {
            Some(AccountKind::User) => ("user:", "user;"),
            Some(AccountKind::Org) => ("org:", "org;"),
            None => ("", "v"),
        };
        let rows = sqlx::query(accounts::page(page))
            .bind(kind_from)
            .bind(kind_before)
            .bind(page.after.as_ref().map_or("", AccountId::as_str).to_owned())
            .bind(page.limit)
            .bind(page.org.as_ref().map(|org| org.as_str().to_owned()))
            .bind(page.due_before.map(micros))
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let rows = rows.iter().map(|row| {
            let (home, id, account) = accounts::read(row)?;
            Ok(AccountRow { home, id, account })
        });
        Ok(rows.collect::<Result<_, Fault>>()?)
    }

    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError> {
        let account = (!page.members).then(|| page.account.as_str().to_owned());
        let rows = sqlx::query(operations::PAGE)
            .bind(page.home.as_str())
            .bind(account)
            .bind(page.before.map_or(Ok(i64::MAX), counter)?)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let operations = rows.iter().map(|row| Ok(operations::read(row)?.1));
        Ok(operations.collect::<Result<_, Fault>>()?)
    }

    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(reservations::HOMES_WITH_DUE)
            .bind(micros(now))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let homes = rows.iter().map(|row| home_in(row, "reservations"));
        Ok(homes.collect::<Result<_, Fault>>()?)
    }
}
