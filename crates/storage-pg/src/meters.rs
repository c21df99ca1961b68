//! The tables `meter_marks`, `meter_periods` and `meter_entries`: use on demand on its way to a provider's meter. The ledger is read by
//! time, and what may have been committed late once more.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::balance::Bucket;
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::meter::{MeterEntry, MeterPeriod, MeterPeriodId};
use quota_core::operation::Operation;
use quota_core::payment::PaymentMode;
use quota_core::ports::{LedgerMark, MeterEntries, MeterStore, MeterWrite, SoldPage, StoreError};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use crate::error::store_error;
use crate::operations;
use crate::store::PgStore;
use crate::values::{Instant, Reading, json_text, stored_count};

/// So much time of the ledger is read at once: longer spans would be sorted as a whole for each page, and take longer than a statement may.
const SPAN: TimeDelta = TimeDelta::minutes(10);
/// Stretches that are passed over whole where nothing at all was booked, the longest first.
const EMPTY_SPANS: [TimeDelta; 2] = [TimeDelta::days(1), TimeDelta::hours(1)];
const MICROS: i64 = 1_000_000;

const ANY_OPERATION: &str =
    "select exists (select from operations o where o.at >= $1 and o.at < $2)";

const MARK: &str = "select m.mark from meter_marks m where m.provider = $1 and m.mode = $2";
const PUT_MARK: &str = "\
insert into meter_marks (provider, mode, mark) values ($1, $2, $3)
on conflict (provider, mode) do update set mark = excluded.mark where meter_marks.mark < excluded.mark";
const PERIOD: &str = "\
select p.account, p.bucket, p.version, p.next_at, p.document
from meter_periods p where p.account = $1 and p.shard = $2 and p.provider = $3 and p.mode = $4 and p.bucket = $5";
const PERIODS: &str = "\
select p.account, p.bucket, p.version, p.next_at, p.document
from meter_periods p where p.account = $1 and p.shard = $2 order by p.provider, p.mode, p.bucket";
const DUE_PERIODS: &str = "\
select p.account, p.bucket, p.version, p.next_at, p.document
from meter_periods p where p.next_at <= $1 order by p.next_at, p.account, p.bucket limit $2";
const OPEN: &str = "\
select e.bucket, e.entry, e.document
from meter_entries e where e.account = $1 and e.shard = $2 and e.provider = $3 and e.mode = $4 and e.bucket = $5
    and e.state in ('waiting', 'sending', 'cancelling')
order by e.booked_at, e.entry limit $6";
const TOLD_SINCE: &str = "\
select e.bucket, e.entry, e.document
from meter_entries e where e.account = $1 and e.shard = $2 and e.provider = $3 and e.mode = $4 and e.bucket = $5
    and e.state = 'told' and e.sent_at >= $6
order by e.sent_at desc, e.entry desc limit $7";
const KNOWN: &str = "\
select e.bucket, e.entry, e.document
from meter_entries e where e.account = $1 and e.shard = $2 and e.provider = $3 and e.mode = $4 and e.bucket = $5
    and e.entry = any($6) order by e.entry";
const WITHIN: &str = "\
select e.bucket, e.entry, e.document
from meter_entries e where e.account = $1 and e.shard = $2 and e.at >= $3 and e.at < $4 order by e.bucket, e.entry";
const PUT_PERIOD: &str = "\
insert into meter_periods (account, shard, provider, mode, bucket, version, next_at, ends_at, document)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (account, provider, mode, bucket, shard) do update
set version = excluded.version, next_at = excluded.next_at, ends_at = excluded.ends_at, document = excluded.document
where meter_periods.version = excluded.version - 1";
const PUT_ENTRY: &str = "\
insert into meter_entries (account, shard, provider, mode, bucket, entry, state, booked_at, at, sent_at, document)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (account, provider, mode, bucket, entry, shard) do update
set state = excluded.state, at = excluded.at, sent_at = excluded.sent_at, document = excluded.document";
const PRUNE_ENTRIES: &str = "\
delete from meter_entries e using (
    select o.account, o.shard, o.provider, o.mode, o.bucket, o.entry from meter_entries o
    where o.booked_at < $1 and o.state not in ('waiting', 'sending', 'cancelling') limit $2
) old
where e.account = old.account and e.shard = old.shard and e.provider = old.provider and e.mode = old.mode
    and e.bucket = old.bucket and e.entry = old.entry and e.state not in ('waiting', 'sending', 'cancelling')";
