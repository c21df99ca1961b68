//! Lists, page by page.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::{AccountPage, AccountRow, LedgerPage, Lists, StoreError};

use crate::SqliteStore;
use crate::error::Fault;
use crate::load::read_account;
use crate::operations::{operation_columns, read_operation};
use crate::values::{account_in, counter, micros};

#[async_trait]
impl Lists for SqliteStore {
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError> {
        // Half-open ranges of ids: `;` is the character after `:`.
        let (kind_from, kind_before) = match page.kind {
            Some(AccountKind::User) => ("user:", "user;"),
            Some(AccountKind::Org) => ("org:", "org;"),
            None => ("", "v"),
        };
        let rows = sqlx::query(accounts_statement(page))
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
            let (home, id, account) = read_account(row)?;
            Ok(AccountRow { home, id, account })
        });
        Ok(rows.collect::<Result<_, Fault>>()?)
    }

    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError> {
        let statement = concat!(
            "select ",
            operation_columns!(),
            " from operations as o where o.home = ?1 \
             and (?2 is null or o.account = ?2) and o.sequence < ?3 \
             order by o.era desc, o.sequence desc limit ?4"
        );
        let account = (!page.members).then(|| page.account.as_str().to_owned());
        let rows = sqlx::query(statement)
            .bind(page.home.as_str())
            .bind(account)
            .bind(page.before.map_or(Ok(i64::MAX), counter)?)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let operations = rows.iter().map(|row| Ok(read_operation(row)?.1));
        Ok(operations.collect::<Result<_, Fault>>()?)
    }

    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let statement = "select distinct home from reservations \
                         where state = 'open' and expires_at <= ?1 order by home limit ?2";
        let rows = sqlx::query(statement)
            .bind(micros(now))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let homes = rows.iter().map(|row| account_in(row, "reservations"));
        Ok(homes.collect::<Result<_, Fault>>()?)
    }
}

/// One statement for each index that a list can follow.
fn accounts_statement(page: &AccountPage) -> &'static str {
    macro_rules! listed {
        ($($filter:literal)?) => {
            concat!(
                "select home, account, version, hold_before, terms, books from accounts \
                 where account >= ?1 and account < ?2 and account > ?3 ",
                $($filter,)?
                " order by account limit ?4"
            )
        };
    }
    match (&page.org, page.due_before) {
        (None, None) => listed!(),
        (Some(_), None) => listed!("and org = ?5"),
        (None, Some(_)) => listed!("and due_at <= ?6"),
        (Some(_), Some(_)) => listed!("and org = ?5 and due_at <= ?6"),
    }
}
