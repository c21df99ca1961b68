//! Flags and settings: had or read, and never counted (C2).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::Rejection;
use quota_core::catalog::{CatalogFile, Given};
use quota_core::command::{
    AccountSpec, Command, Consume, GiveBoost, ReleaseCapacity, Reset, RevokeToken, SetOverride,
    SetStatus,
};
use quota_core::denial::{Denial, Reason};
use quota_core::draw::Scope;
use quota_core::home::Account;
use quota_core::ids::BoostId;
use quota_core::rules::check::{Checked, check, check_items};
use quota_core::rules::entitlements::{Entitlements, entitlements};
use quota_core::rules::had::has_flag;
use quota_core::rules::scope_balances::overview;
use quota_core::terms::{Policy, Status};

use crate::stage::{
    Stage, amount, code, consume, id, item, member, put_account, put_token, reserve, subscribe,
    token_id, track,
};
use crate::with_catalog::with_catalog;

pub const CATALOG: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "audit_log"
name = "Audit log"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
unit = "MB"
kind = "setting"

[[feature]]
code = "support"
name = "Support"
kind = "setting"

[[plan]]
code = "base"
name = "Base"
limits = { articles = 10, audit_log = true, sso = false, max_file_mb = 10, support = "mail" }

[[plan]]
code = "large"
name = "Large"
price = 9000
limits = { articles = 100, audit_log = true, sso = true, max_file_mb = 50, support = "unlimited" }

[[plan]]
code = "bare"
name = "Bare"
price = 100
limits = { articles = 5 }
"#;

/// A user on a plan, or on none.
pub fn user(plan: &str) -> Stage {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    if !plan.is_empty() {
        stage.done("user:a", subscribe(plan));
    }
    stage
}

/// An org on a plan, or on none, with the unlimited member `user:a`.
pub fn org(plan: &str) -> Stage {
    let mut stage = with_catalog(Stage::org(""), CATALOG);
    if !plan.is_empty() {
        stage.done("org:o", subscribe(plan));
    }
    stage
}

fn accounts(stage: &Stage) -> (&Account, Option<&Account>) {
    let user = &stage.home.accounts[&id("user:a")];
    let org = user
        .terms
        .org
        .as_ref()
        .and(stage.home.accounts.get(&stage.home.id));
    (user, org.map(AsRef::as_ref))
}

fn checked(stage: &Stage, token: Option<&str>, feature: &str) -> Checked {
    let token = token.map(token_id);
    let (context, accounts) = (stage.context(), Some(accounts(stage)));
    let found = check(
        &context,
        accounts,
        token.as_ref(),
        &code(feature),
        amount(1),
    );
    let found = found.expect("no counter is full");
    assert_eq!(
        (&found.draws, &found.balances),
        (&vec![], &vec![]),
        "nothing is counted"
    );
    found
}

pub fn denial(stage: &Stage, feature: &str) -> Option<(Reason, Scope)> {
    let denial = checked(stage, None, feature).denial;
    denial.map(|(_, denial): (_, Denial)| (denial.reason, denial.scope))
}

pub fn entitled(stage: &Stage, account: &str) -> Entitlements {
    let (user, org) = accounts(stage);
    let context = stage.context();
    if account.starts_with("org") {
        let org = org.expect("there is one");
        return entitlements(&context, &id(account), (org, None));
    }
    entitlements(&context, &id(account), (user, org))
}

/// C2 and E47, its half about a base plan: a flag that the plan does not have, or says it has not, is `not_in_plan`.
#[test]
fn a_flag_is_had_or_not_in_plan() {
    let not_in_plan = Some((Reason::NotInPlan, Scope::User));
    let stage = user("large");
    assert_eq!(denial(&stage, "sso"), None);
    assert_eq!(denial(&user("base"), "sso"), not_in_plan);
    assert_eq!(denial(&user("base"), "audit_log"), None);
    assert_eq!(denial(&user("bare"), "audit_log"), not_in_plan);
    assert_eq!(denial(&user("bare"), "max_file_mb"), not_in_plan);
}

