//! On demand: units sold when all else is spent, up to a cap in money (C11, F1, F7).

use std::collections::BTreeSet;

use crate::relocated::relocated;
use crate::stage::{
    Stage, code, commit, consume, grant, id, item, member, put_account, refund, reserve, start,
    subscribe, track, track_at,
};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::answer::{OnDemandBalance, Rejection};
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::change::Change;
use quota_core::command::{
    AccountSpec, ChangePlan, ChangeWhen, ClearSpendCap, CloseWindows, Command, Release, Renew,
    Reset, SetOverride, SetSpendCap, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::ids::OrgId;
use quota_core::operation::Operation;
use quota_core::ports::AuditHome;
use quota_core::rules::share::charged;
use quota_core::rules::spending::spending;
use quota_core::sale::Sale;
use quota_core::terms::Policy;

pub const LIMIT: u64 = 10;

/// A user who has used 9 of its 10 articles; more are sold for 4 up to 100.
fn metered() -> Stage {
    let mut stage = Stage::user("meter");
    stage.done("user:a", consume("articles", LIMIT - 1));
    stage
}

pub fn cap(amount: u64, by_owner: bool) -> Command {
    Command::SetSpendCap(SetSpendCap { amount, by_owner })
}

fn draws(operation: &Operation, scope: Scope) -> Vec<(Source, i64)> {
    let entries = operation.entries.iter();
    let of_scope = entries.filter(|entry| entry.scope == scope && !entry.bucket.is_member());
    of_scope
        .map(|entry| (entry.source, entry.used + entry.held + entry.overage))
        .collect()
}

fn sold(stage: &mut Stage, account: &str, feature: &str) -> OnDemandBalance {
    let scope = if account.starts_with("org") {
        Scope::Org
    } else {
        Scope::User
    };
    let shown = stage.balance_of(account, scope, feature, None).on_demand;
    *shown.expect("it is sold")
}

pub fn owed(stage: &Stage, account: &str) -> u64 {
    let found = &stage.home.accounts[&id(account)];
    spending(&stage.context(), found).map_or(0, |spending| spending.owed)
}

/// The live balances of what is sold, the oldest period first.
fn live<'a>(stage: &'a Stage, account: &str) -> Vec<&'a Balance> {
    let balances = stage.home.accounts[&id(account)].books.balances.iter();
    let mut live: Vec<&Balance> = balances.filter(|balance| balance.sale.is_some()).collect();
    live.sort_by(|one, other| one.bucket.cmp(&other.bucket));
    live
}

fn month_later(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_add_months(chrono::Months::new(1))
        .expect("a date")
}

/// The stage's catalog with other words of the plan that sells.
fn with_meter(change: impl Fn(&mut serde_json::Value)) -> Catalog {
    let catalog = crate::stage::catalog();
    let plans = catalog.plans.values().map(|versions| versions[0].clone());
    let file = CatalogFile {
        default_plan: None,
        features: catalog.features.values().cloned().collect(),
        plans: plans.collect(),
        packs: Vec::new(),
    };
    let mut file = serde_json::to_value(file).expect("plain data");
    let plans = file["plan"].as_array_mut().expect("a list");
    let meter = plans.iter_mut().find(|plan| plan["code"] == "meter");
    change(meter.expect("it is there"));
    let file: CatalogFile = serde_json::from_value(file).expect("a catalog");
    catalog.applied(&file).expect("a valid catalog")
}

/// E37: limit 10 used 9, no credits, on demand price 4, cap 100: 26 draw 1 on the allowance and 25 on demand, 100 are owed; then
/// 1 is denied `spend_cap_reached`, until the period ends.
#[test]
fn e37_what_is_beyond_the_limit_is_sold_up_to_the_cap() {
    let mut stage = metered();
    let done = stage.done("user:a", consume("articles", 26));
    let paid = [(Source::Allowance, 1), (Source::OnDemand, 25)];
    assert_eq!(draws(&done, Scope::User), paid);
    let shown = sold(&mut stage, "user:a", "articles");
    let numbers = (shown.used, shown.owed, shown.cap, shown.remaining);
    assert_eq!(numbers, (25, 100, 100, 0));
    assert_eq!((shown.sale.price, shown.sale.currency.as_str()), (4, "eur"));
    assert_eq!(owed(&stage, "user:a"), 100);
    assert_eq!(stage.lifetime("user:a", "articles"), 35);
    let before = stage.home.clone();
    let denied = stage.denied("user:a", consume("articles", 1));
    let told = (denied.reason, denied.scope, denied.available);
    assert_eq!(told, (Reason::SpendCapReached, Scope::User, 0));
    assert_eq!(denied.resets_at, Some(month_later(start())));
    assert_eq!(stage.home, before, "a denial changes nothing");
    assert_eq!(audit(&stage.records()), []);
}

