//! Subscriptions: in force or not, renewed, canceled.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first literal that does not parse"
)]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::catalog::{Interval, Plan};
use quota_core::ids::{OrgId, PlanCode};
use quota_core::terms::{Status, Subscription, new_token_cap, new_user_is_unlimited};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

fn plan(price: u64, interval: Interval) -> Plan {
    Plan {
        code: PlanCode::new("pro").expect("a literal code"),
        name: "Pro".to_owned(),
        kind: quota_core::catalog::PlanKind::Base,
        price,
        currency: "usd".to_owned(),
        interval,
        pinned: false,
        trial_days: None,
        limits: std::collections::BTreeMap::new(),
        on_demand: std::collections::BTreeMap::new(),
        provider_prices: std::collections::BTreeMap::new(),
        renewal: quota_core::catalog::Renewal::AtOnce,
        overdue: std::collections::BTreeMap::new(),
    }
}

const GRACE: TimeDelta = TimeDelta::hours(72);

/// S1: the map of Stripe's statuses, and an unknown value is an error.
#[test]
fn stripe_statuses_are_mapped_and_an_unknown_one_is_an_error() {
    let map = [
        ("active", Status::Active),
        ("trialing", Status::Trialing),
        ("past_due", Status::PastDue),
        ("unpaid", Status::Unpaid),
        ("canceled", Status::Canceled),
        ("incomplete", Status::Unpaid),
        ("incomplete_expired", Status::Canceled),
        ("paused", Status::Unpaid),
    ];
    for (text, status) in map {
        assert_eq!(Status::from_stripe(text), Ok(status), "{text}");
    }
    assert!(Status::from_stripe("ended").is_err());
}

/// S2: in force inside `[starts_at, ends_at)` when active or trialing, or past due within the grace.
#[test]
fn a_subscription_is_in_force_inside_its_period_and_grace() {
    let start = at("2027-01-31T10:00:00Z");
    let mut pro = Subscription::start(&plan(900, Interval::Month), 1, start);
    let instant = TimeDelta::microseconds(1);
    assert!(!pro.is_in_force(start - instant, GRACE));
    assert!(pro.is_in_force(start, GRACE));
    assert!(pro.is_in_force(pro.ends_at - instant, GRACE));
    assert!(!pro.is_in_force(pro.ends_at, GRACE));
    pro.status = Status::PastDue;
    pro.past_due_at = Some(start);
    assert!(pro.is_in_force(start + GRACE, GRACE));
    assert!(!pro.is_in_force(start + GRACE + instant, GRACE));
    for status in [Status::Unpaid, Status::Canceled] {
        pro.status = status;
        assert!(!pro.is_in_force(start, GRACE));
    }
}

/// S4: a renewal starts where the old period ended, and keeps the anchor's day (W2).
#[test]
fn a_renewal_continues_where_the_period_ended() {
    let mut pro = Subscription::start(&plan(900, Interval::Month), 1, at("2027-01-31T10:00:00Z"));
    for day in ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"] {
        assert_eq!(pro.ends_at, at(&format!("{day}T10:00:00Z")));
        let next = pro.renewed();
        assert_eq!(next.starts_at, pro.ends_at);
        pro = next;
    }
    let yearly = Subscription::start(&plan(900, Interval::Year), 1, at("2028-02-29T00:00:00Z"));
    assert_eq!(yearly.ends_at, at("2029-02-28T00:00:00Z"));
    assert_eq!(yearly.renewed().ends_at, at("2030-02-28T00:00:00Z"));
}

/// S7: a free plan renews by itself every month from the day it began.
#[test]
fn a_free_plan_renews_by_itself() {
    let free = Subscription::start(&plan(0, Interval::Month), 1, at("2027-01-31T10:00:00Z"));
    let later = at("2031-03-01T00:00:00Z");
    assert!(free.is_in_force(later, GRACE));
    assert_eq!(free.period(later).starts_at, at("2031-02-28T10:00:00Z"));
    assert_eq!(free.period(later).ends_at, Some(at("2031-03-31T10:00:00Z")));
}

/// S8: `cancel` is at the period's end unless `now` is asked for.
#[test]
fn a_cancellation_waits_for_the_periods_end_unless_asked() {
    let now = at("2027-02-10T00:00:00Z");
    for price in [0, 900] {
        let running =
            Subscription::start(&plan(price, Interval::Month), 1, at("2027-02-01T00:00:00Z"));
        let waits = running.canceled(now, false);
        assert!(waits.is_in_force(at("2027-02-28T23:59:59Z"), GRACE));
        assert!(!waits.is_in_force(at("2027-03-01T00:00:00Z"), GRACE));
        assert!(!waits.is_in_force(at("2027-03-15T00:00:00Z"), GRACE));
        assert!(!running.canceled(now, true).is_in_force(now, GRACE));
    }
}

/// U6 and U7: made inside an org a user is unlimited, and an unlimited user's token too, unless said otherwise.
#[test]
fn users_of_an_org_and_their_tokens_are_unlimited_unless_said_otherwise() {
    let org = OrgId::new("acme").expect("a literal id");
    assert!(new_user_is_unlimited(None, Some(&org)));
    assert!(!new_user_is_unlimited(None, None));
    assert!(!new_user_is_unlimited(Some(false), Some(&org)));
    assert_eq!(new_token_cap(None, true), Some(Limit::Unlimited));
    assert_eq!(new_token_cap(None, false), None);
    assert_eq!(new_token_cap(Some(Limit::Of(5)), true), Some(Limit::Of(5)));
}

proptest! {
    /// S7 and W1: the periods of a free plan tile time.
    #[test]
    fn the_periods_of_a_free_plan_tile_time(start in 0_i64..4_000_000_000, ahead in 0_i64..400_000_000) {
        let start = DateTime::<Utc>::from_timestamp(start, 0).expect("in the calendar");
        let free = Subscription::start(&plan(0, Interval::Month), 1, start);
        let period = free.period(start + TimeDelta::seconds(ahead));
        let end = period.ends_at.expect("a month ends");
        prop_assert!(period.contains(start + TimeDelta::seconds(ahead)));
        prop_assert_eq!(free.period(end).starts_at, end);
    }
}
