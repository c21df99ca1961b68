//! A payment provider's subscriptions read again, and an older system brought over.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::money::Stage;
use super::{Bench, Title};
use crate::error::{BenchError, other};
use crate::http::{self, Target, post};
use crate::machine::as_float;
use crate::programs::Api;
use crate::report::Report;

const SYNC: &str = "sync_unchanged";
const IMPORT: &str = "import";
const BESIDE: Title = Title {
    key: "consume_beside_sync",
    what: "POST /v1/consume over 64 connections while a worker reads 20,000 subscriptions, beside the same without",
    at_least: Some(0.95),
};
const SUBSCRIPTIONS: usize = 20_000;
const USERS: u64 = 40_000;
const MIB: f64 = 1_048_576.0;
/// The job, as `worker run-job` has it.
const JOB: [&str; 2] = ["run-job", "sync_provider"];

impl Bench<'_> {
    /// Reading again what did not change, a consume beside it, and an import.
    pub(super) async fn money_jobs(&self, report: &mut Report) -> Result<(), BenchError> {
        if self.settings.wants(SYNC) || self.settings.wants(BESIDE.key) {
            let stage = self.stage("sync").await?;
            self.sync_unchanged(report, &stage).await?;
        }
        if self.settings.wants(IMPORT) {
            self.import(report).await?;
        }
        Ok(())
    }

    async fn sync_unchanged(&self, report: &mut Report, stage: &Stage) -> Result<(), BenchError> {
        let launch = self.launch(stage, None);
        let run = || tokio::task::block_in_place(|| launch.run("worker", &JOB));
        let api = tokio::task::block_in_place(|| Api::start(&launch))?;
        let (_, idle) = run()?;
        let subscriptions = stage.fake.many_subscriptions(SUBSCRIPTIONS, "price_pro");
        let customer_of = |subscription: &String| {
            let object = stage.fake.object(subscription);
            object["customer"].as_str().unwrap_or_default().to_owned()
        };
        let customers = subscriptions.iter().map(customer_of);
        let pairs = customers
            .enumerate()
            .map(|(n, customer)| (format!("s{n}"), customer));
        let pairs: Vec<(String, String)> = pairs.collect();
        stage.link(&api, &pairs).await?;
        let (first, _) = run()?;
        stage.fake.clear_calls();
        let (took, peak) = run()?;
        let calls = as_float(stage.fake.calls_total());
        println!("{:?}", stage.fake.calls());
        let seconds = |took: Duration| took.as_secs_f64();
        report.figure(
            "sync_first",
            "s to book 20,000 new subscriptions",
            seconds(first),
        );
        report.figure(
            "sync_unchanged",
            "s to read 20,000 unchanged ones",
            seconds(took),
        );
        report.figure(
            "sync_unchanged_calls",
            "calls of the provider for it; at most 210",
            calls,
        );
        let grown = as_float(peak.saturating_sub(idle)) / MIB;
        report.figure(
            "sync_unchanged_memory",
            "MiB more than the same with none; at most 50",
            grown,
        );
        if self.settings.wants(BESIDE.key) {
            self.beside(report, stage, &api).await?;
        }
        Ok(())
    }

    async fn beside(
        &self,
        report: &mut Report,
        stage: &Stage,
        api: &Api,
    ) -> Result<(), BenchError> {
        let next = AtomicU64::new(1);
        let count = u64::try_from(SUBSCRIPTIONS).map_err(other)?;
        let render = |number: u64| {
            let user = number.wrapping_mul(1_000_003) % count;
            let body = format!(r#"{{"user":"s{user}","feature":"calls","amount":1}}"#);
            post(
                "/v1/consume",
                &stage.secret,
                Some(&format!("h-{number}")),
                &body,
            )
        };
        let target = Target {
            address: api.address,
            render: &render,
            operations: 1,
            status: "200",
        };
        let alone_p99 = std::cell::RefCell::new(Vec::new());
        let load = async || {
            let from = next.fetch_add(100_000_000, Ordering::Relaxed);
            http::run(&target, 64, self.lasts(), from).await
        };
        let alone = async || {
            let measured = load().await?;
            alone_p99.borrow_mut().push(measured.millis(0.99));
            Ok(measured.rate)
        };
        load().await?;
        let row = self
            .rounds(BESIDE, &alone, || async {
                let is_over = AtomicBool::new(false);
                let launch = self.launch(stage, None);
                std::thread::scope(|scope| {
                    let job = scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            launch.run("worker", &JOB)?;
                        }
                        Ok::<_, BenchError>(())
                    });
                    let measured = tokio::task::block_in_place(|| {
                        tokio::runtime::Handle::current().block_on(load())
                    });
                    is_over.store(true, Ordering::Relaxed);
                    let ended = job.join();
                    ended.map_err(|_| BenchError::Failed("the job ended badly".to_owned()))??;
                    measured
                })
            })
            .await?;
        let mut alone_p99 = alone_p99.into_inner();
        alone_p99.sort_by(f64::total_cmp);
        let alone_p99 = alone_p99.get(alone_p99.len() / 2).copied().unwrap_or(0.0);
        let ratio = row.p99_millis / alone_p99;
        report.figure(
            "consume_beside_sync_p99",
            "times the p99 without; at most 1.5",
            ratio,
        );
        report.add(row);
        Ok(())
    }

    async fn import(&self, report: &mut Report) -> Result<(), BenchError> {
        let stage = self.stage("import").await?;
        let mut lines = String::new();
        for user in 0..USERS {
            let told = writeln!(lines, r#"{{"type":"user","id":"i{user}"}}"#);
            told.map_err(other)?;
            if user % 4 != 3 {
                let told = writeln!(
                    lines,
                    r#"{{"type":"subscription","account":"user:i{user}","plan":"pro"}}
{{"type":"usage","user":"i{user}","feature":"calls","amount":{}}}"#,
                    user + 1
                );
                told.map_err(other)?;
            }
        }
        let count = lines.lines().count();
        let file = tempfile::NamedTempFile::new_in("target/bench").map_err(other)?;
        std::fs::write(file.path(), lines).map_err(other)?;
        let path = file.path().display().to_string();
        let mut launch = self.launch(&stage, None);
        launch.stripe = None;
        let run = || tokio::task::block_in_place(|| launch.run("api", &["import", &path]));
        let (took, peak) = run()?;
        let what = format!("s to bring over {count} lines; at most 120");
        report.figure("import", &what, took.as_secs_f64());
        report.figure(
            "import_memory",
            "MiB at most in it; at most 150",
            as_float(peak) / MIB,
        );
        let (again, _) = run()?;
        report.figure(
            "import_again",
            "s for the same file again, which changes nothing",
            again.as_secs_f64(),
        );
        Ok(())
    }
}
