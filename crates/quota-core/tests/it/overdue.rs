//! What a plan gives while a payment is overdue (S14).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::command::{Command, SetStatus, Subscribe};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::rules::check::check;
use quota_core::terms::{Lapse, Status};

use crate::stage::{
    GRACE, Stage, amount, code, commit, consume, grant, id, member, plan_code, put_account,
    release_capacity, reserve, subscribe,
};
use crate::with_catalog::with_catalog;

const SHOP: &str = r#"
[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[feature]]
code = "exports"
name = "Exports"
unit = "export"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "theme"
name = "Theme"
kind = "setting"

[[plan]]
code = "pro"
name = "Pro"
price = 900
limits = { images = 10, albums = 5, exports = 3, sso = true, theme = "dark" }
on_demand = { exports = { price = 1, cap = 100 } }
overdue = { images = "blocked", albums = "read_only", exports = "read_only", sso = "blocked", theme = "full" }
"#;

fn late(stage: &mut Stage, account: &str) {
    let status = Status::PastDue;
    stage.done(account, Command::SetStatus(SetStatus { status }));
}

fn used(account: &str) -> Stage {
    let empty = if account == "user:a" {
        Stage::user("")
    } else {
        Stage::org("")
    };
    let mut stage = with_catalog(empty, SHOP);
    stage.done(account, Command::Subscribe(Subscribe::to(plan_code("pro"))));
    stage
}

/// S14: blocked is as if the plan were not in force; read-only shows limits and use, takes capacity back and grants nothing
/// more, nor sells it. What is paid brings all back, with its use.
#[test]
fn s14_a_plan_says_what_is_had_while_a_payment_is_overdue() {
    let mut stage = used("user:a");
    stage.done("user:a", consume("images", 4));
    stage.done("user:a", consume("albums", 2));
    stage.done("user:a", consume("exports", 1));
    let held = stage.done("user:a", reserve("exports", 1, 600)).id;
    late(&mut stage, "user:a");
    for feature in ["images", "albums", "exports"] {
        let denied = stage.denied("user:a", consume(feature, 1));
        assert_eq!(denied.reason, Reason::PaymentOverdue, "{feature}");
        assert_eq!((denied.available, denied.scope), (0, Scope::User));
    }
    let blocked = stage.balance_of("user:a", Scope::User, "images", None);
    assert_eq!((blocked.granted, blocked.remaining), (None, None));
    let shown = stage.balance_of("user:a", Scope::User, "albums", None);
    assert_eq!((shown.granted, shown.used), (Some(Limit::Of(5)), 2));
    assert_eq!(shown.remaining, Some(0));
    stage.done("user:a", release_capacity("albums", 1));
    stage.done("user:a", commit(held, 1));
    // Credits pay all the same.
    stage.done("user:a", grant("pack", 2));
    stage.done("user:a", consume("images", 2));
    assert_eq!(
        stage.denied("user:a", consume("images", 1)).reason,
        Reason::PaymentOverdue
    );
    let status = Status::Active;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    assert_eq!(stage.remaining("user:a", "images"), Some(6));
    assert_eq!(stage.remaining("user:a", "albums"), Some(4));
    assert_eq!(stage.remaining("user:a", "exports"), Some(1));
    assert_eq!(audit(&stage.records()), []);
}

/// S14 and C2: a flag is had or not while a payment is overdue, a setting read or not.
#[test]
fn s14_flags_and_settings_are_full_or_blocked() {
    let mut stage = used("user:a");
    let asked = |stage: &Stage, feature: &str| {
        let account = &stage.home.accounts[&id("user:a")];
        let (context, accounts) = (stage.context(), Some((account.as_ref(), None)));
        let checked = check(&context, accounts, None, &code(feature), amount(1));
        checked
            .expect("it fits")
            .denial
            .map(|(_, why)| (why.reason, why.lapse))
    };
    assert_eq!(asked(&stage, "sso"), None);
    late(&mut stage, "user:a");
    let blocked = Some((Reason::PaymentOverdue, Some(Lapse::PastDue)));
    assert_eq!(asked(&stage, "sso"), blocked);
    assert_eq!(asked(&stage, "theme"), None);
    // Beyond the grace nothing is in force (S2).
    stage.later(GRACE + TimeDelta::seconds(1));
    let expired = Some((Reason::SubscriptionExpired, Some(Lapse::PastDue)));
    assert_eq!(asked(&stage, "theme"), expired);
}

