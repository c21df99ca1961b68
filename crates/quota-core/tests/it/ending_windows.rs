//! When windows and sales are over and closed, and what moves, resets and caps leave in them (W5, C10, C11, X6).

use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::CatalogFile;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Extend, Renew, Reset, SetSpendCap,
    Subscribe, UsageAfterChange,
};
use quota_core::draw::Scope;

use crate::several_limits::{at, chat};
use crate::stage::{
    Stage, code, commit, consume, grant, id, plan_code, refund, reserve, start, subscribe,
};
use crate::with_catalog::with_catalog;

const RENEW: Command = Command::Renew(Renew { ends_at: None });

fn close(stage: &mut Stage) {
    let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
}

fn keep(plan: &str) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    })
}

fn live(stage: &Stage, feature: &str) -> Vec<Balance> {
    let balances = stage.home.accounts[&id("user:a")].books.balances.iter();
    let of_feature = balances.filter(|live| live.bucket.feature() == Some(&code(feature)));
    let mut live: Vec<Balance> = of_feature.cloned().collect();
    live.sort_by_key(|balance| balance.starts_at);
    live
}

fn reset() -> Command {
    Command::Reset(Reset {
        features: Vec::new(),
        token: None,
    })
}

const ADDON: &str = r#"
[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "weekly"

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = {}

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { images = { limit = 4, rollover = { max = 3 } } }
"#;

/// C10 and W5: what an add-on alone lets go over is what its window left, though the books were closed in between.
#[test]
fn a_closed_week_of_an_add_on_gives_no_rollover_that_was_used() {
    let mut stage = with_catalog(Stage::user(""), ADDON);
    stage.done("user:a", subscribe("team"));
    stage.done("user:a", crate::addons::set_addon("more", 1));
    stage.later(TimeDelta::seconds(1));
    stage.done("user:a", consume("images", 3));
    stage.now = start() + TimeDelta::days(7);
    close(&mut stage);
    assert_eq!(stage.remaining("user:a", "images"), Some(5));
}

/// C10 and W5: a window that something rolled over from is closed as soon as the next one is begun.
#[test]
fn a_window_with_rollover_is_closed_once_it_is_followed() {
    let mut stage = chat();
    stage.done("user:a", RENEW);
    stage.done("user:a", consume("articles", 90));
    stage.now = at("2027-04-01T00:00:00Z");
    close(&mut stage);
    assert_eq!(live(&stage, "articles").len(), 1, "it is asked yet");
    stage.done("user:a", consume("articles", 1));
    stage.later(TimeDelta::seconds(5));
    close(&mut stage);
    let live = live(&stage, "articles");
    assert_eq!(live.len(), 1);
    assert_eq!((live[0].used, live[0].rolled_over), (1, 10));
    assert_eq!(stage.remaining("user:a", "articles"), Some(109));
}

/// R1 and S5: a window that holds were moved from is kept as long as one of them is held, however often that is extended; what
/// is committed then is where it was moved to.
#[test]
fn a_window_is_kept_while_what_was_moved_from_it_is_held() {
    let mut stage = Stage::user("basic");
    let held = stage.done("user:a", reserve("articles", 5, 2_592_000));
    stage.later(TimeDelta::days(2));
    stage.done("user:a", keep("pro"));
    for _ in 0..4 {
        stage.later(TimeDelta::days(20));
        let extended = Extend {
            reservation: held.id,
            ttl_seconds: 2_592_000,
        };
        stage.done("user:a", Command::Extend(extended));
        close(&mut stage);
        assert_eq!(live(&stage, "articles").len(), 2, "{}", stage.now);
    }
    stage.done("user:a", commit(held.id, 4));
    let live = live(&stage, "articles");
    assert_eq!((live[0].used, live[0].held), (0, 0));
    assert_eq!((live[1].used, live[1].held), (4, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// R5 and S5: what others were moved to is kept as long as they are.
#[test]
fn a_window_is_kept_while_another_one_points_to_it() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 5));
    stage.now = at("2027-04-09T12:00:00Z");
    let ends_soon = Command::Subscribe(Subscribe {
        ends_at: Some(at("2027-04-20T00:00:00Z")),
        ..Subscribe::to(plan_code("basic"))
    });
    stage.done("user:a", keep("pro"));
    stage.done("user:a", ends_soon);
    stage.now = at("2027-05-09T18:00:00Z");
    close(&mut stage);
    let kept = live(&stage, "articles");
    let points_to = kept[0].moved_to.clone().expect("it was moved");
    assert!(kept.iter().any(|balance| balance.bucket == points_to));
    stage.now = at("2027-05-11T00:00:00Z");
    close(&mut stage);
    close(&mut stage);
    assert_eq!(live(&stage, "articles"), []);
    assert_eq!(audit(&stage.records()), []);
}

/// The catalog of the stage, with what `meter` sells or without.
fn selling(stage: &mut Stage, sells: bool) {
    let catalog = crate::stage::catalog();
    let plans = catalog.plans.values().map(|versions| versions[0].clone());
    let mut file = CatalogFile {
        default_plan: None,
        features: catalog.features.values().cloned().collect(),
        plans: plans.collect(),
        packs: Vec::new(),
    };
    for plan in file.plans.iter_mut().filter(|_| !sells) {
        plan.on_demand.clear();
    }
    stage.catalog = stage.catalog.applied(&file).expect("a valid catalog");
}

fn meter_to(end: &str) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(start()),
        ends_at: Some(at(end)),
        ..Subscribe::to(plan_code("meter"))
    })
}

