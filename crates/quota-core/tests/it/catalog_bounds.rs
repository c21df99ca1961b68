//! What a catalog file may say at the bounds of each number, and which words go together (C1 to C14).

use quota_core::amount::Limit;
use quota_core::catalog::{Cadence, Catalog, CatalogFile};
use quota_core::command::{Command, Renew};
use quota_core::draw::Scope;

use crate::stage::{Stage, consume, subscribe};
use crate::with_catalog::with_catalog;

/// A feature of that kind with these words, and a base plan of price 100 with these limits and words.
fn file(kind: &str, feature: &str, limits: &str, plan: &str) -> String {
    format!(
        "[[feature]]\ncode = \"units\"\nname = \"Units\"\nunit = \"unit\"\nkind = \"{kind}\"\n{feature}\n\n\
         [[plan]]\ncode = \"base\"\nname = \"Base\"\n{plan}\n[plan.limits]\n{limits}\n"
    )
}

const MONTHLY: &str = "cadence = \"monthly\"";
const OF_PERIOD: &str = "cadence = \"subscription\"";
const PAID: &str = "price = 100";

fn applied(text: &str) -> Result<Catalog, String> {
    let file: CatalogFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let next = Catalog::default().applied(&file);
    next.map_err(|error| error.to_string())
}

/// Each text with the field that is named, or none where it is taken.
fn check(cases: &[(String, Option<&str>)]) {
    for (text, field) in cases {
        let found = applied(text).err();
        match (field, &found) {
            (None, found) => assert_eq!(*found, None, "{text}"),
            (Some(field), found) => {
                let named = found.as_ref().is_some_and(|why| why.contains(field));
                assert!(named, "{field} in {found:?}: {text}");
            }
        }
    }
}

/// C1, C3, C4: numbers of a feature and their bounds; an anchor that fits its kind.
#[test]
fn c1_a_features_numbers_have_bounds() {
    let with = |words: &str| file("consumable", &format!("{MONTHLY}\n{words}"), "", PAID);
    let every = |cadence: &str| file("consumable", &format!("cadence = \"{cadence}\""), "", PAID);
    check(&[
        (with("scale = 0"), Some("scale")),
        (with("scale = 1"), None),
        (with("scale = 1000000000000000"), None),
        (with("scale = 1000000000000001"), Some("scale")),
        (with("credit_cost = 0"), Some("credit_cost")),
        (with("credit_cost = 1000000"), None),
        (with("credit_cost = 1000001"), Some("credit_cost")),
        (with("trial_limit = 1000000000000000"), None),
        (with("trial_limit = 1000000000000001"), Some("trial_limit")),
        (every("366d"), None),
        (every("367d"), Some("cadence")),
        (every("8784h"), None),
        (every("8785h"), Some("cadence")),
        (every("05h"), Some("cadence")),
        (every("0h"), Some("cadence")),
    ]);
    let reset = "cadence = \"5h\"\nanchor = \"first_use\"\non_renewal = \"reset\"";
    let members = |words: &str| {
        let feature = format!("{OF_PERIOD}\ncounts = \"members\"\n{words}");
        file("capacity", &feature, "", PAID)
    };
    check(&[
        (file("consumable", reset, "", PAID), None),
        (file("capacity", reset, "", PAID), Some("anchor")),
        (members(""), None),
        (members("anchor = \"calendar\""), Some("anchor")),
        (members("on_renewal = \"reset\""), Some("on_renewal")),
        (members("credit_cost = 1"), Some("credit_cost")),
        (members("trial_limit = 1"), Some("trial_limit")),
        (members("scale = 2"), Some("scale")),
    ]);
}

/// A base plan that names nothing.
const OTHER: &str = "\n[[plan]]\ncode = \"other\"\nname = \"Other\"\n";

/// C13, C14, S7 and S13: price, trial and default plan.
#[test]
fn c14_a_plans_numbers_have_bounds() {
    let with = |words: &str| file("consumable", MONTHLY, "", words);
    let default = |words: &str| format!("default_plan = \"base\"\n{}", with(words));
    check(&[
        (with("price = 1000000000000000"), None),
        (with("price = 1000000000000001"), Some("price")),
        (with("price = 1\ntrial_days = 0"), Some("trial_days")),
        (with("price = 1\ntrial_days = 1"), None),
        (with("price = 1\ntrial_days = 366"), None),
        (with("price = 1\ntrial_days = 367"), Some("trial_days")),
        (with("price = 0\ntrial_days = 7"), Some("trial_days")),
        (default("price = 0"), None),
        (default("price = 1"), Some("default_plan")),
    ]);
    let addon = |limit: &str| {
        let addon = file("consumable", MONTHLY, limit, "kind = \"addon\"\nprice = 1");
        format!("{addon}{OTHER}")
    };
    let of_member = "units = { limit = 1, member_limit = 1 }";
    check(&[
        // Beside a base plan that names nothing no limit of an add-on is in vain.
        (addon("units = 1"), None),
        (
            addon(of_member),
            Some("limits of `units` cannot have a `member_limit`"),
        ),
    ]);
}

