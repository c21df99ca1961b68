//! The example catalogs, and what a catalog may say.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first catalog that does not parse"
)]

use quota_core::amount::Limit;
use quota_core::catalog::{
    Anchor, Cadence, Catalog, CatalogFile, CatalogMistake, Feature, InvalidCatalog, Kind, OnRenewal,
};
use quota_core::ids::{FeatureCode, PlanCode};

const EXAMPLES: [&str; 5] = [
    include_str!("../catalogs/article-platform.toml"),
    include_str!("../catalogs/image-platform.toml"),
    include_str!("../catalogs/llm-gateway.toml"),
    include_str!("../catalogs/try-on-shop.toml"),
    include_str!("../catalogs/ai-workspace.toml"),
];

fn read(text: &str) -> CatalogFile {
    toml::from_str(text).expect("a valid file")
}

/// The one mistake of a file that has no other.
#[track_caller]
fn only(invalid: InvalidCatalog) -> CatalogMistake {
    assert_eq!(
        (invalid.mistakes.len(), invalid.left_out),
        (1, 0),
        "{invalid}"
    );
    invalid.mistakes.into_iter().next().expect("it is one")
}

fn examples() -> CatalogFile {
    let mut all = CatalogFile::default();
    for file in EXAMPLES.map(read) {
        all.features.extend(file.features);
        all.plans.extend(file.plans);
        all.default_plan = all.default_plan.or(file.default_plan);
    }
    all
}

/// C8: the five example catalogs are valid, each alone and all in one.
#[test]
fn the_example_catalogs_are_valid_alone_and_together() {
    for text in EXAMPLES {
        assert!(Catalog::default().applied(&read(text)).is_ok());
    }
    let all = Catalog::default()
        .applied(&examples())
        .expect("no code stands twice");
    assert_eq!((all.features.len(), all.plans.len()), (19, 11));
}

/// C1, C2 and C5: kind, cadence and scale are read; consumables start afresh by default, capacities carry.
#[test]
fn a_feature_has_the_defaults_of_its_kind() {
    let all = Catalog::default().applied(&examples()).expect("valid");
    let feature = |code: &str| &all.features[&FeatureCode::new(code).expect("a literal code")];
    let storage = feature("storage_space");
    assert_eq!(
        (storage.kind, storage.cadence),
        (Kind::Capacity, Cadence::Subscription)
    );
    assert_eq!(
        (storage.renewal(), storage.scale),
        (OnRenewal::Carry, 1_048_576)
    );
    assert_eq!(feature("gallery_albums").renewal(), OnRenewal::Reset);
    assert_eq!(feature("ai_request").renewal(), OnRenewal::Reset);
    assert_eq!(
        (feature("try_on").credit_cost, feature("try_on").trial_limit),
        (Some(1), 3)
    );
    assert_eq!(
        (feature("upload").credit_cost, feature("upload").trial_limit),
        (None, 0)
    );
}

/// C7: a change of a plan's limits makes a new version; the newest applies, or the pinned one.
#[test]
fn a_changed_plan_gets_a_new_version() {
    let first = Catalog::default().applied(&examples()).expect("valid");
    let team = PlanCode::new("llm_team").expect("a literal code");
    let tokens = FeatureCode::new("llm_tokens").expect("a literal code");
    let mut file = examples();
    let plan = file
        .plans
        .iter_mut()
        .find(|plan| plan.code == team)
        .expect("in the file");
    plan.limits.insert(tokens.clone(), Limit::Of(1).into());
    let second = first.applied(&file).expect("valid");
    assert_eq!((second.version, second.newest_version(&team)), (2, 2));
    let limit = |version| {
        second
            .plan(&team, version)
            .map(|plan| plan.limits[&tokens].clone())
    };
    assert_eq!(limit(None), Some(Limit::Of(1).into()));
    assert_eq!(limit(Some(1)), Some(Limit::Of(50_000_000).into()));
    assert_eq!(limit(Some(3)), None);
    let again = second.applied(&file).expect("valid");
    assert_eq!(
        again.newest_version(&team),
        2,
        "a plan that did not change keeps its version"
    );
}