/// C11: a sale of the period that runs is not over, though its books say an end that has come: the plan sold nothing when the
/// period was made longer. The cap counts what was sold.
#[test]
fn a_sale_that_counts_now_is_not_closed() {
    let mut stage = Stage::user("");
    stage.done("user:a", meter_to("2027-03-20T00:00:00Z"));
    stage.done("user:a", consume("articles", 30));
    selling(&mut stage, false);
    stage.done("user:a", meter_to("2027-04-10T12:00:00Z"));
    selling(&mut stage, true);
    stage.now = at("2027-03-21T00:00:00Z");
    close(&mut stage);
    let shown = stage.balance_of("user:a", Scope::User, "articles", None);
    assert_eq!(shown.on_demand.expect("it is sold").used, 20);
    stage.done("user:a", consume("articles", 5));
    stage.denied("user:a", consume("articles", 1));
    assert_eq!(audit(&stage.records()), []);
}

/// C11 and W4: what is sold ends in the books where the period does, when that is made longer.
#[test]
fn the_books_of_a_sale_end_with_its_period() {
    let mut stage = Stage::user("");
    stage.done("user:a", meter_to("2027-03-20T00:00:00Z"));
    stage.done("user:a", consume("articles", 30));
    stage.done("user:a", meter_to("2027-04-10T12:00:00Z"));
    let sold = live(&stage, "articles").into_iter();
    let mut sold = sold.filter(|balance| balance.sale.is_some());
    let ends_at = sold.next().expect("it is sold").ends_at;
    assert_eq!(ends_at, Some(at("2027-04-10T12:00:00Z")));
}

/// C11: what is held on demand of other features is part of what the account's own cap allows for all.
#[test]
fn the_spend_cap_counts_what_is_held_of_other_features() {
    let left = |first: Command| {
        let mut stage = Stage::user("meter");
        let cap = SetSpendCap {
            amount: 90,
            by_owner: true,
        };
        stage.done("user:a", Command::SetSpendCap(cap));
        stage.done("user:a", first);
        let shown = stage.balance_of("user:a", Scope::User, "try_on", None);
        shown.on_demand.expect("it is sold").remaining
    };
    // 20 are sold for 80: 10 are left of the cap, for try-ons at 3 a pair.
    let held = left(reserve("articles", 30, 600));
    assert_eq!(held, left(consume("articles", 30)));
    assert!(held < left(consume("articles", 10)), "{held}");
}

