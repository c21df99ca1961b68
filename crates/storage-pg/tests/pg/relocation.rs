//! Who lives where, when many ask at once.

use quota_core::ports::Directory;
use storage_pg::{PgStore, Settings};
use tokio::task::JoinSet;

use crate::fixture::{change, fresh, id, sql, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_comes_to_be_in_one_home_only() {
    let (store, url) = fresh("one_home").await;
    for number in 0..20 {
        let user = id(&format!("user:{number}"));
        let made = {
            let (store, user) = (store.clone(), user.clone());
            tokio::spawn(async move { !write(&store, vec![change(&user, 0, 1)]).await.is_empty() })
        };
        let home = store.claim(&user, &id("org:one")).await.expect("claims");
        let is_own_home = made.await.expect("ends");
        assert_eq!(is_own_home, home == user, "{user} lives in {home}");
    }
    let both =
        "select count(*) from accounts a join directory d using (account) where a.home <> d.home";
    assert_eq!(sql(&url, both).await.expect("counts"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_new_users_at_once_each_gets_its_turn() {
    let (_, url) = fresh("turns").await;
    let settings = Settings {
        connections_max: 2,
        ..Settings::patient()
    };
    let store = PgStore::connect(&url, settings).await.expect("connects");
    let mut claims = JoinSet::new();
    for number in 0..2_000 {
        let (store, user) = (store.clone(), id(&format!("user:{number}")));
        claims.spawn(async move { (store.claim(&user, &user).await, user) });
    }
    while let Some(claimed) = claims.join_next().await {
        let (home, user) = claimed.expect("ends");
        assert_eq!(home.expect("gets its turn"), user);
    }
}
