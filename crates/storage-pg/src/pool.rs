//! The pool: how connections are set up, kept clean, and used so that nobody can cancel a change midway.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use quota_core::ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::Settings;
use crate::error::{lost_to_another, store_error, unavailable};
use crate::server_settings::{tell_of_missing, wanted};
use crate::spare::KEPT_MAX;
use crate::statements::Layout;

/// Tries of a statement that loses to another one (deadlock, serialization); each loser lets a winner pass.
const ATTEMPTS_MAX: u32 = 5;
/// First pause after a loss; doubled each time.
const RETRY_PAUSE: Duration = Duration::from_millis(2);

/// How the tables of the database are laid out.
pub(crate) async fn layout(connection: &mut PgConnection) -> Result<Layout, StoreError> {
    let citus = sqlx::query("select from pg_extension where extname = 'citus'");
    let citus = citus.fetch_optional(connection).await;
    Ok(match citus.map_err(store_error)? {
        Some(_) => Layout::Distributed,
        None => Layout::Whole,
    })
}

/// Reads a URL.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(store_error)?;
    Ok(options.application_name("quota"))
}

/// Opens the pool, and says how the tables are laid out; fails when the database does not answer.
pub(crate) async fn open(
    options: PgConnectOptions,
    settings: &Settings,
) -> Result<(PgPool, Layout), StoreError> {
    let mut first: PgConnection = options.connect().await.map_err(store_error)?;
    let layout = layout(&mut first).await?;
    first.close().await.map_err(store_error)?;
    let wanted = wanted(settings, layout);
    let pool = PgPoolOptions::new()
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
        .connect_with(options.options(wanted.clone()))
        .await
        .map_err(store_error)?;
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let told = tell_of_missing(&mut connection, &wanted).await;
    told.map_err(store_error)?;
    Ok((pool, layout))
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
