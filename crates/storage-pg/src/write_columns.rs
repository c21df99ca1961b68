//! A batch as columns: what the write statement takes.

use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, Origin};
use quota_core::ports::{AccountWrite, HomeWrite, StoreError, WriteBatch};
use quota_core::reservation::Reservation;
use uuid::Uuid;

use crate::load::keys_within;
use crate::outbox::shard_of;
use crate::rows::{json_text, name_text, stored_count};

type Instant = DateTime<Utc>;

/// The parameters of the write statement.
#[derive(Debug)]
pub(crate) struct WriteColumns {
    pub(crate) catalog_version: i64,
    pub(crate) keys_within: [Instant; 2],
    pub(crate) lease: Option<LeaseColumns>,
    pub(crate) homes: HomeColumns,
    pub(crate) unseen: KeyColumns,
    pub(crate) operations: OperationColumns,
    pub(crate) members: MemberColumns,
    pub(crate) reservations: ReservationColumns,
    pub(crate) events: EventColumns,
    pub(crate) closed: ClosedColumns,
}

#[derive(Debug)]
pub(crate) struct LeaseColumns {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) epoch: i64,
}

/// The guards, each with the home's own account where that changed.
#[derive(Debug, Default)]
pub(crate) struct HomeColumns {
    pub(crate) home: Vec<String>,
    pub(crate) expected_version: Vec<i64>,
    pub(crate) new_version: Vec<i64>,
    pub(crate) hold_before: Vec<Option<Instant>>,
    pub(crate) terms: Vec<Option<String>>,
    pub(crate) books: Vec<Option<String>>,
    pub(crate) due_at: Vec<Option<Instant>>,
}

#[derive(Debug, Default)]
pub(crate) struct KeyColumns {
    pub(crate) home: Vec<String>,
    pub(crate) account: Vec<String>,
    pub(crate) key: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct OperationColumns {
    pub(crate) home: Vec<String>,
    pub(crate) account: Vec<String>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) sequence: Vec<i64>,
    pub(crate) at: Vec<Instant>,
    pub(crate) kind: Vec<String>,
    pub(crate) key: Vec<Option<String>>,
    pub(crate) body_hash: Vec<Vec<u8>>,
    pub(crate) refers_to: Vec<Option<Uuid>>,
    pub(crate) entries: Vec<String>,
    pub(crate) answer: Vec<String>,
    pub(crate) origin: Vec<Option<String>>,
}

