//! The tables `meter_marks`, `meter_periods` and `meter_entries`: use on demand on its way to a provider's meter. The ledger is read by
//! rowid, which is the order of its commits here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::balance::Bucket;
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::meter::{MeterEntry, MeterPeriod, MeterPeriodId};
use quota_core::payment::PaymentMode;
use quota_core::ports::{LedgerMark, MeterEntries, MeterStore, MeterWrite, SoldPage, StoreError};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};

use crate::error::Fault;
use crate::values::{Reading, counter, json, micros};
use crate::{SqliteStore, operations};

type Statement = Query<'static, Sqlite, SqliteArguments>;

macro_rules! period_columns {
    () => {
        "select account, bucket, version, next_at, document from meter_periods "
    };
}
macro_rules! entry_columns {
    () => {
        "select bucket, entry, document from meter_entries "
    };
}
macro_rules! of_period {
    () => {
        "where account = ?1 and provider = ?2 and mode = ?3 and bucket = ?4 "
    };
}

fn by_id(text: &'static str, id: &MeterPeriodId) -> Statement {
    sqlx::query(text)
        .bind(id.account.to_string())
        .bind(id.provider.to_string())
        .bind(id.mode.as_str())
        .bind(id.bucket.to_string())
}

#[async_trait]
impl MeterStore for SqliteStore {
    fn mark_at(&self, _at: DateTime<Utc>) -> LedgerMark {
        LedgerMark(0)
    }

    fn rewound(&self, mark: LedgerMark, _seconds: u32) -> LedgerMark {
        mark
    }

    async fn sold(
        &self,
        from: LedgerMark,
        _until: DateTime<Utc>,
        limit: u32,
    ) -> Result<SoldPage, StoreError> {
        let last = sqlx::query(operations::LAST).fetch_one(&self.readers).await;
        let last: i64 = Reading::new(&last.map_err(Fault::from)?, "operations", "").raw("last")?;
        let from = from.0.min(last);
        let to = from.saturating_add(i64::from(limit)).min(last);
        let rows = sqlx::query(operations::SOLD).bind(from).bind(to);
        let rows = rows.fetch_all(&self.readers).await.map_err(Fault::from)?;
        let operations = rows.iter().map(|row| Ok(operations::read(row)?.1));
        Ok(SoldPage {
            operations: operations.collect::<Result<_, Fault>>()?,
            next: LedgerMark(to),
            is_last: to == last,
        })
    }

    async fn ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
    ) -> Result<Option<LedgerMark>, StoreError> {
        let text = "select mark from meter_marks where provider = ?1 and mode = ?2";
        let statement = sqlx::query(text)
            .bind(provider.to_string())
            .bind(mode.as_str());
        let row = statement.fetch_optional(&self.readers).await;
        let read = |row: &SqliteRow| {
            let mark = Reading::new(row, "meter_marks", provider).raw("mark")?;
            Ok::<_, Fault>(LedgerMark(mark))
        };
        Ok(row.map_err(Fault::from)?.as_ref().map(read).transpose()?)
    }

    async fn put_ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        mark: LedgerMark,
    ) -> Result<(), StoreError> {
        let text = "insert into meter_marks (provider, mode, mark) values (?1, ?2, ?3) \
                    on conflict (provider, mode) do update set mark = excluded.mark where mark < excluded.mark";
        let statement = sqlx::query(text)
            .bind(provider.to_string())
            .bind(mode.as_str())
            .bind(mark.0);
        self.writing(move |on| Box::pin(async move { Ok(statement.execute(on).await.map(drop)?) }))
            .await
    }

    async fn meter_period(&self, id: &MeterPeriodId) -> Result<Option<MeterPeriod>, StoreError> {
        let text = concat!(period_columns!(), of_period!());
        let row = by_id(text, id).fetch_optional(&self.readers).await;
        Ok(row
            .map_err(Fault::from)?
            .as_ref()
            .map(read_period)
            .transpose()?)
    }

    async fn meter_periods(&self, account: &AccountId) -> Result<Vec<MeterPeriod>, StoreError> {
        let text = concat!(
            period_columns!(),
            "where account = ?1 order by provider, mode, bucket"
        );
        let rows = sqlx::query(text).bind(account.to_string());
        let rows = rows.fetch_all(&self.readers).await.map_err(Fault::from)?;
        Ok(rows.iter().map(read_period).collect::<Result<_, Fault>>()?)
    }

    async fn due_meter_periods(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MeterPeriod>, StoreError> {
        let text = concat!(
            period_columns!(),
            "where next_at <= ?1 order by next_at, account, bucket limit ?2"
        );
        let rows = sqlx::query(text).bind(micros(now)).bind(limit);
        let rows = rows.fetch_all(&self.readers).await.map_err(Fault::from)?;
        Ok(rows.iter().map(read_period).collect::<Result<_, Fault>>()?)
    }

    async fn meter_entries(
        &self,
        wanted: &MeterEntries,
    ) -> Result<Vec<(Bucket, MeterEntry)>, StoreError> {
        let rows = statement_for(wanted)?.fetch_all(&self.readers).await;
        let rows = rows.map_err(Fault::from)?;
        Ok(rows.iter().map(read_entry).collect::<Result<_, Fault>>()?)
    }

    async fn write_meters(&self, write: &MeterWrite) -> Result<bool, StoreError> {
        let period = put_period(&write.period)?;
        let entries = write
            .entries
            .iter()
            .map(|entry| put_entry(&write.period.id, entry));
        let entries = entries.collect::<Result<Vec<_>, Fault>>()?;
        self.writing(move |on| Box::pin(written(on, period, entries)))
            .await
    }

    async fn prune_meters(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.writing(move |on| Box::pin(pruned(on, micros(before), limit)))
            .await
    }
}

