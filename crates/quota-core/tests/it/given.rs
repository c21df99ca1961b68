//! Overrides of flags and settings: what an account has by itself (F6).

use chrono::TimeDelta;
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::Given;
use quota_core::change::{Change, Effect};
use quota_core::command::{
    AccountSpec, Cancel, ClearOverride, Command, SetAddon, SetGiven, SetStatus,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::Operation;
use quota_core::quantity::Quantity;
use quota_core::terms::{Policy, Status};

use crate::flags::{CATALOG, denial, entitled, org, user};
use crate::stage::{Stage, code, plan_code, put_account, subscribe};
use crate::with_catalog::with_catalog;

const NOT_IN_PLAN: Option<(Reason, Scope)> = Some((Reason::NotInPlan, Scope::User));

fn set(feature: &str, value: Given) -> Command {
    Command::SetGiven(SetGiven {
        feature: code(feature),
        value,
        expires_at: None,
    })
}

fn clear(feature: &str) -> Command {
    let feature = code(feature);
    Command::ClearOverride(ClearOverride { feature })
}

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

/// What the user has of a setting.
fn setting(stage: &Stage, feature: &str) -> Option<Given> {
    let had = entitled(stage, "user:a").had;
    had.settings.get(&code(feature)).cloned()
}

/// What a change came to, and why it changes nothing now.
fn told(done: &Operation) -> (Option<&str>, Option<Effect>) {
    let Answer::Changed {
        change: Change::OverrideSet,
        detail,
        effect,
    } = &done.answer
    else {
        unreachable!("an override was set: {done:?}")
    };
    (detail.as_deref(), *effect)
}

/// F6: an override beats the plan, up or down, until its end or until it is taken away; what the plan gives is back by itself.
#[test]
fn f6_an_override_gives_or_takes_a_flag_and_sets_a_value() {
    let mut stage = user("base");
    assert_eq!(denial(&stage, "sso"), NOT_IN_PLAN);
    let done = stage.done("user:a", set("sso", Given::Flag(true)));
    assert_eq!(told(&done), (Some("sso: true"), None));
    assert_eq!(denial(&stage, "sso"), None);
    let again = stage.done("user:a", set("sso", Given::Flag(true)));
    assert_eq!(again.answer, Answer::Unchanged);
    stage.done("user:a", set("audit_log", Given::Flag(false)));
    assert_eq!(denial(&stage, "audit_log"), NOT_IN_PLAN, "the plan has it");
    stage.done("user:a", set("support", text("phone")));
    assert_eq!(setting(&stage, "support"), Some(text("phone")));
    let for_a_day = Command::SetGiven(SetGiven {
        feature: code("max_file_mb"),
        value: Given::Number(5),
        expires_at: Some(stage.now + TimeDelta::days(1)),
    });
    stage.done("user:a", for_a_day.clone());
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(5)));
    stage.later(TimeDelta::days(1));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(10)));
    let over = stage.run("user:a", for_a_day).map(drop);
    let field = "expires_at";
    assert_eq!(over, Err(Rejection::NotInFuture { field }));
    for feature in ["sso", "audit_log", "support"] {
        stage.done("user:a", clear(feature));
    }
    assert_eq!(denial(&stage, "sso"), NOT_IN_PLAN);
    assert_eq!(denial(&stage, "audit_log"), None);
    assert_eq!(setting(&stage, "support"), Some(text("mail")));
}

/// F6, S3 and U1: it never outlives the subscription, and says so; an unlimited user is denied nothing by it.
#[test]
fn f6_an_override_of_a_flag_counts_while_a_subscription_is_in_force() {
    let mut stage = user("base");
    stage.done("user:a", set("sso", Given::Flag(true)));
    let status = |status| Command::SetStatus(SetStatus { status });
    stage.done("user:a", status(Status::Unpaid));
    let expired = Some((Reason::SubscriptionExpired, Scope::User));
    assert_eq!(denial(&stage, "sso"), expired);
    let done = stage.done("user:a", set("support", text("phone")));
    assert_eq!(told(&done).1, Some(Effect::IdleForSubscription));
    assert_eq!(setting(&stage, "support"), None);
    stage.done("user:a", status(Status::Active));
    assert_eq!(denial(&stage, "sso"), None);
    let unlimited = AccountSpec {
        unlimited: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(unlimited));
    let done = stage.done("user:a", set("audit_log", Given::Flag(false)));
    assert_eq!(told(&done).1, Some(Effect::IdleForUnlimited));
    assert_eq!(denial(&stage, "audit_log"), None);
}

