//! The table `billing_problems`: what of a provider's facts fits nothing here.

use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;
use quota_core::ports::ProblemPage;
use quota_core::provider::{BillingProblem, ProblemId, ProblemKind, Settled};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor};

use crate::error::Fault;
use crate::values::{Reading, counter, json, micros};

const PROBLEMS: &str = "select provider, mode, kind, about, account, detail, evidence, times, first_seen_at, \
    last_seen_at, settled_at, settled_by, settled_note from billing_problems \
    where provider = ?1 and (last_seen_at, mode, kind, about) < (?2, ?3, ?4, ?5) and (?7 is null or kind = ?7) \
    order by last_seen_at desc, mode desc, kind desc, about desc limit ?6";
const OPEN_PROBLEMS: &str = "select provider, mode, kind, about, account, detail, evidence, times, first_seen_at, \
    last_seen_at, settled_at, settled_by, settled_note from billing_problems \
    where provider = ?1 and (last_seen_at, mode, kind, about) < (?2, ?3, ?4, ?5) and (?7 is null or kind = ?7) \
    and settled_at is null order by last_seen_at desc, mode desc, kind desc, about desc limit ?6";
const PROBLEMS_OF_ACCOUNT: &str = "select provider, mode, kind, about, account, detail, evidence, times, first_seen_at, \
    last_seen_at, settled_at, settled_by, settled_note from billing_problems \
    where provider = ?1 and (last_seen_at, mode, kind, about) < (?2, ?3, ?4, ?5) and (?7 is null or kind = ?7) \
    and account = ?8 and (not ?9 or settled_at is null) \
    order by last_seen_at desc, mode desc, kind desc, about desc limit ?6";

/// A statement about a problem.
fn by_id(text: &'static str, id: &ProblemId) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(text)
        .bind(id.provider.to_string())
        .bind(id.mode.as_str())
        .bind(id.kind.as_str())
        .bind(id.about.clone())
}

/// Lists it, or counts it once more.
pub(crate) async fn raise(
    connection: &mut SqliteConnection,
    problem: BillingProblem,
) -> Result<(), Fault> {
    let statement = "insert into billing_problems as p (provider, mode, kind, about, account, detail, evidence, times, \
                     first_seen_at, last_seen_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
                     on conflict (provider, mode, about, kind) do update \
                     set account = excluded.account, detail = excluded.detail, evidence = excluded.evidence, \
                     times = p.times + 1, last_seen_at = max(p.last_seen_at, excluded.last_seen_at), \
                     settled_at = null, settled_by = null, settled_note = null";
    by_id(statement, &problem.id)
        .bind(problem.account.map(|account| account.to_string()))
        .bind(problem.detail)
        .bind(json(&problem.evidence)?)
        .bind(counter(problem.times)?)
        .bind(micros(problem.first_seen_at))
        .bind(micros(problem.last_seen_at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether it was open.
pub(crate) async fn settle(
    connection: &mut SqliteConnection,
    id: ProblemId,
    settled: Settled,
) -> Result<bool, Fault> {
    let statement = "update billing_problems set settled_at = ?5, settled_by = ?6, settled_note = ?7 \
                     where provider = ?1 and mode = ?2 and kind = ?3 and about = ?4 and settled_at is null";
    let statement = by_id(statement, &id)
        .bind(micros(settled.at))
        .bind(settled.by)
        .bind(settled.note);
    Ok(statement.execute(connection).await?.rows_affected() == 1)
}

/// A problem by its id.
pub(crate) async fn one(
    executor: impl SqliteExecutor<'_>,
    id: &ProblemId,
) -> Result<Option<BillingProblem>, Fault> {
    let statement = "select provider, mode, kind, about, account, detail, evidence, times, first_seen_at, \
                     last_seen_at, settled_at, settled_by, settled_note from billing_problems \
                     where provider = ?1 and mode = ?2 and kind = ?3 and about = ?4";
    let row = by_id(statement, id).fetch_optional(executor).await?;
    row.as_ref().map(read).transpose()
}

/// The open ones about something.
pub(crate) async fn open_about(
    executor: impl SqliteExecutor<'_>,
    (provider, mode): (&ProviderCode, PaymentMode),
    about: &str,
) -> Result<Vec<BillingProblem>, Fault> {
    let statement = "select provider, mode, kind, about, account, detail, evidence, times, first_seen_at, \
                     last_seen_at, settled_at, settled_by, settled_note from billing_problems \
                     where provider = ?1 and mode = ?2 and about = ?3 and settled_at is null order by kind";
    let rows = sqlx::query(statement)
        .bind(provider.to_string())
        .bind(mode.as_str())
        .bind(about.to_owned())
        .fetch_all(executor)
        .await?;
    rows.iter().map(read).collect()
}

/// The one that was met last first.
pub(crate) async fn page(
    executor: impl SqliteExecutor<'_>,
    page: &ProblemPage,
) -> Result<Vec<BillingProblem>, Fault> {
    // Nothing was met at the end of time.
    let end = (i64::MAX, ["", ""], String::new());
    let after = page.after.as_ref();
    let (at, [mode, kind], about) = after.map_or(end, |(at, id)| {
        let words = [id.mode.as_str(), id.kind.as_str()];
        (micros(*at), words, id.about.clone())
    });
    let text = match (&page.account, page.is_open) {
        (Some(_), _) => PROBLEMS_OF_ACCOUNT,
        (None, true) => OPEN_PROBLEMS,
        (None, false) => PROBLEMS,
    };
    let mut statement = sqlx::query(text)
        .bind(page.provider.to_string())
        .bind(at)
        .bind(mode)
        .bind(kind)
        .bind(about)
        .bind(page.limit)
        .bind(page.kind.map(ProblemKind::as_str));
    if let Some(account) = &page.account {
        statement = statement.bind(account.to_string()).bind(page.is_open);
    }
    let rows = statement.fetch_all(executor).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<BillingProblem, Fault> {
    let key: String = Reading::new(row, "billing_problems", "").raw("about")?;
    let row = Reading::new(row, "billing_problems", key);
    let settled = row.optional_instant("settled_at")?.map(|at| {
        Ok::<_, Fault>(Settled {
            at,
            by: row.raw("settled_by")?,
            note: row.raw("settled_note")?,
        })
    });
    Ok(BillingProblem {
        id: ProblemId {
            provider: row.text("provider")?,
            mode: row.text("mode")?,
            kind: row.text("kind")?,
            about: row.raw("about")?,
        },
        account: row.optional_text("account")?,
        detail: row.raw("detail")?,
        evidence: row.json("evidence")?,
        times: row.counter("times")?,
        first_seen_at: row.instant("first_seen_at")?,
        last_seen_at: row.instant("last_seen_at")?,
        settled: settled.transpose()?,
    })
}
