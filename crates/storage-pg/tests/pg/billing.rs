//! How what payment providers tell lies in the tables.

use quota_core::ids::{CustomerRef, ProviderCode};
use quota_core::payment::PaymentMode;
use quota_core::ports::{BillingStore, EventPage, ProblemPage, StoreError};
use quota_core::provider::{CustomerId, CustomerLink, EventState};
use storage_pg::PgStore;
use testkit::billing_rows::{later_event, unreadable, write_one_of_each};
use testkit::fixtures::instant;

use crate::fixture::{at, fresh, id, sql};

async fn filled(name: &str) -> (PgStore, String) {
    let (store, url) = fresh(name).await;
    write_one_of_each(&store).await;
    (store, url)
}

fn provider() -> ProviderCode {
    ProviderCode::new("stripe").expect("a provider")
}

/// Words and JSON are stored as ever, and so is in which shard a row lies.
#[tokio::test]
async fn what_providers_tell_is_stored_as_ever() {
    let (_store, url) = filled("billing_stored").await;
    let rows = [
        (
            "select provider, mode, account, progress from provider_connections",
            r#"stripe|live|acct_1|{"events_read_until":"2026-01-01T00:00:02Z","list_after":"sub_1"}"#,
        ),
        (
            "select provider, mode, customer, shard, account, synced_at from provider_links",
            "stripe|live|cus_1|43|user:alice|",
        ),
        (
            "select account, shard, provider, mode, customer from account_customers",
            "user:alice|16|stripe|live|cus_1",
        ),
        (
            "select event, shard, kind, about, customer, state, tries, error from provider_events order by event",
            "evt_1|23|invoice.paid|{\"kind\":\"invoice\",\"id\":\"in_1\"}|cus_1|waiting|0|\n\
             evt_Done|28|invoice.paid|||done|0|\n\
             evt_GivenUp|12|invoice.paid|||given_up|0|\n\
             evt_Gone|11|invoice.paid|||gone|0|\n\
             evt_Ignored|30|invoice.paid|||ignored|0|",
        ),
        (
            "select mode, kind, about, shard, account, evidence, times, settled_by, settled_note
                from billing_problems order by kind",
            "test|no_period|cus_1|21|user:alice|{\"price\":\"price_1\"}|1|key:ops|asked them\n\
             test|unknown_price|cus_1|21|user:alice|{\"price\":\"price_1\"}|1||",
        ),
        (
            "select account, shard from top_up_accounts",
            "user:alice|16",
        ),
        (
            "select account, shard, id, provider, mode, customer, pack, amount, currency, state, tries, payment, failure, error,
                version from top_ups",
            "user:alice|16|00000000-0000-0000-0000-000000000007|stripe|live|cus_1|small|900|eur|open|1|pi_1|\
             authentication_required|the bank asks|1",
        ),
    ];
    for (query, stored) in rows {
        assert_eq!(sql(&url, query).await.expect("reads"), stored, "{query}");
    }
}

