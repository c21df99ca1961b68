//! What is told, and when (P21).

use chrono::TimeDelta;
use quota_core::provider::ProblemKind;
use quota_service::prelude::{
    ChangePlan, Commit, Consume, PutAccount, Release, Reserve, Subscribe, Track,
};

use crate::stage::{DAY, FREE, HOUR, Kind, Stage, units};

/// P21: each entry that sells is one event; what the plan gives is none.
async fn each_entry_is_told_once(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    assert!(process.billing.has_meters_to_tell().await.expect("is read"));
    for sold in 1..=3 {
        stage.consume("ann", sold).await;
    }
    for _ in 0..3 {
        assert!(process.work().await);
        assert_eq!(
            (
                stage.fake.metered(&customer),
                stage.fake.meter_events(&customer)
            ),
            (6, 3)
        );
    }
    stage.pass(60);
    assert!(
        !process.billing.has_meters_to_tell().await.expect("is read"),
        "nothing is left"
    );
    stage.consume("ann", 4).await;
    stage.pass(1);
    assert!(process.billing.has_meters_to_tell().await.expect("is read"));
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 10);
    assert_eq!(stage.problem_kinds().await, []);
}

/// P21: holds are told when they are committed, what is released never, and use told late in the period that sells it.
async fn holds_are_told_when_they_are_committed(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    let mut held = Vec::new();
    for _ in 0..2 {
        let asked = Reserve::of("requests", 5, 600);
        held.push(
            stage
                .engine
                .reserve("user:ann", asked)
                .await
                .expect("is held"),
        );
    }
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 0);
    let commit = Commit::of(&held[0].reply().reference(), 3);
    stage.engine.commit(commit).await.expect("is committed");
    let release = Release::of(&held[1].reply().reference());
    stage.engine.release(release).await.expect("is released");
    stage.pass(HOUR);
    let late = Track::of("requests", 4).at(stage.engine.now() - TimeDelta::minutes(30));
    stage
        .engine
        .track("user:ann", late)
        .await
        .expect("is booked");
    assert!(process.work().await);
    assert_eq!(
        (
            stage.fake.metered(&customer),
            stage.fake.meter_events(&customer)
        ),
        (7, 2)
    );
}

/// P21: what a member of an org uses is told of the org's customer; what no meter counts is told of nobody.
async fn an_org_pays_for_its_members_and_other_plans_are_silent(kind: Kind) {
    let stage = Stage::open(kind).await;
    stage.account("org:acme", "pro").await;
    let customer = stage.link("org:acme").await;
    let member = PutAccount::create().org("acme");
    stage
        .engine
        .put_account("user:bob", member)
        .await
        .expect("is made");
    stage.consume("bob", FREE + 5).await;
    stage.account("user:eve", "silent").await;
    let other = stage.link("user:eve").await;
    stage.consume("eve", FREE + 5).await;
    assert!(stage.process().work().await);
    let counted = [&customer, &other].map(|one| stage.fake.metered(one));
    assert_eq!(counted, [5, 0]);
    assert_eq!(stage.periods("user:eve").await, []);
}

/// P21: what is given back before it is told is not told; within a day what was told is cancelled, and the rest told anew.
async fn what_is_given_back_within_a_day_is_not_counted(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    let (first, second) = (stage.consume("ann", 7).await, stage.consume("ann", 4).await);
    stage.refund(&first, 7).await;
    stage.refund(&second, 1).await;
    assert!(process.work().await);
    assert_eq!(
        (
            stage.fake.metered(&customer),
            stage.fake.meter_events(&customer)
        ),
        (3, 1)
    );
    stage.pass(20 * HOUR);
    stage.refund(&second, 2).await;
    assert!(process.work().await);
    assert_eq!(
        (
            stage.fake.metered(&customer),
            stage.fake.meter_events(&customer)
        ),
        (1, 1)
    );
    let third = stage.consume("ann", 9).await;
    assert!(process.work().await);
    stage.refund(&third, 9).await;
    assert!(process.work().await);
    assert_eq!(
        (
            stage.fake.metered(&customer),
            stage.fake.meter_events(&customer)
        ),
        (1, 1)
    );
    stage.pass(40 * DAY);
    assert!(process.work().await);
    assert_eq!(stage.problem_kinds().await, []);
}

/// P21: what is given back later is taken off what is told next in the period; what is left of it at the end is listed.
async fn what_is_given_back_later_is_netted_or_listed(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    let first = stage.consume("ann", 9).await;
    assert!(process.work().await);
    stage.pass(2 * DAY);
    stage.refund(&first, 5).await;
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 9);
    stage.consume("ann", 3).await;
    stage.consume("ann", 1).await;
    assert!(process.work().await);
    assert_eq!(
        (
            stage.fake.metered(&customer),
            stage.fake.meter_events(&customer)
        ),
        (9, 1)
    );
    stage.pass(40 * DAY);
    assert!(process.work().await);
    let problems = stage.problems().await;
    let evidence = &problems[&ProblemKind::MeterDiffers].evidence;
    let sums = [
        "units_at_provider",
        "units_told",
        "units_booked",
        "units_in_books",
    ];
    assert_eq!(sums.map(|name| &*evidence[name]), ["9", "9", "8", "8"]);
}

