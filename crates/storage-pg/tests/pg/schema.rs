//! What the database itself refuses, and how it is laid out.

use std::sync::Arc;

use quota_core::ports::{Audits, LoadQuery, Store, StoreError};
use sqlx::{AssertSqlSafe, Executor, Row};
use storage_pg::statements::{HOMES_SINCE, HOT, Layout};
use storage_pg::{PLACEMENTS, PgStore, Placement, Schema, Settings};

use crate::fixture::{ask, at, change, fresh, id, key_query, sql, write};

#[tokio::test]
async fn the_application_may_neither_change_nor_remove_operations() {
    let (store, url) = fresh("role").await;
    write(&store, vec![change(&id("user:a"), 0, 1)]).await;
    let as_app =
        async |statement: &str| sql(&url, &format!("set role quota_app; {statement}")).await;
    let month = "(select inhrelid::regclass::text from pg_inherits where inhparent = 'operations'::regclass limit 1)";
    let month = sql(&url, &format!("select {month}"))
        .await
        .expect("a partition");
    let refused = [
        "update operations set kind = 'refund'".to_owned(),
        "delete from operations".to_owned(),
        "truncate operations".to_owned(),
        format!("delete from {month}"),
        format!("update {month} set sequence = 1"),
        "drop table operations".to_owned(),
        "update catalogs set version = 9".to_owned(),
        "update provider_ids set account = 'user:b'".to_owned(),
        "delete from provider_ids".to_owned(),
        "delete from payments".to_owned(),
        "delete from provider_connections".to_owned(),
        "update account_customers set account = 'user:b'".to_owned(),
        "delete from billing_problems".to_owned(),
        "delete from codes".to_owned(),
        "delete from code_batches".to_owned(),
    ];
    for statement in refused {
        let error = as_app(&statement).await.expect_err(&statement);
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{error}"
        );
    }
    assert_eq!(
        as_app("select count(*) from operations")
            .await
            .expect("reads"),
        "1"
    );
    as_app("select operations_make_month('2030-05-05')")
        .await
        .expect("may make room");
    let pays = "insert into provider_ids values ('bank', 'live', 'p', 0, 'user:a', 'p'); update payments set version = 2";
    as_app(pays).await.expect("may book payments");
    let bills = "update provider_connections set progress = ''; update provider_links set synced_at = null;
        delete from provider_links; delete from account_customers; update provider_events set tries = 1;
        delete from provider_events; update billing_problems set times = 1";
    as_app(bills)
        .await
        .expect("may work on what providers tell");
}

#[tokio::test]
async fn a_balance_below_zero_or_an_overdrawn_grant_is_refused_by_the_database() {
    let (store, url) = fresh("check").await;
    write(&store, vec![change(&id("user:a"), 0, 1)]).await;
    let set =
        |balance: &str| format!("update accounts set books = '{{\"balances\": [{balance}]}}'");
    let bad = [
        r#"{"b": "trial:f", "g": 5, "u": -1, "h": 0}"#,
        r#"{"b": "trial:f", "g": 5, "u": 0, "h": -1}"#,
        r#"{"b": "trial:f", "g": 5, "u": 0, "h": 0, "o": -1}"#,
        r#"{"b": "grant:g", "g": 5, "u": 3, "h": 3}"#,
    ];
    for balance in bad {
        let error = sql(&url, &set(balance)).await.expect_err(balance);
        assert!(error.contains("accounts_books_check"), "{error}");
    }
    // A limit that was lowered below what is used is no overdraft.
    let good = r#"{"b": "window:f:1", "g": 5, "u": 9, "h": 0},
        {"b": "grant:g", "g": "unlimited", "u": 3, "h": 3},
        {"b": "grant:h", "g": 6, "u": 3, "h": 3}"#;
    sql(&url, &set(good)).await.expect("is allowed");
    let unguarded = sql(&url, "update accounts set version = 0")
        .await
        .expect_err("is refused");
    assert!(unguarded.contains("accounts_guard_check"), "{unguarded}");
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_many_may_do_it_at_once() {
    let (store, url) = fresh("migrate").await;
    let others = (0..4).map(|_| {
        tokio::spawn({
            let url = url.clone();
            async move { storage_pg::migrate(&url).await }
        })
    });
    for other in others.collect::<Vec<_>>() {
        other.await.expect("ends").expect("migrates");
    }
    store.migrate().await.expect("migrates");
    let months = "select count(*) from pg_inherits where inhparent = 'operations'::regclass";
    assert_eq!(sql(&url, months).await.expect("counts"), "4");
    // A database that a later version has migrated is left alone.
    sql(
        &url,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (99, 'later', true, '', 0)",
    )
    .await
    .expect("inserts");
    let refused = store.migrate().await.expect_err("is refused");
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused}");
}

