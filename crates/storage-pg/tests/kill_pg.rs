//! A server that is killed under load, again and again.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::Arc;

use quota_core::ports::Storage;
use storage_pg::{PgStore, Settings};
use testkit::pg::PgServer;
use testkit::races::{Aftermath, Arena, Load};
use tokio::sync::mpsc;
use tokio::task::block_in_place;

const KILLS: u32 = 10;
/// Answers between two kills.
const ANSWERS: usize = 150;

async fn open(url: &str) -> Arc<dyn Storage> {
    let store = PgStore::connect(url, Settings::patient()).await;
    let store = store.expect("the server answers");
    store.migrate().await.expect("migrates");
    Arc::new(store)
}

/// I7, I8: `kill -9` of PostgreSQL under load, ten times: clients ask again with the same keys until they are
/// answered; nothing that was answered is lost, nothing is there twice, and the auditor finds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_ten_times_loses_and_doubles_nothing() {
    let mut server = block_in_place(PgServer::start).expect("a server");
    let url = block_in_place(|| server.create_database("kill")).expect("a database");
    let arena = Arena::open(open(&url).await, 2).await;
    let mut answered = arena.cast().await;
    let (sender, mut acknowledged) = mpsc::unbounded_channel();
    let mut load = Load::start(&arena.engines, &answered, move |one| {
        sender.send(one).expect("somebody counts");
    });
    for round in 0..=KILLS {
        for _ in 0..ANSWERS {
            let (account, number) = acknowledged.recv().await.expect("clients are at work");
            answered.insert(account, number + 1);
        }
        if round < KILLS {
            block_in_place(|| server.restart()).expect("killed, and up again");
        }
    }
    load.finish().await;
    while let Ok((account, number)) = acknowledged.try_recv() {
        answered.insert(account, number + 1);
    }
    for engine in &arena.engines {
        engine.stop().await;
    }
    // Connections of the old pool may still be those of a dead server.
    let after = Aftermath::of(open(&url).await.as_ref()).await;
    after.has_each_once(&answered);
}
