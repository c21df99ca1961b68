//! The same random sequences of operations on several stores: the same outcomes and the same end state.

#![expect(
    clippy::expect_used,
    reason = "a suite that cannot run must stop the test"
)]

mod script;
mod wanted;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::command::Command;
use quota_core::home::Account;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::{Entry, OperationKind, Origin};
use quota_core::ports::{AuditHome, FixedClock, Storage};
use quota_core::rules::decide::Draw;
use quota_service::{
    Ask, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, TimeIds,
};
use script::{Cast, Step, pauses, script};
use uuid::Uuid;

pub use wanted::{regressions, wanted};

/// Which sequences are run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the accounts' ids begin with, so that runs can share a database.
    pub prefix: String,
    /// The seeds, one for each sequence.
    pub seeds: Vec<u64>,
    /// Operations in each sequence.
    pub steps: usize,
    /// Seed of the pauses, which all sequences share.
    pub time_seed: u64,
    /// Time that passes at most.
    pub longest: TimeDelta,
    /// Whether steps carry keys; they are looked for over 35 days only.
    pub with_keys: bool,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.with_keys { "keys" } else { "no-keys" };
        let days = self.longest.num_days();
        write!(
            f,
            "{} steps, time {}, {days} days, {keys}",
            self.steps, self.time_seed
        )
    }
}

/// What one step came to, without what differs from store to store.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It was answered.
    Answered {
        /// The operation's kind.
        kind: OperationKind,
        /// Its place in the home's history.
        sequence: u64,
        /// Its entries.
        entries: Vec<Entry>,
        /// Its answer.
        answer: Answer,
        /// Whether the answer was given before.
        is_replay: bool,
    },
    /// It was refused.
    Refused(String),
}

/// How a home is at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct EndState {
    version: u64,
    accounts: Vec<(AccountId, Account)>,
    closed: Vec<String>,
    reservations: Vec<(AccountId, Vec<Draw>, DateTime<Utc>, String)>,
    operations: usize,
}

/// What all sequences of a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// By sequence, by step.
    pub seen: Vec<Vec<Seen>>,
    /// By sequence, the homes at the end.
    pub ends: Vec<Vec<EndState>>,
}

/// The catalog that the sequences use.
///
/// # Panics
/// When it is not valid.
pub fn catalog() -> Catalog {
    let file: CatalogFile =
        toml::from_str(include_str!("catalog.toml")).expect("the suite's catalog parses");
    Catalog::default()
        .applied(&file)
        .expect("the suite's catalog is valid")
}

/// Runs the sequences of `plan` side by side on one store.
///
/// # Panics
/// When the store fails, or the auditor finds something at the end.
pub async fn run(storage: Arc<dyn Storage>, plan: &Plan) -> Trace {
    run_with(storage, plan, EngineSettings::default()).await
}

/// As [`run`], with an engine that is set in another way: that must not be seen in the outcomes.
///
/// # Panics
/// Those of [`run`].
pub async fn run_with(storage: Arc<dyn Storage>, plan: &Plan, settings: EngineSettings) -> Trace {
    let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
    let clock = Arc::new(FixedClock::at(start));
    if storage
        .catalog_version()
        .await
        .expect("the catalog's version")
        == 0
    {
        let stored = storage.put_catalog(&catalog(), None, start).await;
        assert!(
            stored.expect("the catalog is stored"),
            "nobody else stores one"
        );
    }
    let parts = EngineParts {
        storage: Arc::clone(&storage),
        cache: Arc::new(NoCache),
        clock: Arc::<FixedClock>::clone(&clock),
        ids: Arc::new(TimeIds),
    };
    let settings = EngineSettings {
        queue_max: 100_000,
        deadline: std::time::Duration::from_mins(5),
        ..settings
    };
    let engine = Engine::start(parts, settings)
        .await
        .expect("the engine starts");
    let mut players: Vec<Player> = plan
        .seeds
        .iter()
        .map(|seed| Player::new(plan, *seed))
        .collect();
    for pause in pauses(plan.time_seed, plan.steps, plan.longest) {
        join_all(players.iter_mut().map(|player| player.play(&engine))).await;
        clock.advance(pause);
    }
    engine.stop().await;
    let mut ends = Vec::with_capacity(players.len());
    for (player, seed) in players.iter().zip(&plan.seeds) {
        let mut homes = Vec::new();
        for home in player.cast.homes() {
            let found = storage.audit_home(home).await.expect("the home is read");
            let found = found.expect("the home exists");
            let findings = audit(&found);
            assert!(findings.is_empty(), "seed {seed}: {findings:?}, {plan}");
            homes.push(end_state(found));
        }
        ends.push(homes);
    }
    Trace {
        seen: players.into_iter().map(|player| player.seen).collect(),
        ends,
    }
}