/// A row that cannot be read is named, whoever reads it.
#[tokio::test]
async fn a_row_of_a_provider_that_cannot_be_read_is_named() {
    let (store, url) = filled("billing_broken").await;
    assert_eq!(unreadable(&store).await, [""; 0]);
    let broken = "update provider_connections set progress = '?'; update provider_links set account = 'nobody';
        update account_customers set mode = '?'; update provider_events set about = '?' where event = 'evt_1';
        update billing_problems set evidence = '?'; update top_up_accounts set account = 'nobody';
        update top_ups set failure = '?'";
    sql(&url, broken).await.expect("writes");
    assert_eq!(
        unreadable(&store).await,
        [
            "provider_connections stripe",
            "provider_links stripe:live:cus_1",
            "account_customers user:alice",
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
    let (store, url) = filled("billing_unread").await;
    let later = later_event();
    assert!(store.keep_event(&later).await.expect("writes"));
    let broken = "update provider_events set about = '?' where event = 'evt_1'";
    sql(&url, broken).await.expect("writes");
    let take = async |from: i64, until: i64| {
        let taken = store.take_events(instant(from), instant(until), 9).await?;
        Ok::<_, StoreError>(taken.into_iter().map(|event| event.id).collect::<Vec<_>>())
    };
    assert_eq!(take(20, 30).await.expect("takes"), [later.id]);
    assert_eq!(take(29, 30).await.expect("waits"), []);
    let done = "update provider_events set state = 'done' where event = 'evt_2'";
    sql(&url, done).await.expect("writes");
    let alone = take(30, 40).await.expect_err("is named");
    assert!(matches!(alone, StoreError::Corrupt { key, .. } if key == "evt_1"));
    assert_eq!(take(39, 40).await.expect("waits"), []);
}

/// A link of which only the row by customer is there, as after a restore of a part, is whole after the same call.
#[tokio::test]
async fn a_link_that_is_there_by_half_is_healed_by_the_same_call() {
    let (store, url) = filled("billing_half").await;
    let alice = id("user:alice");
    let links = store.customers_of(&alice).await.expect("reads");
    sql(&url, "delete from account_customers")
        .await
        .expect("removes");
    assert_eq!(store.customers_of(&alice).await.expect("reads"), []);
    let again = CustomerLink {
        id: CustomerId {
            provider: provider(),
            mode: PaymentMode::Live,
            customer: CustomerRef::new("cus_1").expect("a customer"),
        },
        account: id("user:bob"),
        linked_at: at(0),
        synced_at: None,
    };
    let linked = store.link_customer(&again).await.expect("writes");
    assert_eq!(linked.account, alice);
    assert_eq!(store.customers_of(&alice).await.expect("reads"), links);
    let none = store.customers_of(&again.account).await;
    assert_eq!(none.expect("reads"), []);
}

/// However many events are over and problems are settled, no call reads a whole table.
#[tokio::test]
async fn no_call_reads_a_whole_table_of_what_providers_told() {
    let (store, url) = filled("billing_plans").await;
    let grown = "insert into provider_events
            (provider, mode, event, shard, kind, made_at, received_at, state, tries, next_try_at)
        select 'stripe', 'live', 'e' || n, n % 64, 'k', now(), now() - make_interval(secs => n),
            case when n % 500 = 0 then 'waiting' when n % 501 = 0 then 'given_up' else 'done' end, 1, now()
        from generate_series(1, 20000) n;
        insert into billing_problems
            (provider, mode, kind, about, shard, account, detail, evidence, times, first_seen_at, last_seen_at, settled_at,
            settled_by)
        select 'stripe', 'live', 'no_period', 'c' || n, n % 64, 'user:u' || n % 4000, '', '{}', 1, now(),
            now() - make_interval(secs => n), case when n % 500 > 0 then now() end, case when n % 500 > 0 then 'x' end
        from generate_series(1, 20000) n;
        insert into provider_links (provider, mode, customer, shard, account, linked_at)
        select 'stripe', 'live', 'c' || n, n % 64, 'user:u' || n, now() from generate_series(1, 20000) n;
        insert into account_customers (account, shard, provider, mode, customer, linked_at)
        select 'user:u' || n, n % 64, 'stripe', 'live', 'c' || n, now() from generate_series(1, 20000) n";
    sql(&url, grown).await.expect("grows");
    let tables = "provider_events, billing_problems, provider_links, account_customers";
    sql(&url, &format!("vacuum (analyze) {tables}"))
        .await
        .expect("sums up");
    let whole = "select sum(seq_scan) from pg_stat_user_tables
        where relname = any(string_to_array('TABLES', ', '))";
    let whole = whole.replace("TABLES", tables);
    let before = sql(&url, &whole).await.expect("counts");
    let (now, later) = (at(400_000_000), at(400_000_060));
    let taken = store.take_events(now, later, 10).await.expect("writes");
    assert_eq!(taken.len(), 10);
    let counts = store.event_counts().await.expect("reads");
    assert!(counts.waiting > 30 && counts.given_up > 30, "{counts:?}");
    for state in [None, Some(EventState::GivenUp)] {
        let page = EventPage {
            provider: provider(),
            state,
            after: Some((now, taken[0].id.clone())),
            limit: 20,
        };
        assert_eq!(store.events(&page).await.expect("reads").len(), 20);
    }
    for (is_open, account) in [(false, None), (true, None), (true, Some(id("user:u0")))] {
        let page = ProblemPage {
            provider: provider(),
            is_open,
            kind: None,
            account,
            after: None,
            limit: 5,
        };
        assert_eq!(store.problems(&page).await.expect("reads").len(), 5);
    }
    let pruned = store.prune_events(now, 100).await.expect("writes");
    assert_eq!(pruned, 100);
    store.customers_of(&id("user:u7")).await.expect("reads");
    // A backend reports its counts before it is gone.
    store.close().await;
    let others = "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
    while sql(&url, others).await.expect("counts") != "0" {}
    assert_eq!(sql(&url, &whole).await.expect("counts"), before);
}
