//! The pool: how connections are set up, kept clean, and used so that nobody can cancel a change midway.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use quota_core::ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::Settings;
use crate::error::{lost_to_another, store_error, unavailable};
use crate::spare::KEPT_MAX;
use crate::statements::Layout;

/// Tries of a statement that loses to another one (deadlock, serialization); each loser lets a winner pass.
const ATTEMPTS_MAX: u32 = 5;
/// First pause after a loss; doubled each time.
const RETRY_PAUSE: Duration = Duration::from_millis(2);

/// How every statement of the store is planned: once, and by its keys. The planner must not plan for the tables as
/// they were when they were empty, nor read a table from end to end to join it with a batch. The last line lets two
/// batches run side by side on Citus; elsewhere it is a name without meaning.
const PLAN_SETTINGS: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    // A rollback outside a transaction is no news.
    ("client_min_messages", "error"),
    ("citus.all_modifications_commutative", "on"),
];

/// Citus refuses a plan for any shard: there each statement is planned for the one that it names.
fn plan_cache_mode(layout: Layout) -> (&'static str, &'static str) {
    let mode = match layout {
        Layout::Whole => "force_generic_plan",
        Layout::Distributed => "force_custom_plan",
    };
    ("plan_cache_mode", mode)
}

/// How the tables of the database are laid out; fails when it does not answer.
pub(crate) async fn layout(options: &PgConnectOptions) -> Result<Layout, StoreError> {
    let mut connection = options.connect().await.map_err(store_error)?;
    let citus = sqlx::query("select from pg_extension where extname = 'citus'");
    let citus = citus.fetch_optional(&mut connection).await;
    let layout = match citus.map_err(store_error)? {
        Some(_) => Layout::Distributed,
        None => Layout::Whole,
    };
    connection.close().await.map_err(store_error)?;
    Ok(layout)
}

/// Reads a URL.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(store_error)?;
    Ok(options.application_name("quota"))
}

/// Opens the pool; fails when the database does not answer.
pub(crate) async fn open(
    options: PgConnectOptions,
    settings: &Settings,
    layout: Layout,
) -> Result<PgPool, StoreError> {
    let millis = |span: Duration| span.as_millis().to_string();
    let limits = [
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        (
            "idle_in_transaction_session_timeout",
            millis(settings.idle_in_transaction_timeout),
        ),
    ];
    PgPoolOptions::new()
        .max_connections(settings.connections_max.saturating_add(KEPT_MAX))
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .after_release(|connection, _| {
            Box::pin(async move {
                // A dropped `begin()` leaves its transaction open, and sqlx 0.9.0 does not know of it.
                connection.execute("rollback").await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(
            options
                .options(PLAN_SETTINGS)
                .options([plan_cache_mode(layout)])
                .options(limits),
        )
        .await
        .map_err(store_error)
}

/// Runs `work` to its end, also when the caller stops waiting for it.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(unavailable(ended)),
        },
    }
}

/// Runs a statement again while it loses to another one, a bounded number of times.
pub(crate) async fn retrying<T, F, R>(statement: F) -> Result<T, StoreError>
where
    F: Fn() -> R,
    R: Future<Output = Result<T, sqlx::Error>>,
{
    let mut pause = RETRY_PAUSE;
    for _ in 1..ATTEMPTS_MAX {
        match statement().await {
            Err(error) if lost_to_another(&error) => tokio::time::sleep(pause).await,
            outcome => return outcome.map_err(store_error),
        }
        pause = pause.saturating_mul(2);
    }
    statement().await.map_err(store_error)
}
