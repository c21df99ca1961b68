//! Writing homes: each whole where it still is as it was loaded, else not at all.

use std::collections::BTreeSet;

use super::state::{HomeState, State, StoredAccount};
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::event::Event;
use quota_core::home::{Account, ClosedBalance};
use quota_core::ids::AccountId;
use quota_core::ports::{HomeWrite, KeyQuery, Lease, StoreError, WriteBatch};
use quota_core::relocation::Relocation;

impl State {
    pub(super) fn write(&mut self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        let mut seen = BTreeSet::new();
        for home in &batch.homes {
            check_shape(home)?;
            if !seen.insert(&home.home) {
                return Err(refused(format!("home `{}` comes twice", home.home)));
            }
        }
        let is_current = batch.catalog_version == self.catalog_version()
            && batch.lease.as_ref().is_none_or(|lease| self.holds(lease));
        if !is_current {
            return Ok(Vec::new());
        }
        let passing: Vec<&HomeWrite> = batch
            .homes
            .iter()
            .filter(|home| self.passes(home, batch.keys_since))
            .collect();
        for home in &passing {
            self.check_content(home, batch.keys_since)?;
        }
        for home in &passing {
            self.apply(home);
        }
        Ok(passing.iter().map(|home| home.home.clone()).collect())
    }

    pub(super) fn write_together(&mut self, batch: &WriteBatch) -> Result<bool, StoreError> {
        let all_pass = batch
            .homes
            .iter()
            .all(|home| self.passes(home, batch.keys_since));
        if !all_pass {
            return Ok(false);
        }
        Ok(self.write(batch)?.len() == batch.homes.len())
    }

    fn holds(&self, lease: &Lease) -> bool {
        self.leases.get(&lease.name).is_some_and(|stored| {
            stored.epoch == lease.epoch && stored.owner.as_ref() == Some(&lease.owner)
        })
    }

    fn passes(&self, write: &HomeWrite, keys_since: DateTime<Utc>) -> bool {
        let Some(stored) = self.homes.get(&write.home) else {
            return write.expected_version == 0 && self.may_be_a_home(&write.home);
        };
        let is_unseen = |key: &KeyQuery| stored.keyed(key, keys_since).is_none();
        stored.version == write.expected_version
            && (stored.is_living() || self.may_be_a_home(&write.home))
            && write.unseen_keys.iter().all(is_unseen)
    }

    /// Whether the account does not live elsewhere.
    fn may_be_a_home(&self, account: &AccountId) -> bool {
        self.directory
            .get(account)
            .is_none_or(|home| home == account)
    }

    fn check_content(
        &self,
        write: &HomeWrite,
        keys_since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let stored = self.homes.get(&write.home);
        for new in &write.accounts {
            check_grants(&new.id, &new.account)?;
        }
        for operation in &write.operations {
            let key = operation.key.as_ref().map(|key| KeyQuery {
                account: operation.account.clone(),
                key: key.clone(),
            });
            let is_taken =
                |key: &KeyQuery| stored.is_some_and(|s| s.keyed(key, keys_since).is_some());
            if key.as_ref().is_some_and(is_taken) {
                return Err(refused(format!("the key of `{}` is taken", operation.id)));
            }
        }
        for event in &write.events {
            let is_taken =
                |known: &Event| known.account == event.account && known.number == event.number;
            if self.outbox.values().any(is_taken) {
                return Err(refused(format!("event {} is taken", event.number)));
            }
        }
        Ok(())
    }

    fn apply(&mut self, write: &HomeWrite) {
        let home = self.homes.entry(write.home.clone()).or_default();
        if write.expected_version == 0 {
            home.lives.push(Vec::new());
        }
        home.version = write.new_version;
        home.hold_before = write.hold_before;
        for new in &write.accounts {
            let stored = StoredAccount {
                account: new.account.clone(),
                due_at: new.due_at,
            };
            home.accounts.insert(new.id.clone(), stored);
        }
        if let Some(life) = home.lives.last_mut() {
            life.extend(write.operations.iter().map(|new| new.as_ref().clone()));
        }
        for reservation in &write.reservations {
            home.reservations
                .insert(reservation.id, reservation.clone());
        }
        for closed in &write.closed {
            let key = (closed.account.clone(), closed.balance.bucket.clone());
            home.closed.insert(key, closed.balance.clone());
        }
        for event in &write.events {
            self.append_event(event.clone());
        }
    }