/// Compares two traces and says where they part first.
///
/// # Panics
/// When they differ, with the seed and the step.
pub fn assert_same(plan: &Plan, expected: &Trace, found: &Trace) {
    for (place, seed) in plan.seeds.iter().enumerate() {
        let (left, right) = (&expected.seen[place], &found.seen[place]);
        for (step, (left, right)) in left.iter().zip(right).enumerate() {
            assert_eq!(left, right, "seed {seed} parts at step {step}, {plan}");
        }
        let (left, right) = (&expected.ends[place], &found.ends[place]);
        assert_eq!(left, right, "seed {seed} ends differently, {plan}");
    }
}

struct Player {
    cast: Cast,
    script: Vec<Step>,
    ids: Vec<Uuid>,
    seen: Vec<Seen>,
}

impl Player {
    fn new(plan: &Plan, seed: u64) -> Self {
        let cast = Cast::of(&plan.prefix, seed);
        Self {
            script: script(&cast, seed, plan.steps, plan.with_keys),
            cast,
            ids: Vec::with_capacity(plan.steps),
            seen: Vec::with_capacity(plan.steps),
        }
    }

    async fn play(&mut self, engine: &Engine) {
        let Some(step) = self.script.get(self.seen.len()) else {
            return;
        };
        let about = step.about.and_then(|about| self.ids.get(about)).copied();
        let ask = Ask {
            account: step.account.clone(),
            key: step
                .key
                .map(|key| IdempotencyKey::new(&format!("k{key}")).expect("a short key")),
            command: about_id(step.command.clone(), about),
            origin: Origin::default(),
        };
        let reply = engine.submit(ask).await;
        let id = reply
            .as_ref()
            .map_or(Uuid::nil(), |reply| reply.operation.id);
        self.ids.push(id);
        let seen = seen(reply).unwrap_or_else(|error| {
            let number = self.seen.len();
            panic!(
                "no answer to step {number} of {:?}: {step:?}: {error:?}",
                self.cast.org
            )
        });
        self.seen.push(seen);
    }
}

fn seen(reply: Result<Reply, EngineError>) -> Result<Seen, EngineError> {
    let seen = match reply {
        Ok(reply) => Seen::Answered {
            kind: reply.operation.kind,
            sequence: reply.operation.sequence,
            entries: reply.operation.entries,
            answer: reply.operation.answer,
            is_replay: reply.is_replay,
        },
        Err(EngineError::Rejected(rejection)) => Seen::Refused(rejection.code().to_owned()),
        Err(EngineError::KeyReused) => Seen::Refused("key_reused".to_owned()),
        Err(error) => return Err(error),
    };
    Ok(seen)
}

fn about_id(command: Command, about: Option<Uuid>) -> Command {
    let Some(id) = about else {
        return command;
    };
    match command {
        Command::Commit { actual, .. } => Command::Commit {
            reservation: id,
            actual,
        },
        Command::Release { .. } => Command::Release { reservation: id },
        Command::Extend { ttl_seconds, .. } => Command::Extend {
            reservation: id,
            ttl_seconds,
        },
        Command::Refund {
            feature, amount, ..
        } => Command::Refund {
            operation: id,
            feature,
            amount,
        },
        other => other,
    }
}

/// A home without what differs from run to run: ids, and the order of what has none.
pub fn end_state(found: AuditHome) -> EndState {
    let mut accounts = found.accounts;
    accounts.sort_by(|a, b| a.0.cmp(&b.0));
    for (_, account) in &mut accounts {
        account
            .books
            .balances
            .sort_by(|a, b| a.bucket.cmp(&b.bucket));
    }
    let mut closed: Vec<String> = found
        .closed
        .iter()
        .map(|closed| format!("{closed:?}"))
        .collect();
    closed.sort();
    let mut reservations: Vec<_> = found
        .reservations
        .into_iter()
        .map(|held| {
            (
                held.account,
                held.draws,
                held.expires_at,
                format!("{:?}", held.state),
            )
        })
        .collect();
    reservations.sort_by(|a, b| format!("{a:?}").cmp(&format!("{b:?}")));
    EndState {
        version: found.version,
        accounts,
        closed,
        reservations,
        operations: found.operations.len(),
    }
}