/// C6 and C7: an unknown key, a negative limit and a fraction are refused with line and column, a duplicate by name.
#[test]
fn a_wrong_catalog_file_is_refused_and_says_where() {
    let free = "[[plan]]\ncode = \"free\"\nname = \"Free\"\n";
    for wrong in [
        "colour = \"red\"",
        "limits = { x = -2 }",
        "limits = { x = 1.5 }",
        "price = -1",
    ] {
        let error = toml::from_str::<CatalogFile>(&format!("{free}{wrong}\n")).expect_err(wrong);
        assert!(
            error.to_string().contains("line 4, column"),
            "{wrong}: {error}"
        );
    }
    let twice = read(&format!("{free}{free}"));
    let error = Catalog::default().applied(&twice).expect_err("a duplicate");
    assert_eq!(error.to_string(), "plan `free`: code stands twice");
    let unknown = read(&format!("{free}limits = {{ nothing = 1 }}"));
    let error = Catalog::default()
        .applied(&unknown)
        .expect_err("an unknown feature");
    assert_eq!(
        error.to_string(),
        "plan `free`: limits name the unknown feature `nothing`"
    );
}

/// C5: a capacity that is not carried says so; where its default is in the way, that is said.
#[test]
fn a_capacity_by_the_day_says_that_it_is_reset() {
    let albums = |rest: &str| {
        read(&format!(
            "[[feature]]\ncode = \"albums\"\nname = \"A\"\nunit = \"album\"\nkind = \"capacity\"\ncadence = \"5h\"\n{rest}\n"
        ))
    };
    let refused = |rest| {
        let error = Catalog::default().applied(&albums(rest));
        error.expect_err("refused").to_string()
    };
    assert_eq!(
        refused(""),
        "feature `albums`: on_renewal is `carry` by default for a capacity, and that needs cadence `subscription`: write `reset`"
    );
    assert_eq!(
        refused("on_renewal = \"carry\""),
        "feature `albums`: on_renewal cannot be `carry`: that needs cadence `subscription`"
    );
    let reset = Catalog::default().applied(&albums("on_renewal = \"reset\""));
    assert!(reset.is_ok());
}

/// C3 and C4: a span is counted from the subscription's start, and one that is too short or too long says what may stand
/// there, with line and column.
#[test]
fn a_span_of_the_calendar_or_out_of_range_is_refused() {
    let feature = |rest: &str| {
        format!(
            "[[feature]]\ncode = \"calls\"\nname = \"Calls\"\nunit = \"call\"\nkind = \"consumable\"\n{rest}\n"
        )
    };
    let five_hours = read(&feature("cadence = \"5h\""));
    let catalog = Catalog::default().applied(&five_hours).expect("valid");
    let calls = FeatureCode::new("calls").expect("a literal code");
    assert_eq!(catalog.features[&calls].cadence.to_string(), "5h");
    let by_calendar = read(&feature("cadence = \"5h\"\nanchor = \"calendar\""));
    let refused = Catalog::default()
        .applied(&by_calendar)
        .expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "feature `calls`: anchor must be `subscription` or `first_use`: the calendar has no such span"
    );
    for span in ["0h", "400d"] {
        let text = feature(&format!("cadence = \"{span}\""));
        let error = toml::from_str::<CatalogFile>(&text).expect_err(span);
        let error = error.to_string();
        assert!(error.contains("line 6, column 11"), "{error}");
        assert!(
            error.contains(&format!("`{span}` is no cadence")),
            "{error}"
        );
    }
}

