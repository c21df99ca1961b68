//! What was closed in a home that the user left is given no second time where it lives now (W4, C11, X5, T3).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::Cadence;
use quota_core::command::{
    AccountSpec, CloseWindows, Command, Presence, PutAccount, PutToken, Subscribe,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::ids::OrgId;
use quota_core::terms::CapSpan;

use crate::relocated::relocated;
use crate::several_limits::at;
use crate::stage::{
    Stage, code, consume, consume_with, id, item, plan_code, put_account, start, token_id, track,
    track_at,
};

/// From which home to which the user moves.
const WAYS: [[&str; 2]; 4] = [
    ["user:a", "org:o"],
    ["org:o", "user:a"],
    ["org:o", "org:p"],
    ["org:p", "org:o"],
];

/// Two homes; the user lives in the first and is limited.
fn two(way: [&str; 2]) -> [Stage; 2] {
    let mut homes = way.map(Stage::new);
    for (stage, home) in homes.iter_mut().zip(way) {
        if home.starts_with("org") {
            stage.done(home, put_account(AccountSpec::default()));
        }
    }
    let org = way[0].strip_prefix("org:");
    let spec = AccountSpec {
        org: org.map(|org| OrgId::new(org).expect("a literal id")),
        unlimited: Some(false),
        ..AccountSpec::default()
    };
    homes[0].done("user:a", put_account(spec));
    homes
}

fn moves(from: &mut Stage, to: &mut Stage) {
    to.now = from.now;
    relocated(from, to);
}

fn start_of(plan: &str, starts_at: DateTime<Utc>, ends_at: &str) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ends_at: Some(at(ends_at)),
        ..Subscribe::to(plan_code(plan))
    })
}

/// As the jobs do.
fn upkeep(stage: &mut Stage) {
    let _may_be_done = stage.run("user:a", Command::ExpireSubscription);
    let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
}

fn live(stage: &Stage) -> &[Balance] {
    &stage.home.accounts[&id("user:a")].books.balances
}

fn are_sound(homes: &[&Stage]) {
    for home in homes {
        assert_eq!(audit(&home.records()), [], "{}", home.home.id);
    }
}

fn used_and_sold(stage: &mut Stage) -> (u64, u64) {
    let shown = stage.balance_of("user:a", Scope::User, "articles", None);
    let sold = shown.on_demand.expect("it is sold");
    (shown.used + shown.overage, sold.used)
}

/// W4, S9 and C11: a start in the past goes on with what was used and sold in a period that was closed where the user lived before;
/// closed once more there, it goes on from that, wherever the user lives by then.
#[test]
fn a_start_in_the_past_counts_what_was_closed_in_a_home_that_was_left() {
    for way in WAYS {
        for closes in [false, true] {
            let [mut first, mut second] = two(way);
            first.done("user:a", start_of("meter", start(), "2027-03-20T00:00:00Z"));
            first.done("user:a", consume("articles", 35));
            first.now = at("2027-03-21T00:00:00Z");
            if closes {
                upkeep(&mut first);
                assert_eq!(live(&first), [], "all of it is closed");
            }
            moves(&mut first, &mut second);
            second.done("user:a", start_of("meter", start(), "2027-03-25T00:00:00Z"));
            assert_eq!(used_and_sold(&mut second), (10, 25), "{way:?} {closes}");
            let denied = second.denied("user:a", consume("articles", 1));
            assert_eq!(denied.reason, Reason::SpendCapReached);
            second.done("user:a", track("articles", 2));
            second.now = at("2027-03-26T00:00:00Z");
            if closes {
                upkeep(&mut second);
            }
            are_sound(&[&first, &second]);
            // The first home has an older record of it.
            moves(&mut second, &mut first);
            first.done("user:a", start_of("meter", start(), "2027-03-28T00:00:00Z"));
            assert_eq!(used_and_sold(&mut first), (12, 25), "{way:?} {closes}");
            first.done("user:a", track("articles", 3));
            first.now = at("2027-03-29T00:00:00Z");
            if closes {
                upkeep(&mut first);
            }
            moves(&mut first, &mut second);
            second.done("user:a", start_of("meter", start(), "2027-04-10T12:00:00Z"));
            assert_eq!(used_and_sold(&mut second), (15, 25), "{way:?} {closes}");
            are_sound(&[&first, &second]);
        }
    }
}

