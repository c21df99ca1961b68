//! The tables `payments` and `provider_ids`. Nothing of them is read or written on the way of a request for quota.

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::payment::{Payment, PaymentHolder, PaymentId};
use quota_core::ports::{PaymentPage, PaymentStore, StoreError};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor};

use crate::SqliteStore;
use crate::error::Fault;
use crate::values::{Reading, counter, json, micros, name};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Binds provider, mode and payment.
fn with_id(statement: Statement, id: &PaymentId) -> Statement {
    statement
        .bind(id.provider.to_string())
        .bind(id.mode.as_str())
        .bind(id.payment.to_string())
}

#[async_trait]
impl PaymentStore for SqliteStore {
    async fn claim_payment(
        &self,
        id: &PaymentId,
        holder: &PaymentHolder,
    ) -> Result<PaymentHolder, StoreError> {
        let (id, holder) = (id.clone(), holder.clone());
        self.writing(move |connection| Box::pin(claim(connection, id, holder)))
            .await
    }

    async fn holder_of(&self, id: &PaymentId) -> Result<Option<PaymentHolder>, StoreError> {
        Ok(held(&self.readers, id).await?)
    }

    async fn put_payment(&self, payment: &Payment) -> Result<bool, StoreError> {
        let statement = if payment.version == 1 {
            insert(payment)?
        } else {
            update(payment)?
        };
        self.writing(move |connection| {
            Box::pin(async move { Ok(statement.execute(connection).await?.rows_affected() == 1) })
        })
        .await
    }

    async fn payment(
        &self,
        account: &AccountId,
        id: &PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        let statement = "select account, provider, mode, payment, amount, currency, paying, lines, refunds, disputes, \
                         created_at, paid_at, fetched_at, version from payments \
                         where account = ?1 and provider = ?2 and mode = ?3 and payment = ?4";
        let row = with_id(sqlx::query(statement).bind(account.to_string()), id)
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    async fn payments(&self, page: &PaymentPage) -> Result<Vec<Payment>, StoreError> {
        let newest = "select account, provider, mode, payment, amount, currency, paying, lines, refunds, disputes, \
                      created_at, paid_at, fetched_at, version from payments where account = ?1 \
                      order by created_at desc, provider desc, mode desc, payment desc limit ?2";
        let behind = "select account, provider, mode, payment, amount, currency, paying, lines, refunds, disputes, \
                      created_at, paid_at, fetched_at, version from payments where account = ?1 \
                      and (created_at, provider, mode, payment) < (?3, ?4, ?5, ?6) \
                      order by created_at desc, provider desc, mode desc, payment desc limit ?2";
        let text = if page.after.is_some() { behind } else { newest };
        let statement = sqlx::query(text).bind(page.account.to_string());
        let mut statement = statement.bind(page.limit);
        if let Some(after) = &page.after {
            statement = with_id(statement.bind(micros(after.created_at)), &after.id);
        }
        let rows = statement
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    id: PaymentId,
    holder: PaymentHolder,
) -> Result<PaymentHolder, Fault> {
    if let Some(held) = held(&mut *connection, &id).await? {
        return Ok(held);
    }
    let statement = "insert into provider_ids (provider, mode, id, account, payment) \
                     values (?1, ?2, ?3, ?4, ?5)";
    with_id(sqlx::query(statement), &id)
        .bind(holder.account.to_string())
        .bind(holder.payment.to_string())
        .execute(connection)
        .await?;
    Ok(holder)
}

async fn held(
    executor: impl SqliteExecutor<'_>,
    id: &PaymentId,
) -> Result<Option<PaymentHolder>, Fault> {
    let statement = "select account, payment from provider_ids \
                     where provider = ?1 and mode = ?2 and id = ?3";
    let row = with_id(sqlx::query(statement), id)
        .fetch_optional(executor)
        .await?;
    let holder = |row: &SqliteRow| {
        let row = Reading::new(row, "provider_ids", id);
        Ok(PaymentHolder {
            account: row.text("account")?,
            payment: row.text("payment")?,
        })
    };
    row.as_ref().map(holder).transpose()
}

fn insert(payment: &Payment) -> Result<Statement, Fault> {
    let statement = "insert into payments \
                     (account, provider, mode, payment, amount, currency, paying, lines, refunds, disputes, \
                     paid_at, fetched_at, version, created_at) \
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
                     on conflict (account, provider, mode, payment) do nothing";
    Ok(with_values(sqlx::query(statement), payment)?.bind(micros(payment.created_at)))
}

fn update(payment: &Payment) -> Result<Statement, Fault> {
    let statement = "update payments set amount = ?5, currency = ?6, paying = ?7, lines = ?8, refunds = ?9, \
                     disputes = ?10, paid_at = ?11, fetched_at = ?12, version = ?13 \
                     where account = ?1 and provider = ?2 and mode = ?3 and payment = ?4 and version = ?13 - 1";
    with_values(sqlx::query(statement), payment)
}

/// Binds everything but when it was told first.
fn with_values(statement: Statement, payment: &Payment) -> Result<Statement, Fault> {
    let statement = statement.bind(payment.account.to_string());
    Ok(with_id(statement, &payment.id)
        .bind(counter(payment.amount)?)
        .bind(payment.currency.to_string())
        .bind(name(&payment.paying)?)
        .bind(json(&payment.lines)?)
        .bind(json(&payment.refunds)?)
        .bind(json(&payment.disputes)?)
        .bind(payment.paid_at.map(micros))
        .bind(micros(payment.fetched_at))
        .bind(counter(payment.version)?))
}

fn read(row: &SqliteRow) -> Result<Payment, Fault> {
    let key: String = Reading::new(row, "payments", "").raw("payment")?;
    let row = Reading::new(row, "payments", key);
    Ok(Payment {
        account: row.text("account")?,
        id: PaymentId {
            provider: row.text("provider")?,
            mode: row.text("mode")?,
            payment: row.text("payment")?,
        },
        amount: row.counter("amount")?,
        currency: row.text("currency")?,
        paying: row.text("paying")?,
        lines: row.json("lines")?,
        refunds: row.json("refunds")?,
        disputes: row.json("disputes")?,
        created_at: row.instant("created_at")?,
        paid_at: row.optional_instant("paid_at")?,
        fetched_at: row.instant("fetched_at")?,
        version: row.counter("version")?,
    })
}
