//! What would end a denial (F8).

use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, Command, Consume, SetAddon, SetMemberLimit,
    SetSeats, Subscribe, UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::ids::OrgId;
use quota_core::item::Item;
use quota_core::quantity::Quantity;
use quota_core::rules::check::check_items;
use quota_core::rules::offers::{OFFERS_MAX, Offer, Offers, offers};

use crate::stage::{
    Stage, amount, code, consume, grant, id, item, plan_code, put_account, put_token, subscribe,
    token_id,
};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
credit_cost = 2

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "basic"
name = "Basic"
price = 500
limits = { messages = 10, albums = 3 }

[[plan]]
code = "free"
name = "Free"
limits = { messages = 2, albums = 1 }

[[plan]]
code = "large"
name = "Large"
price = 3000
limits = { messages = 100, albums = 5, sso = true }

[[plan]]
code = "huge"
name = "Huge"
price = 90000
limits = { messages = 1000, albums = "unlimited", sso = true }

[[plan]]
code = "yearly"
name = "Yearly"
price = 5000
interval = "year"
limits = { messages = 10, albums = 3 }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 20 }

[[plan]]
code = "login"
name = "Login"
kind = "addon"
price = 100
limits = { sso = true }
"#;

fn user(plan: &str) -> Stage {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    if !plan.is_empty() {
        stage.done("user:a", subscribe(plan));
    }
    stage
}

fn asked(items: Vec<Item>) -> Consume {
    Consume { token: None, items }
}

fn found(stage: &Stage, asked: &Consume) -> Option<Offers> {
    offers(&stage.context(), &stage.home, &id("user:a"), asked)
}

/// Each offer as a word: `large`, `large now` (it has to be asked for at once), `more 3 of 1` (so many must be had, so many are), `credits 4`.
fn words(offers: Option<&Offers>) -> Vec<String> {
    let word = |offer: &Offer| match offer {
        Offer::Plan { plan, at_once } if *at_once => format!("{} now", plan.code),
        Offer::Plan { plan, .. } => plan.code.to_string(),
        Offer::Addon {
            plan,
            quantity,
            held,
        } => format!("{} {quantity} of {held}", plan.code),
        Offer::Seats { seats, held, .. } => format!("seats {seats} of {held}"),
        Offer::Credits(credits) => format!("credits {}", credits.get()),
        Offer::Pack { pack, quantity } => format!("pack {} {quantity}", pack.code),
    };
    offers
        .into_iter()
        .flat_map(|found| &found.offers)
        .map(word)
        .collect()
}

fn for_items(stage: &Stage, items: Vec<Item>) -> Vec<String> {
    words(found(stage, &asked(items)).as_ref())
}

fn set_addon(plan: &str, number: u32) -> Command {
    Command::SetAddon(SetAddon {
        plan: plan_code(plan),
        quantity: Quantity::new(number).expect("in range"),
        ends_at: None,
    })
}

/// F8, F2: a plan that does not name what was denied is no offer, though without a limit of it the free trial would pay. Where
/// an add-on that is held brings the limit, any base plan ends the denial, and is one.
#[test]
fn f8_a_plan_that_gives_nothing_of_what_was_denied_is_no_offer() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("try_on", 10));
    let offered = for_items(&stage, vec![item("try_on", 1)]);
    assert_eq!(offered, ["meter now", "credits 1"]);
    let mut stage = user("basic");
    stage.done("user:a", set_addon("login", 1));
    stage.later(TimeDelta::days(40));
    let offered = for_items(&stage, vec![item("messages", 1)]);
    assert_eq!(
        offered,
        ["basic", "free", "huge", "large", "yearly", "credits 2"]
    );
    let offered = for_items(&stage, vec![item("sso", 1)]);
    assert_eq!(offered, ["basic", "free", "huge", "large", "yearly"]);
}

/// F8: a limit is reached. Dearer plans that allow the very request, the fewest of an add-on and the fewest credits that
/// do; a cheaper plan that would help only because use begins anew is none of them.
#[test]
fn f8_a_denial_lists_plans_add_ons_and_credits_that_would_end_it() {
    let mut stage = user("basic");
    stage.done("user:a", consume("messages", 10));
    let of = |stage: &Stage, number| for_items(stage, vec![item("messages", number)]);
    assert_eq!(
        of(&stage, 5),
        ["huge", "large", "more 1 of 0", "credits 10"]
    );
    assert_eq!(
        of(&stage, 50),
        ["huge", "large", "more 3 of 0", "credits 100"]
    );
    assert_eq!(of(&stage, 500), ["huge", "more 25 of 0", "credits 1000"]);
    stage.done("user:a", grant("welcome", 3));
    assert_eq!(
        of(&stage, 5)[3],
        "credits 7",
        "one credit more than whole units take"
    );
    stage.done("user:a", set_addon("more", 2));
    assert_eq!(
        of(&stage, 61),
        ["huge", "large", "more 3 of 2", "credits 39"]
    );
    let none = found(&stage, &asked(vec![item("messages", 40)]));
    assert_eq!(none, None, "it is allowed");
}

