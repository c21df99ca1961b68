//! The same random sequences of operations on several stores: the same outcomes and the same end state.

#![expect(
    clippy::expect_used,
    reason = "a suite that cannot run must stop the test"
)]

mod cast;
mod end;
mod looks;
mod payments;
mod replacement;
mod script;
mod variety;
mod wanted;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cast::{Cast, Deed, Step, about_id};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use looks::{assert_as_foretold, foretold};
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::{Entry, OperationKind, id_at, sequence_of};
use quota_core::origin::Origin;
use quota_core::ports::{FixedClock, Storage};
use quota_service::{
    Ask, CatalogPlan, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, TimeIds,
};
use script::{pauses, script};
use uuid::Uuid;
use variety::{everything, varied};

pub use end::{EndState, end_state};
pub use looks::Looked;
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
    /// Whether things begin and end at times, statuses change, users move, accounts are looked at, and other catalogs are applied.
    pub is_varied: bool,
}

/// The catalogs that are applied one after another when a plan is varied.
const LATER_CATALOGS: [&str; 2] = [
    include_str!("catalog_second.toml"),
    include_str!("catalog_third.toml"),
];

impl Plan {
    /// The catalog that is applied before a step: they come in equal distances.
    fn catalog_at(&self, step: usize) -> Option<CatalogFile> {
        let parts = LATER_CATALOGS.len() + 1;
        let is_due = |part: &usize| self.is_varied && step == self.steps * part / parts;
        let part = (1..parts).find(is_due)?;
        Some(catalog_file(LATER_CATALOGS[part - 1]))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.with_keys { "keys" } else { "no-keys" };
        let variety = if self.is_varied { "varied" } else { "plain" };
        let days = self.longest.num_days();
        write!(
            f,
            "{} steps, time {}, {days} days, {keys}, {variety}",
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
    /// It was looked at.
    Looked(Box<Looked>),
    /// It was refused.
    Refused(String),
}

/// What all sequences of a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// By sequence, by step.
    pub seen: Vec<Vec<Seen>>,
    /// By sequence, the homes at the end.
    pub ends: Vec<Vec<EndState>>,
    /// What the catalogs that were applied in between changed.
    pub applied: Vec<CatalogPlan>,
}

/// The catalog that the sequences use, the first one where there are several.
///
/// # Panics
/// When it is not valid.
pub fn catalog() -> Catalog {
    Catalog::default()
        .applied(&catalog_file(include_str!("catalog.toml")))
        .expect("the suite's catalog is valid")
}

fn catalog_file(text: &str) -> CatalogFile {
    toml::from_str(text).expect("the suite's catalogs parse")
}

/// Runs the sequences of `plan` side by side on one store that is empty.
///
/// # Panics
/// When the store fails, or the auditor finds something at the end.
pub async fn run(storage: Arc<dyn Storage>, plan: &Plan) -> Trace {
    run_with(storage, plan, EngineSettings::patient()).await
}

/// As [`run`], with an engine that is set in another way: that must not be seen in the outcomes.
///
/// # Panics
/// Those of [`run`].
pub async fn run_with(storage: Arc<dyn Storage>, plan: &Plan, settings: EngineSettings) -> Trace {
    let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
    let clock = Arc::new(FixedClock::at(start));
    let stored = storage.put_catalog(&catalog(), None, start).await;
    assert!(
        stored.expect("the catalog is stored"),
        "the store was empty"
    );
    let engine = engine(&storage, &clock, settings).await;
    let mut instants = vec![start];
    for pause in pauses(plan.time_seed, plan.steps, plan.longest) {
        instants.push(instants[instants.len() - 1] + pause);
    }
    let player = |seed: &u64| Player::new(plan, *seed, &instants);
    let mut players: Vec<Player> = plan.seeds.iter().map(player).collect();
    let mut applied = Vec::new();
    for (step, now) in instants.iter().take(plan.steps).enumerate() {
        clock.set(*now);
        if let Some(file) = plan.catalog_at(step) {
            let all = everything(&engine).await;
            let said = engine.apply_catalog_removing(&file, &all, None).await;
            applied.push(said.expect("the suite's catalogs follow each other"));
        }
        join_all(players.iter_mut().map(|player| player.play(&engine))).await;
    }
    engine.stop().await;
    let homes = homes(storage.as_ref()).await;
    let mut ends = Vec::with_capacity(players.len());
    for (player, seed) in players.iter().zip(&plan.seeds) {
        let mut lived_in = Vec::new();
        for home in player.cast.homes().filter(|home| homes.contains(home)) {
            lived_in.push(end(storage.as_ref(), &home, &format!("seed {seed}, {plan}")).await);
        }
        ends.push(lived_in);
    }
    Trace {
        seen: players.into_iter().map(|player| player.seen).collect(),
        ends,
        applied,
    }
}

async fn engine(
    storage: &Arc<dyn Storage>,
    clock: &Arc<FixedClock>,
    settings: EngineSettings,
) -> Engine {
    let parts = EngineParts {
        storage: Arc::clone(storage),
        cache: Arc::new(NoCache),
        clock: Arc::<FixedClock>::clone(clock),
        ids: Arc::new(TimeIds),
    };
    let settings = EngineSettings {
        queue_max: 100_000,
        ..settings
    };
    let engine = Engine::start(parts, settings).await;
    engine.expect("the engine starts")
}

/// All homes; those that have ceased are none.
async fn homes(storage: &dyn Storage) -> BTreeSet<AccountId> {
    const PAGE: u32 = 1_000;
    let mut all = BTreeSet::new();
    loop {
        let page = storage.homes(all.last(), None, PAGE).await;
        let page = page.expect("the homes are listed");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// A home as it is, when the auditor finds nothing and the directory knows who lives there.
async fn end(storage: &dyn Storage, home: &AccountId, which: &str) -> EndState {
    let found = storage.audit_home(home).await.expect("the home is read");
    let found = found.expect("it was listed");
    let findings = audit(&found);
    assert!(findings.is_empty(), "{which}: {findings:?}");
    for (account, _) in &found.accounts {
        let entry = storage.home_of(account).await;
        let entry = entry.expect("the directory is read");
        let wanted = (account != home).then_some(home);
        assert_eq!(entry.as_ref(), wanted, "where {account} lives, {which}");
    }
    end_state(found)
}

/// Compares two traces and says where they part first.
///
/// # Panics
/// When they differ, with the seed and the step.
pub fn assert_same(plan: &Plan, expected: &Trace, found: &Trace) {
    assert_eq!(expected.applied, found.applied, "catalogs, {plan}");
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
    fn new(plan: &Plan, seed: u64, instants: &[DateTime<Utc>]) -> Self {
        let cast = Cast::of(&plan.prefix, seed);
        let mut script = script(&cast, seed, plan.steps, plan.with_keys);
        if plan.is_varied {
            script = varied(&cast, seed, instants, script);
        }
        Self {
            script,
            cast,
            ids: Vec::with_capacity(plan.steps),
            seen: Vec::with_capacity(plan.steps),
        }
    }

    async fn play(&mut self, engine: &Engine) {
        let Some(step) = self.script.get(self.seen.len()) else {
            return;
        };
        let (id, seen) = self.done(step, engine).await;
        self.ids.push(id);
        self.seen.push(seen);
    }

    /// The id of what a step came to, and what is seen of it.
    async fn done(&self, step: &Step, engine: &Engine) -> (Uuid, Seen) {
        let about = step.about.and_then(|about| self.ids.get(about)).copied();
        let key = step
            .key
            .map(|key| IdempotencyKey::new(&format!("k{key}")).expect("a short key"));
        let (account, origin) = (step.account.clone(), Origin::default());
        let (id, seen) = match &step.deed {
            Deed::Ask(command) => {
                let command = about_id(command.clone(), about);
                // What is told under a key may be of long ago.
                let said = match key {
                    None => foretold(engine, &account, &command).await,
                    Some(_) => None,
                };
                let ask = Ask {
                    account: account.clone(),
                    key,
                    command,
                    origin,
                };
                let reply = engine.submit(ask).await;
                if let Some(said) = said {
                    assert_as_foretold((engine, &account), &said, &reply).await;
                }
                answered(reply)
            }
            Deed::Move(org) => {
                answered(engine.move_user(&account, org.as_ref(), key, origin).await)
            }
            Deed::Look(look) => {
                let looked = look.at(engine, &account).await;
                let looked = looked.map(|looked| Seen::Looked(Box::new(looked)));
                (Uuid::nil(), looked.or_else(refused))
            }
        };
        let seen = seen.unwrap_or_else(|error| {
            let number = self.seen.len();
            panic!(
                "no answer to step {number} of {:?}: {step:?}: {error:?}",
                self.cast.org
            )
        });
        (id, seen)
    }
}

fn answered(reply: Result<Reply, EngineError>) -> (Uuid, Result<Seen, EngineError>) {
    let id = reply
        .as_ref()
        .map_or(Uuid::nil(), |reply| reply.operation.id);
    let seen = reply.map(|reply| Seen::Answered {
        kind: reply.operation.kind,
        sequence: reply.operation.sequence,
        entries: reply.operation.entries.clone(),
        answer: without_id(reply.operation.answer.clone()),
        is_replay: reply.is_replay,
    });
    (id, seen.or_else(refused))
}

fn refused(error: EngineError) -> Result<Seen, EngineError> {
    if let EngineError::Rejected(rejection) = &error {
        return Ok(Seen::Refused(rejection.code().to_owned()));
    }
    if let EngineError::KeyReused { .. } = &error {
        return Ok(Seen::Refused("key_reused".to_owned()));
    }
    Err(error)
}

/// An answer without what differs from run to run: of the id of a part in another home, its place there is left.
fn without_id(mut answer: Answer) -> Answer {
    if let Answer::Settled { elsewhere, .. } | Answer::Refunded { elsewhere, .. } = &mut answer
        && let Some(part) = elsewhere
    {
        part.operation = id_at(Uuid::nil(), sequence_of(part.operation));
    }
    answer
}
