//! How what payment providers tell lies in the tables.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use quota_core::ports::{BillingStore, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::billing_rows::{later_event, unreadable, write_one_of_each};
use testkit::fixtures::instant;

async fn open() -> (SqliteStore, SqliteConnection, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let store = SqliteStore::open(&file, &SqliteSettings::patient()).await;
    let store = store.expect("opens");
    write_one_of_each(&store).await;
    let other = SqliteConnectOptions::new().filename(file).connect().await;
    (store, other.expect("connects"), folder)
}

async fn lines(connection: &mut SqliteConnection, columns: &str, table: &str) -> Vec<String> {
    let line = columns.replace(", ", ", ''), '|', ifnull(");
    let query = format!("select concat(ifnull({line}, '')) from {table} order by 1");
    let rows = sqlx::query(AssertSqlSafe(query))
        .fetch_all(connection)
        .await;
    let rows = rows.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Words and JSON are stored as ever.
#[tokio::test]
async fn what_providers_tell_is_stored_as_ever() {
    let (_store, mut other, _folder) = open().await;
    let columns = "provider, mode, account, progress";
    assert_eq!(
        lines(&mut other, columns, "provider_connections").await,
        [r#"stripe|live|acct_1|{"events_read_until":"2026-01-01T00:00:02Z","list_after":"sub_1"}"#]
    );
    let columns = "provider, mode, customer, account, linked_at, synced_at";
    assert_eq!(
        lines(&mut other, columns, "provider_links").await,
        ["stripe|live|cus_1|user:alice|1767225603000000|"]
    );
    let columns = "event, kind, about, customer, state, tries, error";
    assert_eq!(
        lines(&mut other, columns, "provider_events").await,
        [
            r#"evt_1|invoice.paid|{"kind":"invoice","id":"in_1"}|cus_1|waiting|0|"#,
            "evt_Done|invoice.paid|||done|0|",
            "evt_GivenUp|invoice.paid|||given_up|0|",
            "evt_Gone|invoice.paid|||gone|0|",
            "evt_Ignored|invoice.paid|||ignored|0|",
        ]
    );
    let columns = "mode, kind, about, account, evidence, times, settled_by, settled_note";
    assert_eq!(
        lines(&mut other, columns, "billing_problems").await,
        [
            r#"test|no_period|cus_1|user:alice|{"price":"price_1"}|1|key:ops|asked them"#,
            r#"test|unknown_price|cus_1|user:alice|{"price":"price_1"}|1||"#,
        ]
    );
    assert_eq!(
        lines(&mut other, "account", "top_up_accounts").await,
        ["user:alice"]
    );
    let columns = "account, hex(id), provider, mode, customer, pack, amount, currency, state, opened_at, tries, payment, \
                   ended_at, failure, error, version";
    assert_eq!(
        lines(&mut other, columns, "top_ups").await,
        [
            "user:alice|00000000000000000000000000000007|stripe|live|cus_1|small|900|eur|open|1767225606000000|1|pi_1||\
             authentication_required|the bank asks|1"
        ]
    );
}

/// A row that cannot be read is named, whoever reads it.
#[tokio::test]
async fn a_row_of_a_provider_that_cannot_be_read_is_named() {
    let (store, mut other, _folder) = open().await;
    assert_eq!(unreadable(&store).await, [""; 0]);
    let broken = sqlx::raw_sql(
        "update provider_connections set progress = '?'; update provider_links set account = 'nobody'; \
         update provider_events set about = '?' where event = 'evt_1'; \
         update billing_problems set evidence = '?'; update top_up_accounts set account = 'nobody'; \
         update top_ups set failure = '?'",
    );
    broken.execute(&mut other).await.expect("writes");
    assert_eq!(
        unreadable(&store).await,
        [
            "provider_connections stripe",
            "provider_links cus_1",
            "provider_events evt_1",
            "provider_events evt_1",
            "provider_events evt_1",
            "billing_problems cus_1",
            "billing_problems cus_1",
            "billing_problems cus_1",
            "top_up_accounts nobody",
            "top_ups 00000000-0000-0000-0000-000000000007",
            "top_ups 00000000-0000-0000-0000-000000000007",
            "top_ups 00000000-0000-0000-0000-000000000007",
        ]
    );
}

/// What an older program cannot read, since a newer one wrote it, does not stop the others.
#[tokio::test]
async fn an_event_that_cannot_be_read_stops_no_other() {
    let (store, mut other, _folder) = open().await;
    let later = later_event();
    assert!(store.keep_event(&later).await.expect("writes"));
    let broken = sqlx::raw_sql("update provider_events set about = '?' where event = 'evt_1'");
    broken.execute(&mut other).await.expect("writes");
    let take = async |from: i64, until: i64| {
        let taken = store.take_events(instant(from), instant(until), 9).await?;
        Ok::<_, StoreError>(taken.into_iter().map(|event| event.id).collect::<Vec<_>>())
    };
    assert_eq!(take(20, 30).await.expect("takes"), [later.id]);
    assert_eq!(take(29, 30).await.expect("waits"), []);
    let done = sqlx::raw_sql("update provider_events set state = 'done' where event = 'evt_2'");
    done.execute(&mut other).await.expect("writes");
    let alone = take(30, 40).await.expect_err("is named");
    assert!(matches!(alone, StoreError::Corrupt { key, .. } if key == "evt_1"));
    assert_eq!(take(39, 40).await.expect("waits"), []);
}

/// However many events are over and problems are settled, lists and takes read what they give.
#[tokio::test]
async fn what_waits_and_what_is_listed_is_found_by_an_index() {
    let (_store, mut other, _folder) = open().await;
    let asked = [
        "select rowid from provider_events where state = 'waiting' and next_try_at <= 1 \
         order by received_at, provider, mode, event limit 5",
        "select * from provider_events where provider = 'stripe' and (received_at, mode, event) < (1, '', '') \
         order by received_at desc, mode desc, event desc limit 5",
        "select * from provider_events where state = 'done' and provider = 'stripe' \
         and (received_at, provider, mode, event) < (1, 'stripe', '', '') \
         order by received_at desc, provider desc, mode desc, event desc limit 5",
        "select rowid from provider_events where state in ('done', 'ignored', 'gone') and received_at < 1 limit 5",
        "select * from billing_problems where provider = 'stripe' and (last_seen_at, mode, kind, about) < (1, '', '', '') \
         and settled_at is null order by last_seen_at desc, mode desc, kind desc, about desc limit 5",
        "select * from billing_problems where provider = 'stripe' and (last_seen_at, mode, kind, about) < (1, '', '', '') \
         and account = 'a' order by last_seen_at desc, mode desc, kind desc, about desc limit 5",
        "select rowid from top_ups where account = 'a' and state = 'open'",
        "select rowid from top_ups where state = 'open' and next_look_at <= 1 order by next_look_at, account, id limit 5",
        "select rowid from top_ups where account = 'a' and (opened_at, id) < (1, '') order by opened_at desc, id desc limit 5",
        "select * from provider_links where account = 'a' order by provider, mode, customer",
    ];
    for asked in asked {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {asked}")));
        let rows = plan.fetch_all(&mut other).await.expect(asked);
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("\n");
        assert!(
            plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{asked}: {plan}"
        );
    }
}
