//! All that is wrong with a catalog file is told at once (C2 to C14).

use quota_core::catalog::{Catalog, CatalogFile, CatalogMistake, InvalidCatalog, MISTAKES_MAX};

/// Nearly everything in it is wrong, each thing in another way.
const WRONG: &str = r#"default_plan = "pro"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
anchor = "first_use"
credit_cost = 0
scale = 0

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "weekly"

[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "daily"

[[feature]]
code = "tier"
name = "Tier"
kind = "setting"

[[plan]]
code = "pro"
name = "Pro"
price = 1900
currency = "EUR"
trial_days = 400
[plan.limits]
messages = 100
nothing = 1
never = 2
tier = 5
pages = [
    { limit = 10, rollover = { max = 0 } },
    { limit = 90, per = "weekly", anchor = "first_use" },
    { limit = 9, per = "daily", member_limit = "unlimited" },
    { limit = 9, per = "hourly", member_limit = 3 },
]
[plan.on_demand]
pages = { price = 0, per = 0, cap = 5, currency = "usd" }
albums = { price = 1, cap = 5 }

[[plan]]
code = "pro"
name = "Again"
price = 1

[[plan]]
code = "more"
name = "More"
kind = "addon"
trial_days = 5
limits = { tier = "gold", albums = true, pages = { limit = 5, per_seat = true } }

[[pack]]
code = "small"
name = "Small"
credits = 5
price = 5
currency = "euro"
days = 0
provider_prices = { stripe = ["a", "a", "b", "b"], other = [] }
"#;

fn refused(text: &str) -> InvalidCatalog {
    let file: CatalogFile = toml::from_str(text).expect("it is read");
    Catalog::default().applied(&file).expect_err("it is wrong")
}

/// As a path: entry, field, member, what is in it.
fn place(mistake: &CatalogMistake) -> String {
    let mut place = format!("{}/{}", mistake.entry.replace('`', ""), mistake.field);
    let member = mistake.member.iter().map(ToString::to_string);
    for part in member.chain(mistake.within.iter().cloned()) {
        place.push('/');
        place.push_str(&part);
    }
    place
}

/// C2 to C14: every mistake of a file is told with its place, and each place once; what only follows from another mistake is not.
#[test]
fn every_mistake_of_a_file_is_told() {
    let refused = refused(WRONG);
    let places: Vec<String> = refused.mistakes.iter().map(place).collect();
    let wanted = [
        "feature messages/scale",
        "feature messages/credit_cost",
        "feature messages/anchor",
        "feature albums/on_renewal",
        "plan pro/currency",
        "plan pro/trial_days",
        "plan pro/limits/never",
        "plan pro/limits/nothing",
        "plan pro/limits/pages/0/rollover/max",
        "plan pro/limits/pages/1/anchor",
        "plan pro/limits/pages/2",
        "plan pro/limits/pages/3/member_limit",
        "plan pro/on_demand/albums",
        "plan pro/on_demand/pages/price",
        "plan pro/on_demand/pages/per",
        "plan pro/on_demand/pages/currency",
        "plan pro/code",
        "plan more/trial_days",
        "plan more/limits/pages",
        "plan more/limits/albums",
        "plan more/limits/tier",
        "pack small/currency",
        "pack small/days",
        "pack small/provider_prices/other",
        "pack small/provider_prices/stripe/1",
        "pack small/provider_prices/stripe/3",
        "the file/default_plan",
    ];
    assert_eq!(places, wanted);
    assert_eq!(refused.left_out, 0);
    let said = refused.to_string();
    assert!(said.starts_with("feature `messages`: scale must be 1 to 10^15; feature "));
}

/// C7: no more mistakes are told than somebody reads; how many there are beside them is.
#[test]
fn of_very_many_mistakes_the_first_are_told_and_the_rest_counted() {
    let plan = |number: usize| {
        format!("[[plan]]\ncode = \"p{number}\"\nname = \"P\"\ncurrency = \"EUR\"\n")
    };
    let text: String = (0..MISTAKES_MAX + 7).map(plan).collect();
    let refused = refused(&text);
    assert_eq!(
        (refused.mistakes.len(), refused.left_out),
        (MISTAKES_MAX, 7)
    );
    assert!(refused.to_string().ends_with("; and 7 more"));
}

/// C1: what is counted another way is told of each field; what follows from another kind is not.
#[test]
fn every_field_that_cannot_change_is_told() {
    let head = "[[feature]]\ncode = \"m\"\nname = \"M\"\nunit = \"m\"\n";
    let read = |rest: &str| -> CatalogFile {
        toml::from_str(&format!("{head}{rest}")).expect("it is read")
    };
    let first = read("kind = \"consumable\"\ncadence = \"monthly\"\n");
    let first = Catalog::default().applied(&first).expect("valid");
    let places = |rest: &str| -> Vec<String> {
        let refused = first.applied(&read(rest)).expect_err(rest);
        refused.mistakes.iter().map(place).collect()
    };
    let counted =
        places("kind = \"consumable\"\ncadence = \"daily\"\nanchor = \"calendar\"\nscale = 2\n");
    assert_eq!(
        counted,
        ["feature m/cadence", "feature m/anchor", "feature m/scale"]
    );
    let kind = places("kind = \"capacity\"\ncadence = \"subscription\"\n");
    assert_eq!(kind, ["feature m/kind"]);
}

/// C13: an add-on is held beside a base plan, so that a file with add-ons alone is refused at the first of them.
#[test]
fn c13_a_file_with_add_ons_and_no_base_plan_is_refused() {
    let plan = |code: &str, kind: &str| {
        format!("[[plan]]\ncode = \"{code}\"\nname = \"P\"\nkind = \"{kind}\"\n")
    };
    let alone = plan("more", "addon") + &plan("most", "addon");
    let places: Vec<String> = refused(&alone).mistakes.iter().map(place).collect();
    assert_eq!(places, ["plan more/kind"]);
    let both: CatalogFile = toml::from_str(&(alone + &plan("base", "base"))).expect("it is read");
    Catalog::default().applied(&both).expect("valid");
}