    pub(super) fn relocate(&mut self, moved: &Relocation) -> Result<bool, StoreError> {
        let ((from, from_version), (to, to_version)) = (&moved.from, &moved.to);
        let version_of = |home| {
            self.homes
                .get(home)
                .map_or(0, |home: &HomeState| home.version)
        };
        let lives_there = |home: &HomeState| home.accounts.contains_key(&moved.user);
        let is_current = version_of(from) == *from_version
            && version_of(to) == *to_version
            && self.homes.get(from).is_some_and(lives_there);
        if !is_current {
            return Ok(false);
        }
        if from == to || (*to_version == 0) != (*to == moved.user) {
            return Err(refused(format!("`{}` cannot move to `{to}`", moved.user)));
        }
        check_grants(&moved.user, &moved.account)?;
        self.leave(moved);
        self.enter(moved);
        self.carry_events(&moved.user, &moved.to.0);
        for event in std::iter::once(&moved.event).chain(&moved.org_events) {
            self.append_event(event.clone());
        }
        Ok(true)
    }

    fn leave(&mut self, moved: &Relocation) {
        let left = self.homes.entry(moved.from.0.clone()).or_default();
        left.accounts.remove(&moved.user);
        left.version = moved.left.sequence;
        if let (Some(org), Some(stored)) = (&moved.left_org, left.accounts.get_mut(&moved.from.0)) {
            stored.account = org.clone().into();
        }
        for closed in &moved.closed {
            let key = (closed.account.clone(), closed.balance.bucket.clone());
            left.closed.insert(key, closed.balance.clone());
        }
        if moved.from.0 == moved.user {
            left.version = 0;
            left.hold_before = None;
        }
        if let Some(life) = left.lives.last_mut() {
            life.push(moved.left.clone());
        }
    }

    fn enter(&mut self, moved: &Relocation) {
        let joined = self.homes.entry(moved.to.0.clone()).or_default();
        if moved.to.1 == 0 {
            joined.lives.push(Vec::new());
            self.directory.remove(&moved.user);
        } else {
            self.directory
                .insert(moved.user.clone(), moved.to.0.clone());
        }
        joined.version = moved.joined.sequence;
        let stored = StoredAccount {
            account: moved.account.clone().into(),
            due_at: moved.due_at,
        };
        joined.accounts.insert(moved.user.clone(), stored);
        if let (Some(org), Some(stored)) = (&moved.joined_org, joined.accounts.get_mut(&moved.to.0))
        {
            stored.account = org.clone().into();
        }
        if let Some(life) = joined.lives.last_mut() {
            life.push(moved.joined.clone());
        }
    }
}

fn check_shape(write: &HomeWrite) -> Result<(), StoreError> {
    let mut closed = BTreeSet::new();
    for ClosedBalance { account, balance } in &write.closed {
        if !closed.insert((account, &balance.bucket)) {
            let what = format!("`{}` of `{account}` is closed twice", balance.bucket);
            return Err(refused(what));
        }
    }
    let home = &write.home;
    let mistake = write.mistake();
    mistake.map_or(Ok(()), |what| Err(refused(format!("home `{home}` {what}"))))
}

/// No grant or boost is overdrawn, whoever asks for it.
fn check_grants(id: &AccountId, account: &Account) -> Result<(), StoreError> {
    for balance in &account.books.balances {
        let taken = balance.used.saturating_add(balance.held);
        let is_overdrawn = matches!(balance.granted, Limit::Of(granted) if granted < taken);
        if balance.bucket.is_given() && is_overdrawn {
            let bucket = &balance.bucket;
            return Err(refused(format!("`{bucket}` of `{id}` is overdrawn")));
        }
    }
    Ok(())
}

fn refused(what: String) -> StoreError {
    StoreError::Refused { what }
}