/// C9, C10, O7: limits, what rolls over, and what a member may use.
#[test]
fn c9_limits_say_what_fits_their_feature() {
    let month = |limit: &str| file("consumable", MONTHLY, &format!("units = {limit}"), PAID);
    let scaled = |limit: &str| {
        let feature = format!("{MONTHLY}\nscale = 1000000");
        file("consumable", &feature, &format!("units = {limit}"), PAID)
    };
    let of = |kind: &str, words: &str, limit: &str| {
        let feature = format!("{OF_PERIOD}\n{words}");
        file(kind, &feature, &format!("units = {limit}"), PAID)
    };
    let several = |number: usize| {
        let per = ["hourly", "daily", "weekly", "2h", "3h"];
        let limits = per.iter().take(number);
        let limits: Vec<String> = limits
            .map(|per| format!("{{ limit = 1, per = \"{per}\" }}"))
            .collect();
        month(&format!("[{}]", limits.join(", ")))
    };
    let rolls = "{ limit = 9, rollover = { max = 3 } }";
    check(&[
        (several(4), None),
        (several(5), Some("limits of `units` must be 1 to 4")),
        (month(rolls), None),
        (
            month("{ limit = 9, rollover = { max = 0 } }"),
            Some("rollover.max"),
        ),
        (
            month("{ limit = 9, rollover = { max = 1000000000000000 } }"),
            None,
        ),
        (
            month("{ limit = 9, rollover = { max = 1000000000000001 } }"),
            Some("rollover.max"),
        ),
        (
            scaled("{ limit = 9, rollover = { max = 9000000000000 } }"),
            None,
        ),
        (
            scaled("{ limit = 9, rollover = { max = 9000000000001 } }"),
            Some("rollover.max"),
        ),
        (
            month("{ limit = \"unlimited\", rollover = { max = 3 } }"),
            Some("rollover"),
        ),
        (of("consumable", "", rolls), None),
        (
            of("consumable", "on_renewal = \"carry\"", rolls),
            Some("rollover"),
        ),
        (
            of("capacity", "on_renewal = \"reset\"", rolls),
            Some("rollover"),
        ),
    ]);
}

/// O7, C1: what a plan lets each member use stands beside a limit that is counted as the feature is, and is in bounds; so is the limit.
#[test]
fn o7_a_members_limit_stands_beside_that_of_the_feature() {
    let month = |limit: &str| file("consumable", MONTHLY, &format!("units = {limit}"), PAID);
    let scaled = |limit: &str| {
        let feature = format!("{MONTHLY}\nscale = 1000000");
        file("consumable", &feature, &format!("units = {limit}"), PAID)
    };
    let of = |kind: &str, words: &str, limit: &str| {
        let feature = format!("{OF_PERIOD}\n{words}");
        file(kind, &feature, &format!("units = {limit}"), PAID)
    };
    let of_member = "{ limit = 9, member_limit = 3 }";
    check(&[
        (month(of_member), None),
        (of("capacity", "", of_member), None),
        (
            of("capacity", "counts = \"members\"", of_member),
            Some("member_limit"),
        ),
        (
            month("[{ limit = 9 }, { limit = 5, per = \"daily\", member_limit = 3 }]"),
            Some("member_limit"),
        ),
        (scaled("{ limit = 9, member_limit = 9000000000000 }"), None),
        (
            scaled("{ limit = 9, member_limit = 9000000000001 }"),
            Some("member_limit"),
        ),
        (scaled("9000000000000"), None),
        (scaled("9000000000001"), Some("too large")),
    ]);
}

/// C2, P13: a setting is a number in all plans or a text; an add-on's limit adds to one of the base plans.
#[test]
fn p13_what_plans_say_together_fits() {
    let beside = |kind: &str, feature: &str, base: &str, addon: &str| {
        let plan = format!(
            "\n[[plan]]\ncode = \"more\"\nname = \"More\"\nkind = \"addon\"\n[plan.limits]\n{addon}\n"
        );
        file(kind, feature, base, PAID) + &plan
    };
    let set = |base: &str, addon: &str| {
        let (base, addon) = (format!("units = {base}"), format!("units = {addon}"));
        beside("setting", "", &base, &addon)
    };
    let counted = |base: &str, addon: &str| beside("consumable", MONTHLY, base, addon);
    check(&[
        (set("5", "7"), None),
        (set("\"mail\"", "\"phone\""), None),
        (set("\"mail\"", "\"unlimited\""), None),
        (set("\"mail\"", "7"), Some("cannot be a number")),
        (set("5", "\"phone\""), Some("cannot be a text")),
        (counted("units = 5", "units = 7"), None),
        (counted("", "units = { limit = 7, per = \"daily\" }"), None),
        (
            counted("units = 5", "units = { limit = 7, per = \"daily\" }"),
            Some("add nothing"),
        ),
    ]);
}