const PRUNE_PERIODS: &str = "\
delete from meter_periods p using (
    select o.account, o.shard, o.provider, o.mode, o.bucket from meter_periods o
    where o.next_at is null and o.ends_at < $1 limit $2
) old
where p.account = old.account and p.shard = old.shard and p.provider = old.provider and p.mode = old.mode
    and p.bucket = old.bucket and p.next_at is null";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn by_account<'q>(text: &'static str, account: &'q AccountId) -> Statement<'q> {
    let statement = sqlx::query(text).bind(account.as_str());
    statement.bind(i16::from(account.shard()))
}

fn by_id<'q>(text: &'static str, id: &'q MeterPeriodId) -> Statement<'q> {
    let statement = by_account(text, &id.account).bind(id.provider.as_str());
    statement.bind(id.mode.as_str()).bind(id.bucket.to_string())
}

fn mark_of(at: Instant) -> LedgerMark {
    LedgerMark(at.timestamp_micros())
}

#[async_trait]
impl MeterStore for PgStore {
    fn mark_at(&self, at: DateTime<Utc>) -> LedgerMark {
        mark_of(at)
    }

    fn rewound(&self, mark: LedgerMark, seconds: u32) -> LedgerMark {
        let back = i64::from(seconds).saturating_mul(MICROS);
        LedgerMark(mark.0.saturating_sub(back))
    }

    async fn sold(
        &self,
        from: LedgerMark,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<SoldPage, StoreError> {
        let from = DateTime::from_timestamp_micros(from.0).unwrap_or_default();
        let behind = |span| {
            from.checked_add_signed(span)
                .map_or(until, |upper: Instant| upper.min(until))
        };
        for upper in EMPTY_SPANS.map(behind) {
            if !self.has_any((from, upper)).await? {
                return Ok(SoldPage {
                    operations: Vec::new(),
                    next: mark_of(upper.max(from)),
                    is_last: until <= upper,
                });
            }
        }
        let upper = behind(SPAN);
        let mut asked = i64::from(limit.max(1));
        loop {
            let mut operations = self.sold_between((from, upper), asked).await?;
            let is_whole = i64::try_from(operations.len()).unwrap_or(i64::MAX) < asked;
            let ends = operations.first().zip(operations.last());
            let ends = ends.map(|(first, last)| (first.at, last.at));
            match ends.filter(|_| !is_whole) {
                None => {
                    return Ok(SoldPage {
                        operations,
                        next: mark_of(upper.max(from)),
                        is_last: until <= upper,
                    });
                }
                // Others of the last instant may have been cut off: they come with the next page.
                Some((first, last)) if first < last => {
                    operations.retain(|operation| operation.at < last);
                    let next = mark_of(last);
                    return Ok(SoldPage {
                        operations,
                        next,
                        is_last: false,
                    });
                }
                Some(_) => asked = asked.saturating_mul(2),
            }
        }
    }

    async fn ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
    ) -> Result<Option<LedgerMark>, StoreError> {
        let mark = sqlx::query_scalar(MARK)
            .bind(provider.as_str())
            .bind(mode.as_str())
            .fetch_optional(&self.pool)
            .await;
        Ok(mark.map_err(store_error)?.map(LedgerMark))
    }