/// C2: what a setting is, a check says: a whole number or a text.
#[test]
fn a_check_of_a_setting_says_its_value() {
    let value = |plan, feature| checked(&user(plan), None, feature).value;
    assert_eq!(value("base", "max_file_mb"), Some(Given::Number(10)));
    let text = |text: &str| Some(Given::Text(text.to_owned()));
    assert_eq!(value("base", "support"), text("mail"));
    assert_eq!(value("large", "support"), text("unlimited"));
    assert_eq!(value("bare", "support"), None);
    assert_eq!(
        value("large", "sso"),
        None,
        "a flag is allowed, and has no value"
    );
}

/// S3, S2, F7: with no subscription in force nothing is had, from the very instant on, and the reasons are those of F7.
#[test]
fn a_flag_is_had_only_while_a_subscription_is_in_force() {
    let mut stage = user("");
    assert_eq!(
        denial(&stage, "sso"),
        Some((Reason::NoSubscription, Scope::User))
    );
    stage.done("user:a", subscribe("large"));
    assert_eq!(denial(&stage, "sso"), None);
    let status = |status| Command::SetStatus(SetStatus { status });
    stage.done("user:a", status(Status::PastDue));
    assert_eq!(denial(&stage, "sso"), None, "S2: within the grace");
    stage.later(TimeDelta::hours(73));
    let expired = Some((Reason::SubscriptionExpired, Scope::User));
    assert_eq!(denial(&stage, "sso"), expired);
    let shown = entitled(&stage, "user:a");
    assert!(!shown.is_in_force);
    assert!(!shown.had.flags[&code("sso")]);
    assert!(shown.had.settings.is_empty());
    stage.done("user:a", status(Status::Active));
    assert_eq!(denial(&stage, "sso"), None);
    stage.later(TimeDelta::days(40));
    assert_eq!(denial(&stage, "sso"), expired);
}

/// F7: a disabled user has nothing, nor has one whose token may not be used; a cap that is used up says nothing of a flag.
#[test]
fn a_flag_is_refused_for_what_is_wrong_with_user_and_token() {
    let mut stage = user("large");
    for token in ["small", "gone"] {
        stage.done("user:a", put_token(token, Limit::Of(0)));
    }
    let token = token_id("gone");
    stage.done("user:a", Command::RevokeToken(RevokeToken { token }));
    let reason = |stage: &Stage, token| {
        let denial = checked(stage, Some(token), "sso").denial;
        denial.map(|(_, denial)| denial.reason)
    };
    assert_eq!(reason(&stage, "small"), None, "nothing is charged");
    assert_eq!(reason(&stage, "gone"), Some(Reason::TokenRevoked));
    assert_eq!(reason(&stage, "none"), Some(Reason::TokenRevoked));
    let disabled = AccountSpec {
        disabled: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(disabled));
    let account_disabled = Some((Reason::AccountDisabled, Scope::User));
    assert_eq!(denial(&stage, "sso"), account_disabled);
    assert!(!entitled(&stage, "user:a").had.flags[&code("sso")]);
    let unknown = check(&stage.context(), None, None, &code("sso"), amount(1));
    let unknown = unknown
        .expect("no counter")
        .denial
        .map(|(_, denial)| denial.reason);
    assert_eq!(unknown, Some(Reason::UnknownUser));
}

/// O3 and U1: a member's flag is decided by the org's plan too; one that it does not name is `org_not_in_plan`, also for an
/// unlimited member.
#[test]
fn the_plan_of_the_org_decides_flags_of_its_members() {
    assert_eq!(denial(&org("large"), "sso"), None);
    let not_in_plan = Some((Reason::OrgNotInPlan, Scope::Org));
    assert_eq!(denial(&org("base"), "sso"), not_in_plan);
    let mut stage = org("base");
    let status = Status::Unpaid;
    stage.done("org:o", Command::SetStatus(SetStatus { status }));
    let expired = Some((Reason::OrgSubscriptionExpired, Scope::Org));
    assert_eq!(denial(&stage, "audit_log"), expired);
    // O4: under `track` nobody is denied by the org.
    let tracking = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(tracking));
    assert_eq!(denial(&stage, "audit_log"), None);
    let disabled = AccountSpec {
        disabled: Some(true),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(disabled));
    assert_eq!(
        denial(&stage, "sso"),
        Some((Reason::OrgDisabled, Scope::Org))
    );
}