/// C1: how a feature is counted does not change: its usage would begin anew, or be read otherwise. The rest may.
#[test]
fn how_a_feature_is_counted_does_not_change() {
    type Change = (&'static str, &'static str, fn(&mut Feature));
    let first = Catalog::default().applied(&examples()).expect("valid");
    let with = |code: &str, change: fn(&mut Feature)| {
        let mut file = examples();
        let mut features = file.features.iter_mut();
        let found = features.find(|feature| feature.code.as_str() == code);
        change(found.expect("in the file"));
        file
    };
    let refused: [Change; 5] = [
        ("gallery_albums", "kind", |feature| {
            feature.kind = Kind::Consumable;
        }),
        ("try_on", "cadence", |feature| {
            feature.cadence = Cadence::Daily;
        }),
        ("try_on", "anchor", |feature| {
            feature.anchor = Anchor::Calendar;
        }),
        ("gallery_albums", "on_renewal", |feature| {
            feature.on_renewal = Some(OnRenewal::Carry);
        }),
        ("storage_space", "scale", |feature| feature.scale = 2),
    ];
    for (code, field, change) in refused {
        let file = with(code, change);
        let error = first.applied(&file).expect_err(field);
        let entry = format!("feature `{code}`");
        let error = only(error);
        assert_eq!((error.entry, error.field), (entry, field));
        assert!(Catalog::default().applied(&file).is_ok());
    }
    // Out of the catalog and in again: what was counted then is still there (C7).
    let left_out = |code: &str| {
        let mut file = examples();
        file.features
            .retain(|feature| feature.code.as_str() != code);
        let without = |plan: &mut quota_core::catalog::Plan| {
            plan.limits.retain(|feature, _| feature.as_str() != code);
        };
        file.plans.iter_mut().for_each(without);
        file
    };
    for (code, field, change) in refused {
        let gone = first.applied(&left_out(code)).expect("valid");
        let gone = gone.applied(&left_out(code)).expect("valid");
        let error = gone.applied(&with(code, change)).expect_err(field);
        let said = error.to_string();
        let named = format!("feature `{code}`: {field} must be what it was");
        assert!(said.starts_with(&named), "{said}");
        let back = gone.applied(&examples()).expect("as it was");
        assert_eq!(back.features, first.features);
        assert!(back.former_features.is_empty());
    }
    let free = with("try_on", |feature| {
        (feature.name, feature.unit) = ("Fitting".to_owned(), "fitting".to_owned());
        (feature.credit_cost, feature.trial_limit) = (Some(7), 9);
        feature.on_renewal = Some(OnRenewal::Reset);
    });
    assert!(first.applied(&free).is_ok());
}

/// C7: a plan that was left out and comes back counts its versions on: who is pinned to one has what it was sold.
#[test]
fn a_plan_that_comes_back_counts_its_versions_on() {
    let with_price = |price: u64| {
        let mut file = examples();
        let free = file
            .plans
            .iter_mut()
            .find(|plan| plan.code.as_str() == "article_free");
        free.expect("an example").price = price;
        file
    };
    let applied = |catalog: &Catalog, file: &CatalogFile| {
        let next = catalog.applied(file).expect("valid");
        next.without_plans_left_out(file)
    };
    let plan = PlanCode::new("article_free").expect("a literal code");
    let price = |catalog: &Catalog, version| catalog.plan(&plan, version).map(|plan| plan.price);
    let first = applied(&Catalog::default(), &with_price(7));
    let second = applied(&first, &with_price(8));
    let mut without = examples();
    without.plans.retain(|each| each.code != plan);
    let gone = applied(&applied(&second, &without), &without);
    assert_eq!((price(&gone, None), price(&gone, Some(1))), (None, None));
    let same = applied(&gone, &with_price(8));
    assert_eq!(same.plans, second.plans);
    let other = applied(&gone, &with_price(9));
    let prices = [Some(1), Some(2), Some(3), None].map(|version| price(&other, version));
    assert_eq!(prices, [Some(7), Some(8), Some(9), Some(9)]);
}