/// Accounts that are not their home's own.
#[derive(Debug, Default)]
pub(crate) struct MemberColumns {
    pub(crate) home: Vec<String>,
    pub(crate) account: Vec<String>,
    pub(crate) due_at: Vec<Option<Instant>>,
    pub(crate) terms: Vec<Option<String>>,
    pub(crate) books: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct ReservationColumns {
    pub(crate) home: Vec<String>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) account: Vec<String>,
    pub(crate) expires_at: Vec<Instant>,
    pub(crate) state: Vec<String>,
    pub(crate) ended_by: Vec<Option<Uuid>>,
    pub(crate) late_commit: Vec<Option<Uuid>>,
    pub(crate) document: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct EventColumns {
    pub(crate) shard: Vec<i16>,
    pub(crate) id: Vec<Uuid>,
    pub(crate) home: Vec<String>,
    pub(crate) account: Vec<String>,
    pub(crate) sequence: Vec<i64>,
    pub(crate) at: Vec<Instant>,
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct ClosedColumns {
    pub(crate) home: Vec<String>,
    pub(crate) account: Vec<String>,
    pub(crate) bucket: Vec<String>,
    pub(crate) balance: Vec<String>,
}

impl WriteColumns {
    /// The columns of a batch. Homes come in the order of their ids, so that two batches lock them in the same
    /// order.
    pub(crate) fn of(batch: &WriteBatch) -> Result<Self, StoreError> {
        let lease = batch.lease.as_ref().map(|lease| {
            Ok::<_, StoreError>(LeaseColumns {
                name: lease.name.clone(),
                owner: lease.owner.clone(),
                epoch: stored_count(lease.epoch)?,
            })
        });
        let operations = batch.homes.iter().flat_map(|home| &home.operations);
        let latest = operations.map(|operation| operation.at).max();
        let mut columns = Self {
            catalog_version: stored_count(batch.catalog_version)?,
            keys_within: keys_within(batch.keys_since, latest.unwrap_or(batch.keys_since)),
            lease: lease.transpose()?,
            homes: HomeColumns::default(),
            unseen: KeyColumns::default(),
            operations: OperationColumns::default(),
            members: MemberColumns::default(),
            reservations: ReservationColumns::default(),
            events: EventColumns::default(),
            closed: ClosedColumns::default(),
        };
        let mut homes: Vec<&HomeWrite> = batch.homes.iter().collect();
        homes.sort_unstable_by(|a, b| a.home.cmp(&b.home));
        for (write, before) in homes
            .iter()
            .zip([None].into_iter().chain(homes.iter().map(Some)))
        {
            check(write, before.copied())?;
        }
        for write in homes {
            columns.push_home(write)?;
        }
        Ok(columns)
    }

    /// Whether there are only operations and accounts to write.
    pub(crate) fn is_plain(&self) -> bool {
        self.reservations.id.is_empty()
            && self.events.id.is_empty()
            && self.closed.bucket.is_empty()
    }

    fn push_home(&mut self, write: &HomeWrite) -> Result<(), StoreError> {
        let home = &write.home;
        let own = write.accounts.iter().find(|account| account.id == *home);
        self.homes.push(write, own)?;
        for member in write.accounts.iter().filter(|account| account.id != *home) {
            self.members.push(home, member)?;
        }
        for operation in &write.operations {
            self.operations.push(home, operation)?;
        }
        for reservation in &write.reservations {
            self.reservations.push(home, reservation)?;
        }
        for event in &write.events {
            self.events.push(event)?;
        }
        for closed in &write.closed {
            self.closed.push(home, closed)?;
        }
        for unseen in &write.unseen_keys {
            self.unseen.home.push(text(home));
            self.unseen.account.push(text(&unseen.account));
            self.unseen.key.push(unseen.key.as_str().to_owned());
        }
        Ok(())
    }
}

impl HomeColumns {
    fn push(&mut self, write: &HomeWrite, own: Option<&AccountWrite>) -> Result<(), StoreError> {
        let changed = own.filter(|own| own.has_new_terms);
        let terms = changed.map(|own| json_text(&own.account.terms));
        let terms = terms.transpose()?;
        let books = own.map(|own| json_text(&own.account.books)).transpose()?;
        self.home.push(text(&write.home));
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

impl MemberColumns {
    fn push(&mut self, home: &AccountId, member: &AccountWrite) -> Result<(), StoreError> {
        self.home.push(text(home));
        self.account.push(text(&member.id));
        self.due_at.push(member.due_at);
        let terms = member
            .has_new_terms
            .then(|| json_text(&member.account.terms));
        self.terms.push(terms.transpose()?);
        self.books.push(json_text(&member.account.books)?);
        Ok(())
    }
}

impl OperationColumns {
    pub(crate) fn push(
        &mut self,
        home: &AccountId,
        operation: &Operation,
    ) -> Result<(), StoreError> {
        let origin = (operation.origin != Origin::default()).then(|| json_text(&operation.origin));
        self.home.push(text(home));
        self.account.push(text(&operation.account));
        self.id.push(operation.id);
        self.sequence.push(stored_count(operation.sequence)?);
        self.at.push(operation.at);
        self.kind.push(name_text(&operation.kind)?);
        self.key
            .push(operation.key.as_ref().map(|key| key.as_str().to_owned()));
        self.body_hash.push(operation.body_hash.to_vec());
        self.refers_to.push(operation.refers_to);
        self.entries.push(json_text(&operation.entries)?);
        self.answer.push(json_text(&operation.answer)?);
        self.origin.push(origin.transpose()?);
        Ok(())
    }
}

impl ReservationColumns {
    fn push(&mut self, home: &AccountId, reservation: &Reservation) -> Result<(), StoreError> {
        self.home.push(text(home));
        self.id.push(reservation.id);
        self.account.push(text(&reservation.account));
        self.expires_at.push(reservation.expires_at);
        self.state.push(name_text(&reservation.state)?);
        self.ended_by.push(reservation.ended_by);
        self.late_commit.push(reservation.late_commit);
        self.document.push(json_text(reservation)?);
        Ok(())
    }
}

impl EventColumns {
    pub(crate) fn push(&mut self, event: &Event) -> Result<(), StoreError> {
        self.shard.push(shard_of(&event.home));
        self.id.push(event.id);
        self.home.push(text(&event.home));
        self.account.push(text(&event.account));
        self.sequence.push(stored_count(event.sequence)?);
        self.at.push(event.at);
        self.kind.push(json_text(&event.kind)?);
        Ok(())
    }
}

impl ClosedColumns {
    fn push(&mut self, home: &AccountId, closed: &ClosedBalance) -> Result<(), StoreError> {
        self.home.push(text(home));
        self.account.push(text(&closed.account));
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

fn text(id: &AccountId) -> String {
    id.as_str().to_owned()
}
