//! Writing a batch: what still is as it was loaded is written whole, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{
    DecideLocked, HomeWrite, KeyQuery, Lease, LoadQuery, Loaded, Store, StoreError, WriteBatch,
};
use sqlx::sqlite::SqliteConnection;

use crate::SqliteStore;
use crate::catalog::catalog_version;
use crate::error::{Fault, is_stale, refused};
use crate::home_rows::HomeRows;
use crate::load::{load, other_than, rows};
use crate::rows::{ManyRows, Statement};
use crate::values::{Reading, account_in, counter};

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        let query = query.clone();
        self.reading(move |connection| Box::pin(async move { load(connection, &query).await }))
            .await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        if self.trust.is_due() {
            let encoded = Encoded::new(batch)?;
            let written = self
                .try_writing(move |connection| Box::pin(write(connection, encoded, true)))
                .await;
            match written {
                Err(fault) if is_stale(&fault) => self.trust.pause(),
                answer => return Ok(answer?),
            }
        }
        let encoded = Encoded::new(batch)?;
        self.writing(move |connection| Box::pin(write(connection, encoded, false)))
            .await
    }

    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError> {
        let query = query.clone();
        self.writing(move |connection| {
            Box::pin(async move {
                let loaded = load(connection, &query).await?;
                let Some(batch) = decide(loaded) else {
                    return Ok(false);
                };
                let passed = write(connection, Encoded::new(&batch)?, false).await?;
                Ok(!passed.is_empty())
            })
        })
        .await
    }
}

/// The first life of a home; most have no other.
const FIRST_ERA: i64 = 1;

/// A batch with every value encoded, so that the writer only binds.
struct Encoded {
    catalog_version: u64,
    lease: Option<Lease>,
    homes: Vec<EncodedHome>,
}

struct EncodedHome {
    home: AccountId,
    expected_version: u64,
    unseen_keys: Vec<KeyQuery>,
    rows: HomeRows,
    /// Whether it may be written without a look, see [`Trust`].
    is_plain: bool,
}

impl Encoded {
    fn new(batch: &WriteBatch) -> Result<Self, Fault> {
        let mut seen = BTreeSet::new();
        let mut homes = Vec::with_capacity(batch.homes.len());
        for write in &batch.homes {
            check_shape(write)?;
            if !seen.insert(&write.home) {
                return Err(refused(format!("home `{}` comes twice", write.home)));
            }
            let rows = HomeRows::new(write)?;
            homes.push(EncodedHome {
                is_plain: rows.are_plain() && carries_unseen_keys(write),
                home: write.home.clone(),
                expected_version: write.expected_version,
                unseen_keys: write.unseen_keys.clone(),
                rows,
            });
        }
        Ok(Self {
            catalog_version: batch.catalog_version,
            lease: batch.lease.clone(),
            homes,
        })
    }
}

fn check_shape(write: &HomeWrite) -> Result<(), Fault> {
    let home = &write.home;
    let mistake = write.mistake();
    mistake.map_or(Ok(()), |what| Err(refused(format!("home `{home}` {what}"))))
}

/// Whether each key that was not looked for is that of a new operation; both are in the order of the requests.
fn carries_unseen_keys(write: &HomeWrite) -> bool {
    let mut operations = write.operations.iter();
    write.unseen_keys.iter().all(|unseen| {
        operations.any(|new| new.key.as_ref() == Some(&unseen.key) && new.account == unseen.account)
    })
}

/// Whether homes that only consume are written without a look at what is stored: each row is written where it still
/// is as it was loaded, the rows that were written are counted, and a key that is taken offends the index. What is
/// lost when that does not come out is the work of one batch, so the next ones are looked at.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    batches_to_look_at: AtomicU32,
}

/// Batches that are looked at after one that was not as it was trusted to be.
const PAUSE_BATCHES: u32 = 16;

impl Trust {
    fn is_due(&self) -> bool {
        let (order, fewer) = (Ordering::Relaxed, |left: u32| left.checked_sub(1));
        let paused = self.batches_to_look_at.fetch_update(order, order, fewer);
        paused.is_err()
    }

    fn pause(&self) {
        let left = &self.batches_to_look_at;
        left.store(PAUSE_BATCHES, Ordering::Relaxed);
    }
}

