//! The api binary over HTTP, and a hello-world beside it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quota_core::ports::KeyScope;
use testkit::redis::RedisServer;

use super::{Bench, Title};
use crate::error::{BenchError, other};
use crate::http::{self, Target, post};
use crate::programs::{Api, Launch};
use crate::report::Report;
use crate::seed;

const USERS: u64 = 10_000;
/// Operations in one batch.
const BATCH: u64 = 100;

const CONSUME: Title = Title {
    key: "http_consume",
    what: "POST /v1/consume, user scope, with key, 256 connections",
    at_least: Some(2.0),
};
const CONSUME_64: Title = Title {
    key: "http_consume_64",
    what: "the same over 64 connections",
    at_least: None,
};
const BATCHES: Title = Title {
    key: "http_batch",
    what: "POST /v1/batch of 100, operations",
    at_least: Some(3.0),
};
const CHECK: Title = Title {
    key: "http_check",
    what: "POST /v1/check from the cache, beside hello-world",
    at_least: Some(0.6),
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Numbers that no earlier run has used.
fn fresh() -> u64 {
    NEXT.fetch_add(100_000_000, Ordering::Relaxed)
}

fn user(number: u64) -> u64 {
    number.wrapping_mul(1_000_003) % USERS
}

impl Bench<'_> {
    pub(super) async fn over_http(&self, report: &mut Report) -> Result<(), BenchError> {
        let titles = [CONSUME, CONSUME_64, BATCHES, CHECK];
        if !titles.iter().any(|title| self.settings.wants(title.key)) {
            return Ok(());
        }
        let url = self.database("http")?;
        let (storage, catalog) = self.store(&url).await?;
        seed::users(&storage, &catalog, usize::try_from(USERS).map_err(other)?).await?;
        let engine = self.engine(&storage).await?;
        let secret = engine
            .create_key("bench", KeyScope::Write)
            .await
            .map_err(other)?
            .secret;
        engine.stop().await;
        let redis = tokio::task::block_in_place(RedisServer::start).map_err(other)?;
        let redis_url = redis.url();
        let launch = Launch {
            database: &url,
            redis: Some(&redis_url),
            shards: self.settings.shards,
            stripe: None,
        };
        let api = tokio::task::block_in_place(|| Api::start(&launch))?;
        self.consumes(report, &api, &secret).await?;
        self.batches(report, &api, &secret).await?;
        self.checks(report, &api, &secret).await
    }

    async fn consumes(
        &self,
        report: &mut Report,
        api: &Api,
        secret: &str,
    ) -> Result<(), BenchError> {
        let secret = secret.to_owned();
        let render = move |number: u64| {
            let user = user(number);
            let body = format!(r#"{{"user":"u{user}","feature":"calls","amount":1}}"#);
            post("/v1/consume", &secret, Some(&format!("h-{number}")), &body)
        };
        let target = Target {
            address: api.address,
            render: &render,
            operations: 1,
            status: "200",
        };
        for (title, connections) in [(CONSUME, 256), (CONSUME_64, 64)] {
            if !self.settings.wants(title.key) {
                continue;
            }
            http::run(&target, connections, Duration::from_secs(1), fresh()).await?;
            let run = || http::run(&target, connections, self.lasts(), fresh());
            let row = self.rounds(title, || self.pgbench(), run).await?;
            report.add(row);
        }
        Ok(())
    }

    async fn batches(
        &self,
        report: &mut Report,
        api: &Api,
        secret: &str,
    ) -> Result<(), BenchError> {
        if !self.settings.wants(BATCHES.key) {
            return Ok(());
        }
        let secret = secret.to_owned();
        let render = move |number: u64| {
            let operation = |place: u64| {
                let user = user(number * BATCH + place);
                format!(
                    r#"{{"user":"u{user}","feature":"calls","amount":1,"idempotency_key":"b-{number}-{place}"}}"#
                )
            };
            let operations: Vec<String> = (0..BATCH).map(operation).collect();
            let body = format!(r#"{{"operations":[{}]}}"#, operations.join(","));
            post("/v1/batch", &secret, None, &body)
        };
        let target = Target {
            address: api.address,
            render: &render,
            operations: BATCH,
            status: "200",
        };
        http::run(&target, 16, Duration::from_secs(1), fresh()).await?;
        let run = || http::run(&target, 16, self.lasts(), fresh());
        let row = self.rounds(BATCHES, || self.pgbench(), run).await?;
        report.add(row);
        Ok(())
    }

    async fn checks(&self, report: &mut Report, api: &Api, secret: &str) -> Result<(), BenchError> {
        if !self.settings.wants(CHECK.key) {
            return Ok(());
        }
        let own = secret.to_owned();
        let render = move |number: u64| {
            let user = user(number);
            let body = format!(r#"{{"user":"u{user}","feature":"calls","amount":1}}"#);
            post("/v1/check", &own, None, &body)
        };
        let target = Target {
            address: api.address,
            render: &render,
            operations: 1,
            status: "200",
        };
        let greet = |_: u64| post("/", "none", None, "{}");
        let hello = Target {
            address: http::hello().await?,
            render: &greet,
            operations: 1,
            status: "200",
        };
        // Every user is read once, so that the rounds find them in the cache.
        http::run(&target, 256, Duration::from_secs(3), 0).await?;
        let beside = || async {
            let measured = http::run(&hello, 256, self.lasts(), 0).await?;
            Ok(measured.rate)
        };
        let run = || http::run(&target, 256, self.lasts(), 0);
        let row = self.rounds(CHECK, beside, run).await?;
        report.add(row);
        Ok(())
    }
}
