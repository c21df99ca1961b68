//! Every job twice is as once.
#![expect(
    clippy::expect_used,
    reason = "a state that cannot be read must stop the test"
)]

use quota_core::event::EventKind;
use quota_core::ids::AccountId;
use quota_core::ports::{Audits, RunState};
use quota_core::reservation::ReservationState;
use testkit::fixtures::feature;

use crate::platform::{Platform, name, without_provider};

/// W5: nothing is wrong when they are late or run twice.
#[tokio::test(start_paused = true)]
async fn every_job_twice_is_as_once() {
    for job in without_provider() {
        let platform = Platform::with_users(5).await;
        platform.give_credits(&name(2), ("pack", 43 * 24)).await;
        platform.on_day(40);
        let first = platform.run(job).await;
        assert_eq!(
            first.state,
            RunState::Succeeded,
            "{job}: {:?}",
            first.summary
        );
        let after_one = platform.state().await;
        let second = platform.run(job).await;
        assert_eq!(
            second.state,
            RunState::Succeeded,
            "{job}: {:?}",
            second.summary
        );
        assert_eq!(
            platform.state().await,
            after_one,
            "{job} twice is not as once"
        );
    }
}

/// All jobs, in whatever order, come to the same balances.
#[tokio::test(start_paused = true)]
async fn all_jobs_twice_in_both_orders_are_as_once() {
    let platform = Platform::with_users(3).await;
    platform.on_day(40);
    for job in without_provider() {
        platform.run(job).await;
    }
    let once = platform.state().await;
    for job in without_provider().rev() {
        platform.run(job).await;
    }
    assert_eq!(platform.state().await, once);
}

/// S9: a daily job marks subscriptions that ended, zeroes consumable counters of their accounts, records it, and
/// publishes `subscription_expired`.
#[tokio::test(start_paused = true)]
async fn an_ended_subscription_is_expired_and_told_of_one_time() {
    let platform = Platform::with_users(3).await;
    let is_expiry = |kind: &EventKind| matches!(kind, EventKind::SubscriptionExpired { .. });
    platform.on_day(20);
    let early = platform.run(jobs::work::expire_subscriptions::NAME).await;
    assert_eq!(early.summary.done, 0, "no subscription has ended yet");
    platform.on_day(40);
    let run = platform.run(jobs::work::expire_subscriptions::NAME).await;
    assert_eq!((run.summary.done, run.summary.failed), (3, 0));
    let again = platform.run(jobs::work::expire_subscriptions::NAME).await;
    assert_eq!(again.summary.done, 0, "it is recorded already");
    assert_eq!(platform.count_events(is_expiry).await, 3);
    for number in 0..3 {
        let row = platform
            .engine
            .account(&name(number))
            .await
            .expect("a user");
        let terms = &row.account.terms;
        let subscription = terms.subscription.as_ref().expect("a subscription");
        assert!(
            subscription.end_recorded_at.is_some(),
            "its end is recorded"
        );
        let is_consumable =
            |bucket: &str| bucket.contains("ai_request") || bucket.contains("upload");
        let live = row.account.books.balances.iter();
        let mut counted = live.filter(|balance| is_consumable(&balance.bucket.to_string()));
        assert!(
            counted.all(|balance| balance.used == 0),
            "consumables are zeroed"
        );
    }
}

/// W5: the jobs `reset_daily` and `reset_monthly` close windows in the books and publish `quota_reset`, each for its own cadence.
#[tokio::test(start_paused = true)]
async fn closing_windows_leaves_those_of_another_cadence_open() {
    let platform = Platform::with_users(3).await;
    platform.on_day(1);
    let run = platform.run(jobs::work::close_windows_daily::NAME).await;
    assert_eq!((run.summary.done, run.summary.failed), (3, 0));
    assert_eq!(closed_of(&platform, &name(0)).await, ["upload"]);
    // The hold of `ai_request` has run out: its window can be closed once the month is over.
    platform.on_day(25);
    let run = platform.run(jobs::work::close_windows_monthly::NAME).await;
    assert_eq!(run.summary.done, 3);
    let mut closed = closed_of(&platform, &name(0)).await;
    closed.sort_unstable();
    assert_eq!(closed, ["ai_request", "upload"]);
    let reset = |kind: &EventKind| matches!(kind, EventKind::QuotaReset { features } if features == &[feature("upload")]);
    assert_eq!(platform.count_events(reset).await, 3);
}

async fn closed_of(platform: &Platform, home: &AccountId) -> Vec<&'static str> {
    let read = platform.store.audit_home(home).await.expect("a home");
    let closed = read.map(|read| read.closed).unwrap_or_default();
    let code = |bucket: String| {
        ["ai_request", "upload", "storage"]
            .into_iter()
            .find(|code| bucket.contains(code))
    };
    closed
        .iter()
        .filter_map(|closed| code(closed.balance.bucket.to_string()))
        .collect()
}

/// R4: a hold past its deadline counts 0 at once; the sweeper only writes down what holds already.
#[tokio::test(start_paused = true)]
async fn a_sweep_ends_holds_past_their_deadline_and_leaves_the_others() {
    let platform = Platform::with_users(5).await;
    let run = platform.run(jobs::work::sweep_reservations::NAME).await;
    assert_eq!(run.summary.done, 0, "no deadline has come");
    platform.on_day(1);
    let run = platform.run(jobs::work::sweep_reservations::NAME).await;
    assert_eq!((run.state, run.summary.done), (RunState::Succeeded, 5));
    for number in 0..5 {
        let read = platform
            .store
            .audit_home(&name(number))
            .await
            .expect("a home");
        let read = read.expect("it is there");
        let ended =
            |hold: &quota_core::reservation::Reservation| hold.state == ReservationState::Expired;
        assert!(read.reservations.iter().all(ended), "every hold has ended");
    }
    assert_eq!(
        platform
            .run(jobs::work::sweep_reservations::NAME)
            .await
            .summary
            .done,
        0
    );
}

/// Nothing younger than it is kept for is pruned, and what is older is pruned bit by bit.
#[tokio::test(start_paused = true)]
async fn pruning_removes_what_is_old_and_ended() {
    let platform = Platform::with_users(3).await;
    platform.on_day(1);
    platform.run(jobs::work::sweep_reservations::NAME).await;
    platform.run(jobs::work::dispatch_outbox::NAME).await;
    assert_eq!(
        platform.run(jobs::work::prune::NAME).await.summary.done,
        0,
        "all is young"
    );
    platform.on_day(60);
    let run = platform.run(jobs::work::prune::NAME).await;
    assert!(
        run.summary.done >= 6,
        "events, holds and runs went: {:?}",
        run.summary
    );
    assert_eq!(platform.run(jobs::work::prune::NAME).await.summary.done, 0);
}
