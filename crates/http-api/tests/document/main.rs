//! The OpenAPI document beside what is really answered: every status of every operation comes and is declared, and every
//! answer is as its schema says.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod api;
mod billing;
mod catalog_file;
mod codes;
mod connected;
mod jobs;
mod pages;
mod refusals;
mod schema;
mod shape;
mod story;
mod wire;

use std::sync::Arc;

use http_api::ApiSettings;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::api::{Api, Record};

/// Declared, and not to be had from a healthy process: each with why.
fn is_out_of_reach(declared: &str) -> bool {
    // What fails here is a bug or a broken store.
    let is_fault = declared.ends_with(" 500");
    // It is not bounded: only without the store the key cannot be looked up.
    let is_storeless = ["get /metrics 503", "get /metrics header retry-after"].contains(&declared);
    is_fault || is_storeless
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let record = Record::new();
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .expect("the only recorder");
    let settings = ApiSettings {
        metrics: Some(Arc::new(move || metrics.render())),
        ..ApiSettings::default()
    };
    let fake = connected::fake().await;
    let api = Api::with(&record, settings, true, Some(&fake)).await;
    story::told(&api).await;
    billing::told(&api, &fake).await;
    refusals::driven(&record).await;
    let faults = record.faults();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    let mut unseen = record.unseen();
    unseen.retain(|declared| !is_out_of_reach(declared));
    assert!(unseen.is_empty(), "\nnever came:\n{}\n", unseen.join("\n"));
}