/// F8, C2: a flag that is not in the plan, and a capacity that no credits pay for.
#[test]
fn f8_a_flag_and_a_capacity_have_offers() {
    let mut stage = user("basic");
    assert_eq!(
        for_items(&stage, vec![item("sso", 1)]),
        ["huge", "large", "login 1 of 0"]
    );
    stage.done("user:a", consume("albums", 3));
    assert_eq!(
        for_items(&stage, vec![item("albums", 1)]),
        ["huge", "large"]
    );
}

/// F8, S5: a plan to which a change would wait for the period's end ends the denial when it is changed to at once, and says so;
/// but not if all that helps is that use begins anew.
#[test]
fn f8_a_plan_that_would_wait_is_offered_at_once() {
    let mut stage = user("yearly");
    stage.done("user:a", consume("messages", 10));
    assert_eq!(
        for_items(&stage, vec![item("messages", 5)]),
        ["huge now", "large now", "more 1 of 0", "credits 10"]
    );
    assert_eq!(
        for_items(&stage, vec![item("sso", 1)]),
        ["huge now", "large now", "login 1 of 0"]
    );
    let large = Command::ChangePlan(ChangePlan {
        plan: plan_code("large"),
        when: None,
        usage: UsageAfterChange::default(),
    });
    stage.done("user:a", large);
    assert_eq!(stage.remaining("user:a", "messages"), Some(0), "it waits");
}

/// F8, O7: of a limit of each member, what the org buys ends it if that lets each member use more: a plan. Where the org set the
/// limit itself, nothing does: neither an add-on nor credits, and no plan takes its place.
#[test]
fn f8_a_members_limit_ends_with_a_plan_that_lets_each_use_more() {
    let team = |code: &str, price: u32, of_messages: &str| {
        format!(
            "\n[[plan]]\ncode = \"{code}\"\nname = \"Team\"\nprice = {price}\nlimits = {{ messages = {of_messages} }}\n"
        )
    };
    let text = [
        CATALOG.to_owned(),
        team("school", 600, "{ limit = 500, member_limit = 40 }"),
        team("strict", 650, "{ limit = 500, member_limit = 20 }"),
        team("college", 700, "{ limit = 500, member_limit = 80 }"),
        team("open", 800, "500"),
    ];
    let mut stage = with_catalog(Stage::org_alone(""), &text.concat());
    stage.done("org:o", subscribe("school"));
    let own = AccountSpec {
        org: Some(OrgId::new("o").expect("a literal id")),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(own));
    stage.done("user:a", consume("messages", 40));
    let denied = found(&stage, &asked(vec![item("messages", 30)])).expect("it is denied");
    assert_eq!((denied.scope, &denied.buyer), (Scope::Org, &id("org:o")));
    assert_eq!(words(Some(&denied)), ["college", "huge", "large", "open"]);
    let most = Command::SetMemberLimit(SetMemberLimit {
        feature: code("messages"),
        limit: Limit::Of(45),
        member_of: None,
        expires_at: None,
    });
    stage.done("org:o", most);
    assert_eq!(for_items(&stage, vec![item("messages", 60)]), [""; 0]);
}

/// F8: who has no subscription, or had one, is offered every plan that is enough; beside no base plan there is no add-on (C13).
#[test]
fn f8_who_has_no_plan_is_offered_plans_to_subscribe_to() {
    let mut stage = user("");
    let five = || vec![item("messages", 5)];
    let all = ["basic", "huge", "large", "yearly", "credits 10"];
    assert_eq!(for_items(&stage, five()), all);
    assert_eq!(for_items(&stage, vec![item("messages", 2)])[1], "free");
    stage.done("user:a", subscribe("basic"));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    assert_eq!(for_items(&stage, five()), all, "the plan that ended, too");
}

