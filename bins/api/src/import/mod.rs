//! `api import`: users, orgs and what belongs to them come from an older system, line by line. Run again, it changes nothing
//! that it did before.

mod carry_out;
mod kind;
mod line;
mod lines;
mod outcome;
mod refusal;
mod rehearsal;
mod report;
mod target;
mod turns;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::TimeDelta;
use quota_service::{EngineError, EngineSettings};
use runtime::MissingFile;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::carry_out::Importer;
use self::kind::Kind;
use self::lines::{BYTES_MAX, RawLine};
use self::outcome::Outcome;
use self::refusal::Refusal;
use self::rehearsal::Rehearsal;
use self::report::Report;
use self::target::Target;
use self::turns::Turns;
use self::work::Work;
use crate::args::ImportArgs;
use crate::command_error::CommandError;
use crate::wiring::wire_over;

/// Lines that are read and not done yet: most of them wait for their turn.
const ON_THE_WAY_MAX: usize = 512;
/// Lines that are carried out at the same time.
const AT_WORK_MAX: usize = 64;
/// How long a line may wait for the database.
const DEADLINE: Duration = Duration::from_secs(30);
/// For how long a key of a line is looked for: there is no import so old that it may be done twice.
const KEYS_KEPT_DAYS: i64 = 36_500;

/// Accounts that each queue keeps in memory: lines of one account stand near each other.
const HOMES_KEPT: usize = 2_000;

/// A line that was carried out, or could not be.
struct Done {
    raw: RawLine,
    kind: Kind,
    outcome: Result<Option<Outcome>, EngineError>,
}

/// Carries out the command.
pub(crate) async fn run(args: &ImportArgs) -> Result<(), CommandError> {
    let unreadable = |cause| CommandError::File {
        file: args.file.clone(),
        cause,
    };
    let lines = lines::open(&args.file).map_err(unreadable)?;
    let database = args.store.database.open(MissingFile::Refuse).await?;
    let settings = EngineSettings {
        deadline: DEADLINE,
        keys_kept: TimeDelta::days(KEYS_KEPT_DAYS),
        homes_kept: HOMES_KEPT,
        ..EngineSettings::default()
    };
    let wired = wire_over(database, &args.cache, settings, None).await?;
    let importer = Importer {
        target: Target {
            engine: wired.engine.clone(),
            billing: wired.billing(),
        },
        file: lines::name_of(&args.file),
        rehearsal: args.dry_run.then(Rehearsal::default),
        gave_up: AtomicBool::new(false),
    };
    let outcome = match Run::begin(args, importer) {
        Ok(run) => run.through(lines).await,
        Err(error) => Err(error),
    };
    wired.stop().await;
    outcome
}

/// One run through a file.
struct Run<'a> {
    args: &'a ImportArgs,
    importer: Arc<Importer>,
    report: Report,
    turns: Turns,
    crew: JoinSet<Done>,
    at_work: Arc<Semaphore>,
    /// Numbers of the lines that were read and are not done.
    open: BTreeSet<u64>,
    /// The last line that was read.
    read: u64,
    /// Why the run cannot go on.
    stopped: Option<EngineError>,
}

impl<'a> Run<'a> {
    fn begin(args: &'a ImportArgs, importer: Importer) -> Result<Self, CommandError> {
        let report = Report::begin(args.refused.as_deref());
        Ok(Self {
            args,
            importer: Arc::new(importer),
            report: report.map_err(|cause| unwritten(args, cause))?,
            turns: Turns::default(),
            crew: JoinSet::new(),
            at_work: Arc::new(Semaphore::new(AT_WORK_MAX)),
            open: BTreeSet::new(),
            read: args.after_line,
            stopped: None,
        })
    }

    async fn through(mut self, mut lines: lines::Lines) -> Result<(), CommandError> {
        while self.stopped.is_none()
            && let Some(raw) = lines.recv().await
        {
            let raw = raw.map_err(|cause| CommandError::File {
                file: self.args.file.clone(),
                cause,
            })?;
            if self.args.after_line < raw.number {
                self.take(raw)?;
            }
            while ON_THE_WAY_MAX <= self.crew.len() {
                self.finish_one().await?;
            }
            while let Some(done) = self.crew.try_join_next() {
                self.note(done)?;
            }
        }
        while !self.crew.is_empty() {
            self.finish_one().await?;
        }
        self.end()
    }

    /// Begins a line, or refuses what cannot be read of it.
    fn take(&mut self, raw: RawLine) -> Result<(), CommandError> {
        self.read = raw.number;
        if raw.text.trim_ascii().is_empty() {
            return Ok(());
        }
        let work = match self.work_of(&raw) {
            Ok(work) => work,
            Err((kind, refusal)) => {
                let refused = Outcome::Refused(refusal);
                let noted = self.report.note((raw.number, &raw.text), kind, &refused);
                return noted.map_err(|cause| unwritten(self.args, cause));
            }
        };
        self.open.insert(raw.number);
        let mut turn = self.turns.take(&work);
        let (importer, at_work) = (Arc::clone(&self.importer), Arc::clone(&self.at_work));
        self.crew.spawn(async move {
            turn.come().await;
            // It is never closed.
            let place = at_work.acquire().await;
            let outcome = importer.carry_out(raw.number, &work).await;
            drop(place);
            turn.end();
            Done {
                raw,
                kind: work.kind,
                outcome,
            }
        });
        Ok(())
    }

    fn work_of(&self, raw: &RawLine) -> Result<Work, (Option<Kind>, Refusal)> {
        if raw.is_too_long {
            let why = format!("the line is longer than {BYTES_MAX} bytes");
            return Err((None, Refusal::whole(why)));
        }
        let (kind, line) = line::read(&raw.text)?;
        let work = Work::of(kind, line, self.importer.target.engine.now());
        work.map_err(|refusal| (Some(kind), refusal))
    }

    async fn finish_one(&mut self) -> Result<(), CommandError> {
        match self.crew.join_next().await {
            Some(done) => self.note(done),
            None => Ok(()),
        }
    }

    fn note(&mut self, done: Result<Done, tokio::task::JoinError>) -> Result<(), CommandError> {
        let done = done.map_err(|panic| CommandError::Server(panic.into()))?;
        match done.outcome {
            Ok(Some(outcome)) => {
                self.open.remove(&done.raw.number);
                let line = (done.raw.number, done.raw.text.as_slice());
                let noted = self.report.note(line, Some(done.kind), &outcome);
                noted.map_err(|cause| unwritten(self.args, cause))
            }
            // The line stays among those that are not done.
            Ok(None) => Ok(()),
            Err(error) => {
                self.stopped.get_or_insert(error);
                Ok(())
            }
        }
    }

    fn end(mut self) -> Result<(), CommandError> {
        let table = self.report.end();
        let table = table.map_err(|cause| unwritten(self.args, cause))?;
        if self.args.dry_run {
            runtime::print("a dry run: nothing was changed\n")?;
        }
        runtime::print(&table)?;
        if let Some(cause) = self.stopped {
            let first = self.open.first().copied().unwrap_or(self.read);
            let done_to = first.saturating_sub(1);
            return Err(CommandError::ImportStopped { done_to, cause });
        }
        match self.report.refused() {
            0 => Ok(()),
            lines => Err(CommandError::LinesRefused { lines }),
        }
    }
}

fn unwritten(args: &ImportArgs, cause: std::io::Error) -> CommandError {
    CommandError::RefusedFile {
        file: args.refused.clone().unwrap_or_default(),
        cause,
    }
}
