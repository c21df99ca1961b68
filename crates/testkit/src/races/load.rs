//! Clients that know what they may expect: each request has a key, and is asked again until it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quota_core::ids::AccountId;
use quota_service::Engine;
use tokio::task::JoinHandle;

use super::{Aftermath, consume_with_key};

/// How long a client waits before it asks again: a store that is down answers at once.
const PAUSE: Duration = Duration::from_millis(5);

/// A request that was answered: whose, and the number in its key.
pub type Acknowledged = (AccountId, u64);

/// Takes down what was answered; its client asks for nothing more until it is done.
type Note = dyn Fn(Acknowledged) + Send + Sync;

/// Clients at work, one for each account.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Puts a client to work for each account; its keys are numbered from the number beside it. Each answer is given
    /// to `note` before the client asks again, so that at most one request of each was answered without a note.
    pub fn start(
        engines: &[Engine],
        accounts: &BTreeMap<AccountId, u64>,
        note: impl Fn(Acknowledged) + Send + Sync + 'static,
    ) -> Self {
        let note: Arc<Note> = Arc::new(note);
        let stop = Arc::new(AtomicBool::new(false));
        let engines = engines.iter().cloned().cycle();
        let clients = accounts
            .iter()
            .zip(engines)
            .map(|((account, first), engine)| {
                let (note, stop) = (Arc::clone(&note), Arc::clone(&stop));
                tokio::spawn(ask_on(engine, (account.clone(), *first), note, stop))
            });
        Self {
            clients: clients.collect(),
            stop,
        }
    }

    /// Has every client finish what it asked for.
    pub async fn finish(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.await.expect("a client ends");
        }
    }
}

async fn ask_on(
    engine: Engine,
    (account, first): Acknowledged,
    note: Arc<Note>,
    stop: Arc<AtomicBool>,
) {
    let mut number = first;
    while !stop.load(Ordering::Relaxed) {
        let ask = consume_with_key(&account, 1, &key_of(number));
        match engine.submit(ask).await {
            Ok(reply) => {
                assert!(reply.operation.answer.is_allowed(), "there is quota");
                note((account.clone(), number));
                number += 1;
            }
            Err(error) => {
                assert!(error.is_transient(), "{account} {number}: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn key_of(number: u64) -> String {
    format!("n{number}")
}

impl Aftermath {
    /// I7, I8: of each account at least the requests below its number were answered; each of them is in the ledger
    /// once, with at most one more that was asked for and not answered, and that is what was used.
    pub fn has_each_once(&self, answered: &BTreeMap<AccountId, u64>) {
        for (account, numbers) in answered {
            let keys: Vec<&str> = self
                .consumptions(account)
                .filter_map(|booked| Some(booked.key.as_ref()?.as_str()))
                .collect();
            let booked = u64::try_from(keys.len()).expect("fits");
            let unlike_once = |number: &u64| {
                let wanted = key_of(*number);
                keys.iter().filter(|key| **key == wanted).count() != 1
            };
            let wrong: Vec<u64> = (0..*numbers).filter(unlike_once).collect();
            assert!(wrong.is_empty(), "{account}: lost or doubled: {wrong:?}");
            let is_open = booked == *numbers || booked == *numbers + 1;
            assert!(is_open, "{account}: {booked} booked, {numbers} answered");
            assert_eq!(self.used(account), booked, "{account}");
        }
    }
}
