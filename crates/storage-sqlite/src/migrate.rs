//! The schema, built into the program.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! migration {
    ($file:literal) => {
        include_str!(concat!("../../../migrations/sqlite/", $file, ".sql"))
    };
}

/// Name and text; the version is the place in the list, which leaves out what is for PostgreSQL only.
const FILES: [(&str, &str); 13] = [
    ("accounts", migration!("0001_accounts")),
    ("ledger", migration!("0002_ledger")),
    ("reservations", migration!("0003_reservations")),
    ("catalog", migration!("0004_catalog")),
    ("outbox", migration!("0005_outbox")),
    ("keys", migration!("0006_keys")),
    ("jobs", migration!("0007_jobs")),
    ("members", migration!("0010_members")),
    ("payments", migration!("0011_payments")),
    ("billing", migration!("0013_billing")),
    ("codes", migration!("0015_codes")),
    ("top_ups", migration!("0017_top_ups")),
    ("meters", migration!("0018_meters")),
];

/// All migrations, oldest first.
pub(crate) fn migrator() -> Migrator {
    let migrations = (1..).zip(FILES).map(|(version, (name, sql))| {
        let sql = sql.into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}
