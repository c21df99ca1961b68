//! Members that an org's plan counts (C12).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::change::Effect;
use quota_core::command::{
    AccountSpec, Cancel, ClearOverride, Command, Consume, Reset, SetOverride, SetSeats, Subscribe,
};
use quota_core::draw::Scope;
use quota_core::ids::OrgId;
use quota_core::item::Item;
use quota_core::quantity::Quantity;
use quota_core::rules::check::{check, check_items};
use quota_core::rules::relocate;
use quota_core::terms::Policy;

use crate::relocated::{relocated, relocated_user};
use crate::stage::{
    GRACE, Stage, amount, code, consume, id, item, member, plan_code, put_account,
    release_capacity, reserve, subscribe, track,
};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "members"
name = "Members"
unit = "member"
kind = "capacity"
cadence = "subscription"
counts = "members"

[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "team"
name = "Team"
price = 100
limits = { members = { limit = 1, per_seat = true }, articles = 10 }

[[plan]]
code = "bare"
name = "Bare"
price = 100
limits = { articles = 10 }

[[plan]]
code = "guests"
name = "Guests"
kind = "addon"
limits = { members = 2 }
"#;

fn seats(number: u32) -> Quantity {
    Quantity::new(number).expect("in range")
}

/// An org with so many seats of the team's plan and so many members, `user:m0` and on.
fn team(number: u32, members: u64) -> Stage {
    let mut stage = with_catalog(Stage::org_alone(""), CATALOG);
    stage.done(
        "org:o",
        Command::Subscribe(Subscribe {
            seats: Some(seats(number)),
            ..Subscribe::to(plan_code("team"))
        }),
    );
    for member in 0..members {
        join(&mut stage, &format!("user:m{member}")).expect("there is a place");
    }
    stage
}

fn join(stage: &mut Stage, user: &str) -> Result<(), Rejection> {
    stage.run(user, put_account(member())).map(|_| ())
}

fn set_seats(number: u32) -> Command {
    let seats = seats(number);
    Command::SetSeats(SetSeats { seats })
}

fn full(limit: u64, used: u64) -> Result<(), Rejection> {
    Err(Rejection::MembersFull {
        feature: code("members"),
        limit,
        used,
    })
}

fn counted(stage: &Stage) -> u64 {
    stage.home.accounts[&id("org:o")].terms.members
}

/// Used, the limit, and what is left.
fn shown(stage: &mut Stage) -> (u64, Option<Limit>, Option<u64>) {
    let balance = stage.balance_of("org:o", Scope::Org, "members", None);
    (balance.used, balance.granted, balance.remaining)
}

/// E38: 5 seats, 5 members; a sixth does not join; with 3 seats nobody leaves and nobody joins (S6).
#[test]
fn e38_nobody_joins_beyond_the_limit_and_nobody_leaves_below_it() {
    let mut stage = team(5, 5);
    assert_eq!(shown(&mut stage), (5, Some(Limit::Of(5)), Some(0)));
    let before = stage.home.clone();
    assert_eq!(join(&mut stage, "user:six"), full(5, 5));
    assert_eq!(stage.home, before, "nothing changes");
    stage.done("org:o", set_seats(3));
    assert_eq!(shown(&mut stage), (5, Some(Limit::Of(3)), Some(0)));
    assert_eq!(join(&mut stage, "user:six"), full(3, 5));
    stage.done("org:o", set_seats(6));
    join(&mut stage, "user:six").expect("there is a place");
    assert_eq!(counted(&stage), 6);
    assert_eq!(audit(&stage.records()), []);
}

/// C12: who leaves gives the place back; who joins from elsewhere takes one, and is refused where there is none.
#[test]
fn c12_a_member_that_leaves_gives_its_place_back() {
    let mut stage = team(1, 1);
    let mut alone = with_catalog(Stage::new("user:m0"), CATALOG);
    relocated_user(&mut stage, &mut alone, "user:m0");
    assert_eq!((counted(&stage), shown(&mut stage).2), (0, Some(1)));
    let mut ann = with_catalog(Stage::user(""), CATALOG);
    relocated(&mut ann, &mut stage);
    assert_eq!(counted(&stage), 1);
    assert_eq!(audit(&stage.records()), []);
    let request = stage.request("user:m0", Command::Sweep);
    let context = quota_core::rules::context::Context {
        now: stage.now,
        catalog: &stage.catalog,
        grace: GRACE,
    };
    let org = OrgId::new("o").expect("a literal id");
    let moved = relocate((&alone.home, &stage.home), Some(&org), &request, &context);
    assert_eq!(moved.err(), full(1, 1).err());
}

/// O3, C6, S3 and O4: an org that never had a subscription takes anybody; what is not in the plan, or not in force, nobody; under
/// policy `track` nobody is held off, and all are counted.
#[test]
fn c12_who_is_held_off_is_decided_as_other_limits_are() {
    let mut stage = with_catalog(Stage::org_alone(""), CATALOG);
    join(&mut stage, "user:a").expect("no subscription, no limit");
    let own = SetOverride {
        feature: code("members"),
        limit: Limit::Of(1),
        expires_at: None,
    };
    stage.done("org:o", Command::SetOverride(own));
    assert_eq!(join(&mut stage, "user:b"), full(1, 1));
    let feature = code("members");
    stage.done("org:o", Command::ClearOverride(ClearOverride { feature }));
    join(&mut stage, "user:b").expect("no subscription, no limit");
    stage.done("org:o", subscribe("bare"));
    assert_eq!(join(&mut stage, "user:c"), full(0, 2));
    stage.done("org:o", subscribe("team"));
    stage.done("org:o", set_seats(3));
    join(&mut stage, "user:c").expect("there is a place");
    stage.done("org:o", Command::Cancel(Cancel { at_once: true }));
    assert_eq!(join(&mut stage, "user:d"), full(0, 3));
    let track = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(track));
    join(&mut stage, "user:d").expect("nobody is denied");
    assert_eq!(counted(&stage), 4);
    assert_eq!(audit(&stage.records()), []);
}