/// F4 and F7: what the cap cannot cover is denied whole, and `available` has what could be sold in it.
#[test]
fn a_denial_counts_what_could_be_sold_and_sells_nothing() {
    let mut stage = metered();
    let denied = stage.denied("user:a", consume("articles", 27));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::SpendCapReached, 26)
    );
    assert!(live(&stage, "user:a").is_empty(), "a denial opens nothing");
    let mut other = Stage::user("meter");
    other.done("user:a", consume("requests", 1));
    let denied = other.denied("user:a", consume("requests", 5));
    assert_eq!(denied.reason, Reason::LimitReached, "it is not sold");
    let midnight = denied.resets_at.expect("a day");
    assert!(midnight < month_later(start()));
}

/// F7 and W6: a limit that is whole again before the period ends is told, not the end of the period.
#[test]
fn a_denial_tells_when_the_limit_is_whole_if_that_is_sooner() {
    let mut stage = Stage::new("user:a");
    stage.catalog = with_meter(|meter| {
        meter["on_demand"]["requests"] = serde_json::json!({"price": 1, "cap": 3});
    });
    stage.done("user:a", put_account(AccountSpec::default()));
    stage.done("user:a", subscribe("meter"));
    stage.done("user:a", consume("requests", 8));
    let denied = stage.denied("user:a", consume("requests", 1));
    assert_eq!(denied.reason, Reason::SpendCapReached);
    let midnight: DateTime<Utc> = "2027-03-11T00:00:00Z".parse().expect("an instant");
    assert_eq!(denied.resets_at, Some(midnight));
    stage.now = midnight;
    stage.done("user:a", consume("requests", 5));
    stage.denied("user:a", consume("requests", 1));
}

/// F1: allowance, boosts, credits, then on demand; a part of `per` is charged whole.
#[test]
fn f1_on_demand_pays_last() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", grant("pack", 5));
    stage.done("user:a", crate::boosts::boost("sale", "try_on", 2));
    let done = stage.done("user:a", consume("try_on", 20));
    let paid = [
        (Source::Allowance, 10),
        (Source::Boost, 2),
        (Source::Credits, 5),
        (Source::OnDemand, 3),
    ];
    assert_eq!(draws(&done, Scope::User), paid);
    let shown = sold(&mut stage, "user:a", "try_on");
    assert_eq!((shown.sale.per, shown.owed, shown.remaining), (2, 5, 30));
    stage.done("user:a", consume("try_on", 30));
    assert_eq!(owed(&stage, "user:a"), 50, "33 for 1.5 each are 49.5");
    assert_eq!(audit(&stage.records()), []);
}

/// R1 to R3: a hold reserves what it may buy; what is not used goes back, last drawn first, and is not owed.
#[test]
fn a_hold_keeps_its_place_under_the_cap_and_owes_what_is_used() {
    let mut stage = metered();
    let held = stage.done("user:a", reserve("articles", 21, 60));
    let shown = sold(&mut stage, "user:a", "articles");
    assert_eq!((shown.held, shown.owed, shown.remaining), (20, 0, 5));
    assert_eq!(stage.denied("user:a", consume("articles", 6)).available, 5);
    stage.done("user:a", commit(held.id, 11));
    let shown = sold(&mut stage, "user:a", "articles");
    assert_eq!((shown.used, shown.held, shown.owed), (10, 0, 40));
    let held = stage.done("user:a", reserve("articles", 15, 60));
    stage.done(
        "user:a",
        Command::Release(Release {
            reservation: held.id,
        }),
    );
    assert_eq!(owed(&stage, "user:a"), 40);
    // R2: beyond the hold the difference is sold, and what the cap has no room for is overage.
    let held = stage.done("user:a", reserve("articles", 1, 60));
    let settled = stage.done("user:a", commit(held.id, 18));
    let taken = draws(&settled, Scope::User);
    assert_eq!(taken[1..], [(Source::OnDemand, 14), (Source::Overage, 3)]);
    // R5: the same for one that is late.
    let late = stage.done("user:a", reserve("try_on", 12, 60));
    stage.later(TimeDelta::seconds(61));
    let settled = stage.done("user:a", commit(late.id, 12));
    let taken = [(Source::Allowance, 10), (Source::OnDemand, 2)];
    assert_eq!(draws(&settled, Scope::User), taken);
    assert_eq!(owed(&stage, "user:a"), 103);
    assert_eq!(audit(&stage.records()), []);
}

