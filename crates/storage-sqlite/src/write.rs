//! Writing a batch: what still is as it was loaded is written whole, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{DecideLocked, Lease, LoadQuery, Loaded, Store, StoreError, WriteBatch};
use sqlx::sqlite::SqliteConnection;

use crate::batch::{Batch, HomeBatch, HomeRows};
use crate::catalog::catalog_version;
use crate::error::{Fault, is_stale};
use crate::load::load;
use crate::operations::KeyRow;
use crate::rows::fetch_by_keys;
use crate::values::{Reading, counter};
use crate::{SqliteStore, accounts, operations};

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        let query = query.clone();
        self.reading(move |connection| Box::pin(async move { load(connection, &query).await }))
            .await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        if self.optimistic.is_open() {
            let rows = Batch::new(batch)?;
            let written = self
                .try_writing(move |connection| Box::pin(write(connection, rows, true)))
                .await;
            match written {
                Err(fault) if is_stale(&fault) => self.optimistic.close(),
                answer => return Ok(answer?),
            }
        }
        let rows = Batch::new(batch)?;
        self.writing(move |connection| Box::pin(write(connection, rows, false)))
            .await
    }

    async fn write_together(&self, batch: &WriteBatch) -> Result<bool, StoreError> {
        let (rows, wanted) = (Batch::new(batch)?, batch.homes.len());
        let written = self.try_writing(move |connection| {
            Box::pin(async move {
                let passed = write(connection, rows, false).await?;
                // Nothing of it stays written when one of them did not pass.
                if passed.len() == wanted {
                    Ok(())
                } else {
                    Err(Fault::Stale)
                }
            })
        });
        match written.await {
            Ok(()) => Ok(true),
            Err(Fault::Stale) => Ok(false),
            Err(fault) => Err(fault.into()),
        }
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
                let passed = write(connection, Batch::new(&batch)?, false).await?;
                Ok(!passed.is_empty())
            })
        })
        .await
    }
}

/// The first life of a home; most have no other.
const FIRST_LIFE: i64 = 1;

/// Runs inside a transaction that holds the only right to write, so what is read here stays true until the commit.
/// `is_optimistic`: see [`crate::optimistic`].
async fn write(
    connection: &mut SqliteConnection,
    batch: Batch,
    is_optimistic: bool,
) -> Result<Vec<AccountId>, Fault> {
    let is_current = catalog_version(connection).await? == batch.catalog_version
        && holds(connection, batch.lease.as_ref()).await?;
    if !is_current {
        return Ok(Vec::new());
    }
    let homes = batch.homes.into_iter();
    let (unchecked, checked): (Vec<_>, Vec<_>) =
        homes.partition(|home| is_optimistic && home.is_plain);
    let mut passed = Vec::with_capacity(unchecked.len() + checked.len());
    let mut rows = HomeRows::default();
    for mut home in unchecked {
        home.rows.set_life(FIRST_LIFE);
        rows.append(home.rows);
        passed.push(home.home);
    }
    if !rows.write_unchanged(connection).await? {
        return Err(Fault::Stale);
    }
    if !checked.is_empty() {
        write_checked(connection, checked, &mut passed).await?;
    }
    Ok(passed)
}

/// Writes the homes that still are as they were loaded, and adds them to `passed`.
async fn write_checked(
    connection: &mut SqliteConnection,
    homes: Vec<HomeBatch>,
    passed: &mut Vec<AccountId>,
) -> Result<(), Fault> {
    let names: Vec<&AccountId> = homes.iter().map(|home| &home.home).collect();
    let guards = accounts::guards(connection, &names).await?;
    let mut unseen = Vec::new();
    for home in &homes {
        let keys = home.unseen_keys.iter();
        unseen.extend(keys.map(|wanted| KeyRow::new(&home.home, wanted)));
    }
    let stopped = operations::homes_with_keys(connection, unseen).await?;
    let stopped: BTreeSet<AccountId> = stopped.into_iter().collect();
    let births = possible_births(connection, &homes).await?;
    let mut all = HomeRows::default();
    for mut home in homes {
        let life = match guards.get(&home.home) {
            Some(stored) if stored.version == counter(home.expected_version)? => Some(stored.life),
            None if home.expected_version == 0 => births.get(&home.home).copied(),
            Some(_) | None => None,
        };
        let Some(life) = life.filter(|_| !stopped.contains(&home.home)) else {
            continue;
        };
        home.rows.set_life(life);
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

/// The next life of each home that is to be created, unless its account lives elsewhere.
async fn possible_births(
    connection: &mut SqliteConnection,
    homes: &[HomeBatch],
) -> Result<BTreeMap<AccountId, i64>, Fault> {
    let unborn = homes.iter().filter(|home| home.expected_version == 0);
    let unborn: Vec<&AccountId> = unborn.map(|home| &home.home).collect();
    let mut births = BTreeMap::new();
    for row in fetch_by_keys(connection, operations::NEXT_LIVES, &unborn).await? {
        let row = Reading::new(&row, "operations", "a life");
        births.insert(row.text("home")?, row.raw("life")?);
    }
    Ok(births)
}
