//! Add-ons: plans beside a base plan, in a quantity, and what they add to it (C13, P13).

use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::catalog::{Cadence, Catalog, CatalogFile, Given};
use quota_core::command::{
    Cancel, Command, EndAddon, Renew, SetAddon, SetOverride, SetStatus, Subscribe,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::quantity::Quantity;
use quota_core::rules::entitlements::{Entitlements, entitlements};
use quota_core::terms::{ADDONS_MAX, Status};

use crate::relocated::relocated;
use crate::stage::{Stage, code, consume, id, item, plan_code, subscribe, track_at};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "tokens"
name = "Tokens"
unit = "token"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
kind = "setting"

[[feature]]
code = "support"
name = "Support"
kind = "setting"

[[plan]]
code = "team"
name = "Team"
price = 1000
[plan.limits]
messages = { limit = 20, per_seat = true }
tokens = [{ limit = 5, per = "5h", anchor = "first_use" }, { limit = 12 }]
pages = { limit = 10, rollover = { max = 25 } }
max_file_mb = 10
support = "mail"

[[plan]]
code = "open"
name = "Open"
price = 3000
limits = { messages = "unlimited", max_file_mb = "unlimited" }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
[plan.limits]
messages = 50
tokens = [{ limit = 3, per = "5h", anchor = "first_use" }, { limit = 9, per = "daily" }]
pages = 20
images = { limit = 4, rollover = { max = 3 } }
sso = true
max_file_mb = 50
support = "phone"

[[plan]]
code = "much"
name = "Much"
kind = "addon"
price = 500
pinned = true
limits = { messages = 7, images = [{ limit = 6 }, { limit = 1, per = "daily" }], max_file_mb = 20 }
"#;

fn quantity(number: u32) -> Quantity {
    Quantity::new(number).expect("in range")
}

pub fn set_addon(plan: &str, number: u32) -> Command {
    Command::SetAddon(SetAddon {
        plan: plan_code(plan),
        quantity: quantity(number),
        ends_at: None,
    })
}

pub fn end_addon(plan: &str) -> Command {
    let plan = plan_code(plan);
    Command::EndAddon(EndAddon { plan })
}

fn with_seats(plan: &str, seats: u32) -> Command {
    Command::Subscribe(Subscribe {
        seats: Some(quantity(seats)),
        ..Subscribe::to(plan_code(plan))
    })
}

/// A user with so many seats of a plan.
pub fn user_of(plan: &str, seats: u32) -> Stage {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", with_seats(plan, seats));
    stage
}

fn limit(stage: &mut Stage, feature: &str) -> Option<Limit> {
    let balance = stage.balance_of("user:a", Scope::User, feature, None);
    balance.granted
}

pub fn windows(stage: &mut Stage, feature: &str) -> Vec<(Cadence, Limit)> {
    let balance = stage.balance_of("user:a", Scope::User, feature, None);
    let windows = balance.windows.iter();
    windows.map(|one| (one.per, one.granted)).collect()
}

fn entitled(stage: &Stage) -> Entitlements {
    let (context, account) = (stage.context(), &stage.home.accounts[&id("user:a")]);
    entitlements(&context, &id("user:a"), (account, None))
}

fn override_of(feature: &str, limit: u64) -> Command {
    Command::SetOverride(SetOverride {
        feature: code(feature),
        limit: Limit::Of(limit),
        expires_at: None,
    })
}

fn refused(stage: &mut Stage, command: Command) -> Option<Rejection> {
    let before = stage.home.clone();
    let refused = stage.run("user:a", command).err();
    assert_eq!(stage.home, before, "nothing changes");
    refused
}

/// E30, C12, C13 and P13: per seat 20, 5 seats, an add-on of 50 twice: 200.
#[test]
fn e30_seats_and_add_ons_make_the_limit_together() {
    let mut stage = user_of("team", 5);
    let done = stage.done("user:a", set_addon("more", 2));
    let Answer::Changed { detail, .. } = &done.answer else {
        unreachable!("{done:?}")
    };
    assert_eq!(detail.as_deref(), Some("more: 2"));
    let balance = stage.balance_of("user:a", Scope::User, "messages", None);
    assert_eq!(balance.granted, Some(Limit::Of(200)));
    let parts = (balance.plan_value, balance.added);
    assert_eq!(parts, (Some(Limit::Of(100)), Some(Limit::Of(100))));
    stage.done("user:a", consume("messages", 200));
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(denial.reason, Reason::LimitReached);
}

/// P13: the override takes the plan's place, and what add-ons add stays beside it; unlimited stays.
#[test]
fn p13_add_ons_add_to_an_override_and_unlimited_stays() {
    let mut stage = user_of("team", 5);
    stage.done("user:a", set_addon("more", 2));
    stage.done("user:a", override_of("messages", 7));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(107)));
    stage.done("user:a", override_of("tokens", 7));
    assert_eq!(
        limit(&mut stage, "tokens"),
        Some(Limit::Of(7)),
        "of the add-on no limit is counted as the feature is"
    );
    stage.done("user:a", subscribe("open"));
    let mut other = user_of("open", 1);
    other.done("user:a", set_addon("more", 2));
    assert_eq!(limit(&mut other, "messages"), Some(Limit::Unlimited));
}