/// C3, C4, C9 and C10: what does not fit is refused, and the file's words say where.
#[test]
fn limits_that_do_not_fit_are_refused() {
    let with = |value: &str| {
        let text = format!(
            "[[feature]]\ncode = \"m\"\nname = \"M\"\nunit = \"m\"\nkind = \"consumable\"\ncadence = \"monthly\"\n\
             [[feature]]\ncode = \"s\"\nname = \"S\"\nunit = \"s\"\nkind = \"capacity\"\ncadence = \"subscription\"\n\
             [[plan]]\ncode = \"p\"\nname = \"P\"\nlimits = {{ {value} }}\n"
        );
        let file: CatalogFile = toml::from_str(&text).map_err(|error| error.to_string())?;
        let applied = Catalog::default().applied(&file);
        applied.map(drop).map_err(|error| error.to_string())
    };
    for (value, words) in [
        ("m = []", "limits of `m` must be 1 to 4 limits"),
        ("m = [{ limit = 1, per = \"0h\" }]", "`0h` is no cadence"),
        (
            "m = [{ limit = 1, per = \"400d\" }]",
            "`400d` is no cadence",
        ),
        (
            "m = { limit = 1, anchor = \"first_use\" }",
            "limits of `m` have an `anchor` that cannot be `first_use`",
        ),
        (
            "m = { limit = 1, per = \"5h\", anchor = \"calendar\" }",
            "limits of `m` have an `anchor` that must be `subscription` or `first_use`",
        ),
        (
            "m = [{ limit = 1, per = \"weekly\" }, { limit = 2, per = \"weekly\" }]",
            "limits of `m` are two for `weekly`",
        ),
        (
            "s = { limit = 1, per = \"weekly\" }",
            "limits of `s` cannot have a `per` or `anchor` of their own",
        ),
        (
            "s = { limit = 1, rollover = { max = 1 } }",
            "limits of `s` cannot have a `rollover`",
        ),
        (
            "m = { limit = 1, per = \"5h\", anchor = \"first_use\", rollover = { max = 1 } }",
            "limits of `m` cannot have a `rollover` with `first_use`",
        ),
        (
            "m = { limit = 1, rollover = { max = 0 } }",
            "limits of `m` must have a `rollover.max` of 1 to 10^15",
        ),
        ("m = { limit = 1, rolover = 3 }", "unknown field `rolover`"),
        (
            "m = 1.5",
            "a whole number from 0 to 1000000000000000, \"unlimited\", a limit such as",
        ),
    ] {
        let refused = with(value).expect_err(value);
        assert!(refused.contains(words), "{value}: {refused}");
    }
    let fits = "m = [{ limit = 1, rollover = { max = 1 } }, { limit = 2, per = \"5h\", anchor = \"first_use\" }], s = 3";
    assert_eq!(with(fits), Ok(()));
}

const UNCOUNTED: &str = "[[feature]]\ncode = \"sso\"\nname = \"Single sign-on\"\nkind = \"flag\"\n\
     [[feature]]\ncode = \"size\"\nname = \"Largest file\"\nunit = \"MB\"\nkind = \"setting\"\n\
     [[feature]]\ncode = \"m\"\nname = \"M\"\nunit = \"m\"\nkind = \"consumable\"\ncadence = \"monthly\"\n";

