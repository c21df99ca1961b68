//! Where each table's rows lie once Citus is in the database, and how they get there.

use quota_core::ports::StoreError;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::store_error;

/// Where the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// By the shard of their home, beside the other rows of that home.
    ByShard,
    /// On every server: small, and read by statements of any home.
    Everywhere,
    /// On the server that the programs connect to: no request waits for it.
    Coordinator,
}

/// Every table; a migration that makes one adds it here. The first one by shard is the one that the others lie beside.
pub const PLACEMENTS: [(&str, Placement); 31] = [
    ("accounts", Placement::ByShard),
    ("operations", Placement::ByShard),
    ("reservations", Placement::ByShard),
    ("closed_balances", Placement::ByShard),
    ("outbox", Placement::ByShard),
    ("outbox_places", Placement::ByShard),
    ("event_cursors", Placement::ByShard),
    ("payments", Placement::ByShard),
    ("provider_ids", Placement::ByShard),
    ("provider_links", Placement::ByShard),
    ("account_customers", Placement::ByShard),
    ("provider_events", Placement::ByShard),
    ("billing_problems", Placement::ByShard),
    ("top_up_accounts", Placement::ByShard),
    ("top_ups", Placement::ByShard),
    ("code_batches", Placement::ByShard),
    ("codes", Placement::ByShard),
    ("code_uses", Placement::ByShard),
    ("code_failures", Placement::ByShard),
    ("meter_periods", Placement::ByShard),
    ("meter_entries", Placement::ByShard),
    ("directory", Placement::Everywhere),
    ("catalogs", Placement::Everywhere),
    ("leases", Placement::Everywhere),
    ("api_keys", Placement::Everywhere),
    ("provider_connections", Placement::Everywhere),
    ("meter_marks", Placement::Everywhere),
    ("call_turns", Placement::Coordinator),
    ("job_runs", Placement::Coordinator),
    ("job_batches", Placement::Coordinator),
    ("_sqlx_migrations", Placement::Coordinator),
];

const DISTRIBUTED: &str = "select logicalrelid::text from pg_dist_partition";

/// Distributes every table that is not distributed yet, and tells the planner of each what it holds. Partitions follow
/// their table, those of later months too.
pub(crate) async fn distribute(connection: &mut PgConnection) -> Result<(), StoreError> {
    let done: Vec<String> = sqlx::query_scalar(DISTRIBUTED)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let first = PLACEMENTS.iter().find(|(_, at)| *at == Placement::ByShard);
    let first = first.map_or("", |(table, _)| table);
    for (table, placement) in PLACEMENTS {
        if done.iter().any(|done| done == table) {
            continue;
        }
        let beside = if table == first { "none" } else { first };
        let statement = match placement {
            Placement::ByShard => format!(
                "select create_distributed_table('{table}', 'shard', colocate_with => '{beside}')"
            ),
            Placement::Everywhere => format!("select create_reference_table('{table}')"),
            Placement::Coordinator => continue,
        };
        run(connection, statement).await?;
        run(connection, format!("analyze {table}")).await?;
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<(), StoreError> {
    let ran = sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection);
    ran.await.map(drop).map_err(store_error)
}