/// Runs inside a transaction that holds the only right to write, so what is read here stays true until the commit.
/// With `trusts`, see [`Trust`].
async fn write(
    connection: &mut SqliteConnection,
    batch: Encoded,
    trusts: bool,
) -> Result<Vec<AccountId>, Fault> {
    let is_current = catalog_version(connection).await? == batch.catalog_version
        && holds(connection, batch.lease.as_ref()).await?;
    if !is_current {
        return Ok(Vec::new());
    }
    let homes = batch.homes.into_iter();
    let (trusted, others): (Vec<_>, Vec<_>) = homes.partition(|home| trusts && home.is_plain);
    let mut passed = Vec::with_capacity(trusted.len() + others.len());
    let mut unchanged = HomeRows::default();
    for mut home in trusted {
        home.rows.set_era(FIRST_ERA);
        unchanged.append(home.rows);
        passed.push(home.home);
    }
    if !unchanged.write_unchanged(connection).await? {
        return Err(Fault::Stale);
    }
    if !others.is_empty() {
        write_checked(connection, others, &mut passed).await?;
    }
    Ok(passed)
}

/// Writes the homes that still are as they were loaded, and adds them to `passed`.
async fn write_checked(
    connection: &mut SqliteConnection,
    homes: Vec<EncodedHome>,
    passed: &mut Vec<AccountId>,
) -> Result<(), Fault> {
    let guards = stored_guards(connection, &homes).await?;
    let stopped = homes_with_taken_keys(connection, &homes).await?;
    let births = possible_births(connection, &homes).await?;
    let mut all = HomeRows::default();
    for mut home in homes {
        let stored = guards.get(&home.home).copied();
        let era = match stored {
            Some((version, era)) if version == home.expected_version => Some(era),
            None if home.expected_version == 0 => births.get(&home.home).copied(),
            _ => None,
        };
        let Some(era) = era.filter(|_| !stopped.contains(&home.home)) else {
            continue;
        };
        home.rows.set_era(era);
        all.append(home.rows);
        passed.push(home.home);
    }
    all.write(connection).await
}

async fn holds(connection: &mut SqliteConnection, lease: Option<&Lease>) -> Result<bool, Fault> {
    let Some(lease) = lease else {
        return Ok(true);
    };
    let statement = "select 1 from leases where name = ?1 and owner = ?2 and epoch = ?3";
    let held = sqlx::query(statement)
        .bind(lease.name.clone())
        .bind(lease.owner.clone())
        .bind(counter(lease.epoch)?);
    Ok(held.fetch_optional(connection).await?.is_some())
}

/// Version and era of the homes that exist.
async fn stored_guards(
    connection: &mut SqliteConnection,
    homes: &[EncodedHome],
) -> Result<BTreeMap<AccountId, (u64, i64)>, Fault> {
    let names: Vec<&AccountId> = homes.iter().map(|home| &home.home).collect();
    let statement = "select a.home, a.version, a.era from json_each(?1) as q \
                     cross join accounts as a on a.home = q.value and a.account = q.value";
    let mut guards = BTreeMap::new();
    for row in rows(connection, statement, &names).await? {
        let row = Reading::new(&row, "accounts", "a guard");
        guards.insert(row.text(0)?, (row.counter(1)?, row.raw(2)?));
    }
    Ok(guards)
}

/// Homes with an operation that carries a key which was not looked for at load.
async fn homes_with_taken_keys(
    connection: &mut SqliteConnection,
    homes: &[EncodedHome],
) -> Result<BTreeSet<AccountId>, Fault> {
    static TAKEN: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "with q (home, account, key) as (values";
        let tail = ") select o.home from q cross join operations as o \
                    on o.home = q.home and iif(o.account = o.home, '', o.account) = q.account \
                    and o.key = q.key";
        ManyRows::new(head, 3, tail)
    });
    let unseen = homes.iter().flat_map(|home| {
        let keys = home.unseen_keys.iter();
        keys.map(|wanted| (&home.home, wanted))
    });
    let bind = |statement: Statement, (home, wanted): (&AccountId, &KeyQuery)| {
        statement
            .bind(home.as_str())
            .bind(other_than(home, wanted))
            .bind(wanted.key.as_str())
    };
    let found = TAKEN.fetch(connection, unseen.collect(), bind).await?;
    found
        .iter()
        .map(|row| account_in(row, "operations"))
        .collect()
}

/// The next era of each home that is to be created, unless its account lives elsewhere.
async fn possible_births(
    connection: &mut SqliteConnection,
    homes: &[EncodedHome],
) -> Result<BTreeMap<AccountId, i64>, Fault> {
    let unborn = homes.iter().filter(|home| home.expected_version == 0);
    let unborn: Vec<&AccountId> = unborn.map(|home| &home.home).collect();
    let statement = "select q.value, \
                     1 + coalesce((select max(o.era) from operations as o where o.home = q.value), 0) \
                     from json_each(?1) as q where not exists \
                     (select 1 from directory as d where d.account = q.value and d.home <> q.value)";
    let mut births = BTreeMap::new();
    for row in rows(connection, statement, &unborn).await? {
        let row = Reading::new(&row, "operations", "an era");
        births.insert(row.text(0)?, row.raw(1)?);
    }
    Ok(births)
}