/// A feature that has left the catalog is not sold: what a hold used beyond itself is overage, booked with the allowance.
#[test]
fn what_left_the_catalog_is_not_sold() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", consume("articles", LIMIT));
    let held = stage.done("user:a", reserve("articles", 2, 60));
    stage.catalog.features.remove(&code("articles"));
    let settled = stage.done("user:a", commit(held.id, 5));
    let over = settled.entries.iter().find(|entry| entry.overage != 0);
    let over = over.expect("three are beyond");
    assert_eq!((over.overage, over.source), (3, Source::Overage));
    assert!(!matches!(over.bucket, Bucket::OnDemand(..)));
    assert_eq!(audit(&stage.records()), []);
}

/// X5: what happened already is sold as far as the cap goes, and the rest is overage. Told late, it is sold in the period that
/// runs: the bill of one that is over stays.
#[test]
fn x5_tracked_use_is_sold_before_it_is_overage() {
    let mut stage = metered();
    let told = stage.done("user:a", track("articles", 30));
    let taken = [
        (Source::Allowance, 1),
        (Source::OnDemand, 25),
        (Source::Overage, 4),
    ];
    assert_eq!(draws(&told, Scope::User), taken);
    let before = stage.now;
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.now = month_later(start());
    let late = track_at(before, vec![item("articles", 3)]);
    let told = stage.done("user:a", late);
    assert_eq!(draws(&told, Scope::User), [(Source::OnDemand, 3)]);
    let used: Vec<u64> = live(&stage, "user:a")
        .iter()
        .map(|sold| sold.used)
        .collect();
    assert_eq!(used, [25, 3]);
    assert_eq!(audit(&stage.records()), []);
}

/// X3: a refund gives back to what was sold, last drawn first, also when the period is over and its balance closed.
#[test]
fn x3_a_refund_lowers_what_is_owed_for_its_own_period() {
    let mut stage = metered();
    let spent = stage.done("user:a", consume("articles", 11));
    stage.done("user:a", refund(spent.id, Some(4)));
    assert_eq!(owed(&stage, "user:a"), 24);
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.now = month_later(start());
    stage.done("user:a", consume("articles", 12));
    stage.later(TimeDelta::seconds(5));
    let close = Command::CloseWindows(CloseWindows::default());
    stage.done("user:a", close);
    assert_eq!(live(&stage, "user:a").len(), 1, "the old one is closed");
    stage.done("user:a", refund(spent.id, Some(5)));
    assert_eq!(owed(&stage, "user:a"), 8, "the running period is as it was");
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let closed = closed.filter(|closed| closed.sale.is_some());
    let closed: Vec<(u64, u64)> = closed
        .map(|closed| {
            (
                closed.used,
                closed
                    .sale
                    .as_ref()
                    .map_or(0, |sale| sale.owed(closed.used)),
            )
        })
        .collect();
    assert_eq!(closed, [(1, 4)]);
    assert_eq!(audit(&stage.records()), []);
}

