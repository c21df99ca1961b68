//! What became of the lines: counted by type, and the refused ones told one by one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::kind::Kind;
use super::outcome::Outcome;
use super::refusal::Refusal;

/// How often it is told how far the import came.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// What stands in the table for lines whose type cannot be read.
const NO_TYPE: &str = "(no type)";

/// How many lines came to what.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    new: u64,
    changed: u64,
    unchanged: u64,
    refused: u64,
}

/// The report of a run.
pub(crate) struct Report {
    counts: BTreeMap<Option<Kind>, Counts>,
    refused_lines: Option<BufWriter<File>>,
    began: Instant,
    told: Instant,
}

impl Report {
    /// A report that also writes the refused lines into a file, if one is named.
    pub(crate) fn begin(refused: Option<&Path>) -> std::io::Result<Self> {
        let file = refused.map(File::create).transpose()?;
        Ok(Self {
            counts: BTreeMap::new(),
            refused_lines: file.map(BufWriter::new),
            began: Instant::now(),
            told: Instant::now(),
        })
    }

    /// Notes what became of a line.
    pub(crate) fn note(
        &mut self,
        (number, text): (u64, &[u8]),
        kind: Option<Kind>,
        outcome: &Outcome,
    ) -> std::io::Result<()> {
        let counts = self.counts.entry(kind).or_default();
        match outcome {
            Outcome::New => counts.new += 1,
            Outcome::Changed => counts.changed += 1,
            Outcome::Unchanged => counts.unchanged += 1,
            Outcome::Refused(refusal) => {
                counts.refused += 1;
                runtime::print_error(&told(number, refusal));
                self.keep(number, text, refusal)?;
            }
        }
        if TELL_EVERY <= self.told.elapsed() {
            self.told = Instant::now();
            runtime::print_error(&self.progress());
        }
        Ok(())
    }

    fn keep(&mut self, number: u64, text: &[u8], refusal: &Refusal) -> std::io::Result<()> {
        let Some(file) = &mut self.refused_lines else {
            return Ok(());
        };
        let was = String::from_utf8_lossy(text);
        let kept = json!({
            "line": number,
            "field": refusal.field,
            "sentence": refusal.sentence,
            "was": was,
        });
        writeln!(file, "{kept}")
    }

    fn progress(&self) -> String {
        let Counts {
            new,
            changed,
            unchanged,
            refused,
        } = self.sum();
        let lines = new + changed + unchanged + refused;
        let seconds = self.began.elapsed().as_secs();
        format!(
            "{lines} lines in {seconds} s: {new} new, {changed} changed, {unchanged} unchanged, {refused} refused"
        )
    }

    fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in self.counts.values() {
            sum.new += counts.new;
            sum.changed += counts.changed;
            sum.unchanged += counts.unchanged;
            sum.refused += counts.refused;
        }
        sum
    }

    /// How many lines were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.sum().refused
    }

    /// Writes what is left to write, and gives the table.
    pub(crate) fn end(&mut self) -> std::io::Result<String> {
        if let Some(file) = &mut self.refused_lines {
            file.flush()?;
        }
        let mut table = row("type", ["new", "changed", "unchanged", "refused"]);
        for (kind, counts) in &self.counts {
            table.push_str(&counted(kind.map_or(NO_TYPE, Kind::as_str), counts));
        }
        table.push_str(&counted("all", &self.sum()));
        Ok(table)
    }
}

fn counted(name: &str, counts: &Counts) -> String {
    let numbers = [counts.new, counts.changed, counts.unchanged, counts.refused];
    let numbers = numbers.map(|number| number.to_string());
    row(name, numbers.each_ref().map(String::as_str))
}

fn row(name: &str, cells: [&str; 4]) -> String {
    let mut row = format!("{name:12}");
    for cell in cells {
        // Writing to a string does not fail.
        let _ = write!(row, "  {cell:>9}");
    }
    row.push('\n');
    row
}

/// A refused line, with its number, field and sentence.
fn told(number: u64, refusal: &Refusal) -> String {
    match &refusal.field {
        Some(field) => format!("line {number}, `{field}`: {}", refusal.sentence),
        None => format!("line {number}: {}", refusal.sentence),
    }
}