/// C2: a plan says of a flag whether it has it, and of a setting what it is. Anything else is refused, and names plan and
/// feature.
#[test]
fn what_a_plan_says_fits_the_kind_of_the_feature() {
    let with = |value: &str| {
        let plan = format!("[[plan]]\ncode = \"p\"\nname = \"P\"\nlimits = {{ {value} }}\n");
        let applied = Catalog::default().applied(&read(&format!("{UNCOUNTED}{plan}")));
        applied.map(drop).map_err(|error| {
            let error = only(error);
            assert_eq!(error.entry, "plan `p`");
            let member = error.member.as_ref().map(ToString::to_string);
            (member.unwrap_or_default(), error.why)
        })
    };
    let long = format!("size = \"{}\"", "x".repeat(201));
    for (value, member, words) in [
        ("sso = 1", "sso", "of `sso` must be `true` or `false`"),
        ("sso = \"yes\"", "sso", "of `sso` must be `true` or `false`"),
        ("sso = \"unlimited\"", "sso", "of `sso` must be `true` or"),
        ("sso = [{ limit = 1 }]", "sso", "of `sso` must be `true` or"),
        ("sso = { limit = 1 }", "sso", "of `sso` must be `true` or"),
        (
            "size = true",
            "size",
            "of `size` must be a whole number or a text",
        ),
        (
            "size = { limit = 1 }",
            "size",
            "of `size` must be a whole number or a text",
        ),
        (
            "size = []",
            "size",
            "of `size` must be a whole number or a text",
        ),
        (
            "size = \"\"",
            "size",
            "of `size` must be a text of 1 to 200 characters",
        ),
        (
            &long,
            "size",
            "of `size` must be a text of 1 to 200 characters",
        ),
        (
            "m = true",
            "m",
            "of `m` must be a whole number or \"unlimited\": `true` and",
        ),
        (
            "m = \"many\"",
            "m",
            "of `m` must be a whole number or \"unlimited\": a text",
        ),
    ] {
        let (at, why) = with(value).expect_err(value);
        assert_eq!(at, member, "{value}");
        assert!(why.starts_with(words), "{value}: {why}");
    }
    let most = format!("size = \"{}\"", "ß".repeat(200));
    for fits in [
        "sso = true, size = 50, m = 1",
        "sso = false",
        "size = \"large\"",
        &most,
    ] {
        assert_eq!(with(fits), Ok(()), "{fits}");
    }
}

/// A plan that says `limit` and sells `sold`, or why not.
fn selling(limit: &str, sold: &str) -> Result<(), String> {
    let kinds = ["consumable", "capacity"].map(|kind| {
        let head = format!("[[feature]]\ncode = \"{kind}\"\nname = \"F\"\nunit = \"f\"");
        format!("{head}\nkind = \"{kind}\"\ncadence = \"subscription\"\n")
    });
    let head = "[[plan]]\ncode = \"p\"\nname = \"P\"\ncurrency = \"eur\"";
    let plan = format!("{head}\nlimits = {{ sso = true, {limit} }}\non_demand = {{ {sold} }}\n");
    let file = read(&format!("{UNCOUNTED}{}{plan}", kinds.concat()));
    let applied = Catalog::default().applied(&file).map(drop);
    applied.map_err(|error| {
        let error = only(error);
        let place = (error.entry.as_str(), error.field);
        assert_eq!(place, ("plan `p`", "on_demand"));
        error.why
    })
}

/// C11: what a plan sells on demand has a price and a cap, and is a consumable that the plan limits; else plan and feature are
/// named.
#[test]
fn what_a_plan_sells_on_demand_is_what_it_limits() {
    let cases = [
        ("sso = { P }", "nothing of a flag is counted"),
        ("capacity = { P }", "still there when the period"),
        ("nothing = { P }", "there is no such feature"),
        ("consumable = { price = 0, cap = 1 }", "`price` of 1 to"),
        ("consumable = { P, per = 0 }", "`per` of 1 to 10^15"),
        (
            "consumable = { P, per = 1000000000000001 }",
            "`per` of 1 to 10^15",
        ),
        (
            "consumable = { price = 1, cap = 1000000000000001 }",
            "`cap` of at most",
        ),
        (
            "consumable = { P, currency = \"usd\" }",
            "currency, `eur`, and not in `usd`",
        ),
    ];
    let priced = |sold: &str| sold.replace('P', "price = 4, cap = 100");
    for (sold, why) in cases {
        let refused = selling("capacity = 1, consumable = 1", &priced(sold)).expect_err(sold);
        assert!(refused.contains(why), "{sold}: {refused}");
    }
    let sold = priced("consumable = { P }");
    let unnamed = selling("capacity = 1", &sold).expect_err("not in the plan");
    assert!(unnamed.contains("do not name it"), "{unnamed}");
    let unlimited = selling("consumable = \"unlimited\"", &sold).expect_err("unlimited");
    assert!(unlimited.contains("does not limit it"), "{unlimited}");
    for fits in [
        "P",
        "P, per = 1000, currency = \"eur\"",
        "price = 1, cap = 0",
        "price = 4, cap = 4",
    ] {
        let sold = priced(&format!("consumable = {{ {fits} }}"));
        assert_eq!(selling("consumable = 0", &sold), Ok(()), "{fits}");
    }
    for lacking in ["price = 4", "cap = 1"] {
        let text =
            format!("[[plan]]\ncode = \"p\"\nname = \"P\"\non_demand = {{ x = {{ {lacking} }} }}");
        let error = toml::from_str::<CatalogFile>(&text).expect_err(lacking);
        assert!(error.to_string().contains("missing field"), "{error}");
    }
}

