//! The engine as a service embeds it: one constructor, one call for one verb.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::{Arc, Weak};

use chrono::TimeDelta;
use quota_core::ports::{Clock, FixedClock};
use quota_core::reservation::ReservationState;
use quota_core::rules::scope_balances::FeatureStanding;
use quota_service::prelude::*;
use testkit::memory::MemoryStore;
use tokio::runtime::Handle;
use tokio::task::yield_now;

const CATALOG: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "projects"
name = "Projects"
unit = "project"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "small"
name = "Small"
limits = { articles = 10, projects = 2 }

[[plan]]
code = "large"
name = "Large"
limits = { articles = 100, projects = 20 }
"#;

/// One more feature, which no plan names.
const PAGES: &str = r#"
[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "monthly"
"#;

const ALICE: &str = "user:alice";

fn catalog() -> CatalogFile {
    toml::from_str(CATALOG).expect("a catalog")
}

async fn opened() -> Engine {
    let engine = Engine::over(Arc::new(MemoryStore::new()))
        .settings(EngineSettings::patient())
        .catalog(catalog(), "test")
        .open()
        .await;
    engine.expect("opens")
}

/// An engine with alice on the small plan.
async fn with_alice() -> Engine {
    let engine = opened().await;
    let made = engine.put_account(ALICE, PutAccount::create()).await;
    made.expect("is made");
    let started = engine.subscribe(ALICE, Subscribe::to("small")).await;
    started.expect("starts");
    engine
}

async fn remaining(engine: &Engine, feature: &str) -> Option<u64> {
    let checked = engine.check(ALICE, Consume::of(feature, 1)).await;
    let checked = checked.expect("an answer");
    checked.balances.first().and_then(|own| own.remaining)
}

#[track_caller]
fn mistake<T: std::fmt::Debug>(answer: Result<T, EngineError>) -> String {
    match answer {
        Err(EngineError::InvalidField(invalid)) => invalid.to_string(),
        other => panic!("{other:?} names no field"),
    }
}

#[tokio::test]
async fn a_denial_is_a_value_and_spends_nothing() {
    let engine = with_alice().await;
    let allowed = engine.consume(ALICE, Consume::of("articles", 9)).await;
    assert!(allowed.expect("an answer").is_allowed());
    let decision = engine.consume(ALICE, Consume::of("articles", 2)).await;
    let decision = decision.expect("a denial is an answer");
    let denied = decision.denied().expect("is denied");
    assert_eq!(denied.feature.as_str(), "articles");
    assert_eq!(denied.requested, 2);
    assert_eq!(denied.denial.reason, Reason::LimitReached);
    assert_eq!(denied.denial.available, 1);
    assert_eq!(remaining(&engine, "articles").await, Some(1));
}

/// X1: the same key, the first answer; another body under it, an error.
#[tokio::test]
async fn a_call_with_a_key_is_carried_out_once() {
    let engine = with_alice().await;
    let asked = Consume::of("articles", 4).key("order-1").actor("shop");
    let first = engine.consume(ALICE, asked.clone()).await.expect("allowed");
    let again = engine.consume(ALICE, asked).await.expect("allowed");
    assert_eq!(again.reply().operation, first.reply().operation);
    assert!(again.reply().is_replay && !first.reply().is_replay);
    let actor = first.reply().operation.origin.actor.as_deref();
    assert_eq!(actor, Some("shop"));
    assert_eq!(remaining(&engine, "articles").await, Some(6));
    let other = engine.consume(ALICE, Consume::of("articles", 5).key("order-1"));
    assert!(matches!(other.await, Err(EngineError::KeyReused { .. })));
}

/// R1 to R3, X3, X4, X6: what is held is settled, moved, given back, refunded, and reset, each by one call.
#[tokio::test]
async fn each_verb_of_use_is_one_call() {
    let engine = with_alice().await;
    let held = engine.reserve(ALICE, Reserve::of("articles", 5, 60)).await;
    let held = held.expect("is held").reply().reference();
    let moved = engine.extend(Extend::of(&held, 120)).await.expect("moved");
    assert!(moved.operation.answer.is_allowed());
    let settled = engine.commit(Commit::of(&held, 3)).await.expect("settled");
    let Answer::Settled { state, .. } = settled.operation.answer else {
        panic!("{settled:?}");
    };
    assert_eq!(state, ReservationState::Committed);
    assert_eq!(remaining(&engine, "articles").await, Some(7));

    let part = Refund::of(&settled.reference()).amount(1);
    engine.refund(part).await.expect("refunded");
    assert_eq!(remaining(&engine, "articles").await, Some(8));

    let held = engine.reserve(ALICE, Reserve::of("articles", 8, 60)).await;
    let held = held.expect("is held").reply().reference();
    engine.release(Release::of(&held)).await.expect("released");
    assert_eq!(remaining(&engine, "articles").await, Some(8));

    let beyond = engine.track(ALICE, Track::of("articles", 20)).await;
    beyond.expect("is never denied");
    assert_eq!(remaining(&engine, "articles").await, Some(0));
    let all = Reset::all().reason("goodwill");
    engine.reset(ALICE, all).await.expect("reset");
    assert_eq!(remaining(&engine, "articles").await, Some(10));

    let both = Consume::of("articles", 1).and("projects", 2);
    let both = engine.consume(ALICE, both).await.expect("an answer");
    assert!(both.is_allowed());
    let gone = ReleaseCapacity::of("projects", 1);
    engine
        .release_capacity(ALICE, gone)
        .await
        .expect("released");
    assert_eq!(remaining(&engine, "projects").await, Some(1));
}

#[tokio::test]
async fn each_write_of_an_operator_is_one_call() {
    let engine = with_alice().await;
    let five = SetOverride::of("articles", Limit::Of(5));
    engine.set_override(ALICE, five).await.expect("set");
    assert_eq!(remaining(&engine, "articles").await, Some(5));
    let cleared = engine.clear_override(ALICE, ClearOverride::of("articles"));
    cleared.await.expect("cleared");
    assert_eq!(remaining(&engine, "articles").await, Some(10));

    let token = PutToken::create("ci").cap(Limit::Of(3));
    engine.put_token(ALICE, token).await.expect("made");
    let asked = Consume::of("articles", 4).token("ci");
    let decision = engine.consume(ALICE, asked).await.expect("an answer");
    let reason = decision.denied().map(|denied| denied.denial.reason);
    assert_eq!(reason, Some(Reason::TokenExhausted));
    let revoked = engine.revoke_token(ALICE, RevokeToken::of("ci")).await;
    revoked.expect("revoked");

    let larger = ChangePlan::to("large").when(ChangeWhen::Now);
    engine.change_plan(ALICE, larger).await.expect("changed");
    assert_eq!(remaining(&engine, "articles").await, Some(100));
    engine.renew(ALICE, Renew::next()).await.expect("renewed");
    let late = SetStatus::to(Status::PastDue);
    engine.set_status(ALICE, late).await.expect("past due");
    let paid = SetStatus::to(Status::Active);
    engine.set_status(ALICE, paid).await.expect("active");
    let end = engine.cancel(ALICE, Cancel::at_period_end()).await;
    end.expect("canceled");
    let resumed = engine.resume(ALICE, Resume::subscription()).await;
    resumed.expect("resumed");

    let acme = PutAccount::create().time_zone("Europe/Berlin");
    engine.put_account("org:acme", acme).await.expect("made");
    let pack = GrantCredits::of("pack-1", 7).priority(1);
    engine.grant_credits("org:acme", pack).await.expect("given");
    let back = TakeBackCredits::of("pack-1").credits(2);
    let back = engine.take_back_credits("org:acme", back).await;
    back.expect("taken back");
    let later = engine.now() + TimeDelta::days(1);
    let sale = GiveBoost::of("sale", "articles", 9).ends_at(later);
    let given = engine.give_boost("org:acme", sale).await;
    given.expect("given");
    let back = engine.take_back_boost("org:acme", TakeBackBoost::of("sale"));
    back.await.expect("taken back");
    let cap = SetSpendCap::of(500);
    engine.set_spend_cap("org:acme", cap).await.expect("set");
    let clear = engine.clear_spend_cap("org:acme", ClearSpendCap::of_account());
    clear.await.expect("cleared");
    let bob = PutAccount::create().org("acme");
    let bob = engine.put_account("user:bob", bob).await.expect("made");
    assert_eq!(bob.home.as_str(), "org:acme");
    let each = SetMemberLimit::of("articles", Limit::Of(3)).expires_at(later);
    let each = engine.set_member_limit("org:acme", each).await;
    each.expect("set");
    let of_bob = SetMemberLimit::of("articles", Limit::Of(5)).member_of("acme");
    let of_bob = engine.set_member_limit("user:bob", of_bob).await;
    of_bob.expect("set");
    let clear = ClearMemberLimit::of("articles").member_of("acme");
    let clear = engine.clear_member_limit("user:bob", clear).await;
    clear.expect("cleared");
}

/// F8 and S5: what would end a denial, and what a change of plan would come to; neither changes anything.
#[tokio::test]
async fn what_would_be_is_asked_with_nothing_changed() {
    let engine = with_alice().await;
    let made = engine.put_account("user:new", PutAccount::create()).await;
    made.expect("is made");
    let offers = engine.offers("user:new", Consume::of("articles", 50)).await;
    let offers = offers.expect("an answer").expect("it is denied").offers;
    let [Offer::Plan { plan, .. }] = offers.as_slice() else {
        panic!("{offers:?}")
    };
    assert_eq!(plan.code.as_str(), "large");
    let none = engine.offers(ALICE, Consume::of("articles", 1)).await;
    assert_eq!(none.expect("an answer"), None, "it is allowed");
    let now = ChangePlan::to("large").when(ChangeWhen::Now);
    let preview = engine.preview_change_plan(ALICE, now).await;
    let preview = preview.expect("it fits");
    let limit = |seen: &[FeatureStanding]| seen.first().and_then(|one| one.own.granted);
    let limits = (
        limit(&preview.before.features),
        limit(&preview.after.features),
    );
    assert_eq!(limits, (Some(Limit::Of(10)), Some(Limit::Of(100))));
    assert_eq!(remaining(&engine, "articles").await, Some(10));
    let unknown = engine.preview_change_plan(ALICE, ChangePlan::to("nothing"));
    let refused = unknown.await.expect_err("there is no such plan");
    assert!(matches!(
        refused,
        EngineError::Rejected(Rejection::UnknownPlan(_))
    ));
}

#[tokio::test]
async fn a_value_that_cannot_be_right_names_its_field_and_changes_nothing() {
    let engine = with_alice().await;
    let nobody = engine.consume("alice", Consume::of("articles", 1)).await;
    assert_eq!(
        mistake(nobody),
        "`account` must begin with `user:` or `org:`"
    );
    let org = engine.consume("org:acme", Consume::of("articles", 1)).await;
    assert_eq!(mistake(org), "`account` must be a user, `user:` and its id");
    let none = engine.consume(ALICE, Consume::of("articles", 0)).await;
    assert_eq!(
        mistake(none),
        "`amount` must be a whole number from 1 to 1000000000000000"
    );
    // Of several mistakes the first is told.
    let asked = Consume::of("Articles", 1).key("").token("");
    let several = engine.consume(ALICE, asked).await;
    assert_eq!(
        mistake(several),
        "`feature` may hold only a-z, 0-9, `_`, `-` and `.`"
    );
    let key = engine.track(ALICE, Track::of("articles", 1).key("")).await;
    assert_eq!(mistake(key), "`key` must not be empty");
    let zone = PutAccount::change().time_zone("Moon/Base");
    let zone = mistake(engine.put_account(ALICE, zone).await);
    assert!(zone.starts_with("`time_zone` must be a zone"), "{zone}");
    let limit = SetOverride::of("articles", Limit::Of(u64::MAX));
    let limit = mistake(engine.set_override(ALICE, limit).await);
    assert!(limit.starts_with("`limit` must be"), "{limit}");
    assert_eq!(remaining(&engine, "articles").await, Some(10));
}

/// What is opened again keeps its catalog: applied twice, it is the same version.
#[tokio::test]
async fn an_engine_is_opened_again_over_the_same_store() {
    let store = Arc::new(MemoryStore::new());
    for _ in 0..2 {
        let opening = Engine::over(store.clone()).catalog(catalog(), "test");
        let engine = opening.open().await.expect("opens");
        let version = engine.catalog().await.expect("is there").version;
        assert_eq!(version, 1);
        engine.stop().await;
        let late = engine.consume(ALICE, Consume::of("articles", 1)).await;
        assert!(matches!(late, Err(EngineError::Stopping)));
    }
}

/// The catalog that another node applied is seen by checks, which no request tells of it.
#[tokio::test(start_paused = true)]
async fn a_catalog_that_another_node_applied_is_seen() {
    let store = Arc::new(MemoryStore::new());
    let at = "2027-03-01T00:00:00Z".parse().expect("an instant");
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(at));
    let open = || Engine::over(store.clone()).clock(Arc::clone(&clock));
    let here = open().catalog(catalog(), "test").open().await;
    let here = here.expect("opens");
    let made = here.put_account(ALICE, PutAccount::create()).await;
    made.expect("is made");
    let started = here.subscribe(ALICE, Subscribe::to("small")).await;
    started.expect("starts");

    let there = open().open().await.expect("opens");
    let wider = toml::from_str(&format!("{CATALOG}{PAGES}")).expect("a catalog");
    there.apply_catalog(&wider, None).await.expect("applied");
    // Nothing but timers is waited for: the next look for a newer catalog comes due at once.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let seen = here.check(ALICE, Consume::of("pages", 1)).await;
    let (_, denial) = seen.expect("an answer").denial.expect("is denied");
    assert_eq!(denial.reason, Reason::NotInPlan, "the feature is known");
}

