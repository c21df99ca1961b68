//! The tables `payments` and `provider_ids`. Nothing of them is read or written on the way of a request for quota.

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::payment::{Payment, PaymentHolder, PaymentId};
use quota_core::ports::{PaymentPage, PaymentStore, StoreError};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use crate::error::{store_error, unavailable};
use crate::store::PgStore;
use crate::values::{Reading, json_text, name_text, stored_count};

const CLAIM: &str = "\
insert into provider_ids (provider, mode, id, shard, account, payment) values ($1, $2, $3, $4, $5, $6)
on conflict (provider, mode, id, shard) do nothing";
const HOLDER: &str = "\
select i.account, i.payment
from provider_ids i where i.provider = $1 and i.mode = $2 and i.id = $3 and i.shard = $4";
const INSERT: &str = "\
insert into payments
    (account, shard, provider, mode, payment, amount, currency, paying, lines, refunds, disputes, created_at, paid_at,
    fetched_at, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict (account, provider, mode, payment, shard) do nothing";
const UPDATE: &str = "\
update payments p
set amount = $6, currency = $7, paying = $8, lines = $9, refunds = $10, disputes = $11, paid_at = $12, fetched_at = $13,
    version = $14
where p.account = $1 and p.shard = $2 and p.provider = $3 and p.mode = $4 and p.payment = $5 and p.version = $14 - 1";
const ONE: &str = "\
select p.account, p.provider, p.mode, p.payment, p.amount, p.currency, p.paying, p.lines, p.refunds, p.disputes,
    p.created_at, p.paid_at, p.fetched_at, p.version
from payments p
where p.account = $1 and p.shard = $2 and p.provider = $3 and p.mode = $4 and p.payment = $5";
const NEWEST: &str = "\
select p.account, p.provider, p.mode, p.payment, p.amount, p.currency, p.paying, p.lines, p.refunds, p.disputes,
    p.created_at, p.paid_at, p.fetched_at, p.version
from payments p
where p.account = $1 and p.shard = $2
order by p.created_at desc, p.provider desc, p.mode desc, p.payment desc limit $3";
const BEHIND: &str = "\
select p.account, p.provider, p.mode, p.payment, p.amount, p.currency, p.paying, p.lines, p.refunds, p.disputes,
    p.created_at, p.paid_at, p.fetched_at, p.version
from payments p
where p.account = $1 and p.shard = $2 and (p.created_at, p.provider, p.mode, p.payment) < ($4, $5, $6, $7)
order by p.created_at desc, p.provider desc, p.mode desc, p.payment desc limit $3";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds provider, mode and payment.
fn with_id<'q>(statement: Statement<'q>, id: &'q PaymentId) -> Statement<'q> {
    let statement = statement.bind(id.provider.as_str()).bind(id.mode.as_str());
    statement.bind(id.payment.as_str())
}

/// Binds account and shard.
fn with_account<'q>(statement: Statement<'q>, account: &'q AccountId) -> Statement<'q> {
    statement
        .bind(account.as_str())
        .bind(i16::from(account.shard()))
}

#[async_trait]
impl PaymentStore for PgStore {
    async fn claim_payment(
        &self,
        id: &PaymentId,
        holder: &PaymentHolder,
    ) -> Result<PaymentHolder, StoreError> {
        let claim = with_id(sqlx::query(CLAIM), id)
            .bind(i16::from(id.shard()))
            .bind(holder.account.as_str())
            .bind(holder.payment.as_str());
        let claimed = claim.execute(&self.pool).await.map_err(store_error)?;
        if claimed.rows_affected() == 1 {
            return Ok(holder.clone());
        }
        let held = self.holder_of(id).await?;
        held.ok_or_else(|| unavailable(format!("`{id}` is being claimed by others")))
    }

    async fn holder_of(&self, id: &PaymentId) -> Result<Option<PaymentHolder>, StoreError> {
        let statement = with_id(sqlx::query(HOLDER), id).bind(i16::from(id.shard()));
        let row = statement.fetch_optional(&self.pool).await;
        let holder = |row: &PgRow| {
            let reading = Reading::new(row, "provider_ids", id.to_string());
            Ok(PaymentHolder {
                account: reading.account_id("account")?,
                payment: reading.name("payment")?,
            })
        };
        row.map_err(store_error)?.as_ref().map(holder).transpose()
    }

    async fn put_payment(&self, payment: &Payment) -> Result<bool, StoreError> {
        let is_new = payment.version == 1;
        let text = if is_new { INSERT } else { UPDATE };
        let statement = with_account(sqlx::query(text), &payment.account);
        let mut statement = with_id(statement, &payment.id)
            .bind(stored_count(payment.amount)?)
            .bind(payment.currency.as_str())
            .bind(name_text(&payment.paying)?)
            .bind(json_text(&payment.lines)?)
            .bind(json_text(&payment.refunds)?)
            .bind(json_text(&payment.disputes)?);
        if is_new {
            statement = statement.bind(payment.created_at);
        }
        let statement = statement
            .bind(payment.paid_at)
            .bind(payment.fetched_at)
            .bind(stored_count(payment.version)?);
        let written = statement.execute(&self.pool).await.map_err(store_error)?;
        Ok(written.rows_affected() == 1)
    }

    async fn payment(
        &self,
        account: &AccountId,
        id: &PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        let statement = with_id(with_account(sqlx::query(ONE), account), id);
        let row = statement.fetch_optional(&self.pool).await;
        row.map_err(store_error)?.as_ref().map(read).transpose()
    }

    async fn payments(&self, page: &PaymentPage) -> Result<Vec<Payment>, StoreError> {
        let text = if page.after.is_some() { BEHIND } else { NEWEST };
        let statement = with_account(sqlx::query(text), &page.account);
        let mut statement = statement.bind(i64::from(page.limit));
        if let Some(after) = &page.after {
            statement = with_id(statement.bind(after.created_at), &after.id);
        }
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &PgRow) -> Result<Payment, StoreError> {
    let key: &str = row.try_get("payment").map_err(store_error)?;
    let reading = Reading::new(row, "payments", key);
    Ok(Payment {
        account: reading.account_id("account")?,
        id: PaymentId {
            provider: reading.name("provider")?,
            mode: reading.name("mode")?,
            payment: reading.name("payment")?,
        },
        amount: reading.count("amount")?,
        currency: reading.name("currency")?,
        paying: reading.name("paying")?,
        lines: reading.json("lines")?,
        refunds: reading.json("refunds")?,
        disputes: reading.json("disputes")?,
        created_at: reading.get("created_at")?,
        paid_at: reading.get("paid_at")?,
        fetched_at: reading.get("fetched_at")?,
        version: reading.count("version")?,
    })
}