/// C11: price, `per`, cap and currency of what is sold, and of what it may be said.
#[test]
fn c11_what_is_sold_has_a_price_and_a_cap_within_bounds() {
    let sold = |scale: &str, limit: &str, words: &str| {
        let feature = format!("{MONTHLY}\nscale = {scale}");
        let on_demand = format!("[plan.on_demand]\nunits = {{ {words} }}\n");
        file("consumable", &feature, &format!("units = {limit}"), PAID) + &on_demand
    };
    let plain = |words: &str| sold("1", "5", words);
    check(&[
        (plain("price = 0, cap = 9"), Some("price")),
        (plain("price = 1, cap = 1000000000000000"), None),
        (plain("price = 1, cap = 1000000000000001"), Some("cap")),
        (plain("price = 9, cap = 0"), None),
        (plain("price = 9, cap = 8"), Some("cap")),
        (plain("price = 9, cap = 9"), None),
        (plain("price = 9, per = 0, cap = 9"), Some("per")),
        (plain("price = 9, cap = 9, currency = \"usd\""), None),
        (
            plain("price = 9, cap = 9, currency = \"eur\""),
            Some("currency"),
        ),
        (
            sold("1000000", "5", "price = 9, per = 9000000000000, cap = 9"),
            None,
        ),
        (
            sold("1000000", "5", "price = 9, per = 9000000000001, cap = 9"),
            Some("per"),
        ),
        (
            sold("1", "\"unlimited\"", "price = 9, cap = 9"),
            Some("does not limit it"),
        ),
        (
            sold(
                "1",
                "[{ limit = \"unlimited\" }, { limit = 5, per = \"daily\" }]",
                "price = 9, cap = 9",
            ),
            None,
        ),
    ]);
}

/// C1, C10, C11: what is said in shown units counts in stored ones: what rolls over, and what a price is for.
#[test]
fn c1_what_is_said_in_shown_units_is_scaled() {
    let limits = "units = { limit = 10, rollover = { max = 3 } }\n[plan.on_demand]\nunits = { price = 7, per = 2, cap = 70 }";
    let text = file(
        "consumable",
        &format!("{MONTHLY}\nscale = 100"),
        limits,
        PAID,
    );
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("base"));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    stage.later(chrono::TimeDelta::days(32));
    stage.done("user:a", consume("units", 1));
    let shown = stage.balance_of("user:a", Scope::User, "units", None);
    assert_eq!(shown.granted, Some(Limit::Of(1_300)));
    assert_eq!(shown.windows[0].per, Cadence::Monthly);
    // 7 for each 200 of the stored units, up to 70.
    stage.done("user:a", consume("units", 1_299 + 201));
    let sold = stage
        .balance_of("user:a", Scope::User, "units", None)
        .on_demand;
    let sold = sold.expect("it is sold");
    assert_eq!((sold.owed, sold.remaining), (8, 2_000 - 201));
}

/// C7: a plan that was left out and comes back is what it was: no add-on that was a base plan.
#[test]
fn c7_a_plan_that_comes_back_is_of_its_kind() {
    let read = |text: &str| -> CatalogFile { toml::from_str(text).expect("it is read") };
    let base = read(&file("consumable", MONTHLY, "units = 1", PAID));
    let none = CatalogFile {
        plans: Vec::new(),
        ..base.clone()
    };
    let addon = file("consumable", MONTHLY, "units = 1", "kind = \"addon\"");
    let addon = read(&format!("{addon}{OTHER}"));
    let known = Catalog::default().applied(&base).expect("valid");
    let left = known.applied(&none).expect("valid");
    let left = left.without_plans_left_out(&none);
    assert!(left.plans.is_empty());
    let refused = left
        .applied(&addon)
        .map(drop)
        .map_err(|error| error.to_string());
    let why = refused.expect_err("it was a base plan");
    assert!(why.starts_with("plan `base`: kind cannot change"), "{why}");
    let back = left.applied(&base).expect("valid");
    assert_eq!(back.plans.len(), 1);
}
