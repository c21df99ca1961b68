//! Entries: the changes of balances that an operation is made of, and where the others are if they are not all here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::absent::{is_default, is_one, one};
use crate::balance::Bucket;
use crate::draw::{Draw, Scope, Source};
use crate::ids::{AccountId, FeatureCode};

/// A change of one balance. Every balance is the sum of its entries. The short names are those of the ledger's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// At which scope the request drew.
    #[serde(rename = "s")]
    pub scope: Scope,
    /// Whose balance: of the user, or of the org.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Which balance of that account.
    #[serde(rename = "b")]
    pub bucket: Bucket,
    /// What for; none for a change that is about no feature, such as a new grant.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// What kind of source.
    #[serde(rename = "c")]
    pub source: Source,
    /// Change of `used`; below 0 for what is given back.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: i64,
    /// Change of `held`; below 0 for a hold that ends.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: i64,
    /// Change of `overage`; below 0 for what is given back.
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub overage: i64,
    /// Change of `granted`; only grants, boosts and bought room have it.
    #[serde(rename = "g", default, skip_serializing_if = "is_default")]
    pub granted: i64,
    /// What one unit of the feature cost in this balance: credits for a grant, 1 elsewhere.
    #[serde(rename = "k", default = "one", skip_serializing_if = "is_one")]
    pub unit_cost: u64,
    /// When what it books was used, if that was told late (X5): the balance is that of this instant.
    #[serde(
        rename = "t",
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub used_at: Option<DateTime<Utc>>,
    /// Of a capacity: the number of the first of its units in the [`Occupancy`](crate::occupancy::Occupancy) of the account
    /// that asked, at this scope.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub first_unit: Option<u64>,
}

impl Entry {
    /// Whether its units are counted with another entry: it charges the window of a further limit too (C9), it books
    /// the room that credits or a trial bought (X4), or it is what a member limit counts (O7).
    pub fn is_beside(&self) -> bool {
        self.bucket.is_further() || self.bucket.is_member() || self.is_purchase()
    }

    /// Whether it books that room was bought, or that it is no longer, since what paid for it was given back.
    pub(crate) fn is_purchase(&self) -> bool {
        self.granted != 0 && matches!(self.bucket, Bucket::Room(_))
    }

    /// The draw that it books, by what it adds to `used` and `overage`; none where it takes back more than it adds.
    pub(crate) fn drawn(&self) -> Option<Draw> {
        let amount = u64::try_from(self.used.saturating_add(self.overage)).ok()?;
        Some(Draw {
            scope: self.scope,
            bucket: self.bucket.clone(),
            further: Vec::new(),
            source: self.source,
            amount,
            unit_cost: self.unit_cost,
        })
    }
}

/// The draws that entries book, in their order, with the features that they paid for; what a draw was charged to beside its
/// own window is with it (C9).
pub(crate) fn draws(entries: &[Entry]) -> Vec<(FeatureCode, Draw)> {
    let mut draws: Vec<(FeatureCode, Draw)> = Vec::with_capacity(entries.len());
    let is_drawn = |entry: &&Entry| !entry.is_purchase() && !entry.bucket.is_member();
    for entry in entries.iter().filter(is_drawn) {
        if entry.bucket.is_further() {
            // Where an entry changes nothing, the one before it booked no draw.
            let is_drawn = entry.drawn().is_some_and(|draw| draw.amount != 0);
            let of_scope =
                |(_, draw): &&mut (FeatureCode, Draw)| is_drawn && draw.scope == entry.scope;
            if let Some((_, draw)) = draws.last_mut().filter(of_scope) {
                draw.further.push(entry.bucket.clone());
            }
            continue;
        }
        let draw = entry.drawn().filter(|draw| draw.amount != 0);
        if let (Some(draw), Some(feature)) = (draw, &entry.feature) {
            draws.push((feature.clone(), draw));
        }
    }
    draws
}

/// The other part of what was done over two homes, since the account had moved (X3): an operation of its own there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The home in whose ledger it is.
    #[serde(rename = "h")]
    pub home: AccountId,
    /// The operation that it is there.
    #[serde(rename = "o")]
    pub operation: Uuid,
    /// What it changed there.
    #[serde(rename = "e")]
    pub entries: Vec<Entry>,
}
