//! Boosts: units of one feature until an instant, between the allowance and credits (C13, F1).

use crate::relocated::relocated;
use crate::stage::{
    GRACE, Stage, amount, code, commit, consume, grant, id, member, put_account, refund, reserve,
    subscribe, track,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::change::Change;
use quota_core::command::{
    AccountSpec, BOOSTS_MAX, CloseWindows, Command, GiveBoost, Renew, Reset, SetStatus,
    TakeBackBoost,
};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::emptied::Emptied;
use quota_core::event::EventKind;
use quota_core::ids::BoostId;
use quota_core::operation::Operation;
use quota_core::rules::context::Context;
use quota_core::rules::share::charged;
use quota_core::terms::Status;

pub fn boost_id(text: &str) -> BoostId {
    BoostId::new(text).expect("a literal id")
}

/// A boost until the end of the running period.
pub fn boost(boost: &str, feature: &str, units: u64) -> Command {
    give(boost, feature, (units, None))
}

fn give(boost: &str, feature: &str, (units, ends_at): (u64, Option<DateTime<Utc>>)) -> Command {
    Command::GiveBoost(GiveBoost {
        boost: boost_id(boost),
        feature: code(feature),
        amount: amount(units),
        ends_at,
    })
}

fn take_back(boost: &str) -> Command {
    let boost = boost_id(boost);
    Command::TakeBackBoost(TakeBackBoost { boost })
}

fn close_windows() -> Command {
    Command::CloseWindows(CloseWindows::default())
}

/// What a live boost has used and holds.
fn standing(stage: &Stage, account: &str, feature: &str, boost: &str) -> (u64, u64) {
    let bucket = Bucket::Boost(code(feature), boost_id(boost));
    let books = &stage.home.accounts[&id(account)].books;
    let found = books.balance(&bucket).expect("it is live");
    (found.used, found.held)
}

fn is_live(stage: &Stage, account: &str, feature: &str, boost: &str) -> bool {
    let bucket = Bucket::Boost(code(feature), boost_id(boost));
    let books = &stage.home.accounts[&id(account)].books;
    books.balance(&bucket).is_some()
}

/// Units left in the boosts of a user.
fn left(stage: &mut Stage, feature: &str) -> u64 {
    stage
        .balance_of("user:a", Scope::User, feature, None)
        .boosts
}

fn draws(operation: &Operation, scope: Scope) -> Vec<(Source, i64)> {
    let of_scope = operation
        .entries
        .iter()
        .filter(|entry| entry.scope == scope && !entry.bucket.is_member());
    of_scope
        .map(|entry| (entry.source, entry.used + entry.held + entry.overage))
        .collect()
}

fn rejected(stage: &mut Stage, account: &str, command: Command) -> Rejection {
    let before = stage.home.clone();
    let refused = stage.run(account, command).map(drop);
    assert_eq!(stage.home, before, "what is refused changes nothing");
    refused.expect_err("it is refused")
}

/// F1: the allowance first, then boosts, then credits; `remaining` is that of the allowance, boosts stand beside it, and
/// lifetime counts all.
#[test]
fn f1_boosts_pay_after_the_allowance_and_before_credits() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 5));
    stage.done("user:a", boost("sale", "try_on", 2));
    stage.done("user:a", consume("try_on", 9));
    let shown = stage.balance_of("user:a", Scope::User, "try_on", None);
    assert_eq!((shown.remaining, shown.boosts), (Some(1), 2));
    let done = stage.done("user:a", consume("try_on", 6));
    let paid = [
        (Source::Allowance, 1),
        (Source::Boost, 2),
        (Source::Credits, 3),
    ];
    assert_eq!(draws(&done, Scope::User), paid);
    let shown = stage.balance_of("user:a", Scope::User, "try_on", None);
    assert_eq!((shown.remaining, shown.boosts), (Some(0), 0));
    assert_eq!((shown.used, shown.credits), (10, Some(2)));
    assert_eq!(stage.lifetime("user:a", "try_on"), 15);
    let denied = stage.denied("user:a", consume("try_on", 3));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::LimitReached, 2),
        "credits"
    );
    assert_eq!(audit(&stage.records()), []);
}

