//! Loading what a batch of requests needs: one snapshot, and only the statements that this batch calls for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use quota_core::home::{ClosedBalance, Home, Referred};
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, sequence_of};
use quota_core::ports::{LoadQuery, Loaded};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::catalog::catalog_version;
use crate::error::Fault;
use crate::rows::fetch_by_keys;
use crate::values::{Reading, hex};
use crate::{accounts, closed_balances, operations, reservations};

/// Homes by name while they are put together.
type Homes = BTreeMap<AccountId, Home>;

/// Runs every read of a load on a connection inside a transaction.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    query: &LoadQuery,
) -> Result<Loaded, Fault> {
    let mut homes: Homes = BTreeMap::new();
    for wanted in &query.homes {
        homes.insert(wanted.home.clone(), Home::empty(wanted.home.clone()));
    }
    let catalog_version = catalog_version(connection).await?;
    let mut wanted = BTreeSet::new();
    for home in &query.homes {
        let accounts = home.accounts.iter().chain([&home.home]);
        wanted.extend(accounts.map(|account| (home.home.clone(), account.clone())));
    }
    load_accounts(connection, &wanted, &mut homes).await?;
    load_reservations(connection, query, &mut homes).await?;
    let holders = load_due(connection, query.now, &mut homes).await?;
    load_accounts(connection, &holders, &mut homes).await?;
    load_referred(connection, query, &mut homes).await?;
    load_asked_closed(connection, query, &mut homes).await?;
    let earlier = load_earlier(connection, query).await?;
    let in_order = query.homes.iter().map(|wanted| {
        let empty = || Home::empty(wanted.home.clone());
        homes.remove(&wanted.home).unwrap_or_else(empty)
    });
    Ok(Loaded {
        catalog_version,
        homes: in_order.collect(),
        earlier,
    })
}

/// Accounts by home and id.
type AccountIds = BTreeSet<(AccountId, AccountId)>;

async fn load_accounts(
    connection: &mut SqliteConnection,
    wanted: &AccountIds,
    homes: &mut Homes,
) -> Result<(), Fault> {
    for row in fetch_by_keys(connection, accounts::LOAD, wanted).await? {
        let (home_id, id, account) = accounts::read(&row)?;
        let reading = Reading::new(&row, "accounts", &id);
        let Some(home) = homes.get_mut(&home_id) else {
            continue;
        };
        if home_id == id {
            home.version = reading.counter("version")?;
            home.hold_before = reading.optional_instant("hold_before")?;
        }
        home.accounts.insert(id, account.into());
    }
    Ok(())
}

/// The reservations that were asked for.
async fn load_reservations(
    connection: &mut SqliteConnection,
    query: &LoadQuery,
    homes: &mut Homes,
) -> Result<(), Fault> {
    let wanted = query.homes.iter().flat_map(|home| {
        let ids = home.reservations.iter();
        ids.map(|id| (&home.home, hex(*id)))
    });
    let wanted: Vec<_> = wanted.collect();
    for row in fetch_by_keys(connection, reservations::LOAD, &wanted).await? {
        put_reservation(&row, homes)?;
    }
    Ok(())
}

fn put_reservation(row: &SqliteRow, homes: &mut Homes) -> Result<(), Fault> {
    let (home, reservation) = reservations::read(row)?;
    if let Some(home) = homes.get_mut(&home) {
        home.reservations.insert(reservation.id, reservation);
    }
    Ok(())
}

/// Open holds past their deadline, and for their homes the bound as it is once those have ended. Gives back the
/// accounts that they are of and that are not there yet.
async fn load_due(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
    homes: &mut Homes,
) -> Result<AccountIds, Fault> {
    let (mut due, mut holders) = (Vec::new(), BTreeSet::new());
    for home in homes.values_mut() {
        if home.may_have_expired_holds(now) {
            home.hold_before = None;
            due.push(home.id.clone());
        }
    }
    for row in fetch_by_keys(connection, reservations::OPEN, &due).await? {
        let (home, reservation) = reservations::read(&row)?;
        let Some(home) = homes.get_mut(&home) else {
            continue;
        };
        if reservation.expires_at <= now {
            if !home.accounts.contains_key(&reservation.account) {
                holders.insert((home.id.clone(), reservation.account.clone()));
            }
            home.reservations.insert(reservation.id, reservation);
        } else {
            let before = home.hold_before.unwrap_or(reservation.expires_at);
            home.hold_before = Some(before.min(reservation.expires_at));
        }
    }
    Ok(holders)
}