/// W3 and W4: a day that was closed where the user lived before comes again in a zone further west with what was used in it.
#[test]
fn a_day_that_was_closed_in_a_home_that_was_left_comes_again_with_its_use() {
    let to_zone = |zone| {
        Command::PutAccount(PutAccount {
            presence: Presence::Existing,
            spec: AccountSpec {
                time_zone: Some(zone),
                ..AccountSpec::default()
            },
        })
    };
    for way in WAYS {
        for closes in [false, true] {
            let [mut first, mut second] = two(way);
            first.done("user:a", start_of("pro", start(), "2028-03-10T12:00:00Z"));
            first.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
            first.now = at("2027-04-20T03:00:00Z");
            first.done("user:a", consume("requests", 7));
            first.now = at("2027-04-20T16:00:00Z");
            if closes {
                upkeep(&mut first);
            }
            moves(&mut first, &mut second);
            second.done("user:a", to_zone(chrono_tz::America::New_York));
            let left = second.remaining("user:a", "requests");
            assert_eq!(left, Some(3), "{way:?} {closes}");
            second.done("user:a", consume("requests", 3));
            second.now = at("2027-04-21T05:00:00Z");
            if closes {
                upkeep(&mut second);
            }
            moves(&mut second, &mut first);
            first.done("user:a", to_zone(chrono_tz::Pacific::Honolulu));
            let left = first.remaining("user:a", "requests");
            assert_eq!(left, Some(0), "{way:?} {closes}");
            are_sound(&[&first, &second]);
        }
    }
}

/// X5: use that is told late is booked in the window of its instant, also where that was closed in a home that was left.
#[test]
fn late_use_adds_to_what_was_closed_in_a_home_that_was_left() {
    for way in WAYS {
        let [mut first, mut second] = two(way);
        first.done("user:a", start_of("pro", start(), "2028-03-10T12:00:00Z"));
        let day = first.now;
        first.done("user:a", consume("requests", 4));
        first.later(TimeDelta::days(2));
        upkeep(&mut first);
        let window = Bucket::Window(code("requests"), day.timestamp_micros());
        moves(&mut first, &mut second);
        let closed = |stage: &Stage| {
            let known = stage.closed.get(&(id("user:a"), window.clone()));
            known.map(|known| known.balance.spent())
        };
        assert_eq!(closed(&first), Some(4), "{way:?}");
        second.done("user:a", track_at(day, vec![item("requests", 3)]));
        assert_eq!(closed(&second), Some(7), "{way:?}");
        moves(&mut second, &mut first);
        let told = first.done("user:a", track_at(day, vec![item("requests", 5)]));
        assert_eq!(closed(&first), Some(12), "{way:?}");
        let over: i64 = told.entries.iter().map(|entry| entry.overage).sum();
        let of_orgs = if way[0].starts_with("org") { 0 } else { 2 };
        assert!(over >= of_orgs, "{way:?}: of 10 a day 3 were left");
        assert_eq!(first.lifetime("user:a", "requests"), 12);
        are_sound(&[&first, &second]);
    }
}

/// T3: a cap of another cadence begins a new count, also where a window with its name was closed where the user lived before.
#[test]
fn a_tokens_new_count_takes_no_window_that_was_closed_in_a_home_that_was_left() {
    let capped = |cadence| {
        Command::PutToken(PutToken {
            token: token_id("t"),
            presence: Presence::Any,
            cap: Some(Limit::Of(10)),
            per: Some(CapSpan::Each(cadence)),
            expires_at: None,
        })
    };
    for way in WAYS {
        let [mut first, mut second] = two(way);
        first.done("user:a", start_of("pro", start(), "2028-03-10T12:00:00Z"));
        first.done("user:a", capped(Cadence::Daily));
        first.done("user:a", consume_with("t", "articles", 5));
        first.later(TimeDelta::days(2));
        upkeep(&mut first);
        moves(&mut first, &mut second);
        second.done("user:a", capped(Cadence::Weekly));
        second.done("user:a", consume_with("t", "articles", 10));
        let denied = second.denied("user:a", consume_with("t", "articles", 1));
        assert_eq!(denied.reason, Reason::TokenExhausted);
        // Back while it runs, it is closed beside the record of the earlier one of that name.
        moves(&mut second, &mut first);
        first.later(TimeDelta::days(6));
        upkeep(&mut first);
        are_sound(&[&first, &second]);
        first.done("user:a", consume_with("t", "articles", 10));
        first.denied("user:a", consume_with("t", "articles", 1));
        are_sound(&[&first, &second]);
    }
}
