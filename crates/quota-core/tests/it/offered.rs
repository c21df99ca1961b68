//! Further offers (F8): packs, seats, credits that pay a debt first, add-ons that sleep, and in which order plans stand.

use chrono::TimeDelta;
use quota_core::command::{
    Cancel, Command, Consume, SetAddon, SetSeats, Subscribe, TakeBackCredits,
};
use quota_core::ids::GrantId;
use quota_core::quantity::Quantity;
use quota_core::rules::check::check_items;
use quota_core::rules::offers::{Offer, OfferedPack, offers};

use crate::stage::{Stage, amount, consume, grant, id, item, plan_code, subscribe};
use crate::with_catalog::with_catalog;

const SHOP: &str = r#"
default_plan = "free"

[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "monthly"
credit_cost = 2

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "free"
name = "Free"
limits = { images = 1 }

[[plan]]
code = "basic"
name = "Basic"
price = 500
limits = { images = 10, sso = true }

[[plan]]
code = "arch"
name = "Arch"
price = 600
limits = { images = 10 }

[[plan]]
code = "team"
name = "Team"
price = 900
limits = { images = { limit = 20, per_seat = true } }

[[plan]]
code = "zenith"
name = "Zenith"
price = 5000
limits = { images = 30, sso = true }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
limits = { images = 5 }

[[pack]]
code = "credits_500"
name = "500 credits"
credits = 500
price = 900
days = 30

[[pack]]
code = "credits_9"
name = "9 credits"
credits = 9
price = 50
currency = "eur"
"#;

fn shop(plan: &str) -> Stage {
    let mut stage = with_catalog(Stage::user(""), SHOP);
    if !plan.is_empty() {
        stage.done("user:a", subscribe(plan));
    }
    stage
}

fn asked(feature: &str, value: u64) -> Consume {
    Consume {
        token: None,
        items: vec![item(feature, value)],
    }
}

fn offered(stage: &Stage, feature: &str, value: u64) -> Vec<Offer> {
    let asked = asked(feature, value);
    let found = offers(&stage.context(), &stage.home, &id("user:a"), &asked);
    found.expect("it is denied").offers
}

fn is_allowed(stage: &Stage, value: u64) -> bool {
    let asked = asked("images", value);
    let home = stage.home.clone();
    let checked = check_items(&stage.context(), home, &id("user:a"), &asked);
    checked.expect("an answer").denial.is_none()
}

fn quantity(number: u32) -> Quantity {
    Quantity::new(number).expect("in range")
}

fn more(number: u32) -> Command {
    Command::SetAddon(SetAddon {
        plan: plan_code("more"),
        quantity: quantity(number),
        ends_at: None,
    })
}

/// The packs among them, and how many of each.
fn packs(offers: &[Offer]) -> Vec<(&OfferedPack, u32)> {
    let pack = |offer| match offer {
        &Offer::Pack { ref pack, quantity } => Some((pack, quantity.get())),
        Offer::Plan { .. } | Offer::Addon { .. } | Offer::Seats { .. } | Offer::Credits(_) => None,
    };
    offers.iter().filter_map(pack).collect()
}

/// F8: the packs of the catalog that would end a denial are listed, as many of each as are needed, beside the credits
/// themselves. Where credits do not pay there are none.
#[test]
fn f8_packs_of_the_catalog_are_offered() {
    let mut stage = shop("basic");
    stage.done("user:a", consume("images", 10));
    let found = offered(&stage, "images", 20);
    assert!(found.contains(&Offer::Credits(amount(40))), "{found:?}");
    let listed = packs(&found);
    let short = |(pack, number): &(&OfferedPack, u32)| (pack.code.to_string(), *number);
    let codes: Vec<(String, u32)> = listed.iter().map(short).collect();
    let both = [("credits_500".to_owned(), 1), ("credits_9".to_owned(), 5)];
    assert_eq!(codes, both);
    let (large, _) = listed[0];
    assert_eq!(
        (
            large.name.as_str(),
            large.credits,
            large.price,
            large.currency.as_str()
        ),
        ("500 credits", amount(500), 900, "usd")
    );
    let mut without = shop("arch");
    without.done("user:a", consume("images", 10));
    assert_eq!(packs(&offered(&without, "sso", 1)), []);
}

/// F8 and P10: a debt is paid first by credits that are bought; as many as pay it and the request end the denial.
#[test]
fn f8_credits_that_pay_a_debt_first_are_offered() {
    let mut stage = shop("");
    stage.done("user:a", grant("g", 30));
    stage.done("user:a", consume("images", 15));
    let all = TakeBackCredits {
        grant: GrantId::new("g").expect("an id"),
        credits: Some(amount(30)),
    };
    stage.done("user:a", Command::TakeBackCredits(all));
    let found = offered(&stage, "images", 2);
    assert!(found.contains(&Offer::Credits(amount(34))), "{found:?}");
    let listed = packs(&found);
    assert_eq!(listed[1].1, 4, "34 credits are four of nine: {listed:?}");
}

/// F8 and P13: an add-on that was bought beside a plan that has ended does not count, and setting one of it ends the denial.
#[test]
fn f8_an_add_on_that_sleeps_is_offered_as_if_none_were_held() {
    let mut stage = shop("basic");
    stage.done("user:a", more(1));
    stage.later(TimeDelta::minutes(1));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::minutes(1));
    stage.done("user:a", consume("images", 1));
    let found = offered(&stage, "images", 5);
    let addon = |offer: &Offer| match offer {
        Offer::Addon { quantity, held, .. } => Some((quantity.get(), *held)),
        Offer::Plan { .. } | Offer::Seats { .. } | Offer::Credits(_) | Offer::Pack { .. } => None,
    };
    assert_eq!(found.iter().find_map(addon), Some((1, 0)), "{found:?}");
    stage.done("user:a", more(1));
    assert!(is_allowed(&stage, 5));
}