/// Operations that were asked for or that ended a reservation which was, with their refunds and closed balances.
async fn load_referred(
    connection: &mut SqliteConnection,
    query: &LoadQuery,
    homes: &mut Homes,
) -> Result<(), Fault> {
    let mut wanted: BTreeSet<(AccountId, String, u64)> = BTreeSet::new();
    for home in &query.homes {
        let asked = home.operations.iter().copied();
        let reservations = home.reservations.iter();
        let found = reservations.filter_map(|id| homes.get(&home.home)?.reservations.get(id));
        let ended = found.flat_map(|found| found.ended_by.into_iter().chain(found.late_commit));
        let ids = asked.chain(ended);
        wanted.extend(ids.map(|id| (home.home.clone(), hex(id), sequence_of(id))));
    }
    let found = fetch_operations(connection, operations::LOAD, &wanted).await?;
    if found.is_empty() {
        return Ok(());
    }
    let refunds = fetch_operations(connection, operations::REFUNDS, &wanted).await?;
    let closed = load_closed(connection, &found).await?;
    for (home_id, operation) in found {
        let refunds = refunds
            .iter()
            .filter(|(home, refund)| *home == home_id && refund.refers_to == Some(operation.id));
        let refunds = refunds.map(|(_, refund)| refund.clone()).collect();
        let closed = closed
            .iter()
            .filter(|(home, closed)| *home == home_id && draws_on(&operation, closed));
        let closed = closed.map(|(_, closed)| closed.clone()).collect();
        if let Some(home) = homes.get_mut(&home_id) {
            let referred = Referred {
                refunds,
                closed,
                operation,
            };
            home.referred.insert(referred.operation.id, referred);
        }
    }
    Ok(())
}

fn draws_on(operation: &Operation, closed: &ClosedBalance) -> bool {
    let mut entries = operation.entries.iter();
    entries.any(|entry| entry.account == closed.account && entry.bucket == closed.balance.bucket)
}

async fn load_closed(
    connection: &mut SqliteConnection,
    found: &[(AccountId, Operation)],
) -> Result<Vec<(AccountId, ClosedBalance)>, Fault> {
    let mut buckets = BTreeSet::new();
    for (home, operation) in found {
        let entries = operation.entries.iter();
        buckets.extend(entries.map(|entry| (home, &entry.account, &entry.bucket)));
    }
    let rows = fetch_by_keys(connection, closed_balances::LOAD, &buckets).await?;
    rows.iter().map(closed_balances::read).collect()
}

/// The closed balances that were asked for.
async fn load_asked_closed(
    connection: &mut SqliteConnection,
    query: &LoadQuery,
    homes: &mut Homes,
) -> Result<(), Fault> {
    let mut wanted = Vec::new();
    for home in &query.homes {
        for closed in &home.closed {
            let ranges = closed.ranges().into_iter();
            wanted.extend(ranges.map(|(first, before)| {
                let (home, account) = (&home.home, &closed.account);
                (home, account, first, before)
            }));
        }
    }
    for row in fetch_by_keys(connection, closed_balances::LOAD_BETWEEN, &wanted).await? {
        let (home, closed) = closed_balances::read(&row)?;
        if let Some(home) = homes.get_mut(&home) {
            home.closed.push(closed);
        }
    }
    Ok(())
}

/// Operations that carry the keys asked for. Older ones than `keys_since` are found too: a key is never used again.
async fn load_earlier(
    connection: &mut SqliteConnection,
    query: &LoadQuery,
) -> Result<Vec<Operation>, Fault> {
    let keys = query.homes.iter().flat_map(|home| {
        let keys = home.keys.iter();
        keys.map(|wanted| {
            (
                &home.home,
                operations::other_than(&home.home, wanted),
                &wanted.key,
            )
        })
    });
    let keys: Vec<_> = keys.collect();
    let found = fetch_operations(connection, operations::EARLIER, &keys).await?;
    Ok(found.into_iter().map(|(_, operation)| operation).collect())
}

async fn fetch_operations<K: serde::Serialize>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    keys: &K,
) -> Result<Vec<(AccountId, Operation)>, Fault> {
    let rows = fetch_by_keys(connection, statement, keys).await?;
    rows.iter().map(operations::read).collect()
}
