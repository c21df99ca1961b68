//! The next batch of a queue: decided request by request while the one before it is in flight.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;

use super::pending_request::{Group, PendingRequest, Reading, reading_of};
use super::{DecidedBatch, Decider};
use crate::EngineError;
use crate::decide::{Answered, DecidedHome};
use crate::kept::KeptHomes;
use crate::setting::Setting;

/// The batch that a shard loop gathers. Requests of kept homes are decided as they come; the others are deferred until
/// their homes have been read.
#[derive(Default)]
pub(super) struct NextBatch {
    setting: Option<Setting>,
    keys_since: Option<DateTime<Utc>>,
    /// Requests that are decided, with their homes.
    groups: Vec<(Group, DecidedHome)>,
    /// Where in `groups` each home is.
    positions: HashMap<AccountId, usize>,
    answered: Answered,
    /// How many requests are in `groups`.
    requests: usize,
    /// Requests whose home has to be read first.
    deferred: Vec<PendingRequest>,
    /// Their homes. Requests of these homes that come later are deferred too, so that none is overtaken for ever.
    deferred_homes: HashSet<AccountId>,
}

impl NextBatch {
    /// How many requests it holds.
    pub(super) fn len(&self) -> usize {
        self.requests + self.deferred.len()
    }

    /// Decides requests on kept homes, and defers the others.
    pub(super) fn add(
        &mut self,
        decider: &Decider,
        kept: &mut KeptHomes,
        requests: Vec<PendingRequest>,
    ) {
        let now = decider.clock.now();
        let setting = self.setting.get_or_insert_with(|| Setting {
            catalog: decider.catalogs.current(),
            now,
            grace: decider.settings.grace,
        });
        setting.now = setting.now.max(now);
        let now = setting.now;
        let keys_since = *self
            .keys_since
            .get_or_insert(now - decider.settings.keys_kept);
        for pending in requests {
            self.add_one(kept, pending, (now, keys_since));
        }
    }

    fn add_one(
        &mut self,
        kept: &mut KeptHomes,
        pending: PendingRequest,
        moments: (DateTime<Utc>, DateTime<Utc>),
    ) {
        if self.deferred_homes.contains(&pending.home) {
            self.deferred.push(pending);
            return;
        }
        let position = self.positions.get(&pending.home).copied();
        let position = position.or_else(|| self.begin(kept, &pending, moments));
        let group = position.and_then(|position| self.groups.get_mut(position));
        let (Some((group, decided)), Some(setting)) = (group, &self.setting) else {
            self.defer(pending);
            return;
        };
        if reading_of([&pending].into_iter(), &decided.home, moments) != Reading::Nothing {
            self.defer(pending);
            return;
        }
        decided.decide(
            &mut self.answered,
            pending.decision_input(),
            &setting.context(),
        );
        group.requests.push(pending);
        self.requests += 1;
    }

    fn defer(&mut self, pending: PendingRequest) {
        self.deferred_homes.insert(pending.home.clone());
        self.deferred.push(pending);
    }

    /// Adds a kept home to the batch if this request can be decided on it.
    fn begin(
        &mut self,
        kept: &mut KeptHomes,
        pending: &PendingRequest,
        moments: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<usize> {
        let home = kept.take(&pending.home)?;
        if reading_of([pending].into_iter(), &home, moments) != Reading::Nothing {
            // What it lacks is read and added to it.
            kept.keep(home);
            return None;
        }
        let position = self.groups.len();
        let group = Group::new(pending.home.clone());
        self.groups.push((group, DecidedHome::new((home, true))));
        self.positions.insert(pending.home.clone(), position);
        Some(position)
    }

    /// Defers requests that have to be decided again.
    pub(super) fn put_back(&mut self, requests: impl IntoIterator<Item = PendingRequest>) {
        for mut pending in requests {
            pending.attempts += 1;
            self.defer(pending);
        }
    }

    /// Discards what was decided on a home, since that home did not pass or may not have: its requests are deferred.
    pub(super) fn undo(&mut self, home: &AccountId) {
        let Some(position) = self.positions.remove(home) else {
            return;
        };
        let (group, decided) = self.groups.swap_remove(position);
        if let Some((last, _)) = self.groups.get(position) {
            self.positions.insert(last.home.clone(), position);
        }
        for booked in &decided.home.changes.operations {
            if let Some(key) = &booked.key {
                self.answered.remove(&(booked.account.clone(), key.clone()));
            }
        }
        self.requests -= group.requests.len();
        self.put_back(group.requests);
    }

    /// Takes the deferred requests that can be read now: those of homes on which this batch has decided nothing. Requests
    /// past their deadline are refused; they had no effect.
    pub(super) fn take_ready(&mut self) -> Vec<PendingRequest> {
        let positions = &self.positions;
        let is_undecided = |pending: &mut PendingRequest| !positions.contains_key(&pending.home);
        let now = Instant::now();
        let in_time = |pending: &PendingRequest| now < pending.until || pending.is_uncertain;
        let (ready, late): (Vec<PendingRequest>, Vec<PendingRequest>) = self
            .deferred
            .extract_if(.., is_undecided)
            .partition(in_time);
        self.deferred_homes = self
            .deferred
            .iter()
            .map(|pending| pending.home.clone())
            .collect();
        for pending in late {
            pending.answer(Err(EngineError::Busy));
        }
        ready
    }

    /// Takes everything that is decided, with what was read and decided just now. What was decided under another catalog
    /// than that is discarded and deferred.
    pub(super) fn take_decided(&mut self, read: Option<DecidedBatch>) -> Option<DecidedBatch> {
        let is_other = |setting: &Setting| {
            let read = read.as_ref();
            read.is_some_and(|read| read.setting.catalog.version != setting.catalog.version)
        };
        if self.setting.as_ref().is_some_and(is_other) {
            let homes: Vec<AccountId> = self.positions.keys().cloned().collect();
            for home in &homes {
                self.undo(home);
            }
        }
        let (setting, keys_since) = (self.setting.take(), self.keys_since.take());
        let decided = std::mem::take(&mut self.groups);
        self.positions.clear();
        self.answered.clear();
        self.requests = 0;
        let Some(mut read) = read else {
            return Some(DecidedBatch {
                groups: decided,
                setting: setting?,
                keys_since: keys_since?,
                reload: Vec::new(),
            });
        };
        self.put_back(std::mem::take(&mut read.reload));
        read.groups.extend(decided);
        if let Some(keys_since) = keys_since {
            read.keys_since = read.keys_since.min(keys_since);
        }
        Some(read)
    }
}