/// F8, X2: of several items all must be allowed with one purchase.
#[test]
fn f8_an_offer_ends_the_denial_of_all_items() {
    let mut stage = user("basic");
    stage.done("user:a", consume("messages", 10));
    let both = vec![item("messages", 5), item("albums", 4)];
    assert_eq!(for_items(&stage, both), ["huge", "large"]);
    let twice = vec![item("messages", 15), item("messages", 15)];
    assert_eq!(
        for_items(&stage, twice),
        ["huge", "large", "more 2 of 0", "credits 60"]
    );
    let most = vec![item("messages", 1), item("albums", 500)];
    assert_eq!(for_items(&stage, most), ["huge"]);
    let never = found(&stage, &asked(vec![item("messages", 2_000_000_000_000)]));
    let never = never.expect("it is denied");
    assert_eq!(words(Some(&never)), ["credits 4000000000000"]);
}

/// F8, O5: what the org lacks the org may buy; what the user lacks, the user; and where both lack something, no one purchase
/// is enough.
#[test]
fn f8_offers_are_for_the_scope_that_bound() {
    let mut stage = with_catalog(Stage::org("basic"), CATALOG);
    stage.done("user:a", consume("messages", 10));
    let found_of = |stage: &Stage| found(stage, &asked(vec![item("messages", 5)]));
    let of_org = found_of(&stage).expect("it is denied");
    assert_eq!((of_org.scope, &of_org.buyer), (Scope::Org, &id("org:o")));
    let all = ["huge", "large", "more 1 of 0", "credits 10"];
    assert_eq!(words(Some(&of_org)), all);
    stage.done("org:o", set_addon("more", 1));
    let own = AccountSpec {
        unlimited: Some(false),
        org: Some(OrgId::new("o").expect("a literal id")),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(own));
    let of_user = found_of(&stage).expect("it is denied");
    assert_eq!(
        (of_user.scope, &of_user.buyer),
        (Scope::User, &id("user:a"))
    );
    assert_eq!(
        words(Some(&of_user)),
        ["basic", "huge", "large", "yearly", "credits 10"]
    );
    stage.done("org:o", Command::Cancel(Cancel { at_once: true }));
    let of_both = found_of(&stage).expect("it is denied");
    assert_eq!((of_both.scope, of_both.offers), (Scope::User, Vec::new()));
}

/// F8: nothing can be bought for a token, an unknown user or feature, or an account that is disabled.
#[test]
fn f8_nothing_is_offered_where_buying_does_not_help() {
    let mut stage = user("basic");
    stage.done("user:a", put_token("t", Limit::Of(5)));
    let with_token = Consume {
        token: Some(token_id("t")),
        ..asked(vec![item("messages", 6)])
    };
    assert_eq!(found(&stage, &with_token), None);
    let unknown = words(found(&stage, &asked(vec![item("nothing", 1)])).as_ref());
    assert_eq!(unknown, [""; 0]);
    let disabled = AccountSpec {
        disabled: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(disabled));
    assert_eq!(for_items(&stage, vec![item("messages", 1)]), [""; 0]);
    let nobody = with_catalog(Stage::new("user:a"), CATALOG);
    assert_eq!(found(&nobody, &asked(vec![item("messages", 1)])), None);
}

/// F8: a long catalog gives a list that somebody can read.
#[test]
fn f8_no_more_is_offered_than_can_be_read() {
    let plans = (0..30).map(|number| {
        format!("\n[[plan]]\ncode = \"p{number:02}\"\nname = \"P\"\nprice = 9000\nlimits = {{ albums = 9 }}\n")
    });
    let text = format!("{CATALOG}{}", plans.collect::<String>());
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("basic"));
    stage.done("user:a", consume("albums", 3));
    let listed = for_items(&stage, vec![item("albums", 1)]);
    assert_eq!(listed.len(), OFFERS_MAX);
    assert!(listed.is_sorted(), "{listed:?}");
}

/// Buys what is offered.
fn buy(stage: &mut Stage, buyer: &str, offer: &Offer) {
    let command = match offer {
        Offer::Plan { plan, at_once } => {
            let change = Command::ChangePlan(ChangePlan {
                plan: plan.code.clone(),
                when: at_once.then_some(ChangeWhen::Now),
                usage: UsageAfterChange::default(),
            });
            if stage.run(buyer, change).is_ok() {
                return;
            }
            Command::Subscribe(Subscribe::to(plan.code.clone()))
        }
        Offer::Addon { plan, quantity, .. } => set_addon(plan.code.as_str(), quantity.get()),
        Offer::Seats { seats, .. } => Command::SetSeats(SetSeats { seats: *seats }),
        Offer::Credits(credits) => grant("bought", credits.get()),
        Offer::Pack { pack, quantity } => {
            let credits = pack.credits.get() * u64::from(quantity.get());
            grant("bought", credits)
        }
    };
    stage.done(buyer, command);
}