/// F1: the boost that ends first pays before the others; what is left of one that is over pays nothing, from its very end.
#[test]
fn f1_the_boost_that_ends_first_pays_first_and_ends_at_its_instant() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("requests", 10));
    let later = |stage: &Stage, hours| Some(stage.now + TimeDelta::hours(hours));
    let (long, short) = (later(&stage, 9), later(&stage, 3));
    stage.done("user:a", give("long", "requests", (5, long)));
    stage.done("user:a", give("short", "requests", (5, short)));
    stage.done("user:a", consume("requests", 6));
    assert_eq!(standing(&stage, "user:a", "requests", "short"), (5, 0));
    assert_eq!(standing(&stage, "user:a", "requests", "long"), (1, 0));
    let end = later(&stage, 3);
    stage.done("user:a", give("gone", "requests", (7, end)));
    stage.later(TimeDelta::hours(3) - TimeDelta::microseconds(1));
    assert_eq!(left(&mut stage, "requests"), 11);
    stage.later(TimeDelta::microseconds(1));
    assert_eq!(left(&mut stage, "requests"), 4);
    assert_eq!(stage.denied("user:a", consume("requests", 5)).available, 4);
    stage.done("user:a", consume("requests", 4));
    assert_eq!(standing(&stage, "user:a", "requests", "gone"), (0, 0));
}

/// F2: where no allowance counts, boosts pay first, as they end; then credits, then the trial. A boost is of its feature only.
#[test]
fn f2_without_an_allowance_boosts_pay_before_credits_and_trial() {
    let mut stage = Stage::user("");
    let ends_at = Some(stage.now + TimeDelta::days(1));
    stage.done("user:a", grant("pack", 2));
    stage.done("user:a", give("sale", "try_on", (3, ends_at)));
    stage.done("user:a", give("other", "articles", (9, ends_at)));
    let done = stage.done("user:a", consume("try_on", 6));
    let paid = [(Source::Boost, 3), (Source::Credits, 2), (Source::Trial, 1)];
    assert_eq!(draws(&done, Scope::User), paid);
    let denied = stage.denied("user:a", consume("articles", 10));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::NoSubscription, 9)
    );
    stage.done("user:a", consume("articles", 9));
    assert_eq!(audit(&stage.records()), []);
}

/// F4: what boosts and the rest cannot pay together is denied, with nothing drawn; `available` has the boosts in it.
#[test]
fn a_denial_counts_boosts_and_draws_nothing() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", boost("sale", "articles", 4));
    stage.done("user:a", consume("articles", 48));
    let before = stage.home.clone();
    let denied = stage.denied("user:a", consume("articles", 7));
    assert_eq!((denied.reason, denied.available), (Reason::LimitReached, 6));
    assert_eq!(stage.home, before);
}