/// An engine at work, and what holds its store beside it.
async fn at_work() -> (Engine, Weak<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let held = Arc::downgrade(&store);
    let opening = Engine::over(store).settings(EngineSettings::patient());
    let engine = opening.catalog(catalog(), "test").open().await;
    let engine = engine.expect("opens");
    let made = engine.put_account(ALICE, PutAccount::create()).await;
    made.expect("is made");
    assert_ne!(tasks(), 0, "queues, clock, catalog, room in the ledger");
    (engine, held)
}

/// Tasks that have not ended yet; the test itself is none.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Nothing has to come due for a task to end: each has its turn, and is gone.
#[tokio::test]
async fn an_engine_that_is_dropped_ends_its_tasks() {
    let (engine, store) = at_work().await;
    let other = engine.clone();
    drop(engine);
    for _ in 0..100 {
        yield_now().await;
    }
    let denied = other.consume(ALICE, Consume::of("articles", 1)).await;
    assert!(
        !denied.expect("an answer").is_allowed(),
        "a clone is the engine"
    );
    drop(other);
    while tasks() != 0 {
        yield_now().await;
    }
    assert_eq!(store.strong_count(), 0, "nobody holds the store any more");
}

#[tokio::test]
async fn an_engine_that_is_stopped_ends_its_tasks_and_keeps_its_store() {
    let (engine, store) = at_work().await;
    engine.stop().await;
    while tasks() != 0 {
        yield_now().await;
    }
    assert_eq!(
        engine.health().await.store.ok(),
        Some(()),
        "it is still read"
    );
    drop(engine);
    assert_eq!(store.strong_count(), 0);
}
