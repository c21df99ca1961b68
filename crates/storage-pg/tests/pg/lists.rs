//! Pages over months, and months that are made ahead.

use std::sync::Arc;

use quota_core::ports::{LedgerPage, Lists, Upkeep};

use crate::fixture::{at, change, fresh, id, operation, sql, write};

#[tokio::test]
async fn the_ledger_comes_by_sequence_over_months() {
    let (store, _) = fresh("ledger").await;
    let org = id("org:one");
    let mut home = change(&org, 0, 1);
    home.operations
        .extend((2..=5).map(|sequence| operation(&org, sequence).into()));
    Arc::make_mut(&mut home.operations[3]).at = at(40 * 86_400);
    home.new_version = 5;
    write(&store, vec![home]).await;
    let page = LedgerPage {
        home: org.clone(),
        account: org,
        members: true,
        before: None,
        limit: 9,
    };
    let operations = store.ledger(&page).await.expect("reads");
    let sequences: Vec<u64> = operations.iter().map(|found| found.sequence).collect();
    assert_eq!(sequences, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn room_is_made_for_the_months_to_come() {
    let (store, url) = fresh("prune").await;
    let later = at(86_400 * 70);
    store.make_ledger_months(later).await.expect("makes them");
    let months = "select count(*) from pg_inherits where inhparent = 'operations'::regclass
        and inhrelid::regclass::text like 'operations_y2027m0%'";
    let months: u32 = sql(&url, months)
        .await
        .expect("counts")
        .parse()
        .expect("a number");
    assert!(months >= 3, "{months}");
}

#[tokio::test]
async fn a_store_that_was_closed_does_not_answer() {
    let (store, _) = fresh("closed").await;
    assert!(store.time().await.expect("answers").is_some());
    store.close().await;
    assert!(store.ping().await.expect_err("is closed").is_transient());
}
