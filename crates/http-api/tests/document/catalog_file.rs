//! The JSON Schema of the catalog file beside files that are taken, and files that are not.

use std::collections::BTreeSet;

use axum::http::Method;
use quota_core::catalog::Catalog;
use serde_json::{Value, json};

use crate::api::{Api, Record, Sent};
use crate::schema::Schemas;

const EXAMPLES: [&str; 6] = [
    include_str!("../../../quota-core/catalogs/article-platform.toml"),
    include_str!("../../../quota-core/catalogs/image-platform.toml"),
    include_str!("../../../quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../quota-core/catalogs/try-on-shop.toml"),
    include_str!("../../../quota-core/catalogs/ai-workspace.toml"),
    include_str!("../../../testkit/src/sequences/catalog.toml"),
];

const FLAGS: &str = r#"
[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
unit = "MB"
kind = "setting"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "pro"
name = "Pro"
limits = { sso = true, max_file_mb = "no limit", messages = [{ limit = 5, per = "5h" }, { limit = "unlimited" }] }
on_demand = { messages = { price = 4, per = 10, cap = 0 } }
"#;

async fn served() -> Value {
    let api = Api::of(&Record::new(), http_api::ApiSettings::default(), false).await;
    let sent = Sent::default();
    let answer = api
        .unrecorded(&Method::GET, "/v1/catalog/schema", &sent)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// Whether the schema takes a file, and whether the program reads it.
fn taken(schema: &Value, text: &str) -> (Vec<String>, bool) {
    let file: Value = toml::from_str(text).expect("it is TOML");
    let root = json!({"$ref": schema["$ref"]});
    let faults = Schemas(schema).faults(&root, &file);
    (faults, http_api::read_catalog_toml(text).is_ok())
}

#[tokio::test]
async fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
    let schema = served().await;
    for text in EXAMPLES.into_iter().chain([FLAGS]) {
        assert_eq!(taken(&schema, text), (Vec::new(), true), "{text}");
    }
    for (from, to) in [
        ("kind = \"flag\"", "kind = \"flag\"\ncadence = \"monthly\""),
        ("kind = \"flag\"", "kind = \"flag\"\nscale = 1"),
        ("kind = \"flag\"", "kind = \"flags\""),
        ("kind = \"flag\"", "kind = \"flag\"\ncolour = \"red\""),
        ("unit = \"message\"\n", ""),
        ("cadence = \"monthly\"\n", ""),
        ("limit = 5", "limit = -5"),
        ("sso = true", "sso = 1.5"),
        ("name = \"Pro\"\n", ""),
    ] {
        let wrong = FLAGS.replacen(from, to, 1);
        assert_ne!(wrong, FLAGS);
        let (faults, is_read) = taken(&schema, &wrong);
        assert!(!faults.is_empty() && !is_read, "{to}: {faults:?}");
    }
}

/// C3: the schema knows each word of a cadence, and takes the spans that the program takes, of a feature and of a limit.
#[tokio::test]
async fn the_schema_knows_the_cadences() {
    let schema = served().await;
    let words = &schema["$defs"]["Cadence"]["oneOf"][0]["enum"];
    let known = [
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "subscription",
    ];
    assert_eq!(*words, json!(known));
    let spans = [
        "1h", "9h", "10h", "999h", "1000h", "8784h", "1d", "14d", "99d", "299d", "366d", "0h",
        "0d", "05h", "8785h", "8790h", "9000h", "10000h", "367d", "370d", "400d", "1000d", "5m",
        "2w", "5", "h", "", "never", "Monthly", " 5h",
    ];
    let mut taken_spans = 0;
    for cadence in spans.into_iter().chain(known) {
        for (from, to) in [
            ("cadence = \"monthly\"", format!("cadence = \"{cadence}\"")),
            ("per = \"5h\"", format!("per = \"{cadence}\"")),
        ] {
            let text = FLAGS.replacen(from, &to, 1);
            let (faults, is_read) = taken(&schema, &text);
            assert_eq!(faults.is_empty(), is_read, "{to}: {faults:?}");
            taken_spans += u32::from(is_read);
        }
    }
    assert_eq!(taken_spans, 2 * (11 + 6));
}

/// Where a file says each number that the schema has: the name of the schema, the member, and the number's place in a file
/// that is right otherwise.
const NUMBERS: [(&str, &str, &str); 14] = [
    ("Feature", "credit_cost", "/feature/0/credit_cost"),
    ("Feature", "trial_limit", "/feature/0/trial_limit"),
    ("Feature", "scale", "/feature/1/scale"),
    ("Plan", "price", "/plan/0/price"),
    ("Plan", "trial_days", "/plan/1/trial_days"),
    ("OnDemand", "price", "/plan/1/on_demand/pages/price"),
    ("OnDemand", "per", "/plan/1/on_demand/pages/per"),
    ("OnDemand", "cap", "/plan/1/on_demand/pages/cap"),
    ("Rollover", "max", "/plan/1/limits/pages/rollover/max"),
    ("PlanLimit", "limit", "/plan/1/limits/pages/limit"),
    ("Pack", "price", "/pack/0/price"),
    ("Pack", "days", "/pack/0/days"),
    ("Pack", "priority", "/pack/0/priority"),
    ("PackBoost", "days", "/pack/1/boost/days"),
];

/// A file with a place for each number.
fn numbers() -> Value {
    let feature = |code: &str| {
        json!({"code": code, "name": "F", "unit": "page", "kind": "consumable", "cadence": "monthly",
            "credit_cost": 1, "trial_limit": 1, "scale": 1})
    };
    let limit = json!({"limit": 5, "rollover": {"max": 1}});
    let sold = json!({"price": 1, "per": 1, "cap": 1_000_000_000_000_000_u64});
    json!({
        "feature": [feature("pages"), feature("scaled")],
        "plan": [
            {"code": "free", "name": "Free", "price": 0},
            {"code": "pro", "name": "Pro", "price": 1, "trial_days": 1, "limits": {"pages": limit},
                "on_demand": {"pages": sold}},
        ],
        "pack": [
            {"code": "few", "name": "Few", "credits": 1, "price": 1, "days": 1, "priority": 1},
            {"code": "boost", "name": "Boost", "price": 1,
                "boost": {"feature": "scaled", "amount": 1, "days": 1}},
        ],
    })
}

/// The numbers that the schema names by themselves, as schema and member.
fn numbers_of(schema: &Value) -> BTreeSet<(&str, &str)> {
    let is_number = |member: &Value| {
        let (kind, integer) = (&member["type"], json!("integer"));
        let of_several = kind.as_array().is_some_and(|all| all.contains(&integer));
        *kind == integer || of_several
    };
    let mut found = BTreeSet::new();
    for (name, one) in schema["$defs"].as_object().into_iter().flatten() {
        for (member, of) in one["properties"].as_object().into_iter().flatten() {
            if is_number(of) {
                found.insert((name.as_str(), member.as_str()));
            }
        }
    }
    found
}

/// C1, C10, C11: what the schema says of a number, the program says too: below the least, between both and above the most.
#[tokio::test]
async fn the_schema_bounds_each_number_as_the_program_does() {
    let schema = served().await;
    let root = json!({"$ref": schema["$ref"]});
    let named: BTreeSet<_> = NUMBERS.map(|(name, member, _)| (name, member)).into();
    let missing: Vec<_> = numbers_of(&schema).difference(&named).copied().collect();
    assert_eq!(missing, [("", ""); 0], "a number without a place here");
    for (name, member, place) in NUMBERS {
        let mut both = (BTreeSet::new(), BTreeSet::new());
        for most in [0, 1, 366, 1_000_000, 1_000_000_000_000_000, u64::MAX] {
            for number in [most.saturating_sub(1), most, most.saturating_add(1)] {
                let mut file = numbers();
                *file.pointer_mut(place).expect("a place in the file") = json!(number);
                let faults = Schemas(&schema).faults(&root, &file);
                let read = http_api::read_catalog_json(&file.to_string());
                let applied = read.ok().map(|file| Catalog::default().applied(&file));
                let is_taken = applied.is_some_and(|applied| applied.is_ok());
                assert_eq!(
                    faults.is_empty(),
                    is_taken,
                    "{name}.{member} = {number}: {faults:?}"
                );
                let of = if is_taken { &mut both.0 } else { &mut both.1 };
                of.insert(number);
            }
        }
        assert!(!both.0.is_empty() && !both.1.is_empty(), "{name}.{member}");
    }
}

/// What a pack says of its boost is told with its place in it.
#[test]
fn a_mistake_in_the_boost_of_a_pack_has_its_place() {
    let text = format!(
        "{FLAGS}\n[[pack]]\ncode = \"b\"\nname = \"B\"\nprice = 1\nboost = {{ amount = 5, feature = \"sso\" }}\n"
    );
    let file = http_api::read_catalog_toml(&text).expect("it is read");
    let refused = Catalog::default().applied(&file).expect_err("a flag");
    let places = http_api::places_in_toml(&text, &refused.mistakes);
    let line = text.lines().count();
    assert_eq!(places, [Some((line, 33))], "{refused}");
    let pointer = http_api::place_in_json(&file, &refused.mistakes[0]);
    assert_eq!(pointer, "/pack/0/boost/feature");
}