/// P13: each limit of an add-on adds to that of the base plan which is counted alike; one without such a limit adds nothing.
#[test]
fn p13_a_limit_of_an_add_on_adds_to_that_which_is_counted_alike() {
    let mut stage = user_of("team", 1);
    stage.done("user:a", set_addon("more", 2));
    let span: Cadence = "5h".parse().expect("a span");
    let wanted = [(Cadence::Weekly, Limit::Of(12)), (span, Limit::Of(11))];
    assert_eq!(windows(&mut stage, "tokens"), wanted);
    stage.done("user:a", consume("tokens", 11));
    let denial = stage.denied("user:a", consume("tokens", 1));
    assert_eq!(denial.window, Some(span));
}

/// P13: of a feature that the base plan does not name, the add-on that was had first stands by itself, and others add to it.
#[test]
fn p13_where_the_base_plan_names_nothing_an_add_on_stands_by_itself() {
    let mut stage = user_of("team", 5);
    assert_eq!(limit(&mut stage, "images"), None);
    let denial = stage.denied("user:a", consume("images", 1));
    assert_eq!(denial.reason, Reason::NotInPlan);
    stage.done("user:a", set_addon("more", 2));
    let balance = stage.balance_of("user:a", Scope::User, "images", None);
    let parts = (balance.granted, balance.plan_value, balance.added);
    assert_eq!(parts, (Some(Limit::Of(8)), None, Some(Limit::Of(8))));
    stage.later(TimeDelta::seconds(1));
    stage.done("user:a", set_addon("much", 3));
    assert_eq!(
        limit(&mut stage, "images"),
        Some(Limit::Of(26)),
        "no day limits it"
    );
    stage.done("user:a", consume("images", 26));
    stage.denied("user:a", consume("images", 1));
    stage.done("user:a", end_addon("more"));
    let wanted = [
        (Cadence::Weekly, Limit::Of(18)),
        (Cadence::Daily, Limit::Of(3)),
    ];
    assert_eq!(windows(&mut stage, "images"), wanted);
}

/// E47, C2 and P13: a flag is had if one has it; of a setting the largest number counts, else the add-on's text.
#[test]
fn e47_flags_and_settings_of_plan_and_add_ons_go_together() {
    let mut stage = user_of("team", 1);
    let said =
        |stage: &Stage, feature: &str| entitled(stage).had.settings.get(&code(feature)).cloned();
    assert!(!entitled(&stage).had.flags[&code("sso")]);
    stage.done("user:a", set_addon("much", 1));
    assert_eq!(said(&stage, "max_file_mb"), Some(Given::Number(20)));
    assert_eq!(
        said(&stage, "support"),
        Some(Given::Text("mail".to_owned()))
    );
    stage.done("user:a", set_addon("more", 2));
    assert!(entitled(&stage).had.flags[&code("sso")]);
    assert_eq!(said(&stage, "max_file_mb"), Some(Given::Number(50)));
    let phone = Given::Text("phone".to_owned());
    assert_eq!(said(&stage, "support"), Some(phone));
    let addons = entitled(&stage).addons;
    let addons: Vec<_> = addons
        .iter()
        .map(|(plan, number)| (plan.as_str(), number.get()))
        .collect();
    assert_eq!(addons, [("more", 2), ("much", 1)]);
    let mut stage = user_of("open", 1);
    stage.done("user:a", set_addon("more", 1));
    let unlimited = Given::Text("unlimited".to_owned());
    assert_eq!(said(&stage, "max_file_mb"), Some(unlimited), "it stays");
}

