//! Which of several limits a denial names, and when all of them have room again (C9, F7).

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::answer::WindowBalance;
use quota_core::catalog::Cadence;
use quota_core::command::{AccountSpec, Command, GiveBoost, Renew};
use quota_core::draw::Scope;

use crate::boosts::boost_id;
use crate::several_limits::chat;
use crate::stage::{Stage, amount, code, consume, grant, member, put_account, subscribe};
use crate::with_catalog::with_catalog;

/// A month counted as the feature is, and what a plan may say beside it.
const LIMITS: [&str; 4] = [
    "{ limit = MONTH }",
    "{ limit = WEEK, per = \"weekly\", anchor = \"calendar\" }",
    "{ limit = DAY, per = \"daily\", anchor = \"calendar\" }",
    "{ limit = FIVE, per = \"5h\", anchor = \"first_use\" }",
];

#[derive(Debug, Clone)]
struct Case {
    /// Of month, week, day and five hours.
    limits: [u64; 4],
    /// In which order the plan says which of them.
    order: Vec<usize>,
    /// Whether the plan and what else pays are the org's.
    is_of_org: bool,
    credits: u64,
    boost: u64,
    /// Hours, and units that are asked for then.
    uses: Vec<(i64, u64)>,
    asked: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let limits = (30_u64..90, 15_u64..45, 8_u64..20, 4_u64..12);
    let order = Just(vec![0, 1, 2, 3]).prop_shuffle();
    let pays = (any::<bool>(), 0_u64..8, 0_u64..8);
    let uses = prop::collection::vec((0_i64..9, 1_u64..12), 1..30);
    let all = (limits, order, 2_usize..=4, pays, uses, 1_u64..30);
    all.prop_map(|(limits, mut order, number, pays, uses, asked)| {
        order.truncate(number);
        let (is_of_org, credits, boost) = pays;
        Case {
            limits: limits.into(),
            order,
            is_of_org,
            credits,
            boost,
            uses,
            asked,
        }
    })
}

impl Case {
    /// Under the plan since Monday, 1 March 2027, 00:00, and for a year.
    fn stage(&self) -> Stage {
        let [month, week, day, five] = self.limits.map(|limit| limit.to_string());
        let limits: Vec<&str> = self.order.iter().map(|at| LIMITS[*at]).collect();
        let limits = limits.join(", ");
        let limits = limits.replace("MONTH", &month).replace("WEEK", &week);
        let limits = limits.replace("DAY", &day).replace("FIVE", &five);
        let text = format!(
            "[[feature]]\ncode = \"messages\"\nname = \"Messages\"\nunit = \"message\"\nkind = \"consumable\"\n\
             cadence = \"monthly\"\ncredit_cost = 1\n\n[[plan]]\ncode = \"chat\"\nname = \"Chat\"\nprice = 2000\n\
             limits = {{ messages = [{limits}] }}\n"
        );
        let buyer = self.buyer();
        let mut stage = with_catalog(Stage::new(buyer), &text);
        stage.now = "2027-03-01T00:00:00Z".parse().expect("an instant");
        stage.done(buyer, put_account(AccountSpec::default()));
        stage.done(buyer, subscribe("chat"));
        for _ in 0..11 {
            stage.done(buyer, Command::Renew(Renew::default()));
        }
        if self.is_of_org {
            stage.done("user:a", put_account(member()));
        }
        stage
    }

    fn buyer(&self) -> &'static str {
        if self.is_of_org { "org:o" } else { "user:a" }
    }

    fn scope(&self) -> Scope {
        if self.is_of_org {
            Scope::Org
        } else {
            Scope::User
        }
    }

    /// Gives what pays beside the allowance; it is there for a year.
    fn give(&self, stage: &mut Stage) {
        if self.credits != 0 {
            stage.done(self.buyer(), grant("pack", self.credits));
        }
        if self.boost != 0 {
            let boost = Command::GiveBoost(GiveBoost {
                boost: boost_id("sale"),
                feature: code("messages"),
                amount: amount(self.boost),
                ends_at: Some(stage.now + TimeDelta::days(365)),
            });
            stage.done(self.buyer(), boost);
        }
    }

    /// The windows of the plan's limits, as they are shown.
    fn windows(&self, stage: &mut Stage) -> Vec<WindowBalance> {
        let shown = stage.balance_of(self.buyer(), self.scope(), "messages", None);
        let is_said = |per: Cadence| self.order.contains(&0) || per != Cadence::Monthly;
        let windows = shown.windows.into_iter();
        windows.filter(|window| is_said(window.per)).collect()
    }
}