/// U1: an unlimited user draws on no boost; O1: its org's boosts pay at the org, after the org's allowance.
#[test]
fn an_orgs_boosts_pay_for_its_members_and_an_unlimited_user_draws_on_none() {
    let mut stage = Stage::org("basic");
    stage.done("org:o", boost("sale", "articles", 30));
    let own = Some(stage.now + TimeDelta::days(1));
    stage.done("user:a", give("own", "articles", (9, own)));
    stage.done("user:b", put_account(member()));
    stage.done("user:a", consume("articles", 45));
    let done = stage.done("user:b", consume("articles", 20));
    assert_eq!(
        draws(&done, Scope::Org),
        [(Source::Allowance, 5), (Source::Boost, 15)]
    );
    stage.done("user:a", consume("articles", 4));
    assert_eq!(standing(&stage, "user:a", "articles", "own"), (0, 0));
    assert_eq!(standing(&stage, "org:o", "articles", "sale"), (19, 0));
    let denied = stage.denied("user:b", consume("articles", 12));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::OrgLimitReached, 11)
    );
    assert_eq!(stage.lifetime("org:o", "articles"), 69);
    // O6: what the org was charged for a member has the units of its boosts in it.
    assert_eq!(of_members(&stage), [49, 20]);
    stage.done("user:b", refund(done.id, Some(16)));
    assert_eq!(of_members(&stage), [49, 4]);
    assert_eq!(standing(&stage, "org:o", "articles", "sale"), (4, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// What the org was charged for its two members.
fn of_members(stage: &Stage) -> [u64; 2] {
    let context = Context {
        now: stage.now,
        catalog: &stage.catalog,
        grace: GRACE,
    };
    let articles = &stage.catalog.features[&code("articles")];
    let org = &stage.home.accounts[&id("org:o")];
    ["user:a", "user:b"].map(|user| {
        let shares = &stage.home.accounts[&id(user)].books.shares;
        charged(&context, org, articles, shares)
    })
}

/// C13: without an end a boost ends with the running period, and no renewal makes it longer; where no subscription is in
/// force, an end must be said.
#[test]
fn c13_a_boost_ends_with_the_period_unless_its_end_is_said() {
    let mut stage = Stage::user("");
    let none = rejected(&mut stage, "user:a", boost("sale", "articles", 5));
    assert_eq!(none, Rejection::EndRequired { field: "ends_at" });
    assert_eq!(none.field(), Some("ends_at"));
    stage.done("user:a", subscribe("basic"));
    let period = stage.home.accounts[&id("user:a")]
        .terms
        .subscription
        .clone()
        .expect("it was started");
    let given = stage.done("user:a", boost("sale", "articles", 5));
    assert_eq!(given.entries[0].granted, 5);
    assert_eq!(given.entries[0].feature, Some(code("articles")));
    let reason = Change::BoostGiven;
    let event = stage.events.last().expect("it was announced");
    assert_eq!(event.kind, EventKind::QuotaUpdated { reason });
    let bucket = Bucket::Boost(code("articles"), boost_id("sale"));
    let books = &stage.home.accounts[&id("user:a")].books;
    let ends_at = books.balance(&bucket).expect("it is live").ends_at;
    assert_eq!(ends_at, Some(period.ends_at));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    stage.now = period.ends_at;
    assert_eq!(left(&mut stage, "articles"), 0);
    assert_eq!(
        stage.denied("user:a", consume("articles", 51)).available,
        50
    );
    let status = Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    let unpaid = rejected(&mut stage, "user:a", boost("next", "articles", 5));
    assert_eq!(unpaid, Rejection::EndRequired { field: "ends_at" });
}

/// Bad input names its field: an end that is not in the future, a capacity, an unknown feature, an id that was given before
/// (of whatever feature, closed or not), one boost too many.
#[test]
fn a_boost_that_cannot_be_is_refused_by_its_field() {
    let mut stage = Stage::user("pro");
    let now = Some(stage.now);
    let past = rejected(&mut stage, "user:a", give("b", "articles", (5, now)));
    assert_eq!(past, Rejection::NotInFuture { field: "ends_at" });
    // S6: what is occupied would stay when it ends.
    for capacity in ["storage", "albums"] {
        let refused = rejected(&mut stage, "user:a", boost("b", capacity, 5));
        assert_eq!(refused, Rejection::NotConsumable(code(capacity)));
        assert_eq!(refused.field(), Some("feature"));
    }
    let unknown = rejected(&mut stage, "user:a", boost("b", "nothing", 5));
    assert_eq!(unknown, Rejection::UnknownFeature(code("nothing")));
    stage.done("user:a", boost("b", "requests", 1));
    let twice = rejected(&mut stage, "user:a", boost("b", "articles", 5));
    assert_eq!(twice, Rejection::BoostExists);
    stage.done("user:a", consume("requests", 11));
    stage.done("user:a", close_windows());
    assert!(!is_live(&stage, "user:a", "requests", "b"));
    let closed = rejected(&mut stage, "user:a", boost("b", "articles", 5));
    assert_eq!(closed, Rejection::BoostExists);
    for number in 0..BOOSTS_MAX {
        stage.done("user:a", boost(&format!("n{number}"), "articles", 1));
    }
    let full = rejected(&mut stage, "user:a", boost("more", "articles", 5));
    assert_eq!(
        full,
        Rejection::Full {
            field: "boost",
            most: BOOSTS_MAX,
            next: "give more at once, or use some up first"
        }
    );
    stage.done("user:a", take_back("n0"));
    stage.done("user:a", boost("more", "articles", 5));
    assert_eq!(audit(&stage.records()), []);
}

/// R2 and R6: what was drawn last goes back first, to the boost that it came from; what is used beyond a hold is taken from
/// boosts too, and what nothing pays is overage of the window, not of a boost.
#[test]
fn a_hold_on_a_boost_is_settled_in_order() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", boost("sale", "articles", 10));
    let held = stage.done("user:a", reserve("articles", 54, 600));
    assert_eq!(
        draws(&held, Scope::User),
        [(Source::Allowance, 50), (Source::Boost, 4)]
    );
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (0, 4));
    stage.done("user:a", commit(held.id, 52));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (2, 0));
    let more = stage.done("user:a", reserve("articles", 3, 600));
    stage.done("user:a", commit(more.id, 12));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (10, 0));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (50, 0, 4)
    );
    assert_eq!(stage.lifetime("user:a", "articles"), 64);
    assert_eq!(audit(&stage.records()), []);
}

