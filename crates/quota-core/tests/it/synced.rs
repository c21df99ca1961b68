//! What a provider says of its subscriptions, on a stage (S1, S10 to S13, P6, P12, P13).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command, GivePlan, Subscribe, SyncSubscription};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::ids::{PriceId, ProviderCode, SubscriptionRef};
use quota_core::provider::{
    Problem, ProviderChange, ProviderItem, ProviderPeriod, ProviderSubscription, Target, target,
};
use quota_core::quantity::Quantity;
use quota_core::terms::{Status, Subscription, Terms};

use crate::several_limits::at;
use crate::stage::{Stage, consume, id, plan_code};
use crate::with_catalog::with_catalog;

const SHOP: &str = r#"
default_plan = "free"

[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "free"
name = "Free"
limits = { images = 1 }

[[plan]]
code = "small"
name = "Small"
price = 300
limits = { images = 10 }
provider_prices = { stripe = ["price_small"] }

[[plan]]
code = "basic"
name = "Basic"
price = 500
limits = { images = 100, albums = 3 }
provider_prices = { stripe = ["price_basic", "price_basic_year"] }

[[plan]]
code = "pro"
name = "Pro"
price = 900
limits = { images = 1000, albums = 9 }
provider_prices = { stripe = ["price_pro"] }

[[plan]]
code = "team"
name = "Team"
price = 700
limits = { images = { limit = 20, per_seat = true } }
provider_prices = { stripe = ["price_team"] }

[[plan]]
code = "strict"
name = "Strict"
price = 400
limits = { images = 7 }
provider_prices = { stripe = ["price_strict"] }
renewal = "when_paid"

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
limits = { images = 50 }
provider_prices = { stripe = ["price_more"] }
"#;

fn stripe() -> ProviderCode {
    ProviderCode::new("stripe").expect("a literal code")
}

fn sub_id(text: &str) -> SubscriptionRef {
    SubscriptionRef::new(text).expect("a literal id")
}

fn price(text: &str) -> PriceId {
    PriceId::new(text).expect("a literal id")
}

fn span(from: &str, to: &str) -> ProviderPeriod {
    ProviderPeriod {
        starts_at: at(from),
        ends_at: at(to),
    }
}

fn item(text: &str, quantity: u64) -> ProviderItem {
    ProviderItem {
        price: price(text),
        quantity: Some(quantity),
        period: None,
    }
}

/// A subscription of April, active.
fn april(id: &str, text: &str) -> ProviderSubscription {
    ProviderSubscription {
        id: sub_id(id),
        status: "active".to_owned(),
        items: vec![item(text, 1)],
        period: Some(span("2027-04-01T10:00:00Z", "2027-05-01T10:00:00Z")),
        is_paid: None,
        cancel_at: None,
        ended_at: None,
        trial_end: None,
        created: at("2027-04-01T10:00:00Z"),
        has_pending_update: false,
        scheduled: None,
        is_collection_paused: false,
    }
}

fn with_status(fact: ProviderSubscription, status: &str) -> ProviderSubscription {
    ProviderSubscription {
        status: status.to_owned(),
        ..fact
    }
}

/// A user, on 10 April.
fn user() -> Stage {
    let mut stage = with_catalog(Stage::user(""), SHOP);
    stage.now = at("2027-04-10T10:00:00Z");
    stage
}

impl Stage {
    fn sync_at(&mut self, fetched_at: DateTime<Utc>, facts: &[ProviderSubscription]) -> Answer {
        let command = Command::SyncSubscription(SyncSubscription {
            provider: stripe(),
            subscriptions: facts.to_vec(),
            fetched_at,
        });
        let outcome = self.run("user:a", command).expect("it fits");
        outcome.operation.answer.clone()
    }

    /// A fetch that begins now; the same once more changes nothing.
    fn sync(&mut self, facts: &[ProviderSubscription]) {
        self.sync_at(self.now, facts);
        let later = self.now + TimeDelta::seconds(1);
        assert_eq!(self.sync_at(later, facts), Answer::Unchanged);
        assert_eq!(audit(&self.records()), []);
    }

    fn terms(&self) -> &Terms {
        &self.home.accounts[&id("user:a")].terms
    }

    fn held(&self) -> Subscription {
        let held = self.terms().subscription.as_ref().expect("there is one");
        held.current(&self.catalog, self.now).into_owned()
    }

    fn left(&mut self) -> Option<u64> {
        self.remaining("user:a", "images")
    }

    fn would_be(&self, facts: &[ProviderSubscription]) -> Target {
        let known = (self.terms(), &self.catalog);
        target(&stripe(), facts, known, (self.now, TimeDelta::hours(72)))
    }
}

/// E28 and S11: a change of plan that keeps the period keeps what was used; one that begins a period restarts.
#[test]
fn e28_a_change_of_plan_goes_by_the_providers_period() {
    let used = || {
        let mut stage = user();
        stage.sync(&[april("sub_1", "price_basic")]);
        stage.done("user:a", consume("images", 90));
        stage.done("user:a", consume("albums", 2));
        stage
    };
    let mut kept = used();
    kept.sync(&[april("sub_1", "price_pro")]);
    assert_eq!(kept.left(), Some(910));
    let mut begun = used();
    let mut upgraded = april("sub_1", "price_pro");
    upgraded.period = Some(span("2027-04-10T10:00:00Z", "2027-05-10T10:00:00Z"));
    begun.later(TimeDelta::seconds(5));
    begun.sync(&[upgraded]);
    assert_eq!(begun.left(), Some(1000));
    assert_eq!(begun.remaining("user:a", "albums"), Some(7));
    // No unit is gained by changing to and fro.
    for _ in 0..50 {
        kept.later(TimeDelta::seconds(10));
        kept.sync(&[april("sub_1", "price_basic")]);
        assert_eq!(kept.left(), Some(10));
        kept.later(TimeDelta::seconds(10));
        kept.sync(&[april("sub_1", "price_pro")]);
    }
    assert_eq!(kept.left(), Some(910));
}

/// E29 and S10: a provider that is silent at the end of a period leaves it running in the next one for the grace; what was used
/// in it stays when the provider names it.
#[test]
fn e29_a_silent_provider_leaves_its_subscription_running_for_the_grace() {
    let mut fact = april("sub_1", "price_small");
    let unheard = || {
        let mut stage = user();
        stage.sync(&[april("sub_1", "price_small")]);
        stage.done("user:a", consume("images", 7));
        stage.now = at("2027-05-01T10:01:00Z");
        assert_eq!(stage.left(), Some(10));
        let held = stage.held();
        assert_eq!(held.status, Status::PastDue);
        assert_eq!(held.past_due_at, Some(at("2027-05-01T10:00:00Z")));
        stage.done("user:a", consume("images", 4));
        // Jobs take nothing of it back.
        let expired = stage.run("user:a", Command::ExpireSubscription);
        assert_eq!(
            expired.expect("it fits").operation.answer,
            Answer::Unchanged
        );
        let close = Command::CloseWindows(CloseWindows::default());
        stage.run("user:a", close).expect("it fits");
        assert_eq!(stage.left(), Some(6));
        stage
    };
    let (mut stage, mut silent) = (unheard(), unheard());
    // Months later too nothing is in force; heard of again it is as the provider says.
    for now in ["2027-05-04T10:01:00Z", "2027-08-09T10:00:00Z"] {
        silent.now = at(now);
        let denied = silent.denied("user:a", consume("images", 1));
        assert_eq!(denied.reason, Reason::SubscriptionExpired);
    }
    fact.period = Some(span("2027-05-01T10:00:00Z", "2027-06-01T10:00:00Z"));
    stage.sync(std::slice::from_ref(&fact));
    assert_eq!(stage.held().status, Status::Active);
    assert_eq!(stage.left(), Some(6), "what was used unheard stays");
    fact.period = Some(span("2027-08-01T10:00:00Z", "2027-09-01T10:00:00Z"));
    silent.sync(&[fact]);
    assert_eq!(silent.left(), Some(10));
}

/// S10: one that is set to end ends, a trial goes on for an hour, and a plan that renews when it is paid grants nothing unheard.
#[test]
fn s10_what_was_to_end_ends_and_a_trial_goes_on_for_an_hour() {
    let end = at("2027-05-01T10:00:00Z");
    let mut ending = april("sub_1", "price_basic");
    ending.cancel_at = Some(end);
    let mut strict = april("sub_1", "price_strict");
    strict.is_paid = Some(true);
    let trial = with_status(april("sub_1", "price_basic"), "trialing");
    for (fact, minutes, wanted) in [
        (&ending, 1, Some(1)),
        (&trial, 59, Some(100)),
        (&trial, 61, Some(1)),
        (&strict, 1, None),
    ] {
        let mut stage = user();
        stage.sync(std::slice::from_ref(fact));
        stage.now = end + TimeDelta::minutes(minutes);
        assert_eq!(stage.left(), wanted, "{} {minutes}", fact.status);
    }
}

/// S11: with a plan that renews when it is paid a period grants nothing before its invoice is paid.
#[test]
fn s11_a_period_may_wait_for_its_invoice() {
    let mut stage = user();
    let mut fact = april("sub_1", "price_strict");
    for (is_paid, left) in [(None, None), (Some(false), None), (Some(true), Some(7))] {
        fact.is_paid = is_paid;
        stage.now += TimeDelta::seconds(10);
        stage.sync_at(stage.now, std::slice::from_ref(&fact));
        assert_eq!(stage.left(), left, "{is_paid:?}");
    }
    stage.now = at("2027-05-01T10:00:10Z");
    fact.period = Some(span("2027-05-01T10:00:00Z", "2027-06-01T10:00:00Z"));
    fact.is_paid = Some(false);
    stage.sync(std::slice::from_ref(&fact));
    assert_eq!(stage.left(), None);
    fact.is_paid = Some(true);
    stage.later(TimeDelta::hours(1));
    stage.sync(&[fact]);
    assert_eq!(stage.left(), Some(7));
}

/// S12: an upgrade whose payment is outstanding does not act, neither in plan nor in seats; grace runs from the first
/// late payment that was seen, and a recovery clears it.
#[test]
fn s12_an_unpaid_upgrade_keeps_the_plan_last_paid_for() {
    let mut stage = user();
    stage.sync(&[april("sub_1", "price_basic")]);
    stage.later(TimeDelta::hours(1));
    let late = with_status(april("sub_1", "price_pro"), "past_due");
    stage.sync(std::slice::from_ref(&late));
    let held = stage.held();
    assert_eq!(
        (held.plan.as_str(), held.status),
        ("basic", Status::PastDue)
    );
    let since = held.past_due_at;
    stage.later(TimeDelta::hours(1));
    stage.sync(&[late]);
    assert_eq!(stage.held().past_due_at, since);
    stage.later(TimeDelta::hours(1));
    stage.sync(&[april("sub_1", "price_pro")]);
    let held = stage.held();
    assert_eq!((held.plan.as_str(), held.past_due_at), ("pro", None));
    let mut team = april("sub_1", "price_team");
    team.items = vec![item("price_team", 5)];
    stage.later(TimeDelta::hours(1));
    stage.sync(std::slice::from_ref(&team));
    team.items = vec![item("price_team", 9)];
    stage.later(TimeDelta::hours(1));
    stage.sync(&[with_status(team, "past_due")]);
    assert_eq!(stage.held().seats.get(), 5);
}

/// E30, P13: seats and add-ons are those of the items, of all that is in force; what is no longer sold ends, and what an operator
/// gave stays.
#[test]
fn p13_seats_and_addons_are_those_of_the_items() {
    let mut stage = user();
    let mut team = april("sub_1", "price_team");
    team.items = vec![item("price_team", 5), item("price_more", 2)];
    stage.sync(std::slice::from_ref(&team));
    assert_eq!(stage.left(), Some(200));
    stage.done("user:a", consume("images", 150));
    team.items = vec![item("price_team", 3)];
    stage.later(TimeDelta::hours(1));
    stage.sync(std::slice::from_ref(&team));
    assert_eq!(stage.left(), Some(0), "60 of which 150 are used (S6)");
    // Of a subscription beside it too, as long as that is in force.
    let mut beside = april("sub_2", "price_more");
    stage.later(TimeDelta::hours(1));
    stage.sync(&[team.clone(), beside.clone()]);
    assert_eq!(
        stage
            .balance_of("user:a", Scope::User, "images", None)
            .added
            .and_then(quota_core::amount::Limit::ceiling),
        Some(50)
    );
    beside.ended_at = Some(stage.now);
    stage.later(TimeDelta::hours(1));
    stage.sync(&[team, with_status(beside, "canceled")]);
    assert_eq!(
        stage
            .balance_of("user:a", Scope::User, "images", None)
            .added,
        None
    );
}

/// P12: of several in force the dearer plan counts, then the later start, then the id, in whatever order they are listed; the end
/// of another one ends nothing.
#[test]
fn p12_of_several_subscriptions_one_is_the_base() {
    let basic = april("sub_1", "price_basic");
    let pro = april("sub_2", "price_pro");
    let ended = |fact: &ProviderSubscription| ProviderSubscription {
        ended_at: Some(at("2027-04-09T10:00:00Z")),
        ..with_status(fact.clone(), "canceled")
    };
    for facts in [[basic.clone(), pro.clone()], [pro.clone(), basic.clone()]] {
        let mut stage = user();
        stage.sync(&facts);
        assert_eq!(stage.held().plan.as_str(), "pro");
        let problems = stage.would_be(&facts).problems;
        assert!(matches!(
            problems.as_slice(),
            [Problem::SeveralSubscriptions { .. }]
        ));
        stage.later(TimeDelta::hours(1));
        stage.sync(&[basic.clone(), ended(&pro)]);
        assert_eq!(stage.held().plan.as_str(), "basic");
        // Resubscribed: the end of the old one is told late, and ends nothing.
        stage.later(TimeDelta::hours(1));
        stage.sync(&[ended(&pro)]);
        assert_eq!(stage.held().plan.as_str(), "basic");
    }
    let mut later = april("sub_0", "price_basic");
    later.created = at("2027-04-02T10:00:00Z");
    let mut stage = user();
    stage.sync(&[basic.clone(), later]);
    assert_eq!(
        stage.held().provided.map(|one| one.subscription),
        Some(sub_id("sub_0"))
    );
    let mut stage = user();
    stage.sync(&[april("sub_3", "price_basic"), basic]);
    assert_eq!(
        stage.held().provided.map(|one| one.subscription),
        Some(sub_id("sub_3"))
    );
}

/// P12 and S7: its own end ends it at once, and the default plan lives on; it is not revived, a new one begins anew.
#[test]
fn p12_its_own_end_ends_it_and_a_new_one_begins() {
    let mut stage = user();
    let fact = april("sub_1", "price_basic");
    stage.sync(std::slice::from_ref(&fact));
    let mut over = with_status(fact.clone(), "canceled");
    over.ended_at = Some(at("2027-04-10T12:00:00Z"));
    stage.now = at("2027-04-10T12:00:05Z");
    stage.sync(&[over.clone()]);
    assert_eq!(stage.held().plan.as_str(), "free");
    let terms = stage.terms().subscription.clone().expect("kept");
    assert_eq!(terms.cancel_at, over.ended_at);
    stage.later(TimeDelta::hours(1));
    stage.sync_at(stage.now, &[fact]);
    assert_eq!(stage.held().plan.as_str(), "free", "never revived");
    let mut new = april("sub_2", "price_small");
    new.period = Some(span("2027-04-10T13:00:00Z", "2027-05-10T13:00:00Z"));
    stage.sync(&[over, new]);
    assert_eq!(stage.left(), Some(10));
}

/// P12: a price that stands for nothing changes nothing, and is told; so does a status that nobody knows, and one without a period.
#[test]
fn p12_what_is_unknown_changes_nothing_and_is_told() {
    let mut stage = user();
    stage.sync(&[april("sub_1", "price_basic")]);
    stage.later(TimeDelta::hours(1));
    let before = stage.held();
    let unknown = april("sub_1", "price_of_tomorrow");
    let odd = with_status(april("sub_1", "price_pro"), "of_tomorrow");
    for fact in [unknown, odd] {
        let facts = [fact];
        assert_eq!(stage.sync_at(stage.now, &facts), Answer::Unchanged);
        assert_eq!(stage.held(), before);
        let problems = stage.would_be(&facts).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    let mut bare = april("sub_1", "price_pro");
    bare.period = None;
    stage.sync(std::slice::from_ref(&bare));
    assert_eq!(
        (stage.held().plan.as_str(), stage.held().ends_at),
        ("pro", before.ends_at)
    );
    assert!(matches!(
        stage.would_be(&[bare]).problems.as_slice(),
        [Problem::NoPeriod { .. }]
    ));
    // An item beside the plan's that nobody knows does not hold the plan up.
    let mut fee = april("sub_1", "price_basic");
    fee.items.push(item("price_fee", 1));
    stage.later(TimeDelta::hours(1));
    stage.sync(&[fee]);
    assert_eq!(stage.held().plan.as_str(), "basic");
}

/// P6: of two fetches the one that began last counts, in whatever order they are told.
#[test]
fn p6_a_fetch_that_began_earlier_changes_nothing() {
    let mut stage = user();
    let (early, late) = (stage.now, stage.now + TimeDelta::seconds(9));
    stage.sync_at(late, &[april("sub_1", "price_pro")]);
    let answer = stage.sync_at(early, &[april("sub_1", "price_basic")]);
    assert_eq!(answer, Answer::Unchanged);
    assert_eq!(stage.held().plan.as_str(), "pro");
}

/// S1: nothing is granted by what was never paid; S13: a second trial is told.
#[test]
fn s1_and_s13_unpaid_grants_nothing_and_a_second_trial_is_told() {
    for status in ["incomplete", "incomplete_expired", "paused", "unpaid"] {
        let mut stage = user();
        stage.sync(&[with_status(april("sub_1", "price_basic"), status)]);
        assert_eq!(stage.terms().subscription, None, "{status}");
        stage.sync(&[april("sub_1", "price_basic")]);
        stage.later(TimeDelta::hours(1));
        stage.sync(&[with_status(april("sub_1", "price_basic"), status)]);
        let is_ended = status == "incomplete_expired";
        assert_eq!(stage.left(), is_ended.then_some(1), "{status}");
    }
    let mut stage = user();
    let trial = with_status(april("sub_1", "price_basic"), "trialing");
    assert_eq!(stage.would_be(std::slice::from_ref(&trial)).problems, []);
    stage.sync(std::slice::from_ref(&trial));
    let mut over = with_status(trial, "canceled");
    over.ended_at = Some(stage.now);
    let second = with_status(april("sub_2", "price_pro"), "trialing");
    let facts = [over, second];
    stage.later(TimeDelta::hours(1));
    let problems = stage.would_be(&facts).problems;
    assert!(
        matches!(problems.as_slice(), [Problem::SecondTrial { .. }]),
        "{problems:?}"
    );
    stage.sync(&facts);
    assert_eq!(stage.held().plan.as_str(), "pro", "the provider decides");
}

/// S11 and W2: periods go on at the provider's dates, a scheduled change is shown and acts when the item changes, and what was
/// set to end runs on when that is taken back.
#[test]
fn s11_periods_changes_and_ends_are_the_providers() {
    let mut stage = user();
    let mut fact = april("sub_1", "price_pro");
    fact.items[0].period = Some(span("2027-03-31T10:00:00Z", "2027-04-30T10:00:00Z"));
    stage.sync(std::slice::from_ref(&fact));
    assert_eq!(
        stage.held().ends_at,
        at("2027-04-30T10:00:00Z"),
        "the item's"
    );
    fact.scheduled = Some(ProviderChange {
        price: price("price_basic"),
        at: at("2027-04-30T10:00:00Z"),
    });
    stage.later(TimeDelta::hours(1));
    stage.sync(std::slice::from_ref(&fact));
    let scheduled = stage.held().scheduled.expect("it is listed");
    assert_eq!(scheduled.plan.as_str(), "basic");
    stage.now = at("2027-04-30T10:00:30Z");
    assert_eq!(stage.held().plan.as_str(), "pro", "until the item changes");
    let mut next = april("sub_1", "price_basic");
    next.period = Some(span("2027-04-30T10:00:00Z", "2027-05-31T10:00:00Z"));
    stage.sync(std::slice::from_ref(&next));
    let held = stage.held();
    assert_eq!((held.plan.as_str(), held.scheduled), ("basic", None));
    next.cancel_at = Some(at("2027-05-20T00:00:00Z"));
    stage.later(TimeDelta::hours(1));
    stage.sync(std::slice::from_ref(&next));
    assert_eq!(stage.held().canceled_at(), next.cancel_at);
    next.cancel_at = None;
    stage.later(TimeDelta::hours(1));
    stage.sync(&[next]);
    assert_eq!(stage.held().canceled_at(), None);
    stage.now = at("2027-05-25T00:00:00Z");
    assert_eq!(stage.left(), Some(100));
}

/// P12 and P16: what was given by hand gives way to what is paid for, and no provider's end ends it; a subscription of another
/// customer is compared, and not ended.
#[test]
fn p12_what_is_held_by_hand_gives_way_and_is_not_ended() {
    let mut stage = user();
    let mut by_hand = Subscribe::to(plan_code("pro"));
    by_hand.ends_at = Some(at("2027-06-01T00:00:00Z"));
    stage.done("user:a", Command::Subscribe(by_hand));
    let mut over = with_status(april("sub_1", "price_basic"), "canceled");
    over.ended_at = Some(at("2027-04-05T00:00:00Z"));
    stage.sync(&[over]);
    assert_eq!(stage.held().plan.as_str(), "pro");
    stage.later(TimeDelta::hours(1));
    stage.sync(&[april("sub_2", "price_basic")]);
    assert_eq!(stage.held().plan.as_str(), "basic");
    stage.later(TimeDelta::hours(1));
    stage.sync(&[april("sub_3", "price_small")]);
    assert_eq!(
        stage.held().plan.as_str(),
        "basic",
        "that of the other customer is dearer"
    );
    stage.later(TimeDelta::hours(1));
    stage.sync(&[april("sub_4", "price_pro")]);
    assert_eq!(stage.held().plan.as_str(), "pro");
}

/// P15: a provider decides what follows its subscription, so nothing is given behind it; once that has ended, something is.
#[test]
fn no_plan_is_given_behind_what_a_provider_renews() {
    let mut stage = user();
    stage.sync(&[april("sub_1", "price_basic")]);
    let give = Command::GivePlan(GivePlan {
        plan: plan_code("pro"),
        days: 30,
        seats: Quantity::ONE,
    });
    let refused = stage.run("user:a", give.clone());
    let refused = refused.expect_err("it would be dropped");
    assert_eq!(refused.code(), "subscription_provided");
    stage.sync(&[with_status(april("sub_1", "price_basic"), "canceled")]);
    stage.run("user:a", give).expect("it fits");
    assert_eq!(stage.left(), Some(1000));
}
