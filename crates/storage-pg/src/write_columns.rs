//! A batch as columns: what the write statement takes.

use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::home::ClosedBalance;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::Operation;
use quota_core::origin::Origin;
use quota_core::ports::{AccountWrite, HomeWrite, StoreError, WriteBatch};
use quota_core::reservation::Reservation;
use uuid::Uuid;

use crate::load::keys_within;
use crate::rows::{json_text, name_text, stored_count};

type Instant = DateTime<Utc>;

/// The parameters of the write statement. A row says by its place, from 1 on, to which of the homes it belongs.
#[derive(Debug)]
pub(crate) struct WriteColumns<'b> {
    pub(crate) catalog_version: i64,
    pub(crate) keys_within: [Instant; 2],
    pub(crate) lease: Option<LeaseColumns<'b>>,
    pub(crate) homes: HomeColumns<'b>,
    pub(crate) unseen: KeyColumns<'b>,
    pub(crate) operations: OperationColumns<'b>,
    pub(crate) charged: MemberColumns<'b>,
    pub(crate) joined: MemberColumns<'b>,
    pub(crate) reservations: ReservationColumns<'b>,
    pub(crate) events: EventColumns<'b>,
    pub(crate) closed: ClosedColumns<'b>,
}

#[derive(Debug)]
pub(crate) struct LeaseColumns<'b> {
    pub(crate) name: &'b str,
    pub(crate) owner: &'b str,
    pub(crate) epoch: i64,
}

/// The guards, each with the home's own account where that changed.
#[derive(Debug, Default)]
pub(crate) struct HomeColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) shard: Vec<i16>,
    pub(crate) expected_version: Vec<i64>,
    pub(crate) new_version: Vec<i64>,
    pub(crate) hold_before: Vec<Option<Instant>>,
    pub(crate) terms: Vec<Option<String>>,
    pub(crate) books: Vec<Option<String>>,
    pub(crate) due_at: Vec<Option<Instant>>,
}

#[derive(Debug, Default)]
pub(crate) struct KeyColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) key: Vec<&'b str>,
}

#[derive(Debug, Default)]
pub(crate) struct OperationColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) sequence: Vec<i64>,
    pub(crate) at: Vec<Instant>,
    pub(crate) kind: Vec<&'static str>,
    pub(crate) key: Vec<Option<&'b str>>,
    pub(crate) body_hash: Vec<&'b [u8]>,
    pub(crate) refers_to: Vec<Option<Uuid>>,
    pub(crate) entries: Vec<String>,
    pub(crate) answer: Vec<String>,
    pub(crate) origin: Vec<Option<String>>,
}

/// Accounts that are not their home's own; with their terms where these changed.
#[derive(Debug, Default)]
pub(crate) struct MemberColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) due_at: Vec<Option<Instant>>,
    pub(crate) terms: Vec<String>,
    pub(crate) books: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct ReservationColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) expires_at: Vec<Instant>,
    pub(crate) state: Vec<String>,
    pub(crate) ended_by: Vec<Option<Uuid>>,
    pub(crate) late_commit: Vec<Option<Uuid>>,
    pub(crate) document: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct EventColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) shard: Vec<i16>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) number: Vec<i64>,
    pub(crate) sequence: Vec<i64>,
    pub(crate) at: Vec<Instant>,
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct ClosedColumns<'b> {
    pub(crate) place: Vec<i32>,
    pub(crate) home: Vec<&'b str>,
    pub(crate) account: Vec<&'b str>,
    pub(crate) bucket: Vec<String>,
    pub(crate) balance: Vec<String>,
}

impl<'b> WriteColumns<'b> {
    /// The columns of homes, which come in the order of their ids, so that two batches lock them in the same order.
    pub(crate) fn of(batch: &'b WriteBatch, homes: &[&'b HomeWrite]) -> Result<Self, StoreError> {
        let lease = batch.lease.as_ref().map(|lease| {
            Ok::<_, StoreError>(LeaseColumns {
                name: &lease.name,
                owner: &lease.owner,
                epoch: stored_count(lease.epoch)?,
            })
        });
        let operations = homes.iter().flat_map(|home| &home.operations);
        let latest = operations.map(|operation| operation.at).max();
        let mut columns = Self {
            catalog_version: stored_count(batch.catalog_version)?,
            keys_within: keys_within(batch.keys_since, latest.unwrap_or(batch.keys_since)),
            lease: lease.transpose()?,
            homes: HomeColumns::default(),
            unseen: KeyColumns::default(),
            operations: OperationColumns::default(),
            charged: MemberColumns::default(),
            joined: MemberColumns::default(),
            reservations: ReservationColumns::default(),
            events: EventColumns::default(),
            closed: ClosedColumns::default(),
        };
        let before = [None].into_iter().chain(homes.iter().map(Some));
        for (write, before) in homes.iter().zip(before) {
            check(write, before.copied())?;
        }
        for (write, place) in homes.iter().zip(1..) {
            columns.push_home(write, place)?;
        }
        Ok(columns)
    }

    /// Whether there are only operations on homes that exist, and accounts whose terms did not change.
    pub(crate) fn is_plain(&self) -> bool {
        self.reservations.id.is_empty()
            && self.events.id.is_empty()
            && self.closed.bucket.is_empty()
            && self.joined.home.is_empty()
            && self
                .homes
                .expected_version
                .iter()
                .all(|version| *version > 0)
    }

    fn push_home(&mut self, write: &'b HomeWrite, place: i32) -> Result<(), StoreError> {
        let home = &write.home;
        let own = write.accounts.iter().find(|account| account.id == *home);
        self.homes.push((write, place), own)?;
        for member in write.accounts.iter().filter(|account| account.id != *home) {
            if member.has_new_terms {
                self.joined.terms.push(json_text(&member.account.terms)?);
                self.joined.push((home, place), member)?;
            } else {
                self.charged.push((home, place), member)?;
            }
        }
        for operation in &write.operations {
            self.operations.push((home, place), operation)?;
        }
        for reservation in &write.reservations {
            self.reservations.push((home, place), reservation)?;
        }
        for event in &write.events {
            self.events.push(event, place)?;
        }
        for closed in &write.closed {
            self.closed.push((home, place), closed)?;
        }
        for unseen in &write.unseen_keys {
            self.unseen.place.push(place);
            self.unseen.home.push(home.as_str());
            self.unseen.account.push(unseen.account.as_str());
            self.unseen.key.push(unseen.key.as_str());
        }
        Ok(())
    }
}