/// F8 and C12: more seats of the plan that is had end a denial of what it limits by seat, and the fewest are offered.
#[test]
fn f8_seats_that_would_end_a_denial_are_offered() {
    let mut stage = shop("");
    stage.done(
        "user:a",
        Command::Subscribe(Subscribe {
            seats: Some(quantity(2)),
            ..Subscribe::to(plan_code("team"))
        }),
    );
    stage.done("user:a", consume("images", 40));
    let seats = |stage: &Stage, feature: &str, value: u64| {
        let found = offered(stage, feature, value);
        found.iter().find_map(|offer| match offer {
            Offer::Seats { plan, seats, held } => {
                Some((plan.code.to_string(), seats.get(), held.get()))
            }
            Offer::Plan { .. } | Offer::Addon { .. } | Offer::Credits(_) | Offer::Pack { .. } => {
                None
            }
        })
    };
    let five = Some(("team".to_owned(), 5, 2));
    assert_eq!(seats(&stage, "images", 41), five);
    assert_eq!(seats(&stage, "sso", 1), None, "no seat gives a flag");
    let mut bought = stage;
    let set = |seats| {
        Command::SetSeats(SetSeats {
            seats: quantity(seats),
        })
    };
    bought.done("user:a", set(4));
    assert!(!is_allowed(&bought, 41));
    bought.done("user:a", set(5));
    assert!(is_allowed(&bought, 41));
    let mut plain = shop("basic");
    plain.done("user:a", consume("images", 10));
    assert_eq!(seats(&plain, "images", 5), None, "no limit is by seat");
}

/// F8: plans that cost less than the one that is had stand behind the others.
#[test]
fn f8_plans_that_cost_less_stand_last() {
    let mut stage = shop("arch");
    let plans = |stage: &Stage, feature: &str, value: u64| -> Vec<String> {
        let found = offered(stage, feature, value);
        let code = |offer: &Offer| match offer {
            Offer::Plan { plan, .. } => Some(plan.code.to_string()),
            Offer::Addon { .. } | Offer::Seats { .. } | Offer::Credits(_) | Offer::Pack { .. } => {
                None
            }
        };
        found.iter().filter_map(code).collect()
    };
    assert_eq!(plans(&stage, "sso", 1), ["zenith", "basic"]);
    stage.done("user:a", consume("images", 5));
    assert_eq!(plans(&stage, "images", 6), ["team", "zenith"]);
}