/// O3: an org that never had a subscription denies nobody; a member that is not unlimited needs a plan of its own.
#[test]
fn an_org_without_a_subscription_denies_no_flag() {
    let mut stage = org("");
    assert_eq!(denial(&stage, "sso"), None);
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:a", put_account(limited));
    assert_eq!(
        denial(&stage, "sso"),
        Some((Reason::NoSubscription, Scope::User))
    );
    stage.done("user:a", subscribe("large"));
    assert_eq!(denial(&stage, "sso"), None);
    let shown = entitled(&stage, "user:a").had.settings;
    assert_eq!(
        shown[&code("max_file_mb")],
        Given::Number(50),
        "its own plan's"
    );
    stage.done("org:o", subscribe("base"));
    assert_eq!(
        denial(&stage, "sso"),
        Some((Reason::OrgNotInPlan, Scope::Org))
    );
    let shown = entitled(&stage, "user:a").had.settings;
    assert_eq!(shown[&code("max_file_mb")], Given::Number(10), "the org's");
}

/// C2: to spend, hold, give back, track, limit or reset a flag or a setting is an error, whatever the account has.
#[test]
fn what_is_not_counted_cannot_be_spent() {
    for feature in ["sso", "max_file_mb"] {
        for plan in ["large", "bare", ""] {
            let mut stage = user(plan);
            let before = stage.home.accounts.clone();
            let limit = Command::SetOverride(SetOverride {
                feature: code(feature),
                limit: Limit::Of(5),
                expires_at: None,
            });
            let release = Command::ReleaseCapacity(ReleaseCapacity {
                feature: code(feature),
                amount: amount(1),
            });
            let boost = Command::GiveBoost(GiveBoost {
                boost: BoostId::new("b").expect("a literal id"),
                feature: code(feature),
                amount: amount(1),
                ends_at: None,
            });
            for command in [reserve(feature, 1, 60), limit, release, boost] {
                let refused = stage.run("user:a", command).map(drop);
                assert_eq!(refused, Err(Rejection::NotCountable(code(feature))));
            }
            let reset = Command::Reset(Reset {
                features: vec![code(feature)],
                token: None,
            });
            for command in [consume(feature, 1), track(feature, 1), reset] {
                let refused = stage.run("user:a", command).map(drop);
                let rejection = Rejection::NotCountable(code(feature)).in_list(0);
                assert_eq!(refused, Err(rejection));
            }
            assert_eq!(stage.home.accounts, before);
        }
    }
}

/// X2 and C2: of several items none is spent when one of them is a flag, though another one would be denied.
#[test]
fn several_items_with_a_flag_are_refused_whole() {
    let mut stage = user("large");
    let of = |items: &[(&str, u64)]| {
        let items = items.iter().map(|(feature, value)| item(feature, *value));
        Command::Consume(Consume {
            token: None,
            items: items.collect(),
        })
    };
    let refused = Rejection::NotCountable(code("sso")).in_list(1);
    for articles in [1, 1_000] {
        let spent = stage.run("user:a", of(&[("articles", articles), ("sso", 1)]));
        assert_eq!(spent.map(drop), Err(refused.clone()));
    }
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (0, 0, 0));
    // A reset of everything passes by what is not counted.
    stage.done("user:a", consume("articles", 3));
    stage.done("user:a", Command::Reset(Reset::default()));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (0, 0, 0));
}

/// X2 and F7: a check of several items may ask for flags among them; the denial that comes first is told.
#[test]
fn several_items_are_checked_with_flags_among_them() {
    let checked = |plan, items: &[(&str, u64)]| {
        let stage = user(plan);
        let items = items.iter().map(|(feature, value)| item(feature, *value));
        let asked = Consume {
            token: None,
            items: items.collect(),
        };
        let found = check_items(&stage.context(), stage.home.clone(), &id("user:a"), &asked);
        found.expect("no counter is full")
    };
    let had = checked("large", &[("sso", 1), ("articles", 7), ("support", 1)]);
    assert_eq!(had.denial, None);
    assert_eq!((had.draws.len(), had.balances.len()), (1, 1));
    let lacking = checked("base", &[("articles", 11), ("sso", 1)]);
    let (item, denial) = lacking.denial.expect("it is denied");
    assert_eq!(
        (item.feature, denial.reason),
        (code("sso"), Reason::NotInPlan)
    );
}