/// One less of it, if there is less.
fn less(offer: &Offer) -> Option<Offer> {
    match offer {
        Offer::Plan { .. } => None,
        Offer::Addon {
            plan,
            quantity,
            held,
        } => {
            let fewer = quantity.get().checked_sub(1).filter(|fewer| fewer > held)?;
            Some(Offer::Addon {
                plan: plan.clone(),
                quantity: Quantity::new(fewer).ok()?,
                held: *held,
            })
        }
        Offer::Seats { plan, seats, held } => {
            let fewer = seats.get().checked_sub(1);
            let fewer = fewer.filter(|fewer| *fewer > held.get())?;
            Some(Offer::Seats {
                plan: plan.clone(),
                seats: Quantity::new(fewer).ok()?,
                held: *held,
            })
        }
        Offer::Pack { pack, quantity } => Some(Offer::Pack {
            pack: pack.clone(),
            quantity: Quantity::new(quantity.get().checked_sub(1)?).ok()?,
        }),
        Offer::Credits(credits) => {
            let fewer = credits.get().checked_sub(1).filter(|fewer| *fewer != 0)?;
            Some(Offer::Credits(amount(fewer)))
        }
    }
}

/// More of the catalog: a plan by seats, and packs.
const MORE: &str = r#"
[[plan]]
code = "crew"
name = "Crew"
price = 800
limits = { messages = { limit = 7, per_seat = true }, albums = 3 }

[[pack]]
code = "credits_50"
name = "50 credits"
credits = 50
price = 400
days = 30

[[pack]]
code = "credits_7"
name = "7 credits"
credits = 7
price = 90
priority = 3
"#;

/// A home of a user, or of an org with a member that has a plan of its own.
fn staged((in_org, plan, of_org): (bool, &str, &str), used: &[(&str, u64)]) -> Stage {
    let catalog = format!("{CATALOG}{MORE}");
    let mut stage = if in_org {
        let mut stage = with_catalog(Stage::org_alone(""), &catalog);
        let own = AccountSpec {
            unlimited: Some(false),
            org: Some(OrgId::new("o").expect("a literal id")),
            ..AccountSpec::default()
        };
        stage.done("user:a", put_account(own));
        if !of_org.is_empty() {
            stage.done("org:o", subscribe(of_org));
        }
        stage
    } else {
        with_catalog(Stage::user(""), &catalog)
    };
    if !plan.is_empty() {
        stage.done("user:a", subscribe(plan));
    }
    for (feature, number) in used {
        // What does not fit is not used.
        let _ = stage.run("user:a", consume(feature, *number));
    }
    stage.later(TimeDelta::minutes(1));
    stage
}

proptest! {
    /// F8: with what is offered, bought by the calls that buy it, the very request is allowed; with less of it, it is not.
    #[test]
    fn f8_an_offer_is_never_a_lie(
        in_org in any::<bool>(),
        plan in prop::sample::select(vec!["", "free", "basic", "large", "yearly", "crew"]),
        of_org in prop::sample::select(vec!["", "free", "basic", "large", "yearly", "crew"]),
        used in prop::collection::vec((prop::sample::select(vec!["messages", "albums"]), 1_u64..12), 0..6),
        wanted in prop::collection::vec((prop::sample::select(vec!["messages", "albums", "sso"]), 1_u64..150), 1..4),
    ) {
        let stage = || staged((in_org, plan, of_org), &used);
        let items = wanted.iter().map(|&(feature, number)| Item {
            feature: code(feature),
            amount: amount(number),
        });
        let asked = asked(items.collect());
        let is_allowed = |stage: &Stage| {
            let home = stage.home.clone();
            let checked = check_items(&stage.context(), home, &id("user:a"), &asked);
            checked.is_ok_and(|checked| checked.denial.is_none())
        };
        let offered = found(&stage(), &asked);
        prop_assert_eq!(&offered, &found(&stage(), &asked), "the same again");
        if is_allowed(&stage()) {
            prop_assert_eq!(offered, None);
            return Ok(());
        }
        let lists = offered.into_iter();
        for found in lists {
            for offer in &found.offers {
                let mut bought = stage();
                buy(&mut bought, found.buyer.as_str(), offer);
                prop_assert!(is_allowed(&bought), "{:?}", offer);
                if let Some(less) = less(offer) {
                    let mut bought = stage();
                    buy(&mut bought, found.buyer.as_str(), &less);
                    prop_assert!(!is_allowed(&bought), "{:?} is enough", less);
                }
            }
        }
    }
}
