//! Who lives where.

use crate::error::{corrupt, store_error, unavailable};
use crate::pool::to_the_end;
use crate::relocate::{relocate, wait_for_move};
use crate::store::PgStore;
use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{Directory, StoreError};
use quota_core::relocation::Relocation;

/// A user that is its own home has an entry too, so that it cannot be made twice; callers do not see it.
const HOME_OF: &str = "select d.home from directory d where d.account = $1 and d.home <> d.account";
/// Only an account that is its own home can be there without an entry.
const CLAIM: &str = "\
with claimed as (
    insert into directory (account, home)
    select $1, $2
    where not exists (select 1 from accounts a where a.home = $1 and a.shard = $3 and a.account = $1)
    on conflict (account) do nothing
    returning home
)
select c.home from claimed c
union all
select d.home from directory d where d.account = $1
union all
select a.home from accounts a where a.home = $1 and a.shard = $3 and a.account = $1
limit 1";

/// Tries of a claim. The second one sees what another node entered during the first.
const CLAIM_ATTEMPTS_MAX: u32 = 3;

#[async_trait]
impl Directory for PgStore {
    async fn home_of(&self, account: &AccountId) -> Result<Option<AccountId>, StoreError> {
        let _turn = self.turn().await?;
        let read = async {
            wait_for_move(&self.pool, self.layout, account).await?;
            let home = sqlx::query_scalar(HOME_OF).bind(account.as_str());
            home.fetch_optional(&self.pool).await.map_err(store_error)
        };
        let home: Option<String> = self.guarded(read).await?;
        home.map(|home| parse(account, &home)).transpose()
    }

    async fn claim(&self, account: &AccountId, home: &AccountId) -> Result<AccountId, StoreError> {
        let _turn = self.turn().await?;
        for _ in 0..CLAIM_ATTEMPTS_MAX {
            let entered: Option<String> = sqlx::query_scalar(CLAIM)
                .bind(account.as_str())
                .bind(home.as_str())
                .bind(i16::from(account.shard()))
                .fetch_optional(&self.pool)
                .await
                .map_err(store_error)?;
            if let Some(entered) = entered {
                return parse(account, &entered);
            }
        }
        Err(unavailable(format!(
            "`{account}` is being entered by others"
        )))
    }

    async fn relocate(&self, moved: &Relocation) -> Result<bool, StoreError> {
        let database = (self.pool.clone(), self.layout);
        to_the_end(relocate(database, moved.clone())).await
    }
}

fn parse(account: &AccountId, home: &str) -> Result<AccountId, StoreError> {
    AccountId::parse(home).map_err(|error| corrupt("directory", account.as_str(), error))
}