/// C12 and P13: add-ons make places too, while they are held.
#[test]
fn c12_add_ons_make_places_for_members() {
    use quota_core::command::SetAddon;
    let mut stage = team(1, 1);
    let ends_at = stage.now + TimeDelta::days(1);
    let addon = SetAddon {
        plan: plan_code("guests"),
        quantity: seats(2),
        ends_at: Some(ends_at),
    };
    stage.done("org:o", Command::SetAddon(addon));
    join(&mut stage, "user:b").expect("there is a place");
    assert_eq!(shown(&mut stage), (2, Some(Limit::Of(5)), Some(3)));
    stage.now = ends_at;
    assert_eq!(join(&mut stage, "user:c"), full(1, 2));
}

/// C12: no request uses the members of an org; nothing changes.
#[test]
fn c12_members_are_used_by_no_request() {
    let mut stage = team(2, 1);
    let refused = Some(Rejection::CountsMembers(code("members")));
    let before = stage.home.clone();
    for command in [
        consume("members", 1),
        track("members", 1),
        reserve("members", 1, 60),
        release_capacity("members", 1),
        Command::Reset(Reset {
            features: vec![code("members")],
            token: None,
        }),
        Command::Consume(Consume {
            token: None,
            items: vec![item("articles", 1), item("members", 1)],
        }),
    ] {
        let why = match stage.run("user:m0", command.clone()).err() {
            Some(Rejection::InList { cause, .. }) => Some(*cause),
            why => why,
        };
        assert_eq!(why, refused, "{command:?}");
    }
    assert_eq!(stage.home, before);
    let context = stage.context();
    let accounts = &stage.home.accounts;
    let (user, org) = (&accounts[&id("user:m0")], &accounts[&id("org:o")]);
    let asked = Some((user.as_ref(), Some(org.as_ref())));
    let checked = check(&context, asked, None, &code("members"), amount(1));
    assert_eq!(checked.err(), refused);
    let items: Vec<Item> = vec![item("articles", 1), item("members", 1)];
    let asked = Consume { token: None, items };
    let checked = check_items(&context, stage.home.clone(), &id("user:m0"), &asked);
    assert_eq!(checked.err(), refused.map(|cause| cause.in_list(1)));
    stage.done("org:o", Command::Reset(Reset::default()));
    assert_eq!(counted(&stage), 1, "a reset of all leaves them");
}

/// C12: members are counted of a capacity alone, and of it nothing else is said; the place in the file is named.
#[test]
fn c12_only_a_plain_capacity_counts_members() {
    let refused = |from: &str, to: &str| {
        let text = CATALOG.replacen(from, to, 1);
        assert_ne!(text, CATALOG);
        let file: CatalogFile = toml::from_str(&text).map_err(|error| error.to_string())?;
        let applied = Catalog::default().applied(&file);
        applied.map(|_| ()).map_err(|error| error.to_string())
    };
    let cases = [
        (
            "kind = \"capacity\"",
            "kind = \"consumable\"",
            "counts is for a `capacity`",
        ),
        (
            "cadence = \"subscription\"",
            "cadence = \"monthly\"\non_renewal = \"reset\"",
            "cadence must be",
        ),
        ("counts =", "scale = 2\ncounts =", "scale must be"),
        (
            "counts =",
            "credit_cost = 2\ncounts =",
            "credit_cost must be",
        ),
        (
            "counts =",
            "trial_limit = 2\ncounts =",
            "trial_limit must be",
        ),
        (
            "kind = \"capacity\"\ncadence = \"subscription\"",
            "kind = \"flag\"",
            "has no `counts`",
        ),
        (
            "counts = \"members\"",
            "counts = \"users\"",
            "unknown variant",
        ),
    ];
    for (from, to, why) in cases {
        let refused = refused(from, to).expect_err(to);
        assert!(refused.contains(why), "{refused}");
    }
    let known = with_catalog(Stage::user(""), CATALOG).catalog;
    let plain: CatalogFile =
        toml::from_str(&CATALOG.replace("counts = \"members\"\n", "")).expect("it is read");
    let why = known.applied(&plain).expect_err("it is counted otherwise");
    assert!(why.to_string().contains("counts cannot change"), "{why}");
}

/// C12 and F6: an override of the members says whether it counts: for an org, and never for a user.
#[test]
fn an_override_of_the_members_counts_for_an_org_alone() {
    let mut stage = team(1, 1);
    let of = |stage: &mut Stage, account: &str| {
        let set = Command::SetOverride(SetOverride {
            feature: code("members"),
            limit: Limit::Of(3),
            expires_at: None,
        });
        let Answer::Changed { effect, .. } = stage.done(account, set).answer else {
            unreachable!("an override was set")
        };
        effect
    };
    assert_eq!(of(&mut stage, "org:o"), None);
    assert_eq!(of(&mut stage, "user:m0"), Some(Effect::IdleForUser));
}
