//! `load`: the query as columns, and the statement that takes them.

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, LoadQuery};
use sqlx::postgres::{PgExecutor, PgRow};
use uuid::Uuid;

use crate::operations::keys_within;
use crate::shards::{by_shard, text};
use crate::statements::{LOAD, LOAD_REFERRED, Layout};

/// What is asked for, a column for each parameter of the statement.
#[derive(Debug)]
pub(crate) struct LoadColumns {
    /// The shard of all homes, where a statement names one.
    shard: Option<i16>,
    now: DateTime<Utc>,
    keys_within: [DateTime<Utc>; 2],
    accounts: (Vec<String>, Vec<String>),
    keys: (Vec<String>, Vec<String>, Vec<String>),
    reservations: (Vec<String>, Vec<Uuid>),
    operations: (Vec<String>, Vec<Uuid>),
    closed: (Vec<String>, Vec<String>, Vec<String>, Vec<String>),
}

impl LoadColumns {
    /// The columns of a query, for each statement that it takes.
    pub(crate) fn of(query: &LoadQuery, layout: Layout) -> Vec<Self> {
        let homes = by_shard(&query.homes, layout, |asked| asked.home.shard().into());
        let homes = homes.into_iter();
        homes
            .map(|(shard, homes)| Self::of_homes(query, shard, homes))
            .collect()
    }

    /// Homes in the order of their ids, no account twice.
    fn of_homes(query: &LoadQuery, shard: Option<i16>, homes: Vec<&HomeQuery>) -> Self {
        let mut columns = Self {
            shard,
            now: query.now,
            keys_within: keys_within(query.keys_since, query.now),
            accounts: Default::default(),
            keys: Default::default(),
            reservations: Default::default(),
            operations: Default::default(),
            closed: Default::default(),
        };
        for asked in homes {
            let home = || asked.home.as_str().to_owned();
            let mut accounts: Vec<&str> = asked.accounts.iter().map(AccountId::as_str).collect();
            accounts.push(asked.home.as_str());
            accounts.sort_unstable();
            accounts.dedup();
            for account in accounts {
                columns.accounts.0.push(home());
                columns.accounts.1.push(account.to_owned());
            }
            for asked_key in &asked.keys {
                columns.keys.0.push(home());
                columns.keys.1.push(asked_key.account.as_str().to_owned());
                columns.keys.2.push(asked_key.key.as_str().to_owned());
            }
            for id in &asked.reservations {
                columns.reservations.0.push(home());
                columns.reservations.1.push(*id);
            }
            for id in &asked.operations {
                columns.operations.0.push(home());
                columns.operations.1.push(*id);
            }
            for closed in &asked.closed {
                for (first, before) in closed.ranges() {
                    columns.closed.0.push(home());
                    let account = closed.account.as_str();
                    columns.closed.1.push(account.to_owned());
                    columns.closed.2.push(first);
                    columns.closed.3.push(before);
                }
            }
        }
        columns
    }

    fn refers(&self) -> bool {
        let asked = [&self.reservations.0, &self.operations.0, &self.closed.0];
        asked.into_iter().any(|homes| !homes.is_empty())
    }
}

/// Runs the statement.
pub(crate) async fn load(
    executor: impl PgExecutor<'_>,
    columns: &LoadColumns,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let refers = columns.refers();
    let forms = if refers { &LOAD_REFERRED } else { &LOAD };
    let statement = sqlx::query(text(forms, columns.shard))
        .bind(&columns.accounts.0)
        .bind(&columns.accounts.1)
        .bind(columns.now)
        .bind(&columns.keys.0)
        .bind(&columns.keys.1)
        .bind(&columns.keys.2)
        .bind(columns.keys_within.to_vec());
    let statement = if refers {
        statement
            .bind(&columns.reservations.0)
            .bind(&columns.reservations.1)
            .bind(&columns.operations.0)
            .bind(&columns.operations.1)
            .bind(&columns.closed.0)
            .bind(&columns.closed.1)
            .bind(&columns.closed.2)
            .bind(&columns.closed.3)
    } else {
        statement
    };
    let statement = match columns.shard {
        Some(shard) => statement.bind(shard),
        None => statement,
    };
    statement.fetch_all(executor).await
}