impl<'b> HomeColumns<'b> {
    fn push(
        &mut self,
        (write, place): (&'b HomeWrite, i32),
        own: Option<&AccountWrite>,
    ) -> Result<(), StoreError> {
        let changed = own.filter(|own| own.has_new_terms);
        let terms = changed.map(|own| json_text(&own.account.terms));
        let terms = terms.transpose()?;
        let books = own.map(|own| json_text(&own.account.books)).transpose()?;
        self.place.push(place);
        self.home.push(write.home.as_str());
        self.shard.push(write.home.shard().into());
        self.expected_version
            .push(stored_count(write.expected_version)?);
        self.new_version.push(stored_count(write.new_version)?);
        self.hold_before.push(write.hold_before);
        self.terms.push(terms);
        self.books.push(books);
        self.due_at.push(own.and_then(|own| own.due_at));
        Ok(())
    }
}

impl<'b> MemberColumns<'b> {
    fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        member: &'b AccountWrite,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(member.id.as_str());
        self.due_at.push(member.due_at);
        self.books.push(json_text(&member.account.books)?);
        Ok(())
    }
}

impl<'b> OperationColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        operation: &'b Operation,
    ) -> Result<(), StoreError> {
        let origin = (operation.origin != Origin::default()).then(|| json_text(&operation.origin));
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(operation.account.as_str());
        self.id.push(operation.id);
        self.sequence.push(stored_count(operation.sequence)?);
        self.at.push(operation.at);
        self.kind.push(operation.kind.as_str());
        self.key
            .push(operation.key.as_ref().map(IdempotencyKey::as_str));
        self.body_hash.push(&operation.body_hash);
        self.refers_to.push(operation.refers_to);
        self.entries.push(json_text(&operation.entries)?);
        self.answer.push(json_text(&operation.answer)?);
        self.origin.push(origin.transpose()?);
        Ok(())
    }
}

impl<'b> ReservationColumns<'b> {
    fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        reservation: &'b Reservation,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.id.push(reservation.id);
        self.account.push(reservation.account.as_str());
        self.expires_at.push(reservation.expires_at);
        self.state.push(name_text(&reservation.state)?);
        self.ended_by.push(reservation.ended_by);
        self.late_commit.push(reservation.late_commit);
        self.document.push(json_text(reservation)?);
        Ok(())
    }
}

impl<'b> EventColumns<'b> {
    pub(crate) fn push(&mut self, event: &'b Event, place: i32) -> Result<(), StoreError> {
        self.place.push(place);
        self.shard.push(event.home.shard().into());
        self.id.push(event.id);
        self.home.push(event.home.as_str());
        self.account.push(event.account.as_str());
        self.number.push(stored_count(event.number)?);
        self.sequence.push(stored_count(event.sequence)?);
        self.at.push(event.at);
        self.kind.push(json_text(&event.kind)?);
        Ok(())
    }
}

impl<'b> ClosedColumns<'b> {
    fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        closed: &'b ClosedBalance,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(closed.account.as_str());
        self.bucket.push(closed.balance.bucket.to_string());
        self.balance.push(json_text(&closed.balance)?);
        Ok(())
    }
}

/// Refuses what would damage the history of a home, or stand in the way of the homes beside it.
fn check(write: &HomeWrite, before: Option<&HomeWrite>) -> Result<(), StoreError> {
    let is_repeated = before.is_some_and(|before| before.home == write.home);
    let mistake = is_repeated.then_some("comes twice");
    mistake.or_else(|| write.mistake()).map_or(Ok(()), |what| {
        Err(StoreError::Refused {
            what: format!("home `{}` {what}", write.home),
        })
    })
}
