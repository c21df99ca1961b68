//! No decision depends on whether the end of a subscription was recorded (S9).

use std::collections::BTreeMap;

use crate::several_limits::at;
use crate::stage::{
    Stage, commit, consume, id, item, plan_code, refund, release_capacity, reserve, track, track_at,
};
use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::answer::{Answer, Rejection};
use quota_core::balance::Bucket;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Renew, Reset, SetStatus, Subscribe,
    UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::operation::Operation;
use quota_core::terms::Status;
use uuid::Uuid;

/// S9: a consumable that renewals carry counts on after a late renewal, whether or not the job ran in between.
#[test]
fn what_is_carried_counts_on_after_a_late_renewal() {
    for is_recorded in [false, true] {
        let mut stage = Stage::user("pro");
        stage.done("user:a", consume("lessons", 9));
        stage.later(TimeDelta::days(33));
        if is_recorded {
            stage.done("user:a", Command::ExpireSubscription);
        }
        stage.done("user:a", Command::Renew(Renew { ends_at: None }));
        let lessons = stage.standing("user:a", Scope::User, "lessons");
        assert_eq!(lessons, (9, 0, 0), "recorded: {is_recorded}");
    }
}

/// S9 and X5: use that is told late, of a time before what ended last, is booked under the plan of then, whether or not the job ran.
#[test]
fn late_use_is_booked_under_the_plan_of_its_instant_after_the_end() {
    for is_recorded in [false, true] {
        let mut stage = Stage::user("pro");
        let queued = Subscribe {
            starts_at: Some(at("2027-04-10T12:00:00Z")),
            ..Subscribe::to(plan_code("basic"))
        };
        stage.done("user:a", Command::Subscribe(queued));
        stage.now = at("2027-05-14T12:00:00Z");
        if is_recorded {
            stage.done("user:a", Command::ExpireSubscription);
            let again = stage.run("user:a", Command::ExpireSubscription);
            assert!(!again.expect("it is looked at").is_booked);
        }
        for (day, units) in [("2027-04-09T12:00:01Z", 101), ("2027-04-10T12:00:00Z", 51)] {
            let told = track_at(at(day), vec![item("articles", units)]);
            let told = stage.done("user:a", told);
            let over: i64 = told.entries.iter().map(|entry| entry.overage).sum();
            assert_eq!(over, 1, "{day}, recorded: {is_recorded}");
        }
    }
}

/// X4, S5 and S9: what a subscription counted of a capacity is over when another takes its place, though its window would
/// have run on. Nothing is given back of it: neither while the other is in force nor when that is not paid for, whether or not
/// the jobs ran, which leave the books in another order.
#[test]
fn a_release_is_of_the_period_that_runs_and_of_none_that_was_replaced() {
    for is_recorded in [false, true] {
        for status in [Status::Active, Status::Unpaid] {
            let mut stage = Stage::user("basic");
            stage.done("user:a", consume("articles", 1));
            stage.later(TimeDelta::days(33));
            for units in [1, 2] {
                stage.done(
                    "user:a",
                    Command::Subscribe(Subscribe::to(plan_code("pro"))),
                );
                stage.later(TimeDelta::hours(1));
                stage.done("user:a", consume("albums", units));
            }
            stage.done("user:a", Command::SetStatus(SetStatus { status }));
            if is_recorded {
                stage.done("user:a", Command::ExpireSubscription);
                stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
            }
            let told = stage.done("user:a", release_capacity("albums", 3));
            let Answer::Released { released, .. } = told.answer else {
                unreachable!("a release is answered as one")
            };
            let given_back: Vec<u64> = released.iter().map(|part| part.amount).collect();
            assert_eq!(given_back, [2], "{status:?}, recorded: {is_recorded}");
        }
    }
}