/// C2: entitlements and overview say what is had, and of a member the tighter of what it and its org have left.
#[test]
fn entitlements_say_what_is_had_and_what_is_left() {
    let mut stage = user("base");
    stage.done("user:a", consume("articles", 4));
    let shown = entitled(&stage, "user:a");
    let flags: Vec<(&str, bool)> = shown
        .had
        .flags
        .iter()
        .map(|(code, has)| (code.as_str(), *has))
        .collect();
    assert_eq!(flags, [("audit_log", true), ("sso", false)]);
    assert_eq!(shown.had.settings.len(), 2);
    let [articles] = &shown.limits[..] else {
        unreachable!("what is not counted has no limit: {:?}", shown.limits)
    };
    assert_eq!(
        (articles.granted, articles.remaining),
        (Some(Limit::Of(10)), Some(6))
    );
    let (account, none) = accounts(&stage);
    let seen = overview(&stage.context(), &id("user:a"), 1, (account, none));
    assert_eq!(seen.had, shown.had);
    assert_eq!(seen.features.len(), 1);
    let mut stage = org("base");
    stage.done("user:a", consume("articles", 3));
    let shown = entitled(&stage, "user:a");
    assert_eq!(
        (shown.limits[0].scope, shown.limits[0].remaining),
        (Scope::Org, Some(7))
    );
    assert_eq!(entitled(&stage, "org:o").had, shown.had);
    // O3: an org that never had a subscription limits nobody.
    let mut stage = org("");
    stage.done("user:a", consume("articles", 3));
    let shown = entitled(&stage, "user:a");
    assert_eq!(
        (shown.limits[0].scope, shown.limits[0].granted),
        (Scope::User, Some(Limit::Unlimited))
    );
}

/// Whether a check of one unit is denied, and why, is what entitlements say of the whole account.
fn says_what_a_check_says(stage: &Stage, account: &str, denied: Reason) {
    let context = stage.context();
    let asked = check(
        &context,
        Some(accounts(stage)),
        None,
        &code("articles"),
        amount(1),
    );
    let (_, denial) = asked.expect("no counter is full").denial.expect("denied");
    let shown = entitled(stage, account);
    assert_eq!(
        (shown.denied, shown.is_in_force, shown.seats),
        (Some(denied), false, None)
    );
    assert_eq!((denial.reason, denial.available), (denied, 0));
    let [articles] = &shown.limits[..] else {
        unreachable!("one feature is counted")
    };
    assert_eq!(
        (articles.scope, articles.granted, articles.remaining),
        (denial.scope, None, Some(0))
    );
    assert!(shown.had.flags.values().all(|has| !has));
    assert!(shown.had.settings.is_empty());
}

/// F7: where every check is denied, entitlements say so and leave nothing: of a disabled user, unlimited or not, of a disabled
/// org, and of its members.
#[test]
fn entitlements_of_who_is_disabled_say_what_a_check_says() {
    let disabled = |disabled| {
        put_account(AccountSpec {
            disabled: Some(disabled),
            ..AccountSpec::default()
        })
    };
    let mut stage = user("large");
    assert_eq!(entitled(&stage, "user:a").denied, None);
    stage.done("user:a", disabled(true));
    says_what_a_check_says(&stage, "user:a", Reason::AccountDisabled);
    let mut stage = org("large");
    stage.done("org:o", disabled(true));
    says_what_a_check_says(&stage, "user:a", Reason::OrgDisabled);
    says_what_a_check_says(&stage, "org:o", Reason::OrgDisabled);
    // The user's own comes first.
    stage.done("user:a", disabled(true));
    says_what_a_check_says(&stage, "user:a", Reason::AccountDisabled);
    stage.done("org:o", disabled(false));
    assert_eq!(entitled(&stage, "org:o").denied, None);
}

/// C7: whether an account's plan has a flag is told of any catalog: so an apply knows who would lose one.
#[test]
fn a_plan_that_drops_a_flag_takes_it_from_those_who_follow() {
    let mut stage = user("large");
    let flag = stage.catalog.features[&code("sso")].clone();
    let has = |stage: &Stage| has_flag(&stage.context(), accounts(stage).0, &flag);
    assert!(has(&stage));
    let without = CATALOG.replace("sso = true", "sso = false");
    let file: CatalogFile = toml::from_str(&without).expect("a catalog");
    stage.catalog = stage.catalog.applied(&file).expect("valid");
    assert!(!has(&stage));
    assert_eq!(
        denial(&stage, "sso"),
        Some((Reason::NotInPlan, Scope::User))
    );
}