/// C13 and P13: while the base plan is not in force an add-on grants nothing, and it comes back with it; its end is its own.
#[test]
fn c13_an_add_on_lives_with_the_base_plan() {
    let mut stage = user_of("team", 1);
    stage.done("user:a", set_addon("more", 1));
    let status = |status| Command::SetStatus(SetStatus { status });
    stage.done("user:a", status(Status::Unpaid));
    assert_eq!(limit(&mut stage, "messages"), None);
    assert_eq!(limit(&mut stage, "images"), None);
    assert!(!entitled(&stage).had.flags[&code("sso")]);
    stage.denied("user:a", consume("images", 1));
    stage.done("user:a", status(Status::Active));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(70)));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    assert_eq!(limit(&mut stage, "messages"), None);
    stage.done("user:a", subscribe("team"));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(70)));
    let ends_at = stage.now + TimeDelta::days(2);
    let until = SetAddon {
        plan: plan_code("more"),
        quantity: quantity(3),
        ends_at: Some(ends_at),
    };
    stage.done("user:a", Command::SetAddon(until));
    stage.done("user:a", consume("messages", 160));
    stage.now = ends_at - TimeDelta::microseconds(1);
    assert_eq!(stage.remaining("user:a", "messages"), Some(10));
    stage.now = ends_at;
    assert_eq!(stage.remaining("user:a", "messages"), Some(0), "S6");
    assert_eq!(
        stage.standing("user:a", Scope::User, "messages"),
        (160, 0, 0)
    );
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(20)));
    let gone = Some(Rejection::UnknownAddon(plan_code("more")));
    assert_eq!(refused(&mut stage, end_addon("more")), gone);
}

/// C10 and P13: what rolls over is what was left of the whole limit of that window, whatever add-ons begin or end later.
#[test]
fn p13_what_rolls_over_is_left_of_the_limit_with_its_add_ons() {
    let mut stage = user_of("team", 1);
    let start = stage.now;
    stage.done("user:a", set_addon("more", 1));
    stage.done("user:a", consume("pages", 8));
    stage.now = start + TimeDelta::days(7);
    stage.done("user:a", end_addon("more"));
    assert_eq!(
        limit(&mut stage, "pages"),
        Some(Limit::Of(32)),
        "22 of 30 are left of the first window"
    );
    stage.now = start + TimeDelta::days(14);
    stage.done("user:a", set_addon("more", 1));
    assert_eq!(
        limit(&mut stage, "pages"),
        Some(Limit::Of(40)),
        "of the second, without use and add-on, 10"
    );
    let (images, week) = (limit(&mut stage, "images"), TimeDelta::days(7));
    assert_eq!(images, Some(Limit::Of(4)), "nothing from before it was had");
    stage.now += week;
    assert_eq!(limit(&mut stage, "images"), Some(Limit::Of(7)));
}

/// X5: use told late counts under the add-ons of its instant.
#[test]
fn use_told_late_counts_under_the_add_ons_of_its_instant() {
    let mut stage = user_of("team", 1);
    stage.done("user:a", set_addon("more", 1));
    let with = stage.now + TimeDelta::days(1);
    stage.later(TimeDelta::days(8));
    stage.done("user:a", end_addon("more"));
    stage.done("user:a", track_at(with, vec![item("pages", 30)]));
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let spent: Vec<_> = closed.map(|one| (one.used, one.overage)).collect();
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    let spent: Vec<_> = live
        .iter()
        .map(|one| (one.used, one.overage))
        .chain(spent)
        .collect();
    assert_eq!(spent, [(30, 0)]);
}

/// C7 and C13: a pinned add-on stays on the version that it began with; another follows the newest.
#[test]
fn c13_an_add_on_follows_the_versions_of_its_plan() {
    let mut stage = user_of("team", 1);
    stage.done("user:a", set_addon("more", 1));
    stage.done("user:a", set_addon("much", 1));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(77)));
    let text = CATALOG.replace("messages = 50", "messages = 10");
    let text = text.replace("messages = 7,", "messages = 1,");
    let file: CatalogFile = toml::from_str(&text).expect("a catalog");
    stage.catalog = stage.catalog.applied(&file).expect("valid");
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(37)));
    stage.done("user:a", set_addon("much", 2));
    assert_eq!(
        limit(&mut stage, "messages"),
        Some(Limit::Of(44)),
        "it stays"
    );
    stage.done("user:a", end_addon("much"));
    stage.done("user:a", set_addon("much", 2));
    assert_eq!(
        limit(&mut stage, "messages"),
        Some(Limit::Of(32)),
        "begun anew"
    );
}

