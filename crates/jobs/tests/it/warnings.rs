//! Credits that will be lost soon are told, once for each grant and bound of days (P22).
#![expect(
    clippy::expect_used,
    reason = "a run that does not begin must stop the test"
)]

use std::sync::Arc;

use chrono::TimeDelta;
use jobs::{JobFilter, JobSettings, LogSink};
use quota_core::event::EventKind;

use crate::platform::{Platform, name, settings, start};

/// Runs the job so many hours after the beginning; the warnings that wait since, as grant, credits and bound.
async fn told(platform: &Platform, hours: i64, bounds: &[u32]) -> Vec<(String, u64, u32)> {
    platform.clock.set(start() + TimeDelta::hours(hours));
    let before = warnings(platform).await.len();
    let settings = JobSettings {
        expiry_warning_days: bounds.to_vec(),
        ..settings()
    };
    let runner = platform.runner_with(Arc::new(LogSink), settings);
    let job = jobs::work::warn_of_expiry::NAME;
    let run = runner.run(job, JobFilter::default(), "test").await;
    let run = run.expect("the job runs");
    assert_eq!(run.summary.failed, 0, "{:?}", run.summary);
    warnings(platform).await.split_off(before)
}

async fn warnings(platform: &Platform) -> Vec<(String, u64, u32)> {
    let events = platform.pending().await.into_iter();
    let told = events.filter_map(|event| {
        let EventKind::CreditsExpiring {
            grant,
            credits,
            expires_at,
            days,
        } = event.kind
        else {
            return None;
        };
        assert!(event.at < expires_at, "it is told before");
        Some((grant.to_string(), credits, days))
    });
    told.collect()
}

fn warning(grant: &str, days: u32) -> (String, u64, u32) {
    (grant.to_owned(), 20, days)
}

#[tokio::test(start_paused = true)]
async fn p22_each_grant_is_told_of_once_for_each_bound() {
    let platform = Platform::with_users(3).await;
    platform.give_credits(&name(1), ("pack", 10 * 24)).await;
    let bounds = [7, 1];
    assert_eq!(told(&platform, 3 * 24 - 1, &bounds).await, []);
    assert_eq!(told(&platform, 3 * 24, &bounds).await, [warning("pack", 7)]);
    assert_eq!(told(&platform, 3 * 24 + 6, &bounds).await, []);
    assert_eq!(told(&platform, 9 * 24 - 1, &bounds).await, []);
    assert_eq!(told(&platform, 9 * 24, &bounds).await, [warning("pack", 1)]);
    assert_eq!(told(&platform, 9 * 24 + 6, &bounds).await, []);
    // A bound that is set later is told where it comes before what was told.
    platform.give_credits(&name(1), ("later", 30 * 24)).await;
    assert_eq!(
        told(&platform, 24 * 24, &bounds).await,
        [warning("later", 7)]
    );
    assert_eq!(
        told(&platform, 28 * 24, &[7, 3]).await,
        [warning("later", 3)]
    );
    assert_eq!(told(&platform, 28 * 24 + 1, &[7, 4, 3]).await, []);
}

/// What is given for a shorter time than a bound is told once, by the bound that is nearest; each grant by an event of its own.
#[tokio::test(start_paused = true)]
async fn p22_of_several_bounds_and_grants_each_is_told_by_what_is_nearest() {
    let platform = Platform::with_users(1).await;
    let alone = name(0);
    for (grant, hours) in [("hours", 12), ("days", 5 * 24), ("weeks", 50 * 24)] {
        platform.give_credits(&alone, (grant, hours)).await;
    }
    let mut first = told(&platform, 1, &[30, 7, 1]).await;
    first.sort();
    assert_eq!(first, [warning("days", 7), warning("hours", 1)]);
    assert_eq!(told(&platform, 2, &[30, 7, 1]).await, []);
    assert_eq!(
        told(&platform, 13, &[30, 7, 1]).await,
        [],
        "it is lost by now"
    );
    assert_eq!(
        told(&platform, 20 * 24, &[30]).await,
        [warning("weeks", 30)]
    );
    assert_eq!(
        told(&platform, 49 * 24, &[]).await,
        [],
        "nothing is to be told"
    );
}