/// S4: a new period begins at 0 and with the plan's price; X6: a reset does not forget what is owed.
#[test]
fn a_new_period_owes_nothing_and_a_reset_keeps_what_is_owed() {
    let mut stage = metered();
    stage.done("user:a", consume("articles", 6));
    stage.done("user:a", Command::Reset(Reset::default()));
    assert_eq!(owed(&stage, "user:a"), 20);
    let done = stage.done("user:a", consume("articles", 11));
    assert_eq!(draws(&done, Scope::User)[1], (Source::OnDemand, 1));
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.now = month_later(start());
    assert_eq!(owed(&stage, "user:a"), 0);
    stage.done("user:a", consume("articles", 35));
    assert_eq!(owed(&stage, "user:a"), 100);
    // S5: a change of plan at once begins a new period; where the plan sells nothing, what is owed is still told.
    let change = Command::ChangePlan(ChangePlan {
        plan: crate::stage::plan_code("pro"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    });
    stage.later(TimeDelta::days(1));
    stage.done("user:a", change);
    assert_eq!(owed(&stage, "user:a"), 100);
    let denied = stage.denied("user:a", consume("articles", 1_000));
    assert_eq!(denied.reason, Reason::LimitReached);
    assert_eq!(audit(&stage.records()), []);
}

/// C11: within a period the price is the one that it began with, whatever the plan says since; a cap acts at once, and takes
/// nothing away (S6).
#[test]
fn a_period_keeps_its_first_price_and_a_cap_acts_at_once() {
    let mut stage = metered();
    stage.done("user:a", consume("articles", 11));
    stage.catalog = with_meter(|meter| {
        meter["on_demand"]["articles"] = serde_json::json!({"price": 40, "cap": 60});
        meter["currency"] = "usd".into();
    });
    let shown = sold(&mut stage, "user:a", "articles");
    let now = (
        shown.sale.price,
        shown.sale.currency.as_str(),
        shown.remaining,
    );
    assert_eq!(now, (4, "eur", 5));
    stage.done("user:a", consume("articles", 5));
    assert_eq!(owed(&stage, "user:a"), 60);
    stage.catalog = with_meter(|meter| {
        meter["on_demand"]["articles"] = serde_json::json!({"price": 20, "cap": 20});
    });
    let spent = stage.done("user:a", reserve("requests", 1, 60));
    assert!(spent.answer.is_allowed());
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::SpendCapReached, 0)
    );
    assert_eq!(sold(&mut stage, "user:a", "articles").owed, 60);
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.now = month_later(start());
    let shown = sold(&mut stage, "user:a", "articles");
    assert_eq!((shown.sale.price, shown.remaining), (20, 1));
    assert_eq!(audit(&stage.records()), []);
}

/// C11: the account's own cap binds all features together; an operator's above the plan's caps together takes their place; an
/// owner's only ever lowers, up to the operator's or the plan's.
#[test]
fn the_accounts_own_cap_binds_all_features_together() {
    let mut stage = Stage::user("meter");
    let left = |stage: &mut Stage, feature: &str| sold(stage, "user:a", feature).remaining;
    let set = stage.done("user:a", cap(40, false));
    assert!(format!("{:?}", set.answer).contains("operator: 40"));
    assert_eq!(
        (left(&mut stage, "articles"), left(&mut stage, "try_on")),
        (10, 26)
    );
    stage.done("user:a", consume("articles", LIMIT + 6));
    assert_eq!(
        (left(&mut stage, "articles"), left(&mut stage, "try_on")),
        (4, 10)
    );
    stage.done("user:a", cap(30, true));
    assert_eq!(
        (left(&mut stage, "articles"), left(&mut stage, "try_on")),
        (1, 4)
    );
    let refused = stage.run("user:a", cap(41, true)).map(drop);
    assert_eq!(refused, Err(Rejection::SpendCapTooHigh { most: 40 }));
    // 150 are the plan's caps together: at most that leaves them, more takes their place.
    stage.done("user:a", cap(150, false));
    stage.done("user:a", cap(150, true));
    assert_eq!(left(&mut stage, "articles"), 19);
    stage.done("user:a", cap(400, false));
    assert_eq!(
        left(&mut stage, "articles"),
        31,
        "the owner's 150 bind still"
    );
    let clear = |by_owner| Command::ClearSpendCap(ClearSpendCap { by_owner });
    stage.done("user:a", clear(true));
    assert_eq!(left(&mut stage, "articles"), 94);
    stage.done("user:a", consume("articles", 94));
    assert_eq!(
        (owed(&stage, "user:a"), left(&mut stage, "try_on")),
        (400, 0)
    );
    let cleared = stage.done("user:a", clear(false));
    assert!(matches!(
        cleared.answer,
        quota_core::answer::Answer::Changed {
            change: Change::SpendCapCleared,
            ..
        }
    ));
    let refused = stage.run("user:a", cap(151, true)).map(drop);
    assert_eq!(refused, Err(Rejection::SpendCapTooHigh { most: 150 }));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::SpendCapReached, 0)
    );
    assert_eq!(left(&mut stage, "try_on"), 33, "its own cap of the plan");
    assert_eq!(owed(&stage, "user:a"), 400, "nothing is taken away");
    assert_eq!(audit(&stage.records()), []);
}

