//! A relay between a process and PostgreSQL that kills the process just before one of its statements.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Messages of a client that have a statement carried out: `Execute` and `Query`.
const STATEMENTS: [u8; 2] = [b'E', b'Q'];
/// The length of a message counts itself.
const LENGTH_BYTES: u32 = 4;

/// The relay. It lives as long as the test.
pub(crate) struct Between {
    /// Where a process finds the database.
    pub(crate) url: String,
    watch: Arc<Watch>,
}

#[derive(Default)]
struct Watch {
    statements: AtomicU64,
    /// Before which statement which process is killed.
    kill: Mutex<Option<(u64, u32)>>,
    /// Whether nothing of the process may come through any more.
    is_cut: AtomicBool,
}

impl Between {
    /// A relay to the database with this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let (before, rest) = url.split_once('@').expect("a user");
        let (server, database) = rest.split_once('/').expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address");
        let (server, watch) = (server.to_owned(), Arc::new(Watch::default()));
        let seen = Arc::clone(&watch);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, seen) = (server.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    // A connection ends with the process, or with the test.
                    if let Ok(server) = TcpStream::connect(server).await {
                        relay(client, server, &seen).await;
                    }
                });
            }
        });
        // What is encrypted could not be counted.
        let and = if database.contains('?') { '&' } else { '?' };
        Self {
            url: format!("{before}@{own}/{database}{and}sslmode=disable"),
            watch,
        }
    }

    /// How many statements came by.
    pub(crate) fn statements(&self) -> u64 {
        self.watch.statements.load(Ordering::SeqCst)
    }

    /// Kills a process before a statement, counted from 1 for the next one.
    pub(crate) fn kill_before(&self, statement: u64, process: u32) {
        let mut kill = locked(&self.watch.kill);
        *kill = Some((self.statements() + statement, process));
    }

    /// Lets another process through.
    pub(crate) fn open(&self) {
        *locked(&self.watch.kill) = None;
        self.watch.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Watch {
    /// Whether a message comes through; the process is dead if not.
    fn lets_through(&self, kind: u8) -> bool {
        let mut kill = locked(&self.kill);
        if STATEMENTS.contains(&kind) {
            let number = self.statements.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some((_, process)) = kill.take_if(|(at, _)| *at == number) {
                let id = process.to_string();
                let killed = Command::new("kill").args(["-KILL", &id]).status();
                assert!(killed.expect("kill runs").success(), "it ran");
                self.is_cut.store(true, Ordering::SeqCst);
            }
        }
        !self.is_cut.load(Ordering::SeqCst)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn relay(client: TcpStream, server: TcpStream, watch: &Watch) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let answers = tokio::io::copy(&mut from_server, &mut to_client);
    // Whoever ends first ends the connection.
    tokio::select! {
        _ended = answers => {}
        _ended = asks(from_client, to_server, watch) => {}
    }
}

async fn asks(from: OwnedReadHalf, to: OwnedWriteHalf, watch: &Watch) -> std::io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    // The first message has no kind.
    pass(&mut from, &mut to).await?;
    to.flush().await?;
    loop {
        let kind = from.read_u8().await?;
        if !watch.lets_through(kind) {
            return Ok(());
        }
        to.write_u8(kind).await?;
        pass(&mut from, &mut to).await?;
        if from.buffer().is_empty() {
            to.flush().await?;
        }
    }
}

/// Passes the rest of a message on: its length, and what it holds.
async fn pass(
    from: &mut BufReader<OwnedReadHalf>,
    to: &mut BufWriter<OwnedWriteHalf>,
) -> std::io::Result<()> {
    let length = from.read_u32().await?;
    let rest = length.saturating_sub(LENGTH_BYTES);
    let mut held = vec![0; usize::try_from(rest).expect("a size")];
    from.read_exact(&mut held).await?;
    to.write_u32(length).await?;
    to.write_all(&held).await
}
