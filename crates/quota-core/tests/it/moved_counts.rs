//! What a member limit counts goes along when the org's window is moved (O7, S5, W4).

use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::audit::audit;
use quota_core::command::{
    AccountSpec, ChangePlan, ChangeWhen, Command, Presence, PutAccount, Release, Reset,
    UsageAfterChange,
};
use quota_core::denial::Reason;
use uuid::Uuid;

use crate::boosts::boost;
use crate::member_limits::{counted, limit};
use crate::relocated::relocated;
use crate::stage::{Stage, commit, consume, grant, plan_code, refund, reserve, subscribe};

/// The plan is changed at once, and use counts on: what the month counts is moved.
fn keep(plan: &str) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    })
}

/// W4, O7: in another zone the day of the calendar is another window, in which use counts on, the member's too, whatever paid it.
#[test]
fn a_members_count_goes_along_when_the_orgs_zone_changes() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("requests", 14));
    stage.done("org:o", boost("extra", "requests", 20));
    let spent = stage.done("user:a", consume("requests", 12));
    let held = stage.done("user:a", reserve("requests", 1, 600)).id;
    for zone in ["Asia/Tokyo", "Europe/Berlin", "UTC"] {
        let time_zone = Some(zone.parse().expect("a zone"));
        let spec = AccountSpec {
            time_zone,
            ..AccountSpec::default()
        };
        let presence = Presence::Existing;
        let moved = PutAccount { presence, spec };
        stage.done("org:o", Command::PutAccount(moved));
        assert_eq!(counted(&stage, "user:a", "requests"), (12, 1), "{zone}");
        let denial = stage.denied("user:a", consume("requests", 2));
        let told = (denial.reason, denial.available);
        assert_eq!(told, (Reason::MemberLimitReached, 1), "{zone}");
    }
    stage.done("user:a", commit(held, 1));
    stage.done("user:a", refund(spent.id, Some(5)));
    assert_eq!(counted(&stage, "user:a", "requests"), (8, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// O7: who leaves its org and comes back in the same window goes on where it was, whatever of the org paid: what its credits paid too; and
/// what was refunded since, or reset, is counted no more.
#[test]
fn a_member_that_comes_back_goes_on_with_what_credits_paid() {
    for resets in [false, true] {
        let (mut stage, mut own) = (Stage::org("pro"), Stage::new("user:a"));
        stage.done("org:o", limit("try_on", 15));
        stage.done("org:o", grant("pack", 50));
        let spent = stage.done("user:a", consume("try_on", 14));
        relocated(&mut stage, &mut own);
        own.later(TimeDelta::minutes(1));
        stage.now = own.now;
        if resets {
            stage.done("org:o", Command::Reset(Reset::default()));
        }
        relocated(&mut own, &mut stage);
        stage.done("user:a", subscribe("max"));
        stage.done("user:a", grant("own", 90));
        let used = if resets { 0 } else { 14 };
        assert_eq!(counted(&stage, "user:a", "try_on"), (used, 0), "{resets}");
        let denial = stage.denied("user:a", consume("try_on", 16 - used));
        assert_eq!(
            (denial.reason, denial.available),
            (Reason::MemberLimitReached, 15 - used)
        );
        assert_eq!(audit(&stage.records()), []);
        if !resets {
            stage.done("user:a", refund(spent.id, Some(6)));
            assert_eq!(counted(&stage, "user:a", "try_on"), (8, 0));
        }
        stage.done("user:a", consume("try_on", 1));
        assert_eq!(audit(&stage.records()), []);
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Consume(u64),
    Reserve(u64),
    /// So much of the oldest hold.
    Commit(u64),
    Release,
    /// So much of one of those that were spent and not refunded.
    Refund(u64, usize),
    Change,
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = prop_oneof![
        4 => (1_u64..15).prop_map(Step::Consume),
        3 => (1_u64..15).prop_map(Step::Reserve),
        3 => (1_u64..20).prop_map(Step::Commit),
        1 => Just(Step::Release),
        3 => (1_u64..15, 0_usize..9).prop_map(|(units, which)| Step::Refund(units, which)),
        3 => Just(Step::Change),
        2 => Just(Step::Reset),
    ];
    prop::collection::vec((step, 0_i64..30), 1..40)
}

/// What a member has used and holds, kept by hand.
#[derive(Debug, Default)]
struct Model {
    is_on_meter: bool,
    used: u64,
    holds: Vec<(Uuid, u64)>,
    /// What was spent and may be refunded, and whether a reset set it to 0 since (X6).
    spent: Vec<(Uuid, u64, bool)>,
}

impl Model {
    fn held(&self) -> u64 {
        self.holds.iter().map(|(_, units)| units).sum()
    }

    fn spends(&mut self, id: Uuid, units: u64) {
        self.used += units;
        self.spent.push((id, units, false));
    }

    fn step(&mut self, stage: &mut Stage, step: Step) {
        match step {
            Step::Consume(units) => {
                let spent = stage.done("user:a", consume("try_on", units));
                self.spends(spent.id, units);
            }
            Step::Reserve(units) => {
                let held = stage.done("user:a", reserve("try_on", units, 86_400));
                self.holds.push((held.id, units));
            }
            Step::Commit(units) if !self.holds.is_empty() => {
                let (held, _) = self.holds.remove(0);
                let spent = stage.done("user:a", commit(held, units));
                self.spends(spent.id, units);
            }
            Step::Release if !self.holds.is_empty() => {
                let (reservation, _) = self.holds.remove(0);
                stage.done("user:a", Command::Release(Release { reservation }));
            }
            Step::Refund(units, which) if !self.spent.is_empty() => {
                let (id, left, is_reset) = self.spent.remove(which % self.spent.len());
                let units = units.min(left);
                stage.done("user:a", refund(id, Some(units)));
                if !is_reset {
                    self.used -= units;
                }
                if units < left {
                    self.spent.push((id, left - units, is_reset));
                }
            }
            Step::Change => {
                self.is_on_meter = !self.is_on_meter;
                let plan = if self.is_on_meter { "meter" } else { "pro" };
                stage.done("org:o", keep(plan));
            }
            Step::Reset => {
                stage.done("org:o", Command::Reset(Reset::default()));
                self.used = 0;
                self.spent.iter_mut().for_each(|spent| spent.2 = true);
            }
            Step::Commit(_) | Step::Release | Step::Refund(..) => {}
        }
    }
}

proptest! {
    #![proptest_config(crate::cases::at_least(128))]

    /// O7, S5, R2, X3 and X6: whatever of the org pays, allowance or credits, and however often its window is moved, what a member
    /// limit counts is what the member spent in it and holds, less what was refunded or reset.
    #[test]
    fn o7_a_members_count_is_what_it_spent_whatever_the_window_was_moved_to(steps in steps()) {
        let mut stage = Stage::org("pro");
        stage.done("org:o", limit("try_on", 10_000));
        stage.done("org:o", grant("pack", 10_000));
        let mut model = Model::default();
        for (step, minutes) in steps {
            // No hold is over before the last step.
            stage.later(TimeDelta::minutes(minutes));
            model.step(&mut stage, step);
            prop_assert_eq!(counted(&stage, "user:a", "try_on"), (model.used, model.held()), "{:?}", step);
        }
        let denial = stage.denied("user:a", consume("try_on", 10_001));
        prop_assert_eq!(denial.reason, Reason::MemberLimitReached);
        let of_member = denial.of_scope.unwrap_or(denial.available);
        prop_assert_eq!(Limit::Of(10_000).room(model.used + model.held()), of_member);
        prop_assert_eq!(audit(&stage.records()), []);
    }
}