fn statement_for(wanted: &MeterEntries) -> Result<Statement, Fault> {
    Ok(match wanted {
        MeterEntries::Open(id, limit) => {
            let text = concat!(
                entry_columns!(),
                of_period!(),
                "and state in ('waiting', 'sending', 'cancelling') order by booked_at, entry limit ?5"
            );
            by_id(text, id).bind(*limit)
        }
        MeterEntries::ToldSince(id, since, limit) => {
            let text = concat!(
                entry_columns!(),
                of_period!(),
                "and state = 'told' and sent_at >= ?5 order by sent_at desc, entry desc limit ?6"
            );
            by_id(text, id).bind(micros(*since)).bind(*limit)
        }
        MeterEntries::Known(id, entries) => {
            let text = concat!(
                entry_columns!(),
                of_period!(),
                "and entry in (select value from json_each(?5)) order by entry"
            );
            by_id(text, id).bind(json(entries)?)
        }
        MeterEntries::Within(account, from, before) => {
            let text = concat!(
                entry_columns!(),
                "where account = ?1 and at >= ?2 and at < ?3 order by bucket, entry"
            );
            let statement = sqlx::query(text).bind(account.to_string());
            statement.bind(micros(*from)).bind(micros(*before))
        }
    })
}

fn put_period(period: &MeterPeriod) -> Result<Statement, Fault> {
    let text = "insert into meter_periods (account, provider, mode, bucket, version, next_at, ends_at, document) \
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                on conflict (account, provider, mode, bucket) do update set version = excluded.version, \
                next_at = excluded.next_at, ends_at = excluded.ends_at, document = excluded.document \
                where version = excluded.version - 1";
    Ok(by_id(text, &period.id)
        .bind(counter(period.version)?)
        .bind(period.next_at.map(micros))
        .bind(period.ends_at.map(micros))
        .bind(json(period)?))
}

fn put_entry(id: &MeterPeriodId, entry: &MeterEntry) -> Result<Statement, Fault> {
    let text = "insert into meter_entries (account, provider, mode, bucket, entry, state, booked_at, at, sent_at, document) \
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
                on conflict (account, provider, mode, bucket, entry) do update set state = excluded.state, \
                at = excluded.at, sent_at = excluded.sent_at, document = excluded.document";
    Ok(by_id(text, id)
        .bind(entry.id.to_string())
        .bind(entry.state.as_str())
        .bind(micros(entry.booked_at))
        .bind(micros(entry.at))
        .bind(entry.sent_at.map(micros))
        .bind(json(entry)?))
}

async fn written(
    connection: &mut SqliteConnection,
    period: Statement,
    entries: Vec<Statement>,
) -> Result<bool, Fault> {
    let follows = period.execute(&mut *connection).await?.rows_affected() == 1;
    if follows {
        for entry in entries {
            entry.execute(&mut *connection).await?;
        }
    }
    Ok(follows)
}

async fn pruned(connection: &mut SqliteConnection, before: i64, limit: u32) -> Result<u64, Fault> {
    let entries = "delete from meter_entries where rowid in (select rowid from meter_entries where booked_at < ?1 \
                   and state not in ('waiting', 'sending', 'cancelling') limit ?2)";
    let periods = "delete from meter_periods where rowid in (select rowid from meter_periods where next_at is null \
                   and ends_at < ?1 limit ?2)";
    let mut removed: u64 = 0;
    for text in [entries, periods] {
        let statement = sqlx::query(text).bind(before).bind(limit);
        let done = statement.execute(&mut *connection).await?;
        removed = removed.saturating_add(done.rows_affected());
    }
    Ok(removed)
}

fn read_period(row: &SqliteRow) -> Result<MeterPeriod, Fault> {
    let account: String = Reading::new(row, "meter_periods", "").raw("account")?;
    let bucket: String = Reading::new(row, "meter_periods", &account).raw("bucket")?;
    let row = Reading::new(row, "meter_periods", format_args!("{account} {bucket}"));
    let period: MeterPeriod = row.json("document")?;
    Ok(MeterPeriod {
        version: row.counter("version")?,
        next_at: row.optional_instant("next_at")?,
        ..period
    })
}

fn read_entry(row: &SqliteRow) -> Result<(Bucket, MeterEntry), Fault> {
    let entry: String = Reading::new(row, "meter_entries", "").raw("entry")?;
    let row = Reading::new(row, "meter_entries", entry);
    Ok((row.text("bucket")?, row.json("document")?))
}