/// P13: it stands in the plan's place, and add-ons beside it: a flag is had if one of them has it, and of a setting the largest
/// number counts.
#[test]
fn p13_add_ons_stand_beside_an_override_of_a_flag() {
    let more = "\n[[plan]]\ncode = \"more\"\nname = \"More\"\nkind = \"addon\"\nprice = 100\nlimits = { sso = true, max_file_mb = 50 }\n";
    let mut stage = with_catalog(Stage::user(""), &format!("{CATALOG}{more}"));
    stage.done("user:a", subscribe("base"));
    stage.done("user:a", set("sso", Given::Flag(false)));
    stage.done("user:a", set("max_file_mb", Given::Number(20)));
    assert_eq!(denial(&stage, "sso"), NOT_IN_PLAN);
    let addon = Command::SetAddon(SetAddon {
        plan: plan_code("more"),
        quantity: Quantity::ONE,
        ends_at: None,
    });
    stage.done("user:a", addon);
    assert_eq!(denial(&stage, "sso"), None);
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(50)));
    stage.done("user:a", set("max_file_mb", Given::Number(70)));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(70)));
}

/// O3, O4: of an org that never had a subscription an override holds by itself, and denies its members what it takes, but for
/// policy `track`. What was said of a member alone beats its org's value.
#[test]
fn o3_an_override_of_an_org_holds_by_itself() {
    let mut stage = org("");
    assert_eq!(denial(&stage, "sso"), None, "it denies nothing");
    let done = stage.done("org:o", set("sso", Given::Flag(false)));
    assert_eq!(told(&done).1, None);
    let denied = Some((Reason::OrgNotInPlan, Scope::Org));
    assert_eq!(denial(&stage, "sso"), denied);
    assert_eq!(denial(&stage, "audit_log"), None);
    let policy = |policy| {
        put_account(AccountSpec {
            policy: Some(policy),
            ..AccountSpec::default()
        })
    };
    stage.done("org:o", policy(Policy::Track));
    assert_eq!(denial(&stage, "sso"), None);
    stage.done("org:o", policy(Policy::Enforce));
    stage.done("org:o", set("max_file_mb", Given::Number(30)));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(30)));
    let idle = stage.done("user:a", set("max_file_mb", Given::Number(7)));
    assert_eq!(told(&idle).1, Some(Effect::IdleForSubscription));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(30)));
    stage.done("user:a", subscribe("base"));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(7)));
    stage.done("user:a", clear("max_file_mb"));
    assert_eq!(setting(&stage, "max_file_mb"), Some(Given::Number(30)));
    stage.done("org:o", subscribe("large"));
    assert_eq!(denial(&stage, "sso"), denied, "it beats the plan");
    stage.done("org:o", Command::Cancel(Cancel { at_once: true }));
    let expired = Some((Reason::OrgSubscriptionExpired, Scope::Org));
    assert_eq!(denial(&stage, "sso"), expired);
}

/// C2: a flag is true or false, a setting a whole number or a short text; what is counted has a limit.
#[test]
fn an_override_says_what_fits_its_feature() {
    let mut stage = user("base");
    let before = stage.home.accounts.clone();
    let long = "x".repeat(201);
    for (feature, value) in [
        ("sso", Given::Number(1)),
        ("sso", text("true")),
        ("support", Given::Flag(true)),
        ("support", text("")),
        ("support", text(&long)),
        ("max_file_mb", Given::Number(1_000_000_000_000_001)),
        ("articles", Given::Number(5)),
        ("articles", Given::Flag(true)),
    ] {
        let refused = stage.run("user:a", set(feature, value)).err();
        let refused = refused.expect("it does not fit");
        let told = (refused.code(), refused.field());
        assert_eq!(told, ("wrong_value", Some("value")), "{feature}");
    }
    let unknown = stage.run("user:a", set("nothing", Given::Flag(true)));
    assert_eq!(
        unknown.map(drop),
        Err(Rejection::UnknownFeature(code("nothing")))
    );
    assert_eq!(stage.home.accounts, before);
}