/// C11 and S6: a cap below what is sold already takes nothing away, also where some of it is given back.
#[test]
fn a_cap_below_what_is_sold_leaves_it_sold() {
    let mut stage = Stage::user("meter");
    let used = stage.done("user:a", consume("articles", 30));
    let cap = SetSpendCap {
        amount: 40,
        by_owner: true,
    };
    stage.done("user:a", Command::SetSpendCap(cap));
    stage.done("user:a", refund(used.id, Some(1)));
    let shown = stage.balance_of("user:a", Scope::User, "articles", None);
    let sold = shown.on_demand.expect("it is sold");
    assert_eq!((sold.used, sold.owed, sold.remaining), (19, 76, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// X6 and S5: what was set to 0 is not given back, also where its window was moved since.
#[test]
fn a_reset_is_remembered_where_its_window_is_moved() {
    let mut stage = Stage::user("basic");
    let used = stage.done("user:a", consume("articles", 40));
    stage.done("user:a", reset());
    stage.done("user:a", consume("articles", 20));
    stage.later(TimeDelta::days(1));
    stage.done("user:a", keep("pro"));
    stage.done("user:a", refund(used.id, None));
    assert_eq!(stage.remaining("user:a", "articles"), Some(80));
    assert_eq!(audit(&stage.records()), []);
}

/// X6 and C9: nor is it given back to the window of a further limit.
#[test]
fn a_reset_of_a_further_window_is_not_given_back() {
    let mut stage = chat();
    let used = stage.done("user:a", consume("messages", 40));
    stage.done("user:a", reset());
    stage.done("user:a", consume("messages", 30));
    stage.done("user:a", refund(used.id, None));
    let shown = stage.balance_of("user:a", Scope::User, "messages", None);
    let used: Vec<u64> = shown.windows.iter().map(|window| window.used).collect();
    assert_eq!(used, [30, 30]);
    assert_eq!(audit(&stage.records()), []);
}

/// X3 and F5: a grant that was closed with nothing left of it is no closed one any more when a refund brings it back.
#[test]
fn a_grant_that_a_refund_brings_back_is_closed_no_more() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 5));
    let used = stage.done("user:a", consume("try_on", 5));
    close(&mut stage);
    let closed = |stage: &Stage| stage.home.accounts[&id("user:a")].books.closed_grants.len();
    assert_eq!(closed(&stage), 1);
    stage.done("user:a", refund(used.id, Some(2)));
    assert_eq!((closed(&stage), stage.grant("user:a", "pack")), (0, (3, 0)));
    assert_eq!(audit(&stage.records()), []);
}

/// W7 and W4: a window that a first use began before a gap does not count behind it.
#[test]
fn a_first_use_window_does_not_go_on_behind_a_gap() {
    let mut stage = chat();
    stage.done("user:a", consume("messages", 45));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", subscribe("chat"));
    assert_eq!(stage.remaining("user:a", "messages"), Some(45));
    stage.done("user:a", consume("messages", 45));
    let is_first_use = |balance: &Balance| matches!(&balance.bucket, Bucket::Further(_, per, _) if per.to_string() == "first_use-5h");
    let mut began = live(&stage, "messages");
    began.retain(is_first_use);
    assert_eq!(began.len(), 2, "another one was begun");
    assert_eq!(audit(&stage.records()), []);
}

/// S2 and W3: a window that was left for another zone and come back to counts by itself again.
#[test]
fn a_window_that_is_come_back_to_points_nowhere() {
    let zone = |zone: chrono_tz::Tz| {
        crate::stage::put_account(quota_core::command::AccountSpec {
            time_zone: Some(zone),
            ..Default::default()
        })
    };
    let mut stage = Stage::user("pro");
    stage.later(TimeDelta::days(2));
    stage.done("user:a", consume("requests", 4));
    for to in [chrono_tz::Asia::Tokyo, chrono_tz::Tz::UTC] {
        stage.done("user:a", zone(to));
        stage.done("user:a", consume("requests", 1));
    }
    let points: Vec<bool> = live(&stage, "requests")
        .iter()
        .map(|balance| balance.moved_to.is_some())
        .collect();
    assert_eq!(points, [true, false], "that of Tokyo and that of UTC");
    assert_eq!(stage.remaining("user:a", "requests"), Some(4));
    assert_eq!(audit(&stage.records()), []);
}

/// W5: a window is closed only when no node's clock counts in it any more: by one that is a little behind it would be begun anew, and
/// give once more what was used.
#[test]
fn a_window_is_closed_when_no_clock_counts_in_it_any_more() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", RENEW);
    stage.done("user:a", consume("articles", 100));
    let end = live(&stage, "articles")[0].ends_at.expect("it ends");
    stage.now = end + TimeDelta::milliseconds(4_999);
    close(&mut stage);
    stage.now = end - TimeDelta::milliseconds(1);
    assert_eq!(stage.remaining("user:a", "articles"), Some(0));
    stage.now = end + TimeDelta::seconds(5);
    close(&mut stage);
    assert_eq!(live(&stage, "articles").len(), 0);
}
