//! Writing a batch: what still is as it was loaded is written whole, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{
    DecideLocked, HomeWrite, KeyQuery, Lease, LoadQuery, Loaded, Store, StoreError, WriteBatch,
};
use sqlx::sqlite::SqliteConnection;

use crate::SqliteStore;
use crate::catalog::catalog_version;
use crate::error::{Fault, refused};
use crate::home_rows::HomeRows;
use crate::load::{load, rows};
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
        let batch = Encoded::new(batch)?;
        self.writing(move |connection| Box::pin(write(connection, batch)))
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
                let passed = write(connection, Encoded::new(&batch)?).await?;
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
            homes.push(EncodedHome {
                home: write.home.clone(),
                expected_version: write.expected_version,
                unseen_keys: write.unseen_keys.clone(),
                rows: HomeRows::new(write)?,
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

/// Runs inside a transaction that holds the only right to write, so what is read here stays true until the commit.
async fn write(connection: &mut SqliteConnection, batch: Encoded) -> Result<Vec<AccountId>, Fault> {
    let is_current = catalog_version(connection).await? == batch.catalog_version
        && holds(connection, batch.lease.as_ref()).await?;
    if !is_current {
        return Ok(Vec::new());
    }
    let differing = differing_accounts(connection, &batch.homes).await?;
    let stopped = homes_with_taken_keys(connection, &batch.homes).await?;
    let births = possible_births(connection, &batch.homes).await?;
    let mut passed = Vec::with_capacity(batch.homes.len());
    let mut all = HomeRows::default();
    for mut home in batch.homes {
        let own = (home.home.clone(), home.home.clone());
        let era = match differing.get(&own) {
            None => Some(FIRST_ERA),
            Some(Some((version, era))) if *version == home.expected_version => Some(*era),
            Some(None) if home.expected_version == 0 => births.get(&home.home).copied(),
            Some(_) => None,
        };
        let Some(era) = era.filter(|_| !stopped.contains(&home.home)) else {
            continue;
        };
        home.rows.set_era(era);
        for row in &mut home.rows.accounts {
            let key = (row.home.clone(), row.id.clone());
            row.is_plain = !row.has_new_terms() && !differing.contains_key(&key);
        }
        all.append(home.rows);
        passed.push(home.home);
    }
    all.write(connection).await?;
    Ok(passed)
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

/// An account in its home.
type AccountKey = (AccountId, AccountId);

/// What the stored row of an account says of its home, if there is such a row: version and era.
type StoredGuard = Option<(u64, i64)>;

/// Accounts whose row is missing, has another version than was loaded, is of a later life of its home, or is due at
/// another time; and the homes' own accounts of which that holds. As a rule there is none: a row that is given back
/// costs more than one that is looked at.
async fn differing_accounts(
    connection: &mut SqliteConnection,
    homes: &[EncodedHome],
) -> Result<BTreeMap<AccountKey, StoredGuard>, Fault> {
    static DIFFERING: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "with q (home, account, version, era, due_at) as (values";
        let tail = ") select q.home, q.account, a.version, a.era from q left join accounts as a \
                    on a.home = q.home and a.account = q.account where a.version is not q.version \
                    or a.era is not q.era or a.due_at is not q.due_at";
        ManyRows::new(head, 5, tail)
    });
    let mut expected = Vec::with_capacity(homes.len());
    for home in homes {
        let version = counter(home.expected_version)?;
        for row in &home.rows.accounts {
            let (version, era) = if row.is_own() {
                (version, FIRST_ERA)
            } else {
                (0, 0)
            };
            expected.push((&home.home, &row.id, version, era, row.due_at));
        }
        for _ in &home.rows.guards {
            expected.push((&home.home, &home.home, version, FIRST_ERA, None));
        }
    }
    let bind = |statement: Statement,
                (home, account, version, era, due_at): (
        &AccountId,
        &AccountId,
        i64,
        i64,
        Option<i64>,
    )| {
        statement
            .bind(home.as_str())
            .bind(account.as_str())
            .bind(version)
            .bind(era)
            .bind(due_at)
    };
    let mut differing = BTreeMap::new();
    for row in DIFFERING.fetch(connection, expected, bind).await? {
        let row = Reading::new(&row, "accounts", "a guard");
        let stored = match row.raw::<Option<i64>>(2)? {
            Some(_) => Some((row.counter(2)?, row.raw(3)?)),
            None => None,
        };
        differing.insert((row.text(0)?, row.text(1)?), stored);
    }
    Ok(differing)
}

/// Homes with an operation that carries a key which was not looked for at load.
async fn homes_with_taken_keys(
    connection: &mut SqliteConnection,
    homes: &[EncodedHome],
) -> Result<BTreeSet<AccountId>, Fault> {
    static TAKEN: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "with q (home, account, key) as (values";
        let tail = ") select o.home from q cross join operations as o \
                    on o.home = q.home and o.account = q.account and o.key = q.key";
        ManyRows::new(head, 3, tail)
    });
    let unseen = homes.iter().flat_map(|home| {
        let keys = home.unseen_keys.iter();
        keys.map(|wanted| (&home.home, wanted))
    });
    let bind = |statement: Statement, (home, wanted): (&AccountId, &KeyQuery)| {
        statement
            .bind(home.as_str())
            .bind(wanted.account.as_str())
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
