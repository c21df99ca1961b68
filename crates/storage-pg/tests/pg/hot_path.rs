//! Load and write.

use chrono::TimeDelta;
use quota_core::ports::Store;

use crate::fixture::{at, batch, change, fresh, id, key_query, sql, write};

/// Months before that of `keys_since` are not searched.
#[tokio::test]
async fn a_key_of_an_earlier_month_keeps_no_home_out() {
    let (store, _) = fresh("unseen").await;
    let a = id("user:a");
    let mut first = change(&a, 0, 1);
    first.operations[0].key = Some(key_query(&a, "k").key);
    write(&store, vec![first]).await;
    let mut again = change(&a, 1, 2);
    again.unseen_keys = vec![key_query(&a, "k")];
    assert!(write(&store, vec![again.clone()]).await.is_empty());
    let mut late = batch(vec![again]);
    late.keys_since = at(0) + TimeDelta::days(31);
    assert_eq!(store.write(&late).await.expect("writes"), [a]);
}

#[tokio::test]
async fn a_connection_is_at_hand_between_statements_and_is_given_back_after_a_failure() {
    let (store, url) = fresh("at_hand").await;
    let a = id("user:a");
    for version in 0..5 {
        write(&store, vec![change(&a, version, 1)]).await;
    }
    let kept = "select count(*) filter (where query like 'with fresh%'), count(*) filter (where query like 'rollback%')
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    assert_eq!(sql(&url, kept).await.expect("counts"), "1|0");
    let overdrawn = change(&a, 5, 101);
    let refused = store.write(&batch(vec![overdrawn])).await;
    assert!(refused.is_err());
    assert_eq!(write(&store, vec![change(&a, 5, 1)]).await, [a]);
    // Nothing that is at hand keeps the store open.
    store.close().await;
}