/// P21: at the end of a period the provider's sum is compared, also where a change of plan began another one before that.
async fn sums_are_compared_at_the_end_of_a_period(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    stage.consume("ann", 5).await;
    stage.pass(3 * DAY);
    stage
        .engine
        .change_plan("user:ann", ChangePlan::to("max"))
        .await
        .expect("is changed");
    stage.consume("ann", FREE + 6).await;
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 11);
    stage.pass(30 * DAY);
    assert!(process.work().await);
    let compared = stage
        .periods("user:ann")
        .await
        .into_iter()
        .map(|one| one.compared);
    assert_eq!(
        compared.collect::<Vec<_>>(),
        [None, None],
        "one of the two runs still"
    );
    stage.pass(4 * DAY);
    assert!(process.work().await);
    let all = stage.periods("user:ann").await;
    let equal = |period: &quota_core::meter::MeterPeriod| {
        let compared = period.compared.expect("is compared");
        (compared.theirs, compared.is_equal())
    };
    assert_eq!(
        all.iter().map(equal).collect::<Vec<_>>(),
        [(11, true), (11, true)]
    );
    assert_eq!(stage.problem_kinds().await, []);
}

/// P21: a sum that differs is listed with both sums, asked for again, and settled by itself when it is right.
async fn a_sum_that_differs_is_listed_until_it_is_right(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    stage.consume("ann", 5).await;
    assert!(process.work().await);
    stage.fake.tell_meter_by_hand(&customer, "requests_used", 3);
    stage.pass(32 * DAY);
    assert!(process.work().await);
    let problems = stage.problems().await;
    let problem = &problems[&ProblemKind::MeterDiffers];
    let sums = ["units_at_provider", "units_told", "units_in_books"];
    assert_eq!(sums.map(|name| &*problem.evidence[name]), ["8", "5", "5"]);
    stage.fake.take_back_by_hand(&customer);
    stage
        .process()
        .billing
        .retry(problem)
        .await
        .expect("is retried");
    assert_eq!(stage.problem_kinds().await, []);
}

/// P21: use waits for its customer, which is listed after a day and told by itself after it.
async fn use_waits_for_its_customer(kind: Kind) {
    let stage = Stage::open(kind).await;
    stage.account("user:ann", "pro").await;
    stage.consume("ann", FREE + 4).await;
    let process = stage.process();
    assert!(process.work().await);
    assert_eq!(stage.problem_kinds().await, []);
    stage.pass(25 * HOUR);
    assert!(process.work().await);
    assert_eq!(
        stage.problem_kinds().await,
        [ProblemKind::MeterWithoutCustomer]
    );
    let customer = stage.link("user:ann").await;
    stage.pass(HOUR);
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 4);
    assert_eq!(stage.problem_kinds().await, []);
}

/// P21: a hold of one period that is committed in the next is told in its own.
async fn a_commit_after_the_end_is_told_in_its_period(kind: Kind) {
    let stage = Stage::open(kind).await;
    let made = stage
        .engine
        .put_account("user:ann", PutAccount::create())
        .await;
    made.expect("is made");
    let end = stage.engine.now() + TimeDelta::days(1);
    let plan = Subscribe::to("pro").ends_at(end);
    stage
        .engine
        .subscribe("user:ann", plan)
        .await
        .expect("begins");
    let customer = stage.link("user:ann").await;
    stage.consume("ann", FREE).await;
    stage.pass(DAY - 60);
    let asked = Reserve::of("requests", 6, 900);
    let held = stage
        .engine
        .reserve("user:ann", asked)
        .await
        .expect("is held");
    stage.pass(120);
    let commit = Commit::of(&held.reply().reference(), 6);
    stage.engine.commit(commit).await.expect("is committed");
    let process = stage.process();
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 6);
    stage.pass(3 * HOUR);
    assert!(process.work().await);
    let periods = stage.periods("user:ann").await;
    assert!(
        periods[0]
            .compared
            .is_some_and(|compared| compared.is_equal()),
        "{periods:?}"
    );
    assert_eq!(stage.sums("user:ann").await.late, 0);
}

/// A meter that is given up refuses use; nothing is lost, and it is told when the meter is back.
async fn a_meter_that_refuses_is_listed(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    stage.fake.set_meter_active("requests_used", false);
    stage.consume("ann", 2).await;
    process.work().await;
    assert_eq!(stage.problem_kinds().await, [ProblemKind::MeterRefused]);
    stage.fake.set_meter_active("requests_used", true);
    stage.pass(HOUR);
    assert!(process.work().await);
    assert_eq!(
        (stage.fake.metered(&customer), stage.problem_kinds().await),
        (2, vec![])
    );
}

/// What is told is pruned 35 days later, and nothing of it is told again.
async fn what_was_told_is_pruned_and_not_told_again(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    let process = stage.process();
    stage.consume("ann", 2).await;
    assert!(process.work().await);
    stage.pass(34 * DAY);
    assert!(process.work().await);
    assert_eq!(
        process.billing.prune_meters(100).await.expect("is pruned"),
        0
    );
    stage.pass(40 * DAY);
    let gone = process.billing.prune_meters(100).await.expect("is pruned");
    assert_eq!((gone, stage.periods("user:ann").await), (2, vec![]));
    assert!(stage.process().work().await);
    assert_eq!(stage.fake.metered(&customer), units(2));
    let asked = Consume::of("requests", 1);
    drop(stage.engine.consume("user:ann", asked).await);
}

crate::over_every_store! {
    each_entry_is_told_once
    holds_are_told_when_they_are_committed
    an_org_pays_for_its_members_and_other_plans_are_silent
    what_is_given_back_within_a_day_is_not_counted
    what_is_given_back_later_is_netted_or_listed
    sums_are_compared_at_the_end_of_a_period
    a_sum_that_differs_is_listed_until_it_is_right
    use_waits_for_its_customer
    a_commit_after_the_end_is_told_in_its_period
    a_meter_that_refuses_is_listed
    what_was_told_is_pruned_and_not_told_again
}
