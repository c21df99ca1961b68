//! Allowance windows in the periods of a subscription: where they begin, where they end, and what is whole again.

use std::collections::BTreeMap;

use crate::stage::{GRACE, Stage, catalog, code, consume, id, plan_code};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use proptest::sample::select;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Catalog, Feature, Per};
use quota_core::command::{ChangePlan, ChangeWhen, Command, Renew, Subscribe, UsageAfterChange};
use quota_core::draw::Scope;
use quota_core::rules::allowance::{Allowance, Asked, Standing, allowance};
use quota_core::terms::{Policy, Subscription, Terms};
use quota_core::window::{cadence_window, month_start};

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    stored.current(&stage.catalog, stage.now).into_owned()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// What the plan `pro` grants, and whether a renewal carries what was used of it.
const PRO: [(&str, u64, bool); 7] = [
    ("articles", 100, false),
    ("requests", 10, false),
    ("try_on", 10, false),
    ("renders", 5, false),
    ("albums", 5, false),
    ("lessons", 20, true),
    ("storage", 100, true),
];

/// S4, C5 and W4: with the next period every allowance is whole again whatever its cadence, except where `on_renewal`
/// says that what was used is carried; whether the renewal came before the end, at it or after it.
#[test]
fn a_renewal_makes_allowances_whole_again_unless_they_are_carried() {
    for hours in [-70, 0, 50] {
        let mut stage = Stage::user("pro");
        for (feature, limit, _) in PRO {
            stage.done("user:a", consume(feature, limit));
        }
        for _ in 0..3 {
            let end = held(&stage).ends_at;
            stage.now = end + TimeDelta::hours(hours);
            stage.done("user:a", Command::Renew(Renew { ends_at: None }));
            stage.now = stage.now.max(end);
            for (feature, limit, is_carried) in PRO {
                let left = if is_carried { 0 } else { limit };
                let said = format!("{feature}, renewed {hours} h after the end");
                assert_eq!(stage.remaining("user:a", feature), Some(left), "{said}");
                if !is_carried {
                    stage.done("user:a", consume(feature, limit));
                }
                assert_eq!(stage.denied("user:a", consume(feature, 1)).available, 0);
            }
        }
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// S4 and W4: a period that begins within a month of the anchor begins with a whole allowance, and its window with it.
#[test]
fn a_period_that_begins_within_a_month_has_an_allowance_of_its_own() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", consume("articles", 100));
    stage.now = end;
    let short = end + TimeDelta::days(9);
    let ends_at = Some(short);
    stage.done("user:a", Command::Renew(Renew { ends_at }));
    stage.done("user:a", consume("articles", 100));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.resets_at, Some(short));
    stage.now = short;
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
}

/// S5 and W4: a change of plan at once does not give the calendar's day a second time: what was used in it counts on,
/// under the new limit.
#[test]
fn an_upgrade_counts_on_in_the_calendars_day() {
    for (usage, left) in [(UsageAfterChange::Restart, 5), (UsageAfterChange::Keep, 5)] {
        let mut stage = Stage::user("basic");
        stage.done("user:a", consume("requests", 5));
        stage.later(TimeDelta::hours(1));
        let upgrade = Command::ChangePlan(ChangePlan {
            plan: plan_code("pro"),
            when: Some(ChangeWhen::Now),
            usage,
        });
        stage.done("user:a", upgrade);
        assert_eq!(
            stage.remaining("user:a", "requests"),
            Some(left),
            "{usage:?}"
        );
        stage.done("user:a", consume("requests", left));
        let denied = stage.denied("user:a", consume("requests", 1));
        assert_eq!(denied.resets_at, Some(at("2027-03-11T00:00:00Z")));
    }
}

/// W4 and W6: a window ends with the cadence or with the subscription, whichever is sooner; `resets_at` says so in a
/// denial and in how the account stands, and the balance in the books ends there, or with the calendar's day.
#[test]
fn a_window_ends_with_the_cadence_or_with_the_subscription() {
    // From 10 March 12:00 to 20 April 09:00.
    let mut stage = Stage::user("");
    let ends_at = Some(at("2027-04-20T09:00:00Z"));
    let pro = Command::Subscribe(Subscribe {
        ends_at,
        ..Subscribe::to(plan_code("pro"))
    });
    stage.done("user:a", pro);
    let table = [
        // The cadence ends first.
        ("03-10T12:00", "requests", 10, "03-11T00:00"),
        ("03-10T12:00", "articles", 100, "04-10T12:00"),
        ("04-19T23:59", "requests", 10, "04-20T00:00"),
        // The subscription ends first.
        ("04-20T00:00", "requests", 10, "04-20T09:00"),
        ("04-20T08:59", "articles", 100, "04-20T09:00"),
        ("04-20T08:59", "renders", 5, "04-20T09:00"),
        ("04-20T08:59", "albums", 5, "04-20T09:00"),
        ("04-20T08:59", "lessons", 20, "04-20T09:00"),
        ("04-20T08:59", "storage", 100, "04-20T09:00"),
    ];
    for (now, feature, limit, resets) in table {
        let [now, resets_at] = [now, resets].map(|text| at(&format!("2027-{text}:00Z")));
        stage.now = now;
        stage.done("user:a", consume(feature, limit));
        let denied = stage.denied("user:a", consume(feature, 1));
        assert_eq!(denied.resets_at, Some(resets_at), "{feature} at {now}");
        let shown = stage.balance_of("user:a", Scope::User, feature, None);
        assert_eq!(shown.resets_at, Some(resets_at));
        let is_carried = PRO.contains(&(feature, limit, true));
        let balances = &stage.home.accounts[&id("user:a")].books.balances;
        let of_feature = |balance: &&Balance| matches!(&balance.bucket, Bucket::Window(of, _) if *of == code(feature));
        let ends: Vec<_> = balances
            .iter()
            .filter(of_feature)
            .map(|balance| balance.ends_at)
            .collect();
        // A late renewal would bring the calendar's day back.
        let day = cadence_window(Cadence::Daily, Anchor::Calendar, now, Tz::UTC, now);
        let is_day = feature == "requests";
        let books_end = if is_day { day.ends_at } else { Some(resets_at) };
        assert_eq!(ends.last(), (!is_carried).then_some(&books_end));
    }
}

