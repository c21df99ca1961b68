//! The table `billing_problems`: what of a provider's facts fits nothing here.

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::payment::PaymentMode;
use quota_core::ports::{ProblemPage, StoreError};
use quota_core::provider::{BillingProblem, ProblemId, ProblemKind, Settled};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use crate::error::store_error;
use crate::values::{Reading, json_text, stored_count};

const RAISE: &str = "\
insert into billing_problems
    (provider, mode, kind, about, shard, account, detail, evidence, times, first_seen_at, last_seen_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (provider, mode, about, kind, shard) do update
set account = excluded.account, detail = excluded.detail, evidence = excluded.evidence, times = billing_problems.times + 1,
    last_seen_at = greatest(billing_problems.last_seen_at, excluded.last_seen_at), settled_at = null, settled_by = null,
    settled_note = null";
const SETTLE: &str = "\
update billing_problems p set settled_at = $6, settled_by = $7, settled_note = $8
where p.provider = $1 and p.mode = $2 and p.kind = $3 and p.about = $4 and p.shard = $5 and p.settled_at is null";
const ONE_PROBLEM: &str = "\
select p.provider, p.mode, p.kind, p.about, p.account, p.detail, p.evidence, p.times, p.first_seen_at, p.last_seen_at,
    p.settled_at, p.settled_by, p.settled_note
from billing_problems p
where p.provider = $1 and p.mode = $2 and p.kind = $3 and p.about = $4 and p.shard = $5";
const OPEN_ABOUT: &str = "\
select p.provider, p.mode, p.kind, p.about, p.account, p.detail, p.evidence, p.times, p.first_seen_at, p.last_seen_at,
    p.settled_at, p.settled_by, p.settled_note
from billing_problems p
where p.provider = $1 and p.mode = $2 and p.about = $3 and p.shard = $4 and p.settled_at is null
order by p.kind";
const PROBLEMS: &str = "\
select p.provider, p.mode, p.kind, p.about, p.account, p.detail, p.evidence, p.times, p.first_seen_at, p.last_seen_at,
    p.settled_at, p.settled_by, p.settled_note
from billing_problems p
where p.provider = $1 and (p.last_seen_at, p.mode, p.kind, p.about) < ($2, $3, $4, $5)
    and ($7::text is null or p.kind = $7)
order by p.last_seen_at desc, p.mode desc, p.kind desc, p.about desc limit $6";
const OPEN_PROBLEMS: &str = "\
select p.provider, p.mode, p.kind, p.about, p.account, p.detail, p.evidence, p.times, p.first_seen_at, p.last_seen_at,
    p.settled_at, p.settled_by, p.settled_note
from billing_problems p
where p.provider = $1 and (p.last_seen_at, p.mode, p.kind, p.about) < ($2, $3, $4, $5)
    and ($7::text is null or p.kind = $7) and p.settled_at is null
order by p.last_seen_at desc, p.mode desc, p.kind desc, p.about desc limit $6";
const PROBLEMS_OF_ACCOUNT: &str = "\
select p.provider, p.mode, p.kind, p.about, p.account, p.detail, p.evidence, p.times, p.first_seen_at, p.last_seen_at,
    p.settled_at, p.settled_by, p.settled_note
from billing_problems p
where p.provider = $1 and (p.last_seen_at, p.mode, p.kind, p.about) < ($2, $3, $4, $5)
    and ($7::text is null or p.kind = $7) and p.account = $8 and (not $9 or p.settled_at is null)
order by p.last_seen_at desc, p.mode desc, p.kind desc, p.about desc limit $6";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A statement about a problem.
fn by_id<'q>(text: &'static str, id: &'q ProblemId) -> Statement<'q> {
    sqlx::query(text)
        .bind(id.provider.as_str())
        .bind(id.mode.as_str())
        .bind(id.kind.as_str())
        .bind(&id.about)
        .bind(i16::from(id.shard()))
}

/// Lists it, or counts it once more.
pub(crate) async fn raise(pool: &PgPool, problem: &BillingProblem) -> Result<(), StoreError> {
    let raised = by_id(RAISE, &problem.id)
        .bind(problem.account.as_ref().map(AccountId::as_str))
        .bind(&problem.detail)
        .bind(json_text(&problem.evidence)?)
        .bind(stored_count(problem.times)?)
        .bind(problem.first_seen_at)
        .bind(problem.last_seen_at)
        .execute(pool);
    raised.await.map(drop).map_err(store_error)
}

/// Whether it was open.
pub(crate) async fn settle(
    pool: &PgPool,
    id: &ProblemId,
    settled: &Settled,
) -> Result<bool, StoreError> {
    let settle = by_id(SETTLE, id)
        .bind(settled.at)
        .bind(&settled.by)
        .bind(&settled.note)
        .execute(pool);
    Ok(settle.await.map_err(store_error)?.rows_affected() == 1)
}

/// A problem by its id.
pub(crate) async fn one(
    pool: &PgPool,
    id: &ProblemId,
) -> Result<Option<BillingProblem>, StoreError> {
    let row = by_id(ONE_PROBLEM, id).fetch_optional(pool).await;
    row.map_err(store_error)?.as_ref().map(read).transpose()
}

/// The open ones about something, all in one shard.
pub(crate) async fn open_about(
    pool: &PgPool,
    (provider, mode): (&ProviderCode, PaymentMode),
    about: &str,
) -> Result<Vec<BillingProblem>, StoreError> {
    let shard = ProblemId::shard_about(provider, mode, about);
    let rows = sqlx::query(OPEN_ABOUT)
        .bind(provider.as_str())
        .bind(mode.as_str())
        .bind(about)
        .bind(i16::from(shard))
        .fetch_all(pool)
        .await;
    rows.map_err(store_error)?.iter().map(read).collect()
}

/// The one that was met last first.
pub(crate) async fn page(
    pool: &PgPool,
    page: &ProblemPage,
) -> Result<Vec<BillingProblem>, StoreError> {
    // Nothing was met at the end of time.
    let end = (DateTime::<Utc>::MAX_UTC, ["", "", ""]);
    let after = page.after.as_ref();
    let (at, [mode, kind, about]) = after.map_or(end, |(at, id)| {
        (*at, [id.mode.as_str(), id.kind.as_str(), &id.about])
    });
    let text = match (&page.account, page.is_open) {
        (Some(_), _) => PROBLEMS_OF_ACCOUNT,
        (None, true) => OPEN_PROBLEMS,
        (None, false) => PROBLEMS,
    };
    let mut statement = sqlx::query(text)
        .bind(page.provider.as_str())
        .bind(at)
        .bind(mode)
        .bind(kind)
        .bind(about)
        .bind(i64::from(page.limit))
        .bind(page.kind.map(ProblemKind::as_str));
    if let Some(account) = &page.account {
        statement = statement.bind(account.as_str()).bind(page.is_open);
    }
    let rows = statement.fetch_all(pool).await.map_err(store_error)?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<BillingProblem, StoreError> {
    let key: &str = row.try_get("about").map_err(store_error)?;
    let reading = Reading::new(row, "billing_problems", key);
    let account: Option<&str> = reading.get("account")?;
    let settled_at: Option<DateTime<Utc>> = reading.get("settled_at")?;
    let settled = settled_at.map(|at| {
        Ok(Settled {
            at,
            by: reading.get("settled_by")?,
            note: reading.get("settled_note")?,
        })
    });
    Ok(BillingProblem {
        id: ProblemId {
            provider: reading.name("provider")?,
            mode: reading.name("mode")?,
            kind: reading.name("kind")?,
            about: reading.get("about")?,
        },
        account: account.map(|_| reading.account_id("account")).transpose()?,
        detail: reading.get("detail")?,
        evidence: reading.json("evidence")?,
        times: reading.count("times")?,
        first_seen_at: reading.get("first_seen_at")?,
        last_seen_at: reading.get("last_seen_at")?,
        settled: settled.transpose()?,
    })
}