#[tokio::test]
async fn operations_that_waited_in_the_default_partition_move_into_their_month() {
    let (store, url) = fresh("partition").await;
    let a = id("user:a");
    let mut far = change(&a, 0, 1);
    Arc::make_mut(&mut far.operations[0]).at = at(86_400 * 1000);
    Arc::make_mut(&mut far.operations[0]).key = Some(key_query(&a, "k").key);
    write(&store, vec![far]).await;
    let waiting = "select count(*) from operations_default";
    assert_eq!(sql(&url, waiting).await.expect("counts"), "1");
    let make = "select operations_make_month(at) from operations";
    assert_eq!(sql(&url, make).await.expect("makes"), "t");
    assert_eq!(sql(&url, make).await.expect("makes"), "f");
    assert_eq!(sql(&url, waiting).await.expect("counts"), "0");
    let mut asked = ask(&a);
    asked.keys = vec![key_query(&a, "k")];
    let then = LoadQuery {
        now: at(86_400 * 1000),
        keys_since: at(0),
        homes: vec![asked],
    };
    let loaded = store.load(&then).await.expect("loads");
    assert_eq!(loaded.earlier.len(), 1);
}

#[tokio::test]
async fn consumes_leave_the_indexes_of_accounts_alone() {
    let (store, url) = fresh("hot").await;
    let a = id("user:a");
    for version in 0..50 {
        write(&store, vec![change(&a, version, version + 1)]).await;
    }
    // A backend reports its counts before it is gone.
    store.close().await;
    let others = "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    while sql(&url, others).await.expect("counts") != "0" {}
    // Whoever takes statistics meanwhile holds back what may be cleaned up, and a page may be full once or twice.
    let counts =
        "select n_tup_upd, n_tup_hot_upd >= 45 from pg_stat_user_tables where relname = 'accounts'";
    assert_eq!(sql(&url, counts).await.expect("reads"), "49|t");
}

/// On empty tables, where a planner left to itself reads them from end to end; a plan is made once and kept.
#[tokio::test]
async fn the_hot_path_is_planned_by_its_keys() {
    let (store, _) = fresh("plans").await;
    planned_by_keys(&store).await;
}

/// One home with many operations, one with few, statistics as they are taken every minute: an index that only says which
/// home it is would be read through.
#[tokio::test]
async fn the_hot_path_of_a_grown_home_is_planned_by_its_keys() {
    let (store, url) = fresh("grown").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 1), change(&id("user:b"), 0, 1)]).await;
    let grow = |from: i32, to: i32| {
        format!(
            "insert into operations (home, shard, account, id, sequence, life, at, kind, key, body_hash, entries, answer)
            select o.home, o.shard, o.account, gen_random_uuid(), n, o.life, o.at, 'refund', 'k' || n, o.body_hash, o.entries,
                o.answer
            from operations o cross join generate_series({from}, {to}) as n where o.home = 'user:a' and o.sequence = 1;
            analyze"
        )
    };
    for (from, to) in [(2, 300), (301, 20_000)] {
        sql(&url, &grow(from, to)).await.expect("grows");
        planned_by_keys(&store).await;
    }
}