/// R4 and R6: an expired hold gives back; to a boost that is over meanwhile in the books only. A hold outlasts its boost, and is
/// settled as it was drawn.
#[test]
fn a_hold_outlasts_its_boost() {
    let mut stage = Stage::user("basic");
    let ends_at = Some(stage.now + TimeDelta::seconds(100));
    stage.done("user:a", give("sale", "articles", (10, ends_at)));
    stage.done("user:a", consume("articles", 50));
    stage.done("user:a", reserve("articles", 3, 60));
    let kept = stage.done("user:a", reserve("articles", 4, 900));
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", Command::Sweep);
    assert_eq!(left(&mut stage, "articles"), 6);
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", close_windows());
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (0, 4));
    stage.done("user:a", commit(kept.id, 3));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (3, 0));
    assert_eq!(left(&mut stage, "articles"), 0);
    stage.done("user:a", close_windows());
    assert!(!is_live(&stage, "user:a", "articles", "sale"));
    assert_eq!(audit(&stage.records()), []);
}

/// X3 and R6: a refund goes back to the boost, also when the books have closed it; one that is over stays over.
#[test]
fn a_refund_goes_back_to_its_boost() {
    let mut stage = Stage::user("basic");
    let ends_at = Some(stage.now + TimeDelta::hours(1));
    stage.done("user:a", give("sale", "articles", (5, ends_at)));
    stage.done("user:a", consume("articles", 49));
    let spent = stage.done("user:a", consume("articles", 6));
    stage.done("user:a", close_windows());
    assert!(
        !is_live(&stage, "user:a", "articles", "sale"),
        "it is spent"
    );
    stage.done("user:a", refund(spent.id, Some(2)));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (3, 0));
    stage.done("user:a", consume("articles", 2));
    stage.later(TimeDelta::hours(2));
    stage.done("user:a", close_windows());
    stage.done("user:a", refund(spent.id, Some(3)));
    assert_eq!(left(&mut stage, "articles"), 0);
    assert!(!is_live(&stage, "user:a", "articles", "sale"), "it is over");
    assert_eq!(stage.denied("user:a", consume("articles", 1)).available, 0);
    assert_eq!(stage.lifetime("user:a", "articles"), 52);
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and X6: tracked use takes boosts as a request would, and the rest is overage of the window; a reset of the windows
/// leaves boosts alone.
#[test]
fn tracked_use_takes_boosts_and_a_reset_leaves_them() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", boost("sale", "articles", 5));
    let done = stage.done("user:a", track("articles", 58));
    let taken = [
        (Source::Allowance, 50),
        (Source::Boost, 5),
        (Source::Overage, 3),
    ];
    assert_eq!(draws(&done, Scope::User), taken);
    stage.done("user:a", Command::Reset(Reset::default()));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (0, 0, 0));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (5, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// R5: what is committed when the feature has left the catalog is overage, and of no boost (I14).
#[test]
fn what_is_used_of_a_feature_that_is_gone_is_overage_of_no_boost() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", boost("sale", "articles", 10));
    stage.done("user:a", consume("articles", 50));
    let held = stage.done("user:a", reserve("articles", 4, 600));
    stage.catalog.features.remove(&code("articles"));
    stage.done("user:a", commit(held.id, 6));
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (4, 0));
    assert_eq!(stage.lifetime("user:a", "articles"), 56);
    assert_eq!(audit(&stage.records()), []);
}