/// A cap that can never be is refused, and where the plan sells nothing an owner has nothing to allow.
#[test]
fn a_spend_cap_that_cannot_be_is_refused() {
    let mut stage = Stage::user("pro");
    let refused = stage.run("user:a", cap(1, true)).map(drop);
    assert_eq!(refused, Err(Rejection::SpendCapTooHigh { most: 0 }));
    let large = stage
        .run("user:a", cap(10_u64.pow(15) + 1, false))
        .map(drop);
    let (field, least, most) = ("amount", 0, 10_u64.pow(15));
    assert_eq!(large, Err(Rejection::OutOfRange { field, least, most }));
    let nothing = stage.run("user:a", Command::ClearSpendCap(ClearSpendCap::default()));
    assert!(!nothing.expect("nothing to do").is_booked);
}

/// F1, F2, U1: nothing is sold to an unlimited user, nor where no subscription is in force; an override's limit is sold beyond
/// like the plan's.
#[test]
fn nothing_is_sold_to_the_unlimited_or_without_a_subscription() {
    let mut stage = metered();
    let unlimited = |is| {
        put_account(AccountSpec {
            unlimited: Some(is),
            ..AccountSpec::default()
        })
    };
    stage.done("user:a", unlimited(true));
    let done = stage.done("user:a", consume("articles", 50));
    assert_eq!(draws(&done, Scope::User), [(Source::Unlimited, 50)]);
    assert_eq!(owed(&stage, "user:a"), 0);
    stage.done("user:a", unlimited(false));
    let own = Command::SetOverride(SetOverride {
        feature: code("articles"),
        limit: Limit::Of(60),
        expires_at: None,
    });
    stage.done("user:a", own);
    let done = stage.done("user:a", consume("articles", 2));
    let taken = [(Source::Allowance, 1), (Source::OnDemand, 1)];
    assert_eq!(draws(&done, Scope::User), taken);
    stage.now = month_later(start());
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.reason, Reason::SubscriptionExpired);
    let told = stage.done("user:a", track("articles", 1));
    assert_eq!(draws(&told, Scope::User), [(Source::Overage, 1)]);
}

/// O1: an org's plan sells to its members, and the org owes; O6: it is counted with the member; O4: under `track` the excess is
/// sold before it is overage.
#[test]
fn an_org_owes_what_its_members_use_on_demand() {
    let mut stage = Stage::org("meter");
    let done = stage.done("user:a", consume("articles", 30));
    let taken = [(Source::Allowance, 10), (Source::OnDemand, 20)];
    assert_eq!(draws(&done, Scope::Org), taken);
    assert_eq!((owed(&stage, "org:o"), owed(&stage, "user:a")), (80, 0));
    let org = &stage.home.accounts[&id("org:o")];
    let shares = &stage.home.accounts[&id("user:a")].books.shares;
    let articles = &stage.catalog.features[&code("articles")];
    assert_eq!(charged(&stage.context(), org, articles, shares), 30);
    let denied = stage.denied("user:a", consume("articles", 6));
    let told = (denied.reason, denied.scope, denied.available);
    assert_eq!(told, (Reason::SpendCapReached, Scope::Org, 5));
    stage.done(
        "org:o",
        put_account(AccountSpec {
            policy: Some(Policy::Track),
            ..AccountSpec::default()
        }),
    );
    let done = stage.done("user:a", consume("articles", 6));
    let taken = [(Source::OnDemand, 5), (Source::Overage, 1)];
    assert_eq!(draws(&done, Scope::Org), taken);
    stage.done("user:a", refund(done.id, Some(3)));
    assert_eq!(sold(&mut stage, "org:o", "articles").used, 23);
    assert_eq!(audit(&stage.records()), []);
}

