//! Entries as the row of their operation keeps them: whose balance it is stands there only where the row does not say it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::absent::{is_default, is_one, one};
use crate::balance::Bucket;
use crate::draw::{Scope, Source};
use crate::entry::Entry;
use crate::ids::{AccountId, FeatureCode};
use crate::operation::Operation;

/// Entries to be written into the row of their operation.
#[derive(Debug, Clone, Copy)]
pub struct WrittenEntries<'a> {
    entries: &'a [Entry],
    row: RowOf<'a>,
}

/// Entries that were read from the row of their operation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ReadEntries(Vec<ReadEntry>);

/// What a row says of all its entries: the account that asked, and the home.
#[derive(Debug, Clone, Copy)]
struct RowOf<'a> {
    account: &'a AccountId,
    home: &'a AccountId,
}

#[derive(Serialize)]
struct WrittenEntry<'a> {
    #[serde(rename = "s")]
    scope: Scope,
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    account: Option<&'a AccountId>,
    #[serde(rename = "b")]
    bucket: &'a Bucket,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    feature: Option<&'a FeatureCode>,
    #[serde(rename = "c", skip_serializing_if = "Source::is_allowance")]
    source: Source,
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    used: i64,
    #[serde(rename = "h", skip_serializing_if = "is_default")]
    held: i64,
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    overage: i64,
    #[serde(rename = "g", skip_serializing_if = "is_default")]
    granted: i64,
    #[serde(rename = "k", skip_serializing_if = "is_one")]
    unit_cost: u64,
    #[serde(
        rename = "t",
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    used_at: Option<DateTime<Utc>>,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    first_unit: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ReadEntry {
    #[serde(rename = "s")]
    scope: Scope,
    #[serde(rename = "a", default)]
    account: Option<AccountId>,
    #[serde(rename = "b")]
    bucket: Bucket,
    #[serde(rename = "f", default)]
    feature: Option<FeatureCode>,
    #[serde(rename = "c", default = "Source::allowance")]
    source: Source,
    #[serde(rename = "u", default)]
    used: i64,
    #[serde(rename = "h", default)]
    held: i64,
    #[serde(rename = "o", default)]
    overage: i64,
    #[serde(rename = "g", default)]
    granted: i64,
    #[serde(rename = "k", default = "one")]
    unit_cost: u64,
    #[serde(rename = "t", default, with = "chrono::serde::ts_microseconds_option")]
    used_at: Option<DateTime<Utc>>,
    #[serde(rename = "n", default)]
    first_unit: Option<u64>,
}

impl<'a> WrittenEntries<'a> {
    /// The entries of an operation that is booked in `home`.
    pub fn of(operation: &'a Operation, home: &'a AccountId) -> Self {
        let account = &operation.account;
        Self {
            entries: &operation.entries,
            row: RowOf { account, home },
        }
    }
}

impl ReadEntries {
    /// The entries, of an operation of `account` that was booked in `home`.
    pub fn of(self, account: &AccountId, home: &AccountId) -> Vec<Entry> {
        let row = RowOf { account, home };
        self.0.into_iter().map(|read| read.entry(row)).collect()
    }
}

impl<'a> RowOf<'a> {
    /// Whose balance an entry changes that does not say it.
    fn account(self, scope: Scope) -> &'a AccountId {
        match scope {
            Scope::Token | Scope::User => self.account,
            Scope::Org => self.home,
        }
    }

    fn written(self, entry: &'a Entry) -> WrittenEntry<'a> {
        let account = Some(&entry.account);
        WrittenEntry {
            scope: entry.scope,
            account: account.filter(|account| *account != self.account(entry.scope)),
            bucket: &entry.bucket,
            feature: entry.feature.as_ref(),
            source: entry.source,
            used: entry.used,
            held: entry.held,
            overage: entry.overage,
            granted: entry.granted,
            unit_cost: entry.unit_cost,
            used_at: entry.used_at,
            first_unit: entry.first_unit,
        }
    }
}

impl ReadEntry {
    fn entry(self, row: RowOf<'_>) -> Entry {
        let account = self.account;
        Entry {
            scope: self.scope,
            account: account.unwrap_or_else(|| row.account(self.scope).clone()),
            bucket: self.bucket,
            feature: self.feature,
            source: self.source,
            used: self.used,
            held: self.held,
            overage: self.overage,
            granted: self.granted,
            unit_cost: self.unit_cost,
            used_at: self.used_at,
            first_unit: self.first_unit,
        }
    }
}

impl Serialize for WrittenEntries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        serializer.collect_seq(self.entries.iter().map(|entry| row.written(entry)))
    }
}