/// O6 and X3: a user takes its boosts along into an org and out of it, spent and unspent.
#[test]
fn a_user_that_moves_takes_its_boosts_along() {
    let (mut own, mut org) = (Stage::user("basic"), Stage::org_alone("pro"));
    own.done("user:a", boost("sale", "articles", 10));
    let spent = own.done("user:a", consume("articles", 53));
    relocated(&mut own, &mut org);
    assert_eq!(standing(&org, "user:a", "articles", "sale"), (3, 0));
    let twice = rejected(&mut org, "user:a", boost("sale", "articles", 1));
    assert_eq!(twice, Rejection::BoostExists);
    let done = org.done("user:a", consume("articles", 2));
    assert_eq!(draws(&done, Scope::User), [(Source::Boost, 2)]);
    assert_eq!(draws(&done, Scope::Org), [(Source::Allowance, 2)]);
    org.settle_former(&mut own, refund(spent.id, Some(3)))
        .expect("refunded");
    assert_eq!(standing(&org, "user:a", "articles", "sale"), (2, 0));
    assert_eq!(audit(&own.records()), []);
    assert_eq!(audit(&org.records()), []);
}

/// W5: the books close boosts that are over or spent, when the account is due for that.
#[test]
fn boosts_that_are_over_or_spent_are_closed() {
    let mut stage = Stage::user("basic");
    let ends_at = Some(stage.now + TimeDelta::hours(1));
    stage.done("user:a", give("over", "articles", (9, ends_at)));
    stage.done("user:a", boost("left", "articles", 9));
    let account = &stage.home.accounts[&id("user:a")];
    assert_eq!(account.due_at(), ends_at);
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", close_windows());
    assert!(!is_live(&stage, "user:a", "articles", "over"));
    assert!(is_live(&stage, "user:a", "articles", "left"));
    let account = &stage.home.accounts[&id("user:a")];
    assert!(account.books.closed_boosts.contains(&boost_id("over")));
    assert_eq!(audit(&stage.records()), []);
}

/// C13: what nobody has used or reserved of a boost is taken back; what was used stays, and a refund finds its boost again.
#[test]
fn only_what_is_left_of_a_boost_is_taken_back() {
    let mut stage = Stage::user("basic");
    let unknown = rejected(&mut stage, "user:a", take_back("sale"));
    assert_eq!(unknown, Rejection::UnknownBoost(boost_id("sale")));
    stage.done("user:a", boost("sale", "articles", 10));
    let spent = stage.done("user:a", consume("articles", 53));
    stage.done("user:a", reserve("articles", 2, 600));
    let back = stage.done("user:a", take_back("sale"));
    assert_eq!(back.entries[0].granted, -5);
    assert_eq!(left(&mut stage, "articles"), 0);
    let empty = rejected(&mut stage, "user:a", take_back("sale"));
    let why = Emptied::Reserved;
    assert_eq!(empty, Rejection::BoostEmpty { why });
    assert_eq!(standing(&stage, "user:a", "articles", "sale"), (3, 2));
    stage.done("user:a", refund(spent.id, Some(3)));
    assert_eq!(left(&mut stage, "articles"), 3);
    assert_eq!(audit(&stage.records()), []);
}