async fn planned_by_keys(store: &PgStore) {
    let mut connection = store.pool().acquire().await.expect("a connection");
    for (name, forms) in &HOT {
        let statement = forms.text(Layout::Whole);
        let prepare = AssertSqlSafe(format!("prepare {name} as {statement}"));
        connection.execute("deallocate all").await.expect(name);
        connection.execute(prepare).await.expect(name);
        let parameters = (1..).take_while(|n| statement.contains(&format!("${n}")));
        let nulls = vec!["null"; parameters.count()].join(", ");
        let explain = AssertSqlSafe(format!("explain execute {name} ({nulls})"));
        let rows = connection.fetch_all(explain).await.expect(name);
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for line in &plan {
            let reads_all = line.contains("Seq Scan") || line.contains("Bitmap");
            let joins_all = line.contains("Hash Join") || line.contains("Merge Join");
            assert!(!reads_all && !joins_all, "{name}: {}", plan.join("\n"));
        }
        for lookup in plan
            .iter()
            .filter(|line| line.contains("using reservations_"))
        {
            let by_home = lookup.contains("_open_key") || lookup.contains("_pkey");
            assert!(by_home, "{name}: {}", plan.join("\n"));
        }
        let reads = plan
            .windows(2)
            .filter(|lines| lines[0].contains("Scan using operations_"));
        for lines in reads {
            let keyed = [
                ("_key on", "(key = "),
                ("_sequence on", "(sequence = "),
                ("_refund on", "(refers_to = "),
            ];
            let mut keyed = keyed.iter();
            let by_key = keyed.any(|(index, by)| lines[0].contains(index) && lines[1].contains(by));
            assert!(by_key, "{name}: {}", plan.join("\n"));
        }
    }
}

/// An audit of what was touched lately does not read the month, nor each home's history.
#[tokio::test]
async fn what_was_touched_lately_is_found_by_time() {
    let (store, url) = fresh("lately").await;
    let homes = ["a", "b", "c"].map(|name| change(&id(&format!("user:{name}")), 0, 1));
    write(&store, homes.to_vec()).await;
    let grown = "insert into operations
            (home, shard, account, id, sequence, life, at, kind, key, body_hash, entries, answer)
        select o.home, o.shard, o.account, gen_random_uuid(), n, o.life, o.at + make_interval(secs => n), 'consume', null,
            o.body_hash, o.entries, o.answer
        from operations o cross join generate_series(2, 60000) as n
        where o.home <> 'user:c' and (o.home = 'user:a' or n < 9) order by n";
    sql(&url, grown).await.expect("grows");
    // The index knows of what was vacuumed since it was written; what came later is read.
    sql(&url, "vacuum (analyze) operations")
        .await
        .expect("sums up");
    let last = at(60_000);
    let homes = store.homes(None, Some(last), 9).await.expect("reads");
    assert_eq!(homes, [id("user:a")]);
    let homes = store.homes(None, Some(at(1)), 9).await.expect("reads");
    assert_eq!(
        homes,
        ["a", "b", "c"].map(|name| id(&format!("user:{name}")))
    );
    let statement = HOMES_SINCE
        .replace("$1", "''")
        .replace("$2", "9")
        .replace("$3", &format!("'{last}'"));
    let mut connection = store.pool().acquire().await.expect("a connection");
    let by_time = "set enable_bitmapscan = on; set enable_hashjoin = on";
    connection.execute(by_time).await.expect("sets");
    let explain = AssertSqlSafe(format!("explain {statement}"));
    let rows = connection.fetch_all(explain).await.expect("explains");
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(
        plan.contains("_at ") && !plan.contains("Seq Scan"),
        "{plan}"
    );
}

#[test]
fn every_condition_of_the_hot_path_names_the_home() {
    for (name, forms) in &HOT {
        let statement = forms.text(Layout::Whole);
        let tables = ["accounts", "operations", "reservations", "closed_balances"];
        for part in statement
            .split("from ")
            .flat_map(|part| part.split("join "))
            .skip(1)
        {
            let Some(table) = tables.iter().find(|table| part.starts_with(**table)) else {
                continue;
            };
            assert!(
                part.contains("home ="),
                "{name}: {table} is read without its home: {part}"
            );
        }
        for conflict in statement.split("on conflict (").skip(1) {
            let key = conflict.split(')').next().unwrap_or_default();
            assert!(key.starts_with("home") || key == "account", "{name}: {key}");
        }
        assert!(!statement.contains("now()"), "{name}: instants are bound");
    }
}

#[tokio::test]
async fn every_primary_key_of_what_a_home_has_begins_with_the_home() {
    let (_store, url) = fresh("home_first").await;
    let keys = "select string_agg(c.relname, ' ' order by c.relname) from pg_index i
        join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
        join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
        where i.indisunique and a.attname <> 'home'
            and (t.relname in ('accounts', 'reservations', 'closed_balances') or t.relname like 'operations%')";
    assert_eq!(sql(&url, keys).await.expect("reads"), "");
}