/// S9, W1 and X5: use that is told late of a time without a known subscription is booked in the window that counts without one, whole:
/// not in a part of it that is over when the next subscription begins. When nothing is in force again it counts there, whether or
/// not the jobs ran.
#[test]
fn late_use_without_a_subscription_counts_when_there_is_none_again() {
    for is_recorded in [false, true] {
        let mut stage = Stage::user("pro");
        stage.later(TimeDelta::days(35));
        stage.done(
            "user:a",
            Command::Subscribe(Subscribe::to(plan_code("basic"))),
        );
        let gap = stage.now - TimeDelta::days(2);
        for feature in ["albums", "articles"] {
            stage.done("user:a", consume(feature, 1));
            stage.done("user:a", track_at(gap, vec![item(feature, 1)]));
        }
        stage.later(TimeDelta::minutes(1));
        if is_recorded {
            stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
        }
        let at_once = Cancel { at_once: true };
        stage.done("user:a", Command::Cancel(at_once));
        for feature in ["albums", "articles"] {
            let (used, _, overage) = stage.standing("user:a", Scope::User, feature);
            assert_eq!(used + overage, 1, "{feature}, recorded: {is_recorded}");
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Step {
    kind: usize,
    what: usize,
    size: u64,
    wait: usize,
    is_recorded: bool,
}

/// Odd, so that no period begins where one that ended long ago did.
const WAITS: [i64; 7] = [0, 61, 3_607, 50_021, 86_423, 700_001, 3_000_017];
/// How long ago use is told late.
const LATE: [i64; 9] = [
    1, 59, 3_601, 40_009, 86_399, 250_007, 700_001, 1_800_011, 3_000_017,
];
const FEATURES: [&str; 7] = [
    "articles", "requests", "try_on", "renders", "lessons", "storage", "albums",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..30_usize,
        0..28_usize,
        1..12_u64,
        0..7_usize,
        any::<bool>(),
    );
    let step = step.prop_map(|(kind, what, size, wait, is_recorded)| Step {
        kind,
        what,
        size,
        wait,
        is_recorded,
    });
    prop::collection::vec(step, 1..50)
}

/// One of two stages: the same history, with other ids.
struct Side {
    stage: Stage,
    used: Vec<Uuid>,
    held: Vec<Uuid>,
}

impl Side {
    /// With a plan to fall back to, and a trial of another, or without.
    fn new(has_default: bool) -> Self {
        let mut stage = Stage::user("pro");
        if has_default {
            stage.catalog.default_plan = Some(plan_code("free"));
            stage.with_trial("basic", 9);
        }
        Self {
            stage,
            used: Vec::new(),
            held: Vec::new(),
        }
    }

    fn command(&self, step: Step) -> Option<Command> {
        let feature = FEATURES[step.what % 7];
        let plan = plan_code(["free", "basic", "pro", "max"][step.what % 4]);
        let of = |ids: &[Uuid]| ids.get(step.what % ids.len().max(1)).copied();
        let command = match step.kind {
            0..5 => consume(feature, step.size),
            5 => track(feature, step.size),
            6 => reserve(feature, step.size, [60, 90_000, 2_000_000][step.what % 3]),
            7 => commit(of(&self.held)?, step.size),
            8 => refund(of(&self.used)?, None),
            9 => release_capacity(["storage", "albums"][step.what % 2], step.size),
            10 => Command::Reset(Reset::default()),
            11..16 => Command::Renew(Renew { ends_at: None }),
            16 | 17 => {
                let ahead = [None, Some(2), Some(40)][step.what % 3];
                let starts_at = ahead.map(|days| self.stage.now + TimeDelta::days(days));
                Command::Subscribe(Subscribe {
                    starts_at,
                    ..Subscribe::to(plan)
                })
            }
            18 => Command::ChangePlan(ChangePlan {
                plan,
                when: [None, Some(ChangeWhen::Now), Some(ChangeWhen::PeriodEnd)][step.what % 3],
                usage: [UsageAfterChange::Keep, UsageAfterChange::Restart][step.what % 2],
            }),
            19 => Command::Cancel(Cancel {
                at_once: step.what.is_multiple_of(3),
            }),
            20 | 21 => Command::Resume,
            24..30 => {
                let at = self.stage.now - TimeDelta::seconds(LATE[step.what % 9]);
                track_at(at, vec![item(feature, step.size)])
            }
            _ => Command::SetStatus(SetStatus {
                status: [Status::Active, Status::PastDue, Status::Unpaid][step.what % 3],
            }),
        };
        Some(command)
    }

    /// The answer, and how each feature stands after it.
    fn play(&mut self, step: Step) -> (Option<Result<Answer, Rejection>>, Vec<Shown>) {
        self.stage.later(TimeDelta::seconds(WAITS[step.wait]));
        let command = self.command(step);
        let done = command.map(|command| {
            let (operation, is_booked) = self.carry_out(command)?;
            match step.kind {
                _ if !is_booked => {}
                0..6 | 7 | 24..30 => self.used.push(operation.id),
                6 => self.held.push(operation.id),
                _ => {}
            }
            Ok(operation.answer)
        });
        (done, self.shown())
    }

    /// As the engine does: where a refund needs more than was loaded, that is read, and it is carried out again.
    fn carry_out(&mut self, command: Command) -> Result<(Operation, bool), Rejection> {
        match self.stage.run("user:a", command.clone()) {
            Err(Rejection::UnknownOperation) => {
                let settled = self.stage.settle_over(&mut [], command)?;
                Ok((settled, true))
            }
            outcome => outcome.map(|done| (done.operation.as_ref().clone(), done.is_booked)),
        }
    }

    /// What is used in each window, live or closed.
    fn booked(&self) -> BTreeMap<Bucket, u64> {
        let closed = self.stage.closed.values().map(|closed| &closed.balance);
        let live = &self.stage.home.accounts[&id("user:a")].books.balances;
        let all = closed.chain(live).filter(|balance| balance.spent() != 0);
        all.map(|balance| (balance.bucket.clone(), balance.spent()))
            .collect()
    }

    fn shown(&mut self) -> Vec<Shown> {
        let features = FEATURES.iter();
        let stage = &mut self.stage;
        features
            .map(|feature| stage.balance_of("user:a", Scope::User, feature, None))
            .collect()
    }
}

/// Lifetime totals are left out: a refund does not find a window that was moved by a change of plan and whose new place is
/// closed, and lowers the total only where that is still live.
type Shown = quota_core::answer::ScopeBalance;

proptest! {
    #![proptest_config(crate::cases::at_least(256))]

    /// S9, W5, S3 and C14: a history in which the jobs ran, at whatever instants, and one in which they never did, answer alike
    /// to every request, and every feature stands alike: late renewals, resumed cancellations, refunds and use that is told late
    /// included (X5). In the end the same is used in every window.
    #[test]
    fn a_history_answers_alike_with_the_jobs_and_without(
        steps in steps(),
        has_default in any::<bool>(),
    ) {
        let (mut with_jobs, mut without) = (Side::new(has_default), Side::new(has_default));
        for step in steps {
            let (with, other) = (with_jobs.play(step), without.play(step));
            prop_assert_eq!(with, other, "{:?} at {}", step, without.stage.now);
            if step.is_recorded {
                with_jobs.stage.done("user:a", Command::ExpireSubscription);
                // Whatever is asked ends the holds that are due first (R4).
                without.stage.done("user:a", Command::Sweep);
                with_jobs.stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
                prop_assert_eq!(with_jobs.shown(), without.shown(), "after the jobs, {:?}", step);
            }
            for side in [&with_jobs, &without] {
                prop_assert_eq!(quota_core::audit::audit(&side.stage.records()), []);
            }
        }
        prop_assert_eq!(with_jobs.booked(), without.booked());
    }
}
