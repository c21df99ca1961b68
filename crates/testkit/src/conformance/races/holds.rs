//! Holds that everybody ends at the same instant.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{Command, Commit, Release, Reserve};
use quota_core::ids::AccountId;
use quota_core::reservation::ReservationState::{Committed, Expired, Open, Released};
use quota_core::reservation::{Reservation, ReservationState};
use quota_service::{Engine, EngineError, Reply};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Store;
use crate::fixtures::feature;
use crate::races::{Arena, ask};

/// Groups of holds that are ended side by side.
const LANES: usize = 6;
/// Holds in each, one after the other.
const HOLDS: usize = 15;
/// What is held, and for how long.
const HELD: u64 = 3;
const TTL_SECONDS: u32 = 10;
/// What a commit spends of it.
const ACTUAL: u64 = 2;

/// What one asker was told of one hold: its state, and whether the commit was late.
type Told = Result<(ReservationState, bool), ReservationState>;

async fn reserve(arena: &Arena, account: &AccountId) -> Vec<Uuid> {
    let reserve = Command::Reserve(Reserve {
        token: None,
        feature: feature("art"),
        amount: Amount::new(HELD).expect("in range"),
        ttl_seconds: TTL_SECONDS,
    });
    let asks = vec![ask(account, reserve); HOLDS];
    let held = arena.answers(asks).await;
    held.into_iter().map(|held| held.operation.id).collect()
}

fn told(reply: Result<Reply, EngineError>) -> Option<Told> {
    match reply.map(|reply| reply.operation.answer.clone()) {
        Ok(Answer::Settled { state, late, .. }) => Some(Ok((state, late))),
        Ok(Answer::Unchanged) => None,
        Err(EngineError::Rejected(Rejection::ReservationEnded { ending })) => {
            Some(Err(ending.state))
        }
        other => panic!("a hold is settled or has ended, not {other:?}"),
    }
}

/// Asks the same of each hold in turn; tells of every answer.
async fn end_each(
    engine: Engine,
    (account, holds): (AccountId, Vec<Uuid>),
    command: fn(Uuid) -> Command,
    answered: mpsc::UnboundedSender<()>,
) -> Vec<(Uuid, Option<Told>)> {
    let mut all = Vec::with_capacity(holds.len());
    for hold in holds {
        let reply = engine.submit(ask(&account, command(hold))).await;
        all.push((hold, told(reply)));
        answered.send(()).expect("the race is watched");
    }
    all
}

fn commit(reservation: Uuid) -> Command {
    let actual = ACTUAL;
    Command::Commit(Commit {
        reservation,
        actual,
    })
}

fn release(reservation: Uuid) -> Command {
    Command::Release(Release { reservation })
}

fn sweep(_: Uuid) -> Command {
    Command::Sweep
}

/// R3, R4, R5: commit, release, sweep and the deadline itself meet on 90 holds: each ends in one state that never
/// changes, everybody is told of that one, and what was committed is what was spent.
pub async fn commit_release_and_expiry_at_once_end_each_hold_in_one_way(store: Store) {
    let arena = Arena::open(store, 3).await;
    let ann = arena.user("ann", 100_000).await;
    let (sender, mut answered) = mpsc::unbounded_channel();
    let mut askers = Vec::new();
    for lane in 0..LANES {
        let holds = reserve(&arena, &ann).await;
        let commands: [fn(Uuid) -> Command; 3] = [commit, release, sweep];
        for (place, command) in commands.into_iter().enumerate() {
            let engine = arena.engines[(lane + place) % 3].clone();
            let of = (ann.clone(), holds.clone());
            askers.push((
                place,
                tokio::spawn(end_each(engine, of, command, sender.clone())),
            ));
        }
    }
    for _ in 0..LANES * HOLDS {
        answered.recv().await.expect("askers are at work");
    }
    arena
        .clock
        .advance(TimeDelta::seconds(i64::from(TTL_SECONDS)));
    let (mut commits, mut releases) = (BTreeMap::new(), BTreeMap::new());
    for (place, asker) in askers {
        let answers = asker.await.expect("an asker ends");
        match place {
            0 => commits.extend(answers),
            1 => releases.extend(answers),
            _ => {}
        }
    }
    arena.set(&ann, Command::Sweep).await;
    let after = arena.close().await;
    assert_eq!(after.reservations().count(), LANES * HOLDS);
    let mut spent = 0;
    for hold in after.reservations() {
        let (by_commit, by_release) = (commits[&hold.id], releases[&hold.id]);
        spent += agreed(hold, by_commit, by_release);
    }
    assert_eq!((after.used(&ann), after.held()), (spent, 0));
}

/// Whether both were told how it ended; what it spent.
fn agreed(hold: &Reservation, by_commit: Option<Told>, by_release: Option<Told>) -> u64 {
    let (wanted, spent) = match hold.state {
        Committed => ((Ok((Committed, false)), Err(Committed)), ACTUAL),
        Released => ((Err(Released), Ok((Released, false))), 0),
        // The commit that came too late spent all the same; a release that came after it is told so (X8).
        Expired => {
            let after = by_release.filter(Result::is_err);
            let told = after.map_or(Ok((Expired, false)), |_| Err(Expired));
            ((Ok((Expired, true)), told), ACTUAL)
        }
        Open => panic!("{} is open past its deadline", hold.id),
    };
    assert_eq!((by_commit, by_release), (Some(wanted.0), Some(wanted.1)));
    assert_eq!(hold.late_commit.is_some(), hold.state == Expired);
    spent
}
