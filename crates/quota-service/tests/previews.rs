//! Previews of changes that come back to what was closed.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::{
    ChangePlan, ChangeWhen, CloseWindows, Command, Subscribe, UsageAfterChange,
};
use quota_core::ids::PlanCode;
use quota_core::ports::FixedClock;
use quota_service::Ask;
use quota_service::prelude::{
    AccountId, CatalogFile, Consume, Engine, EngineSettings, Origin, PutAccount, Reserve,
};
use testkit::memory::MemoryStore;

const ALICE: &str = "user:alice";
const CATALOG: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "subscription"

[[feature]]
code = "rooms"
name = "Rooms"
unit = "room"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "small"
name = "Small"
price = 100
limits = { articles = 10, rooms = 10 }

[[plan]]
code = "least"
name = "Least"
price = 50
limits = { articles = 10, rooms = 4 }
"#;

fn alice() -> AccountId {
    AccountId::parse(ALICE).expect("a literal id")
}

async fn submit(engine: &Engine, command: Command) {
    let ask = Ask {
        account: alice(),
        key: None,
        command,
        origin: Origin::default(),
    };
    engine.submit(ask).await.expect("it is carried out");
}

/// An engine in memory with one user, its clock, and the instant that this shows.
async fn opened() -> (Engine, Arc<FixedClock>, DateTime<Utc>) {
    let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
    let clock = Arc::new(FixedClock::at(start));
    let catalog: CatalogFile = toml::from_str(CATALOG).expect("a catalog");
    let engine = Engine::over(Arc::new(MemoryStore::new()))
        .settings(EngineSettings::patient())
        .clock(Arc::<FixedClock>::clone(&clock))
        .catalog(catalog, "test")
        .open()
        .await
        .expect("opens");
    let made = engine.put_account(ALICE, PutAccount::create()).await;
    made.expect("is made");
    (engine, clock, start)
}

/// W4 and S9: a preview of a start in the past shows the use that the start takes back, though it was closed.
#[tokio::test]
async fn a_preview_counts_what_is_closed() {
    let (engine, clock, start) = opened().await;
    let until = |days| {
        Command::Subscribe(Subscribe {
            starts_at: Some(start),
            ends_at: Some(start + TimeDelta::days(days)),
            ..Subscribe::to(PlanCode::new("small").expect("a literal code"))
        })
    };
    submit(&engine, until(5)).await;
    let consumed = engine.consume(ALICE, Consume::of("articles", 4)).await;
    assert!(consumed.expect("an answer").is_allowed());
    clock.set(start + TimeDelta::days(6));
    submit(&engine, Command::CloseWindows(CloseWindows::default())).await;
    let preview = engine.preview(&alice(), until(20)).await;
    let preview = preview.expect("it fits");
    let used = preview.after.features.first().map(|one| one.own.used);
    assert_eq!(used, Some(4));
    submit(&engine, until(20)).await;
    let overview = engine.overview(&alice()).await.expect("it is there");
    assert_eq!(preview.after.features, overview.features);
    engine.stop().await;
}

/// R4: a preview of what acts later counts no hold whose deadline comes before, though it is open now.
#[tokio::test]
async fn r4_a_preview_counts_no_hold_that_ends_before() {
    let (engine, _, _) = opened().await;
    let plan = |code| PlanCode::new(code).expect("a literal code");
    submit(&engine, Command::Subscribe(Subscribe::to(plan("small")))).await;
    let held = engine.reserve(ALICE, Reserve::of("rooms", 8, 60)).await;
    assert!(held.expect("an answer").is_allowed());
    for (when, over) in [(ChangeWhen::Now, 1), (ChangeWhen::PeriodEnd, 0)] {
        let change = Command::ChangePlan(ChangePlan {
            plan: plan("least"),
            when: Some(when),
            usage: UsageAfterChange::default(),
        });
        let preview = engine.preview(&alice(), change).await.expect("it fits");
        assert_eq!(preview.over.len(), over, "{when:?}");
    }
    engine.stop().await;
}