/// C13: a user that joins an org takes its add-ons along.
#[test]
fn c13_add_ons_go_along_with_the_user() {
    let mut stage = user_of("team", 2);
    stage.done("user:a", set_addon("more", 1));
    let mut org = with_catalog(Stage::org_alone(""), CATALOG);
    org.catalog = stage.catalog.clone();
    relocated(&mut stage, &mut org);
    assert_eq!(limit(&mut org, "messages"), Some(Limit::Of(90)));
    org.done("user:a", consume("images", 4));
    assert_eq!(audit(&org.records()), []);
}

/// C13: an add-on needs a base plan, is none itself, and nobody holds more than [`ADDONS_MAX`]; nothing changes.
#[test]
fn c13_an_add_on_that_cannot_be_is_refused() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    let refused_addon = refused(&mut stage, set_addon("more", 1));
    assert_eq!(refused_addon, Some(Rejection::NoBasePlan));
    let is_addon = Some(Rejection::IsAddon(plan_code("more")));
    assert_eq!(refused(&mut stage, subscribe("more")), is_addon);
    stage.done("user:a", subscribe("team"));
    let no_addon = Some(Rejection::NotAddon(plan_code("open")));
    assert_eq!(refused(&mut stage, set_addon("open", 1)), no_addon);
    let unknown = Some(Rejection::UnknownPlan(plan_code("none")));
    assert_eq!(refused(&mut stage, set_addon("none", 1)), unknown);
    let past = SetAddon {
        plan: plan_code("more"),
        quantity: quantity(1),
        ends_at: Some(stage.now),
    };
    let past = refused(&mut stage, Command::SetAddon(past));
    assert_eq!(past, Some(Rejection::NotInFuture { field: "ends_at" }));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    let ended = refused(&mut stage, set_addon("more", 1));
    assert!(
        matches!(
            ended,
            Some(Rejection::Ended {
                was_canceled: true,
                ..
            })
        ),
        "{ended:?}"
    );
}

#[test]
fn c13_no_account_holds_more_add_ons_than_its_books_have_room_for() {
    let addon = |number: usize| {
        format!(
            "[[plan]]\ncode = \"x{number}\"\nname = \"X\"\nkind = \"addon\"\nlimits = {{ messages = 1 }}\n"
        )
    };
    let addons: String = (0..ADDONS_MAX + 2).map(addon).collect();
    let mut stage = with_catalog(Stage::user(""), &format!("{CATALOG}{addons}"));
    stage.done("user:a", subscribe("team"));
    for number in 0..ADDONS_MAX {
        stage.done("user:a", set_addon(&format!("x{number}"), 1));
    }
    let one_more = format!("x{ADDONS_MAX}");
    let full = Some(Rejection::Full {
        field: "addon",
        most: ADDONS_MAX,
        next: "end one first",
    });
    assert_eq!(refused(&mut stage, set_addon(&one_more, 1)), full);
    stage.done("user:a", set_addon("x3", 5));
    stage.done("user:a", end_addon("x3"));
    stage.done("user:a", set_addon(&one_more, 1));
    let terms = &stage.home.accounts[&id("user:a")].terms;
    assert_eq!(terms.addons.len(), ADDONS_MAX, "what ended gave way");
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(40)));
}

