//! The schema: plain SQL files, forward only, applied under sqlx's own lock.

use std::time::Duration;

use quota_core::ports::StoreError;
use sqlx::error::BoxDynError;
use sqlx::migrate::{Migration, MigrationSource, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqlSafeStr};

use crate::error::store_error;
use crate::statements::{Layout, MAKE_MONTHS};

/// Longest wait of a migration for a table that is in use: better a failed start than a queue behind a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// A lock of the database, by number.
const AFTER_FILES_LOCK: i64 = 4_117_219_052;

/// Version, name and text of each file in `migrations/postgres`.
pub(crate) const FILES: [(i64, &str, &str); 21] = [
    (
        1,
        "accounts",
        include_str!("../../../migrations/postgres/0001_accounts.sql"),
    ),
    (
        2,
        "ledger",
        include_str!("../../../migrations/postgres/0002_ledger.sql"),
    ),
    (
        3,
        "reservations",
        include_str!("../../../migrations/postgres/0003_reservations.sql"),
    ),
    (
        4,
        "catalog",
        include_str!("../../../migrations/postgres/0004_catalog.sql"),
    ),
    (
        5,
        "outbox",
        include_str!("../../../migrations/postgres/0005_outbox.sql"),
    ),
    (
        6,
        "keys",
        include_str!("../../../migrations/postgres/0006_keys.sql"),
    ),
    (
        7,
        "jobs",
        include_str!("../../../migrations/postgres/0007_jobs.sql"),
    ),
    (
        8,
        "roles",
        include_str!("../../../migrations/postgres/0008_roles.sql"),
    ),
    (
        9,
        "schema_read",
        include_str!("../../../migrations/postgres/0009_schema_read.sql"),
    ),
    (
        10,
        "members",
        include_str!("../../../migrations/postgres/0010_members.sql"),
    ),
    (
        11,
        "payments",
        include_str!("../../../migrations/postgres/0011_payments.sql"),
    ),
    (
        12,
        "payment_roles",
        include_str!("../../../migrations/postgres/0012_payment_roles.sql"),
    ),
    (
        13,
        "billing",
        include_str!("../../../migrations/postgres/0013_billing.sql"),
    ),
    (
        14,
        "billing_roles",
        include_str!("../../../migrations/postgres/0014_billing_roles.sql"),
    ),
    (
        15,
        "codes",
        include_str!("../../../migrations/postgres/0015_codes.sql"),
    ),
    (
        16,
        "code_roles",
        include_str!("../../../migrations/postgres/0016_code_roles.sql"),
    ),
    (
        17,
        "top_ups",
        include_str!("../../../migrations/postgres/0017_top_ups.sql"),
    ),
    (
        18,
        "meters",
        include_str!("../../../migrations/postgres/0018_meters.sql"),
    ),
    (
        19,
        "turns",
        include_str!("../../../migrations/postgres/0019_turns.sql"),
    ),
    (
        20,
        "top_up_roles",
        include_str!("../../../migrations/postgres/0020_top_up_roles.sql"),
    ),
    (
        21,
        "meter_roles",
        include_str!("../../../migrations/postgres/0021_meter_roles.sql"),
    ),
];

/// Migrations that make the application's role and say what it may. A dump that is restored where the role is missing
/// has them behind it and their grants not, so they are carried out once more after every migration: each can be
/// repeated at will.
const GRANTS: [i64; 7] = [8, 9, 12, 14, 16, 20, 21];

/// The files as sqlx wants them; its `migrate!` would need its macros.
#[derive(Debug)]
struct Files;

impl MigrationSource<'static> for Files {
    fn resolve(
        self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Migration>, BoxDynError>> + Send>> {
        let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
            let sql = sql.into_sql_str();
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        };
        Box::pin(async move { Ok(FILES.into_iter().map(migration).collect()) })
    }
}

/// Brings a database to this version's schema: applies the files, sets on the database what a pooler would drop,
/// distributes the tables where Citus is, and makes the ledger's partitions of this month and the next two. Several may
/// call it at once; behind a pooler it needs a direct URL.
///
/// # Errors
/// [`StoreError::Unavailable`] when the database does not answer, [`StoreError::Refused`] when a migration fails
/// or when the database has been migrated by another version of this program.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    run(&crate::pool::options(url)?).await
}

pub(crate) async fn run(options: &PgConnectOptions) -> Result<(), StoreError> {
    let options = options.clone().options([
        ("lock_timeout", LOCK_TIMEOUT.as_millis().to_string()),
        // What the database has set for requests is too short for a migration.
        ("statement_timeout", "0".to_owned()),
    ]);
    let mut connection: PgConnection = options.connect().await.map_err(store_error)?;
    let migrator = Migrator::new(Files).await.map_err(migration_error)?;
    migrator
        .run_direct(None, &mut connection, false)
        .await
        .map_err(migration_error)?;
    after_files(&mut connection).await?;
    connection.close().await.map_err(store_error)
}

/// What every call brings up to date beside the files.
async fn after_files(connection: &mut PgConnection) -> Result<(), StoreError> {
    // Until the connection ends: several may be here at once.
    sqlx::query("select pg_advisory_lock($1)")
        .bind(AFTER_FILES_LOCK)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    repeat_grants(connection).await?;
    let layout = crate::pool::layout(connection).await?;
    crate::server_settings::set_on_database(connection, layout).await?;
    match layout {
        Layout::Whole => {}
        Layout::Distributed => crate::placement::distribute(connection).await?,
    }
    sqlx::query(AssertSqlSafe(MAKE_MONTHS))
        .bind(None::<chrono::DateTime<chrono::Utc>>)
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}

async fn repeat_grants(connection: &mut PgConnection) -> Result<(), StoreError> {
    let grants = FILES
        .iter()
        .filter(|(version, ..)| GRANTS.contains(version));
    for (_, _, text) in grants {
        let ran = sqlx::raw_sql(*text).execute(&mut *connection).await;
        ran.map_err(store_error)?;
    }
    Ok(())
}

fn migration_error(error: sqlx::migrate::MigrateError) -> StoreError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver adds kinds")]
    match error {
        sqlx::migrate::MigrateError::Execute(error) => store_error(error),
        sqlx::migrate::MigrateError::ExecuteMigration(error, version) => {
            let error = store_error(error);
            let StoreError::Refused { what } = error else {
                return error;
            };
            StoreError::Refused {
                what: format!("migration {version}: {what}"),
            }
        }
        other => StoreError::Refused {
            what: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that grants something is repeated whole after a restore, so it does nothing else.
    #[test]
    fn what_grants_is_repeated_and_does_nothing_else() {
        for (version, name, text) in FILES {
            let code: String = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("--"))
                .collect::<Vec<_>>()
                .join("\n");
            let grants = code.contains("grant ") || code.contains("quota_app");
            assert_eq!(grants, GRANTS.contains(&version), "{version} {name}");
            let changes = ["create table", "alter table", "create index", "insert into"];
            let changes = changes.iter().any(|change| code.contains(change));
            assert!(!(grants && changes), "{version} {name}");
        }
    }
}
