//! What an account is told of itself at the edges: entitlements, previews, offers, what it owes (F8, O3, O4, O7, S3, S6, C11).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::ScopeBalance;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, Command, Consume, EndAddon, SetAddon,
    UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::quantity::Quantity;
use quota_core::rules::entitlements::entitlements;
use quota_core::rules::offers::{Offer, offers};
use quota_core::rules::preview::preview;
use quota_core::rules::spending::spending;
use quota_core::terms::Policy;

use crate::boosts::boost;
use crate::member_limits::limit;
use crate::stage::{
    Stage, code, consume, grant, id, item, member, plan_code, put_account, reserve, subscribe,
    track,
};
use crate::with_catalog::with_catalog;

/// What a member of the stage's org is told of a feature.
fn told(stage: &Stage, feature: &str) -> ScopeBalance {
    let accounts = &stage.home.accounts;
    let account = &*accounts[&id("user:a")];
    let org = accounts.get(&id("org:o")).map(AsRef::as_ref);
    let told = entitlements(&stage.context(), &id("user:a"), (account, org));
    let mut limits = told.limits.into_iter();
    let found = limits.find(|left| left.feature == Some(code(feature)));
    found.expect("it is counted")
}

fn org_of(plan: &str, own: &str) -> Stage {
    let mut stage = Stage::org_alone(plan);
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:a", put_account(limited));
    stage.done("user:a", subscribe(own));
    stage
}

fn left(balance: &ScopeBalance) -> (Scope, Option<Limit>, Option<u64>) {
    (balance.scope, balance.granted, balance.remaining)
}

/// O3, O4: what an org's plan does not name is not there for its member; an exhausted org holds nobody off under policy `track`.
#[test]
fn o3_entitlements_tell_what_the_org_leaves() {
    let stage = org_of("free", "pro");
    assert_eq!(left(&told(&stage, "albums")).0, Scope::Org);
    assert_eq!(left(&told(&stage, "albums")).1, None);
    let of_org = (Scope::Org, Some(Limit::Of(5)), Some(5));
    assert_eq!(left(&told(&stage, "articles")), of_org);
    let mut stage = stage;
    let track = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(track));
    let own = (Scope::User, Some(Limit::Of(100)), Some(100));
    assert_eq!(left(&told(&stage, "articles")), own);
}

/// O7: what a member is told is what its limit leaves, less what it holds.
#[test]
fn o7_entitlements_tell_what_a_member_has_left() {
    let mut stage = org_of("pro", "pro");
    stage.done("org:o", limit("articles", 30));
    stage.done("user:a", consume("articles", 4));
    stage.done("user:a", reserve("articles", 5, 600));
    let shown = told(&stage, "articles");
    assert_eq!((shown.used, shown.held, shown.remaining), (4, 5, Some(21)));
}

/// X4: room that was bought of a capacity is there beside the allowance: an org with less of both leaves less.
#[test]
fn x4_entitlements_count_the_room_that_was_bought() {
    let mut stage = org_of("pro", "pro");
    stage.done("user:a", grant("own", 9));
    stage.done("org:o", grant("pack", 50));
    // Three by the plans; two more are bought of the user's credits and of the org's.
    stage.done("user:a", consume("projects", 5));
    stage.done("user:a", crate::stage::release_capacity("projects", 5));
    let whole = told(&stage, "projects");
    let room = whole.room.map(|room| room.remaining);
    assert_eq!((left(&whole).2, room), (Some(3), Some(2)));
    // A member of no account of its own takes what the org bought.
    stage.done("user:b", put_account(member()));
    stage.done("user:b", consume("projects", 4));
    let less = told(&stage, "projects");
    let room = less.room.map(|room| room.remaining);
    assert_eq!(
        (less.scope, left(&less).2, room),
        (Scope::Org, Some(0), Some(1))
    );
}

/// F7: of a disabled account nothing is left: neither of its allowance, nor of credits, boosts or the trial.
#[test]
fn f7_of_a_disabled_account_nothing_is_left() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 9));
    stage.done("user:a", boost("sale", "try_on", 4));
    let before = told(&stage, "try_on");
    assert_eq!(
        (before.credits, before.boosts, before.trial),
        (Some(9), 4, Some(3))
    );
    let disabled = AccountSpec {
        disabled: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(disabled));
    let after = told(&stage, "try_on");
    assert_eq!(
        (after.credits, after.boosts, after.trial),
        (Some(0), 0, Some(0))
    );
    assert_eq!((after.granted, after.remaining), (None, Some(0)));
}

/// S6, S3: a preview tells what is over a limit, what is held and overspent included, and nothing of an end: then nothing is granted at all.
#[test]
fn s6_a_preview_tells_what_is_over() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("albums", 2));
    stage.done("user:a", consume("storage", 40));
    stage.done("user:a", reserve("storage", 20, 600));
    let over = |stage: &Stage, command: Command| {
        let (home, context) = (stage.home.clone(), stage.context());
        let told = preview(&context, home, &id("user:a"), command).expect("it fits");
        let over = told.over.into_iter();
        over.map(|over| (over.feature.to_string(), over.limit, over.used))
            .collect::<Vec<_>>()
    };
    let change = |plan: &str| {
        Command::ChangePlan(ChangePlan {
            plan: plan_code(plan),
            when: Some(ChangeWhen::Now),
            usage: UsageAfterChange::Keep,
        })
    };
    assert_eq!(
        over(&stage, change("basic")),
        [("storage".to_owned(), 50, 60)]
    );
    stage.done("user:a", track("storage", 50));
    let both = [("albums".to_owned(), 0, 2), ("storage".to_owned(), 10, 110)];
    assert_eq!(over(&stage, change("free")), both);
    let end = Command::Cancel(Cancel { at_once: true });
    assert_eq!(over(&stage, end), []);
}

/// F8, C13: of an add-on that has ended nothing is held: one is offered where one is enough.
#[test]
fn f8_an_add_on_that_has_ended_is_offered_anew() {
    const TEXT: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "basic"
name = "Basic"
price = 500
limits = { messages = 10 }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 20 }
"#;
    let mut stage = with_catalog(Stage::user(""), TEXT);
    stage.done("user:a", subscribe("basic"));
    let set = Command::SetAddon(SetAddon {
        plan: plan_code("more"),
        quantity: Quantity::new(3).expect("in range"),
        ends_at: None,
    });
    stage.done("user:a", set);
    stage.later(TimeDelta::hours(1));
    let plan = plan_code("more");
    stage.done("user:a", Command::EndAddon(EndAddon { plan }));
    let asked = Consume {
        token: None,
        items: vec![item("messages", 25)],
    };
    let found = offers(&stage.context(), &stage.home, &id("user:a"), &asked);
    let found = found.expect("it is denied").offers;
    let addons = found.iter().filter_map(|offer| match offer {
        Offer::Addon { quantity, held, .. } => Some((quantity.get(), *held)),
        Offer::Plan { .. } | Offer::Seats { .. } | Offer::Credits(_) | Offer::Pack { .. } => None,
    });
    assert_eq!(addons.collect::<Vec<_>>(), [(1, 0)]);
}

/// C11, R1: what is reserved of what is sold is not owed before it is used.
#[test]
fn c11_what_is_held_is_not_owed() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", consume("articles", 12));
    stage.done("user:a", reserve("articles", 5, 600));
    let account = &stage.home.accounts[&id("user:a")];
    let told = spending(&stage.context(), account).expect("it is sold");
    assert_eq!((told.owed, told.cap), (8, 150));
}