fn is_allowed(stage: &mut Stage, at: DateTime<Utc>, asked: u64) -> bool {
    let before = (stage.home.clone(), stage.now);
    stage.now = at;
    let outcome = stage.run("user:a", consume("messages", asked));
    (stage.home, stage.now) = before;
    outcome.expect("an outcome").operation.answer.is_allowed()
}

proptest! {
    #![proptest_config(crate::cases::at_least(256))]

    /// C9, F7: of the limits that have less room than boosts and credits leave to pay, the denial names the one that binds longest, in
    /// whichever order the plan says them; at `resets_at` all have room again, and not an instant sooner; `available` would have been
    /// enough, and one more would not.
    #[test]
    fn c9_a_denial_names_the_limit_that_binds_longest(case in cases()) {
        let mut stage = case.stage();
        for (hours, units) in &case.uses {
            stage.later(TimeDelta::hours(*hours));
            // What does not fit is denied.
            let outcome = stage.run("user:a", consume("messages", *units));
            prop_assert!(outcome.is_ok());
        }
        case.give(&mut stage);
        let paid = case.credits + case.boost;
        let whole = case.order.iter().map(|at| case.limits[*at]).min().unwrap_or(0);
        let asked = case.asked.min(whole + paid);
        let windows = case.windows(&mut stage);
        prop_assert_eq!(windows.len(), case.order.len());
        let left = |window: &WindowBalance| window.remaining.unwrap_or(u64::MAX);
        let least = windows.iter().map(left).min().unwrap_or(0);
        let now = stage.now;
        if asked <= least + paid {
            prop_assert!(is_allowed(&mut stage, now, asked));
            return Ok(());
        }
        let denial = stage.denied("user:a", consume("messages", asked));
        prop_assert_eq!((denial.scope, denial.available), (case.scope(), least + paid));
        let wanted = asked - paid;
        let short: Vec<&WindowBalance> = windows.iter().filter(|window| left(window) < wanted).collect();
        let longest = short.iter().map(|window| window.resets_at).max().flatten();
        prop_assert_eq!(denial.resets_at, longest);
        let named = short.iter().find(|window| Some(window.per) == denial.window);
        prop_assert_eq!(named.map(|window| window.resets_at), Some(longest));
        let resets_at = longest.expect("a window that is short has begun");
        prop_assert!(is_allowed(&mut stage, resets_at, asked));
        prop_assert!(!is_allowed(&mut stage, resets_at - TimeDelta::microseconds(1), asked));
        if denial.available != 0 {
            prop_assert!(is_allowed(&mut stage, now, denial.available));
        }
        prop_assert!(!is_allowed(&mut stage, now, denial.available + 1));
    }
}

/// F7: a request that no window can ever hold is told no instant at which it would pass, as a token's cap tells none (T3); of several
/// limits it names the one that never holds it. What another plan that follows may hold is told its end.
#[test]
fn f7_no_instant_is_told_for_what_never_fits() {
    let mut stage = chat();
    stage.done("user:a", consume("messages", 1));
    let denied = stage.denied("user:a", consume("messages", 46));
    let five: Cadence = "5h".parse().expect("a cadence");
    assert_eq!((denied.resets_at, denied.window), (None, Some(five)));
    let denied = stage.denied("user:a", consume("messages", 45));
    assert!(denied.resets_at.is_some(), "the next five hours hold it");
    let mut stage = Stage::user("meter");
    let denied = stage.denied("user:a", consume("requests", 6));
    assert_eq!((denied.resets_at, denied.window), (None, None));
    stage.done("user:a", grant("pack", 1));
    stage.done("user:a", consume("requests", 1));
    let denied = stage.denied("user:a", consume("requests", 5));
    assert!(denied.resets_at.is_some(), "the next day holds it");
    // 10 of the plan's and 25 for its cap are all that a period has.
    let denied = stage.denied("user:a", consume("articles", 36));
    assert_eq!(denied.resets_at, None);
}
