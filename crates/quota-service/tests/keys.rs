//! API keys: how soon a revoked one is refused, as OPERATING.md says. The clock stands until it is moved.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::Arc;
use std::time::Duration;

use quota_core::ports::KeyScope;
use quota_service::{Engine, NewKey};
use testkit::memory::MemoryStore;
use tokio::time::advance;

/// Two processes over one store, and a key that both have used just now.
async fn two_that_know_a_key() -> (Engine, Engine, NewKey) {
    let store = Arc::new(MemoryStore::new());
    let here = Engine::over(store.clone()).open().await.expect("opens");
    let there = Engine::over(store).open().await.expect("opens");
    let made = here.create_key("app", KeyScope::Write).await;
    let made = made.expect("is made");
    for engine in [&here, &there] {
        assert!(is_accepted(engine, &made).await);
    }
    (here, there, made)
}

async fn is_accepted(engine: &Engine, made: &NewKey) -> bool {
    let found = engine.key_of(&made.secret).await.expect("is read");
    found.expect("it is known").revoked_at.is_none()
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_is_refused_at_once_where_it_was_revoked() {
    let (here, _there, made) = two_that_know_a_key().await;
    assert!(here.revoke_key(made.key.id).await.expect("is written"));
    assert!(!is_accepted(&here, &made).await);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_is_refused_elsewhere_within_half_a_second() {
    let (here, there, made) = two_that_know_a_key().await;
    assert!(here.revoke_key(made.key.id).await.expect("is written"));
    // No message tells the other process: this is the time that it goes by what it has read.
    advance(Duration::from_millis(249)).await;
    assert!(is_accepted(&there, &made).await);
    advance(Duration::from_millis(251)).await;
    assert!(!is_accepted(&there, &made).await);
}

/// A key in steady use is read again by one of its requests, before it would be forgotten.
#[tokio::test(start_paused = true)]
async fn a_key_in_use_is_read_again_before_it_is_forgotten() {
    let (here, there, made) = two_that_know_a_key().await;
    assert!(here.revoke_key(made.key.id).await.expect("is written"));
    advance(Duration::from_millis(250)).await;
    assert!(!is_accepted(&there, &made).await);
}

/// A store that does not say whether the key was revoked: it is looked up again, not gone by.
#[tokio::test(start_paused = true)]
async fn a_key_is_read_again_after_a_revocation_of_unknown_fate() {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::over(store.clone()).open().await.expect("opens");
    let made = engine.create_key("app", KeyScope::Write).await;
    let made = made.expect("is made");
    assert!(is_accepted(&engine, &made).await);
    store.fail_at(store.calls() + 1, testkit::memory::FailWhen::AfterEffect);
    engine.revoke_key(made.key.id).await.expect_err("who knows");
    assert!(!is_accepted(&engine, &made).await);
}