/// S14 and O3: an org's payment that is overdue binds its members; an unlimited user's own does not (U1).
#[test]
fn s14_an_org_that_is_overdue_denies_its_members() {
    let mut stage = used("org:o");
    stage.done("user:a", consume("images", 1));
    late(&mut stage, "org:o");
    for feature in ["images", "albums"] {
        let denied = stage.denied("user:a", consume(feature, 1));
        assert_eq!(
            (denied.reason, denied.scope),
            (Reason::PaymentOverdue, Scope::Org)
        );
    }
    stage.done("org:o", grant("pack", 1));
    stage.done("user:a", consume("images", 1));
    assert_eq!(audit(&stage.records()), []);
    let mut alone = used("user:a");
    late(&mut alone, "user:a");
    let unlimited = crate::stage::put_account(quota_core::command::AccountSpec {
        unlimited: Some(true),
        ..Default::default()
    });
    alone.done("user:a", unlimited);
    let answer = alone.done("user:a", consume("albums", 9)).answer;
    assert!(matches!(answer, Answer::Allowed { .. }));
    assert_eq!(
        alone
            .balance_of("user:a", Scope::User, "albums", None)
            .remaining,
        None
    );
}

/// S14: without a word of it everything is had in the grace.
#[test]
fn s14_without_a_word_all_is_had_in_the_grace() {
    let mut stage = Stage::user("");
    stage.done("user:a", subscribe("pro"));
    late(&mut stage, "user:a");
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    stage.done("user:a", consume("articles", 1));
}

const MEMBERS: &str = r#"
[[feature]]
code = "members"
name = "Members"
unit = "member"
kind = "capacity"
cadence = "subscription"
counts = "members"

[[plan]]
code = "team"
name = "Team"
price = 900
limits = { members = 5 }
overdue = { members = "read_only" }
"#;

/// S14 and C12: while a payment is overdue, `read_only` grants nothing more: no member joins.
#[test]
fn s14_read_only_lets_no_member_join() {
    let mut stage = with_catalog(Stage::org_alone(""), MEMBERS);
    stage.done("org:o", subscribe("team"));
    let status = Status::PastDue;
    stage.done("org:o", Command::SetStatus(SetStatus { status }));
    assert_eq!(stage.remaining("org:o", "members"), Some(0));
    let joins = put_account(member());
    let refused = stage.run("user:a", joins.clone()).map(drop);
    let full = Rejection::MembersFull {
        feature: code("members"),
        limit: 0,
        used: 0,
    };
    assert_eq!(refused, Err(full));
    let status = Status::Active;
    stage.done("org:o", Command::SetStatus(SetStatus { status }));
    stage.done("user:a", joins);
}

const LATE_PAYER: &str = r#"
[[feature]]
code = "exports"
name = "Exports"
unit = "export"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "pro"
name = "Pro"
price = 900
on_demand = { exports = { price = 1, cap = 100 } }
overdue = { exports = "read_only", messages = "read_only" }
[plan.limits]
exports = 3
messages = [{ limit = 45, per = "5h", anchor = "first_use" }, { limit = 500, per = "weekly" }]
"#;

fn late_payer() -> Stage {
    let mut stage = with_catalog(Stage::user(""), LATE_PAYER);
    stage.done("user:a", subscribe("pro"));
    let status = Status::PastDue;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    stage
}

/// S14 and C11: what is `read_only` is not sold: nothing of it can be got on demand, and that is shown.
#[test]
fn s14_read_only_shows_nothing_left_on_demand() {
    let mut stage = late_payer();
    stage.denied("user:a", consume("exports", 1));
    let shown = stage.balance_of("user:a", Scope::User, "exports", None);
    assert_eq!(shown.remaining, Some(0));
    let sold = shown.on_demand.expect("it is sold");
    assert_eq!(sold.remaining, 0);
}

/// S14 and C9: of several limits each window is shown with what a new request can get of it, which is nothing.
#[test]
fn s14_read_only_shows_nothing_left_in_any_window() {
    let mut stage = late_payer();
    stage.denied("user:a", consume("messages", 1));
    let shown = stage.balance_of("user:a", Scope::User, "messages", None);
    assert_eq!(shown.remaining, Some(0));
    let left: Vec<Option<u64>> = shown
        .windows
        .iter()
        .map(|window| window.remaining)
        .collect();
    assert_eq!(left, [Some(0), Some(0)]);
}
