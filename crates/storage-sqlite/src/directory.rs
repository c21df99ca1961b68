//! Who lives where.

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{Directory, StoreError};
use quota_core::relocation::Relocation;
use sqlx::sqlite::SqliteConnection;

use crate::SqliteStore;
use crate::error::Fault;
use crate::relocate::{Move, relocate};
use crate::values::home_in;

#[async_trait]
impl Directory for SqliteStore {
    async fn home_of(&self, account: &AccountId) -> Result<Option<AccountId>, StoreError> {
        let statement = "select home from directory where account = ?1";
        let entry = sqlx::query(statement)
            .bind(account.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        let home = entry.map(|row| home_in(&row, "directory"));
        Ok(home.transpose()?)
    }

    async fn claim(&self, account: &AccountId, home: &AccountId) -> Result<AccountId, StoreError> {
        let (account, home) = (account.clone(), home.clone());
        self.writing(move |connection| Box::pin(claim(connection, account, home)))
            .await
    }

    async fn relocate(&self, moved: &Relocation) -> Result<bool, StoreError> {
        let moved = Move::new(moved)?;
        self.writing(move |connection| Box::pin(relocate(connection, moved)))
            .await
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    account: AccountId,
    home: AccountId,
) -> Result<AccountId, Fault> {
    let statement = "select home from directory where account = ?1 \
                     union all select home from accounts where account = ?1 limit 1";
    let lives = sqlx::query(statement)
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = lives {
        return home_in(&row, "directory");
    }
    if account != home {
        sqlx::query("insert into directory (account, home) values (?1, ?2)")
            .bind(account.as_str())
            .bind(home.as_str())
            .execute(connection)
            .await?;
    }
    Ok(home)
}