/// C1 and C2: of a flag or a setting nothing is said about counting; of what is counted, unit and cadence are.
#[test]
fn a_feature_says_what_its_kind_has() {
    let refused = |kind: &str, rest: &str| {
        let text = format!("[[feature]]\ncode = \"f\"\nname = \"F\"\nkind = \"{kind}\"\n{rest}\n");
        let error = toml::from_str::<CatalogFile>(&format!("{UNCOUNTED}{text}"));
        error.expect_err(rest).to_string()
    };
    for field in [
        "cadence = \"monthly\"",
        "anchor = \"subscription\"",
        "on_renewal = \"reset\"",
        "credit_cost = 1",
        "trial_limit = 0",
        "scale = 1",
    ] {
        let name = field.split(' ').next().unwrap_or_default();
        for kind in ["flag", "setting"] {
            let error = refused(kind, field);
            let words =
                format!("feature `f`: a {kind} has no `{name}`, since nothing of it is counted");
            assert!(error.contains(&words), "{error}");
            assert!(error.contains("line 16"), "{error}");
        }
    }
    for kind in ["consumable", "capacity"] {
        for (rest, lacking) in [("", "unit"), ("unit = \"x\"", "cadence")] {
            let error = refused(kind, rest);
            assert!(
                error.contains(&format!("missing field `{lacking}`")),
                "{error}"
            );
            assert!(error.contains("line 16"), "{error}");
        }
    }
    // What did not come from a file is held to the same.
    let mut file = read(UNCOUNTED);
    file.features[0].credit_cost = Some(1);
    let error = only(Catalog::default().applied(&file).expect_err("refused"));
    assert_eq!(
        (error.entry.as_str(), error.field),
        ("feature `sso`", "credit_cost")
    );
}

/// C2: a flag does not become a limit, nor a limit a setting: what accounts have of it would be read otherwise.
#[test]
fn the_kind_of_what_is_not_counted_does_not_change() {
    let first = Catalog::default().applied(&read(UNCOUNTED)).expect("valid");
    for (from, to) in [
        ("kind = \"flag\"", "kind = \"setting\""),
        (
            "kind = \"flag\"",
            "unit = \"x\"\nkind = \"capacity\"\ncadence = \"subscription\"",
        ),
        (
            "kind = \"consumable\"\ncadence = \"monthly\"",
            "kind = \"setting\"",
        ),
    ] {
        let changed = UNCOUNTED.replace(from, to);
        assert_ne!(changed, UNCOUNTED);
        let error = only(first.applied(&read(&changed)).expect_err(to));
        assert_eq!(error.field, "kind", "{error}");
    }
    let renamed = UNCOUNTED.replace("unit = \"MB\"\n", "");
    assert!(
        first.applied(&read(&renamed)).is_ok(),
        "a unit is only shown"
    );
}

/// C14: the default plan is one of the file's, also in a file that was cut off behind its name.
#[test]
fn a_file_with_nothing_but_a_default_plan_is_refused() {
    let cut_off = read("default_plan = \"free\"\n");
    let error = only(Catalog::default().applied(&cut_off).expect_err("no plan"));
    assert_eq!(
        (error.entry.as_str(), error.field),
        ("the file", "default_plan")
    );
}