/// W6 and S7: a plan that renews by itself until an instant within a month has a last month
/// that ends there.
#[test]
fn the_last_month_of_what_renews_by_itself_ends_with_it() {
    let mut stage = Stage::user("");
    let ends_at = Some(at("2027-05-01T00:00:00Z"));
    let free = Command::Subscribe(Subscribe {
        ends_at,
        ..Subscribe::to(plan_code("free"))
    });
    stage.done("user:a", free);
    let resets_at = |stage: &mut Stage| {
        let shown = stage.balance_of("user:a", Scope::User, "articles", None);
        shown.resets_at
    };
    let last = at("2027-04-10T12:00:00Z");
    assert_eq!(resets_at(&mut stage), Some(last));
    stage.now = last;
    assert_eq!(resets_at(&mut stage), ends_at);
    stage.now = at("2027-05-01T00:00:00Z");
    assert_eq!(resets_at(&mut stage), None, "nothing is in force");
}

fn cadences() -> Vec<Cadence> {
    let texts = [
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "subscription",
        "5h",
        "14d",
    ];
    let read = |text: &str| text.parse().expect("a literal cadence");
    texts.map(read).into()
}

/// A feature of that cadence, and an account of that zone with that subscription.
fn counted(
    cadence: Cadence,
    anchor: Anchor,
    zone: Tz,
    subscription: Subscription,
) -> (Feature, Terms) {
    let feature = Feature {
        cadence,
        anchor,
        ..catalog().features[&code("articles")].clone()
    };
    let terms = Terms {
        created_at: subscription.anchor_at,
        time_zone: zone,
        disabled: false,
        unlimited: false,
        unlimited_by_default: false,
        org: None,
        policy: Policy::Enforce,
        subscription: Some(subscription),
        trial_settled_at: None,
        addons: BTreeMap::new(),
        overrides: BTreeMap::new(),
        given: BTreeMap::new(),
        tokens: BTreeMap::new(),
        former_homes: Vec::new(),
        left_members: BTreeMap::new(),
        members: 0,
        member_limits: BTreeMap::new(),
        spend_cap: quota_core::terms::SpendCap::default(),
        auto_top_up: None,
        last_event: 0,
    };
    (feature, terms)
}

fn counted_at(
    terms: &Terms,
    feature: &Feature,
    catalog: &Catalog,
    now: DateTime<Utc>,
) -> Allowance {
    let asked = Asked {
        catalog,
        grace: GRACE,
        now,
    };
    allowance((terms, &[]), feature, asked)
}

const DAY: i64 = 86_400_000_000;

proptest! {
    /// W1, W4, W6 and S7: whatever the cadence, the anchor and the zone, windows tile the period, also one that begins or
    /// ends beside the months of the anchor, and the months of a plan that renews by itself until it is canceled. Each
    /// ends with the cadence or with the period, whichever is sooner.
    #[test]
    fn windows_tile_the_period_and_end_with_it(
        cadence in select(cadences()),
        anchor in select(vec![Anchor::Subscription, Anchor::Calendar]),
        zone in select(&TZ_VARIANTS[..]), renews in any::<bool>(),
        anchored in 0_i64..3_000_000_000_000_000, began in 0_i64..100 * DAY, lasts in 1_i64..100 * DAY,
    ) {
        let anchor_at = DateTime::<Utc>::from_timestamp_micros(anchored).expect("in the calendar");
        let starts_at = if renews { anchor_at } else { anchor_at + TimeDelta::microseconds(began) };
        let ends_at = starts_at + TimeDelta::microseconds(lasts);
        let catalog = catalog();
        let plan = catalog.plan(&plan_code(if renews { "free" } else { "pro" }), None).expect("in the catalog");
        let subscription = Subscription {
            starts_at,
            ends_at,
            cancel_at: renews.then_some(ends_at),
            ..Subscription::start(plan, 1, anchor_at)
        };
        let (feature, terms) = counted(cadence, anchor, zone, subscription);
        // A renewal does not begin the calendar's windows anew.
        let is_cut = !Per::of(&feature).is_calendar();
        let months = (1..5).map(|month| month_start(anchor_at, month)).filter(|_| renews && is_cut);
        let period_ends: Vec<_> = months.chain([ends_at]).collect();
        let mut now = starts_at;
        while now < ends_at {
            let own = counted_at(&terms, &feature, &catalog, now);
            prop_assert_eq!(own.standing, Standing::InForce);
            prop_assert_eq!(own.window.starts_at, now);
            let cadence_ends = cadence_window(cadence, anchor, anchor_at, zone, now).ends_at;
            let ends = period_ends.iter().copied().chain(cadence_ends);
            let sooner = ends.filter(|end| now < *end).min().expect("the period ends");
            prop_assert_eq!(own.resets_at(Scope::User), Some(sooner));
            let last = counted_at(&terms, &feature, &catalog, sooner - TimeDelta::microseconds(1));
            prop_assert_eq!(last, own);
            now = sooner;
        }
        prop_assert_eq!(now, ends_at);
    }
}