/// C5 and F1: use of a carried consumable that a boost paid is not carried.
#[test]
fn a_carried_feature_is_boosted_beyond_what_it_carries() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", boost("sale", "lessons", 5));
    let done = stage.done("user:a", consume("lessons", 23));
    assert_eq!(
        draws(&done, Scope::User),
        [(Source::Allowance, 20), (Source::Boost, 3)]
    );
    assert_eq!(stage.standing("user:a", Scope::User, "lessons"), (20, 0, 0));
}

proptest! {
    /// F1, F2 and F4: a request is drawn whole or not at all over allowance, boosts and credits, from each as much as the
    /// sources before it left open.
    #[test]
    fn a_request_is_drawn_whole_or_not_at_all(
        used in 0_u64..12, boosts in prop::collection::vec((1_u64..6, 1_i64..9), 0..4), credits in 0_u64..8,
        has_plan in any::<bool>(), wanted in 1_u64..30,
    ) {
        let mut stage = Stage::user(if has_plan { "pro" } else { "" });
        if has_plan && used != 0 {
            stage.done("user:a", track("try_on", used));
        }
        let mut boosted = 0;
        for (number, (units, hours)) in boosts.iter().enumerate() {
            let ends_at = Some(stage.now + TimeDelta::hours(*hours));
            stage.done("user:a", give(&format!("b{number}"), "try_on", (*units, ends_at)));
            boosted += units;
        }
        if credits != 0 {
            stage.done("user:a", grant("pack", credits));
        }
        let before = stage.home.clone();
        let first = if has_plan { 10_u64.saturating_sub(used) } else { 0 };
        let trial = if has_plan { 0 } else { 3 };
        let room = first + boosted + credits + trial;
        let outcome = stage.run("user:a", consume("try_on", wanted)).expect("an outcome");
        prop_assert_eq!(outcome.operation.answer.is_allowed(), wanted <= room);
        if room < wanted {
            prop_assert_eq!(&stage.home, &before);
            let denied = stage.denied("user:a", consume("try_on", wanted));
            prop_assert_eq!(denied.available, room);
        } else {
            let of = |source| -> u64 {
                let drawn = draws(&outcome.operation, Scope::User).into_iter();
                drawn.filter(|(of, _)| *of == source).map(|(_, units)| units.unsigned_abs()).sum()
            };
            let mut rest = wanted;
            for (source, most) in [
                (Source::Allowance, first), (Source::Boost, boosted), (Source::Credits, credits), (Source::Trial, trial),
            ] {
                let wanted = rest.min(most);
                prop_assert_eq!(of(source), wanted, "{:?}", source);
                rest -= wanted;
            }
            prop_assert_eq!(rest, 0);
        }
        prop_assert_eq!(audit(&stage.records()), []);
    }
}

/// U8 and F1: a member that is not unlimited draws on its own boosts, and the org on its own for the same request.
#[test]
fn a_member_and_its_org_each_draw_on_their_own_boosts() {
    let mut stage = Stage::org("basic");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(limited));
    stage.done("user:b", subscribe("free"));
    stage.done("org:o", boost("sale", "requests", 4));
    stage.done("user:b", boost("sale", "requests", 6));
    let done = stage.done("user:b", consume("requests", 8));
    assert_eq!(
        draws(&done, Scope::User),
        [(Source::Allowance, 3), (Source::Boost, 5)]
    );
    assert_eq!(
        draws(&done, Scope::Org),
        [(Source::Allowance, 5), (Source::Boost, 3)]
    );
    assert_eq!(audit(&stage.records()), []);
}