/// X3: a user that moves takes along what it owes, and what it did before is refunded there.
#[test]
fn what_is_owed_moves_along() {
    let mut home = metered();
    let spent = home.done("user:a", consume("articles", 11));
    let mut org = Stage::org_alone("pro");
    relocated(&mut home, &mut org);
    assert_eq!(owed(&org, "user:a"), 40);
    org.settle_former(&mut home, refund(spent.id, Some(4)))
        .expect("it is refunded");
    assert_eq!(owed(&org, "user:a"), 24);
    let done = org.done("user:a", consume("articles", 1));
    assert_eq!(draws(&done, Scope::User), [(Source::OnDemand, 1)]);
    assert_eq!(audit(&org.records()), []);
    assert_eq!(audit(&home.records()), []);
    assert!(OrgId::new("o").is_ok_and(|org| member().org == Some(org)));
}

/// X2: a batch is sold whole or not at all, each item finding what the ones before it leave under the account's own cap.
#[test]
fn a_batch_is_sold_whole_or_not_at_all() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", cap(50, false));
    let batch = |articles, tries| {
        Command::Consume(quota_core::command::Consume {
            token: None,
            items: vec![item("articles", articles), item("try_on", tries)],
        })
    };
    let before = stage.home.clone();
    let denied = stage.denied("user:a", batch(20, 18));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::SpendCapReached, 16)
    );
    assert_eq!(stage.home, before);
    stage.done("user:a", batch(20, 16));
    assert_eq!(owed(&stage, "user:a"), 49);
    assert_eq!(audit(&stage.records()), []);
}

/// C11: what is changed in the books or in the ledger of what is sold is found.
#[test]
fn tampering_with_what_is_sold_is_found() {
    let mut stage = metered();
    stage.done("user:a", consume("articles", 11));
    stage.done("user:a", consume("articles", 2));
    let sold_of = |home: &mut AuditHome, change: &dyn Fn(&mut Balance)| {
        let balances = &mut home.accounts[0].1.books.balances;
        let sold = balances.iter_mut().find(|sold| sold.sale.is_some());
        change(sold.expect("it is live"));
    };
    let priced = |price| {
        let currency = "eur".to_owned();
        Some(Box::new(Sale {
            price,
            per: 1,
            currency,
            meter: None,
        }))
    };
    let found = |tamper: &dyn Fn(&mut AuditHome)| {
        let mut home = stage.records();
        tamper(&mut home);
        let found = audit(&home).into_iter();
        found
            .map(|finding| finding.invariant)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(found(&|_| ()), BTreeSet::new());
    let price = found(&|home| sold_of(home, &|sold| sold.sale = priced(3)));
    assert_eq!(price, BTreeSet::from(["C11"]));
    let no_price = found(&|home| sold_of(home, &|sold| sold.sale = None));
    assert_eq!(no_price, BTreeSet::from(["C11"]));
    let used = found(&|home| sold_of(home, &|sold| sold.used -= 1));
    assert_eq!(used, BTreeSet::from(["I2"]));
    let more = found(&|home| sold_of(home, &|sold| sold.used += 20));
    assert_eq!(more, BTreeSet::from(["C11", "I2"]));
    let granted = found(&|home| sold_of(home, &|sold| sold.granted = Limit::Of(3)));
    assert_eq!(granted, BTreeSet::from(["C11"]));
    let start = found(&|home| sold_of(home, &|sold| sold.starts_at += TimeDelta::seconds(1)));
    assert_eq!(start, BTreeSet::from(["I13"]));
    let told = |home: &mut AuditHome, change: &dyn Fn(&mut OnDemandBalance)| {
        let last = home.operations.last_mut().expect("a consume");
        if let quota_core::answer::Answer::Allowed { balances } = &mut last.answer {
            change(balances[0].on_demand.as_mut().expect("it was sold"));
        }
    };
    let cap = found(&|home| told(home, &|sold| sold.cap = 47));
    assert_eq!(cap, BTreeSet::from(["C11"]));
    let other = found(&|home| told(home, &|sold| sold.sale.price = 5));
    assert_eq!(other, BTreeSet::from(["C11"]));
}