    async fn put_ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        mark: LedgerMark,
    ) -> Result<(), StoreError> {
        let put = sqlx::query(PUT_MARK)
            .bind(provider.as_str())
            .bind(mode.as_str())
            .bind(mark.0)
            .execute(&self.pool)
            .await;
        put.map(drop).map_err(store_error)
    }

    async fn meter_period(&self, id: &MeterPeriodId) -> Result<Option<MeterPeriod>, StoreError> {
        let row = by_id(PERIOD, id).fetch_optional(&self.pool).await;
        row.map_err(store_error)?
            .as_ref()
            .map(read_period)
            .transpose()
    }

    async fn meter_periods(&self, account: &AccountId) -> Result<Vec<MeterPeriod>, StoreError> {
        let rows = by_account(PERIODS, account).fetch_all(&self.pool).await;
        rows.map_err(store_error)?.iter().map(read_period).collect()
    }

    async fn due_meter_periods(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MeterPeriod>, StoreError> {
        let rows = sqlx::query(DUE_PERIODS).bind(now).bind(i64::from(limit));
        let rows = rows.fetch_all(&self.pool).await.map_err(store_error)?;
        rows.iter().map(read_period).collect()
    }

    async fn meter_entries(
        &self,
        wanted: &MeterEntries,
    ) -> Result<Vec<(Bucket, MeterEntry)>, StoreError> {
        let statement = match wanted {
            MeterEntries::Open(id, limit) => by_id(OPEN, id).bind(i64::from(*limit)),
            MeterEntries::ToldSince(id, since, limit) => {
                by_id(TOLD_SINCE, id).bind(*since).bind(i64::from(*limit))
            }
            MeterEntries::Known(id, entries) => {
                let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
                by_id(KNOWN, id).bind(entries)
            }
            MeterEntries::Within(account, from, before) => {
                by_account(WITHIN, account).bind(*from).bind(*before)
            }
        };
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        rows.iter().map(read_entry).collect()
    }

    async fn write_meters(&self, write: &MeterWrite) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let period = &write.period;
        let put = by_id(PUT_PERIOD, &period.id)
            .bind(stored_count(period.version)?)
            .bind(period.next_at)
            .bind(period.ends_at)
            .bind(json_text(period)?)
            .execute(&mut *transaction)
            .await;
        if put.map_err(store_error)?.rows_affected() != 1 {
            return Ok(false);
        }
        for entry in &write.entries {
            let put = by_id(PUT_ENTRY, &period.id)
                .bind(entry.id.to_string())
                .bind(entry.state.as_str())
                .bind(entry.booked_at)
                .bind(entry.at)
                .bind(entry.sent_at)
                .bind(json_text(entry)?)
                .execute(&mut *transaction)
                .await;
            put.map_err(store_error)?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(true)
    }

    async fn prune_meters(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let mut removed: u64 = 0;
        for text in [PRUNE_ENTRIES, PRUNE_PERIODS] {
            let statement = sqlx::query(text).bind(before).bind(i64::from(limit));
            let done = statement.execute(&self.pool).await.map_err(store_error)?;
            removed = removed.saturating_add(done.rows_affected());
        }
        Ok(removed)
    }
}

impl PgStore {
    async fn has_any(&self, (from, before): (Instant, Instant)) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar(ANY_OPERATION).bind(from).bind(before);
        any.fetch_one(&self.pool).await.map_err(store_error)
    }

    async fn sold_between(
        &self,
        (from, before): (Instant, Instant),
        limit: i64,
    ) -> Result<Vec<Operation>, StoreError> {
        let rows = sqlx::query(operations::SOLD)
            .bind(from)
            .bind(before)
            .bind(limit);
        let rows = rows.fetch_all(&self.pool).await.map_err(store_error)?;
        let read = |row: &PgRow| operations::read(row, "sequence", "entries");
        rows.iter().map(read).collect()
    }
}

fn read_period(row: &PgRow) -> Result<MeterPeriod, StoreError> {
    let account: &str = row.try_get("account").map_err(store_error)?;
    let bucket: &str = row.try_get("bucket").map_err(store_error)?;
    let reading = Reading::new(row, "meter_periods", format!("{account} {bucket}"));
    let period: MeterPeriod = reading.json("document")?;
    Ok(MeterPeriod {
        version: reading.count("version")?,
        next_at: reading.get("next_at")?,
        ..period
    })
}

fn read_entry(row: &PgRow) -> Result<(Bucket, MeterEntry), StoreError> {
    let entry: &str = row.try_get("entry").map_err(store_error)?;
    let reading = Reading::new(row, "meter_entries", entry);
    Ok((reading.name("bucket")?, reading.json("document")?))
}
