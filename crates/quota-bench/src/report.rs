//! The report: a ratio for each measurement, taken beside its reference in the same run.

use std::path::Path;

use serde::Serialize;

use crate::error::{BenchError, other};
use crate::machine;

/// One measurement: medians over the rounds that count.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its name in the report.
    pub key: String,
    /// What it is.
    pub what: String,
    /// The ratio that it has to reach, if it has a bar.
    pub at_least: Option<f64>,
    /// Our rate divided by the reference's, in the same round.
    pub ratio: f64,
    /// Ours, a second.
    pub rate: f64,
    /// The reference's, a second.
    pub reference: f64,
    /// CPU microseconds of all processes for each.
    pub cpu_micros: f64,
    /// Median time to the answer, in milliseconds.
    pub p50_millis: f64,
    /// 99 % of the answers came sooner, in milliseconds.
    pub p99_millis: f64,
    /// Rounds that counted.
    pub rounds: usize,
    /// The largest share of the machine that other processes used in one of them.
    pub others_share: f64,
}

/// A figure without a reference.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Its name in the report.
    pub key: String,
    /// What it is, with its unit.
    pub what: String,
    /// The figure.
    pub value: f64,
}

/// Everything measured in one run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The machine.
    pub machine: String,
    /// The commit, if it is known.
    pub commit: String,
    /// The command line.
    pub command: String,
    /// What was measured beside a reference.
    pub rows: Vec<Row>,
    /// Other figures.
    pub figures: Vec<Figure>,
}

impl Report {
    /// An empty report of this machine and commit.
    pub fn begin() -> Self {
        let git = std::process::Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .output();
        let commit = git.map_or_else(
            |_| String::new(),
            |out| String::from_utf8_lossy(&out.stdout).trim().to_owned(),
        );
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self {
            machine: machine::describe(),
            commit,
            command: format!("just bench {}", arguments.join(" "))
                .trim()
                .to_owned(),
            ..Self::default()
        }
    }

    /// Adds a row, and shows it.
    pub fn add(&mut self, row: Row) {
        println!(
            "{}: {:.2} x (ours {:.0}/s, reference {:.0}/s, {:.1} us CPU, p50 {:.2} ms, p99 {:.2} ms, {} rounds)",
            row.key,
            row.ratio,
            row.rate,
            row.reference,
            row.cpu_micros,
            row.p50_millis,
            row.p99_millis,
            row.rounds
        );
        self.rows.push(row);
    }

    /// Adds a figure, and shows it.
    pub fn figure(&mut self, key: &str, what: &str, value: f64) {
        println!("{key}: {value:.1} ({what})");
        self.figures.push(Figure {
            key: key.to_owned(),
            what: what.to_owned(),
            value,
        });
    }

    /// Whether every row reaches its bar.
    pub fn reaches_its_bars(&self) -> bool {
        self.rows
            .iter()
            .all(|row| row.at_least.is_none_or(|bar| bar <= row.ratio))
    }

    /// The report as a table in Markdown.
    pub fn table(&self) -> String {
        let mut lines = vec![
            format!("Machine: {}. Commit: {}. Command: `{}`.", self.machine, self.commit, self.command),
            String::new(),
            "| key | what | at least | measured | ours/s | reference/s | CPU µs | p50 ms | p99 ms | rounds | others |".to_owned(),
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |".to_owned(),
        ];
        for row in &self.rows {
            let bar = row
                .at_least
                .map_or_else(|| "–".to_owned(), |bar| format!("{bar} ×"));
            lines.push(format!(
                "| `{}` | {} | {} | {:.2} × | {:.0} | {:.0} | {:.1} | {:.2} | {:.2} | {} | {:.0} % |",
                row.key, row.what, bar, row.ratio, row.rate, row.reference, row.cpu_micros,
                row.p50_millis, row.p99_millis, row.rounds, row.others_share * 100.0
            ));
        }
        if !self.figures.is_empty() {
            lines.push(String::new());
            lines.push("| key | what | value |".to_owned());
            lines.push("| --- | --- | --- |".to_owned());
        }
        for figure in &self.figures {
            lines.push(format!(
                "| `{}` | {} | {:.1} |",
                figure.key, figure.what, figure.value
            ));
        }
        lines.join("\n")
    }

    /// Writes `target/bench/report.json` and the table beside it.
    pub fn write(&self) -> Result<(), BenchError> {
        let folder = Path::new("target/bench");
        std::fs::create_dir_all(folder).map_err(other)?;
        let text = serde_json::to_string_pretty(self).map_err(other)?;
        std::fs::write(folder.join("report.json"), text).map_err(other)?;
        std::fs::write(folder.join("report.md"), self.table()).map_err(other)
    }
}