/// Citus takes a unique key only with the column that the rows are distributed by.
#[tokio::test]
async fn every_table_has_its_placement_and_each_key_of_one_by_shard_holds_the_shard() {
    let (_store, url) = fresh("placement").await;
    let tables = "select relname from pg_class
        where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace order by 1";
    let mut placed = PLACEMENTS.map(|(table, _)| table);
    placed.sort_unstable();
    let tables = sql(&url, tables).await.expect("reads");
    assert_eq!(tables.lines().collect::<Vec<_>>(), placed);
    let mut keys = 0;
    for (table, placement) in PLACEMENTS {
        let without_shard = format!(
            "select count(*), count(*) filter (where not exists (
                select from pg_attribute a where a.attrelid = i.indrelid and a.attname = 'shard'
                    and a.attnum = any(i.indkey)))
            from pg_index i where i.indisunique and (i.indrelid = '{table}'::regclass
                or i.indrelid in (select inhrelid from pg_inherits where inhparent = '{table}'::regclass))"
        );
        let counts = sql(&url, &without_shard).await.expect("reads");
        let (all, without) = counts.split_once('|').expect("two counts");
        if placement == Placement::ByShard {
            assert_eq!(without, "0", "{table}");
            keys += all.parse::<u32>().expect("a count");
        }
    }
    assert!(keys >= 10, "{keys}");
}

/// A pooler drops what a connection asks for as it starts: a connection that asks for nothing has it all the same.
#[tokio::test]
async fn migrate_sets_on_the_database_what_a_pooler_drops() {
    let (_store, url) = fresh("settings").await;
    let settings = "select current_setting('plan_cache_mode'), current_setting('enable_hashjoin'),
        current_setting('statement_timeout'), current_setting('lock_timeout')";
    let in_force = sql(&url, settings).await.expect("reads");
    assert_eq!(in_force, "force_generic_plan|off|10s|1s");
}

#[tokio::test]
async fn a_schema_is_missing_behind_current_or_ahead() {
    let bare = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("bare"));
    let bare = bare.await.expect("a database");
    let connect = async |url: &str| {
        let store = PgStore::connect(url, Settings::patient()).await;
        store.expect("the server answers")
    };
    let store = connect(&bare).await;
    assert_eq!(store.schema().await.expect("an answer"), Schema::Missing);
    let (store, url) = fresh("schema").await;
    assert_eq!(store.schema().await.expect("an answer"), Schema::Current);
    let as_app = url.replacen("postgres@", "quota_app_of_test@", 1);
    sql(
        &url,
        "do $$ begin create role quota_app_of_test login in role quota_app; \
         exception when duplicate_object then null; end $$",
    )
    .await
    .expect("a login");
    let application = connect(&as_app).await;
    let seen = application.schema().await;
    assert_eq!(seen.expect("it may look"), Schema::Current);
    let newer = "insert into _sqlx_migrations select version + 1, description, now(), true, checksum, 0 \
        from _sqlx_migrations order by version desc limit 1";
    sql(&url, newer).await.expect("one more");
    let ahead = store.schema().await.expect("an answer");
    assert!(matches!(ahead, Schema::Ahead { applied, needed } if applied == needed + 1));
    sql(&url, "delete from _sqlx_migrations where version > 7")
        .await
        .expect("fewer");
    let behind = store.schema().await.expect("an answer");
    assert!(matches!(
        behind,
        Schema::Behind {
            applied: 7,
            needed: 9..
        }
    ));
}

/// However many operations a home has, a key is looked for by the key: also in the first minute of a new database.
#[tokio::test]
async fn a_key_is_looked_for_by_the_key_before_any_statistics_are_taken() {
    let (store, url) = fresh("first_minute").await;
    let a = id("user:a");
    for version in 0..30 {
        write(&store, vec![change(&a, version, version + 1)]).await;
    }
    let plan = "set enable_seqscan = off; set enable_bitmapscan = off; \
        explain select 1 from operations \
        where home = 'user:a' and account = 'user:a' and key = 'k' and at >= now() - interval '1 hour'";
    let plan = sql(&url, plan).await.expect("a plan");
    assert!(plan.contains("_key"), "{plan}");
    assert!(!plan.contains("_sequence on"), "{plan}");
}
