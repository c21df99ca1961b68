//! The example catalogs, and what a catalog may say.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first catalog that does not parse"
)]

use quota_core::amount::Limit;
use quota_core::catalog::{Anchor, Cadence, Catalog, CatalogFile, Feature, Kind, OnRenewal};
use quota_core::ids::{FeatureCode, PlanCode};

const EXAMPLES: [&str; 4] = [
    include_str!("../catalogs/article-platform.toml"),
    include_str!("../catalogs/image-platform.toml"),
    include_str!("../catalogs/llm-gateway.toml"),
    include_str!("../catalogs/try-on-shop.toml"),
];

fn read(text: &str) -> CatalogFile {
    toml::from_str(text).expect("a valid file")
}

fn examples() -> CatalogFile {
    let mut all = CatalogFile::default();
    for file in EXAMPLES.map(read) {
        all.features.extend(file.features);
        all.plans.extend(file.plans);
    }
    all
}

/// C8: the four example catalogs are valid, each alone and all in one.
#[test]
fn the_example_catalogs_are_valid_alone_and_together() {
    for text in EXAMPLES {
        assert!(Catalog::default().applied(&read(text)).is_ok());
    }
    let all = Catalog::default()
        .applied(&examples())
        .expect("no code stands twice");
    assert_eq!((all.features.len(), all.plans.len()), (12, 7));
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
    plan.limits.insert(tokens.clone(), Limit::Of(1));
    let second = first.applied(&file).expect("valid");
    assert_eq!((second.version, second.newest_version(&team)), (2, 2));
    let limit = |version| second.plan(&team, version).map(|plan| plan.limits[&tokens]);
    assert_eq!(limit(None), Some(Limit::Of(1)));
    assert_eq!(limit(Some(1)), Some(Limit::Of(50_000_000)));
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
        "feature `calls`: anchor must be `subscription`: the windows of a span are counted from the subscription's start"
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
