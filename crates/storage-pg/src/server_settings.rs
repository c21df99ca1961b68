//! What the server must have set for every connection. Each connection asks for it as it starts; a pooler in between drops
//! that, so `migrate` sets the same on the database.

use std::time::Duration;

use quota_core::ports::StoreError;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::Settings;
use crate::error::store_error;
use crate::statements::Layout;

/// How every statement of the store is planned: by its keys. The planner must not plan for the tables as they were when
/// they were empty, nor read a table from end to end to join it with a batch.
const PLAN: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    // A rollback outside a transaction is no news.
    ("client_min_messages", "error"),
];

/// A plan serves every home, so it is made once.
const PLAN_WHOLE: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

/// Citus refuses a plan for any shard: each statement is planned for the one that it names. Two batches on one shard run
/// side by side; the versions of their homes tell them apart.
const PLAN_DISTRIBUTED: [(&str, &str); 2] = [
    ("plan_cache_mode", "force_custom_plan"),
    ("citus.all_modifications_commutative", "on"),
];

const ON_DATABASE: &str = "\
select unnest(s.setconfig) from pg_db_role_setting s
join pg_database d on d.oid = s.setdatabase
where d.datname = current_database() and s.setrole = 0";
const IN_FORCE: &str = "select s.name, s.setting from pg_settings s where s.name = any($1)";
const ON_WORKERS: &str =
    "select w.result from run_command_on_workers($1) w where not w.success limit 1";

/// Name and value of a setting.
pub(crate) type ServerSetting = (&'static str, String);

/// All that must be set; times in milliseconds.
pub(crate) fn wanted(settings: &Settings, layout: Layout) -> Vec<ServerSetting> {
    let millis = |span: Duration| span.as_millis().to_string();
    let mut wanted = plan(layout);
    wanted.extend([
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        (
            "idle_in_transaction_session_timeout",
            millis(settings.idle_in_transaction_timeout),
        ),
    ]);
    wanted
}

fn plan(layout: Layout) -> Vec<ServerSetting> {
    let by_layout: &[(&str, &str)] = match layout {
        Layout::Whole => &PLAN_WHOLE,
        Layout::Distributed => &PLAN_DISTRIBUTED,
    };
    let plan = PLAN.iter().chain(by_layout);
    plan.map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

/// Sets them on the database, with the usual time-outs. Who may not do that is told what the database's owner has to run.
/// On Citus each worker plans, too; it keeps no time, since Citus moves shards by statements of any length.
pub(crate) async fn set_on_database(
    connection: &mut PgConnection,
    layout: Layout,
) -> Result<(), StoreError> {
    let there: Vec<String> = sqlx::query_scalar(ON_DATABASE)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let database: String = sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    for setting in &wanted(&Settings::default(), layout) {
        let (name, value) = setting;
        if there.contains(&format!("{name}={value}")) {
            continue;
        }
        let statement = alter(&database, setting);
        let set = sqlx::raw_sql(AssertSqlSafe(alone(&statement, layout)));
        if let Err(error) = set.execute(&mut *connection).await {
            tell_owner(&statement, &store_error(error).to_string());
        }
    }
    match layout {
        Layout::Whole => Ok(()),
        Layout::Distributed => set_on_workers(connection, &database).await,
    }
}

async fn set_on_workers(connection: &mut PgConnection, database: &str) -> Result<(), StoreError> {
    for setting in &plan(Layout::Distributed) {
        let statement = alter(database, setting);
        let refused: Option<Option<String>> = sqlx::query_scalar(ON_WORKERS)
            .bind(alone(&statement, Layout::Distributed))
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
        if let Some(error) = refused {
            tell_owner(&statement, &error.unwrap_or_default());
        }
    }
    Ok(())
}

fn tell_owner(statement: &str, error: &str) {
    tracing::warn!(
        %error,
        "a setting could not be set on the database; behind a pooler it is needed, so have its owner run: {statement}"
    );
}

/// Says in the log which settings are not in force, and what sets them.
pub(crate) async fn tell_of_missing(
    connection: &mut PgConnection,
    wanted: &[ServerSetting],
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let in_force: Vec<(String, String)> = sqlx::query_as(IN_FORCE)
        .bind(names)
        .fetch_all(&mut *connection)
        .await?;
    let missing = missing(wanted, &in_force);
    if missing.is_empty() {
        return Ok(());
    }
    let database: String = sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(connection)
        .await?;
    let statements: Vec<String> = missing
        .into_iter()
        .map(|setting| alter(&database, setting))
        .collect();
    tracing::warn!(
        "the database runs without settings that this program relies on, so statements are slow or wait for ever; \
         a pooler may have dropped them: run `api migrate` on a direct URL, or as the database's owner: {}",
        statements.join("; ")
    );
    Ok(())
}

fn missing<'w>(
    wanted: &'w [ServerSetting],
    in_force: &[(String, String)],
) -> Vec<&'w ServerSetting> {
    let is_other = |(name, value): &&ServerSetting| {
        let found = in_force.iter().find(|(found, _)| found == name);
        found.is_none_or(|(_, found)| found != value)
    };
    wanted.iter().filter(is_other).collect()
}

/// The statement for one server: Citus would run it on those workers that there are now, time-outs too.
fn alone(statement: &str, layout: Layout) -> String {
    match layout {
        Layout::Whole => statement.to_owned(),
        Layout::Distributed => format!(
            "set citus.enable_ddl_propagation = off; {statement}; reset citus.enable_ddl_propagation"
        ),
    }
}

fn alter(database: &str, (name, value): &ServerSetting) -> String {
    format!("alter database {database} set {name} = '{value}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_force_is_missing() {
        let wanted = wanted(&Settings::default(), Layout::Whole);
        let mut in_force: Vec<(String, String)> = wanted
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        assert!(missing(&wanted, &in_force).is_empty());
        in_force.retain(|(name, _)| name != "jit");
        for (name, value) in &mut in_force {
            if name == "plan_cache_mode" {
                "auto".clone_into(value);
            }
        }
        let names = missing(&wanted, &in_force)
            .into_iter()
            .map(|(name, _)| *name);
        assert_eq!(names.collect::<Vec<_>>(), ["jit", "plan_cache_mode"]);
        assert_eq!(
            alter("\"a b\"", &("jit", "off".to_owned())),
            "alter database \"a b\" set jit = 'off'"
        );
    }
}