/// Bad files: an add-on's limit for each seat, and a plan that becomes another kind.
#[test]
fn c13_a_file_that_misuses_add_ons_is_refused() {
    let applied = |catalog: &Catalog, text: &str| {
        let file: CatalogFile = toml::from_str(text).expect("it is read");
        catalog
            .applied(&file)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let none = Catalog::default();
    let seats = CATALOG.replace("pages = 20", "pages = { limit = 20, per_seat = true }");
    let why = applied(&none, &seats).expect_err("an add-on has no seats");
    assert_eq!(
        why,
        "plan `more`: limits of `pages` cannot be `per_seat`: an add-on has a quantity of its own"
    );
    for (text, wanted) in [
        (
            CATALOG.replace("price = 300\n", "price = 300\ntrial_days = 3\n"),
            "plan `more`: trial_days is for",
        ),
        (
            CATALOG.replace(
                "price = 300\n",
                "price = 300\non_demand = { messages = { price = 1, cap = 1 } }\n",
            ),
            "plan `more`: on_demand is for",
        ),
        (
            format!("default_plan = \"more\"\n{CATALOG}"),
            "the file: default_plan must be a base plan",
        ),
    ] {
        let why = applied(&none, &text).expect_err("an add-on is no base plan");
        assert!(why.starts_with(wanted), "{why}");
    }
    let known = with_catalog(Stage::user(""), CATALOG).catalog;
    let other = CATALOG.replace("kind = \"addon\"\nprice = 300", "price = 300");
    let why = applied(&known, &other).expect_err("it is held as an add-on");
    assert!(why.starts_with("plan `more`: kind cannot change"), "{why}");
}

#[derive(Debug, Clone)]
struct Case {
    per_seat: bool,
    plan: Option<u64>,
    seats: u32,
    own: Option<u64>,
    more: u32,
    much: u32,
    in_force: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let numbers = (1_u32..=9, 0_u32..=9, 0_u32..=9);
    let parts = (
        any::<bool>(),
        prop::option::weighted(0.8, 0_u64..1_000),
        numbers,
        prop::option::weighted(0.3, 0_u64..1_000),
        prop::bool::weighted(0.8),
    );
    parts.prop_map(
        |(per_seat, plan, (seats, more, much), own, in_force)| Case {
            per_seat,
            plan,
            seats,
            own,
            more,
            much,
            in_force,
        },
    )
}

proptest! {
    /// P13: the limit is (override, else plan × seats if for each seat) + add-ons × quantity, while the base plan is in force.
    #[test]
    fn p13_the_limit_is_the_formula(case in cases()) {
        let plan = match case.plan {
            Some(limit) => format!("messages = {{ limit = {limit}, per_seat = {} }}", case.per_seat),
            None => String::new(),
        };
        let text = CATALOG.replace("messages = { limit = 20, per_seat = true }", &plan);
        let mut stage = with_catalog(Stage::user(""), &text);
        stage.done("user:a", with_seats("team", case.seats));
        for (addon, number) in [("more", case.more), ("much", case.much)] {
            if number != 0 {
                stage.done("user:a", set_addon(addon, number));
            }
        }
        if let Some(own) = case.own {
            stage.done("user:a", override_of("messages", own));
        }
        if !case.in_force {
            let status = Status::Unpaid;
            stage.done("user:a", Command::SetStatus(SetStatus { status }));
        }
        let seats = if case.per_seat { u64::from(case.seats) } else { 1 };
        let base = case.own.or(case.plan.map(|limit| limit * seats));
        let added = u64::from(case.more) * 50 + u64::from(case.much) * 7;
        let named = base.is_some() || added != 0;
        let wanted = Some(Limit::Of(base.unwrap_or(0) + added));
        prop_assert_eq!(limit(&mut stage, "messages"), wanted.filter(|_| named && case.in_force));
    }

    /// C13: add-ons that come and go leave everything that is kept in agreement.
    #[test]
    fn add_ons_that_come_and_go_keep_the_books_right(
        steps in prop::collection::vec((0_u8..7, 1_u32..4, 1_u64..20, 0_i64..40), 1..40),
    ) {
        let mut stage = user_of("team", 1);
        for (what, number, units, hours) in steps {
            stage.later(TimeDelta::hours(hours));
            let addon = ["more", "much"][usize::try_from(number).unwrap_or(0) % 2];
            let feature = ["messages", "tokens", "pages", "images"][usize::try_from(units).unwrap_or(0) % 4];
            let command = match what {
                0 => set_addon(addon, number),
                1 => end_addon(addon),
                2 => Command::Renew(Renew { ends_at: None }),
                3 => with_seats("team", number),
                _ => consume(feature, units),
            };
            // What does not fit is refused.
            let _ = stage.run("user:a", command);
            prop_assert_eq!(audit(&stage.records()), []);
        }
    }
}
