//! Deliveries from the outbox: every event at least once, those of an account in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use jobs::{JobFilter, JobName, JobSettings, Runner};
use quota_core::amount::Limit;
use quota_core::command::{Command, SetOverride};
use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::origin::Origin;
use quota_core::ports::{EventSink, JobRun, PublishError, RunState};
use quota_service::{Ask, Engine};
use testkit::fixtures::feature;
use uuid::Uuid;

use crate::platform::{Listener, Platform, name, settings};

const JOB: JobName = jobs::work::dispatch_outbox::NAME;

async fn dispatch(runner: &Runner) -> Option<JobRun> {
    runner.run(JOB, JobFilter::default(), "test").await.ok()
}

/// By account, the events in the order in which each was told first.
fn first_told(events: &[Event]) -> BTreeMap<AccountId, Vec<Uuid>> {
    let mut told: BTreeMap<AccountId, Vec<Uuid>> = BTreeMap::new();
    for event in events {
        let ids = told.entry(event.account.clone()).or_default();
        if !ids.contains(&event.id) {
            ids.push(event.id);
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn every_event_is_told_and_those_of_an_account_in_their_order() {
    let platform = Platform::with_users(4).await;
    platform.on_day(40);
    platform.run(jobs::work::expire_subscriptions::NAME).await;
    let pending = platform.pending().await;
    assert!(pending.len() > 8, "there is something to tell");
    let listener = Arc::new(Listener::default());
    let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
    let run = dispatch(&runner).await.expect("it runs");
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(listener.told(), pending);
    assert!(
        platform.pending().await.is_empty(),
        "nothing waits any more"
    );
    dispatch(&runner).await.expect("it runs");
    assert_eq!(
        listener.told().len(),
        pending.len(),
        "nothing is told twice without a fault"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_holds_up_its_own_account_only() {
    for times in 1..=4 {
        let platform = Platform::with_users(3).await;
        let pending = platform.pending().await;
        let listener = Arc::new(Listener::default());
        listener.refuse(&name(0), times);
        let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
        let run = dispatch(&runner).await.expect("it runs");
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.summary);
        let told = listener.told();
        assert_eq!(
            first_told(&told),
            first_told(&pending),
            "refused {times} times"
        );
        assert_eq!(told.len(), pending.len());
        assert_ne!(told[0].account, name(0), "the others did not wait");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_waits_and_the_others_are_told() {
    let platform = Platform::with_users(3).await;
    let pending = platform.pending().await;
    let listener = Arc::new(Listener::default());
    listener.refuse(&name(0), u32::MAX);
    let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
    let run = dispatch(&runner).await.expect("it runs");
    assert_eq!(run.state, RunState::Failed);
    assert!(
        run.summary
            .error
            .expect("it says why")
            .contains("nobody listens")
    );
    let mut of_others = first_told(&pending);
    of_others.remove(&name(0)).expect("it has events");
    assert_eq!(first_told(&listener.told()), of_others);
    assert_eq!(
        platform.pending().await[0].account,
        name(0),
        "the cursor stays where the first failed"
    );
    let healthy = Arc::new(Listener::default());
    let runner = platform.runner_with(Arc::<Listener>::clone(&healthy), settings());
    dispatch(&runner).await.expect("it runs");
    assert_eq!(first_told(&healthy.told()), first_told(&pending));
    assert!(platform.pending().await.is_empty());
}

/// At least once: what was told and could not be marked is told again.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_at_any_call_makes_repetitions_and_no_gap() {
    let mut repeated = 0;
    for calls in 0..20 {
        let platform = Platform::with_users(3).await;
        let pending = platform.pending().await;
        let listener = Arc::new(Listener::default());
        let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
        platform.store.go_down_after(Some(calls));
        dispatch(&runner).await;
        platform.store.go_down_after(None);
        platform.clock.advance(TimeDelta::minutes(2));
        // Of another process, which knows nothing of what the first has told.
        let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
        let run = dispatch(&runner).await.expect("it runs");
        assert_eq!(run.state, RunState::Succeeded);
        let told = listener.told();
        assert_eq!(
            first_told(&told),
            first_told(&pending),
            "lost after {calls} calls"
        );
        repeated += told.len() - pending.len();
    }
    assert!(repeated > 0, "at some call it was told and not marked");
}

/// However many events of other accounts lie behind one that fails, they are told, and with the next run not again.
#[tokio::test(start_paused = true)]
async fn an_event_that_fails_holds_up_no_other_account_however_many_events_it_has() {
    let platform = Platform::with_users(2).await;
    let listener = Arc::new(Listener::default());
    listener.refuse(&name(0), u32::MAX);
    for limit in 0..5_200 {
        platform.ask(&name(1), set(limit)).await;
    }
    let settings = JobSettings {
        batch_max: 500,
        ..settings()
    };
    let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings);
    for _ in 0..2 {
        dispatch(&runner).await.expect("it runs");
        let told = listener.told();
        let mut expected = first_told(&platform.pending().await);
        expected.remove(&name(0)).expect("it waits");
        assert_eq!(
            first_told(&told),
            expected,
            "in their order, and the last one too"
        );
        let count: usize = expected.values().map(Vec::len).sum();
        assert!(count > 5_200, "{count} events");
        assert_eq!(told.len(), count, "none is told twice");
    }
    let waiting = platform.pending().await;
    assert_eq!(waiting[0].account, name(0), "the cursor waits for it");
}

fn set(limit: u64) -> Command {
    Command::SetOverride(SetOverride {
        feature: feature("upload"),
        limit: Limit::Of(limit),
        expires_at: None,
    })
}

/// A sink that one account's events never pass; of any other each makes the next one.
struct Restless {
    engine: Engine,
    refused: AccountId,
}

#[async_trait]
impl EventSink for Restless {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        if event.account == self.refused {
            return Err(PublishError("nobody listens".into()));
        }
        let ask = Ask {
            account: event.account.clone(),
            key: None,
            command: set(event.number),
            origin: Origin::default(),
        };
        let set = self.engine.submit(ask).await;
        set.map(drop).map_err(|error| PublishError(Box::new(error)))
    }
}

/// A run with an event that nobody takes comes to its end though others come all the time: its failure is seen.
#[tokio::test(start_paused = true)]
async fn a_run_with_an_event_that_nobody_takes_ends_under_steady_traffic() {
    let platform = Platform::with_users(2).await;
    let sink = Restless {
        engine: platform.engine.clone(),
        refused: name(0),
    };
    let settings = JobSettings {
        batch_max: 100,
        ..settings()
    };
    let runner = platform.runner_with(Arc::new(sink), settings);
    let run = tokio::time::timeout(Duration::from_hours(1), dispatch(&runner)).await;
    let run = run.expect("it ends").expect("it ran");
    assert_eq!(run.state, RunState::Failed);
    assert_ne!(run.summary.done, 0, "the others were told");
}

/// What was delivered behind an event that waits is remembered also when the store is lost at any call of that run.
#[tokio::test(start_paused = true)]
async fn what_was_told_out_of_turn_is_remembered_when_the_store_is_lost() {
    let mut was_told = 0;
    for calls in 0..20 {
        let platform = Platform::with_users(2).await;
        let listener = Arc::new(Listener::default());
        listener.refuse(&name(0), u32::MAX);
        let runner = platform.runner_with(Arc::<Listener>::clone(&listener), settings());
        platform.store.go_down_after(Some(calls));
        dispatch(&runner).await;
        platform.store.go_down_after(None);
        was_told += listener.told().len();
        platform.clock.advance(TimeDelta::minutes(2));
        dispatch(&runner).await.expect("it runs");
        let told = listener.told();
        let mut ids: Vec<Uuid> = told.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), told.len(), "lost after {calls} calls");
    }
    assert_ne!(
        was_told, 0,
        "at some call it was lost after it had told some"
    );
}
