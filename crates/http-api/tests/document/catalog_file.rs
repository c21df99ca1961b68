//! The JSON Schema of the catalog file beside files that are taken, and files that are not.

use axum::http::Method;
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
