//! The next batch of a queue, decided request by request while the one before it is being written.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;

use super::job::{Group, Job, Reading, reading_of};
use super::{Decided, Decider};
use crate::EngineError;
use crate::decide::{Answered, DecidedHome};
use crate::kept::KeptHomes;
use crate::setting::Setting;

/// What is decided on homes that are kept, and what has to wait since something must be read first.
#[derive(Default)]
pub(super) struct Gathered {
    setting: Option<Setting>,
    keys_since: Option<DateTime<Utc>>,
    groups: Vec<(Group, DecidedHome)>,
    places: HashMap<AccountId, usize>,
    answered: Answered,
    jobs: usize,
    later: Vec<Job>,
    /// Homes of `later`: whoever comes after waits too, so that nobody is passed over for ever.
    waiting: HashSet<AccountId>,
}

impl Gathered {
    /// How many requests it holds.
    pub(super) fn len(&self) -> usize {
        self.jobs + self.later.len()
    }

    /// Decides requests as they come.
    pub(super) fn add(&mut self, decider: &Decider, kept: &mut KeptHomes, jobs: Vec<Job>) {
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
        for job in jobs {
            self.add_one(kept, job, (now, keys_since));
        }
    }

    fn add_one(&mut self, kept: &mut KeptHomes, job: Job, moments: (DateTime<Utc>, DateTime<Utc>)) {
        if self.waiting.contains(&job.home) {
            self.later.push(job);
            return;
        }
        let place = self.places.get(&job.home).copied();
        let place = place.or_else(|| self.begin(kept, &job, moments));
        let group = place.and_then(|place| self.groups.get_mut(place));
        let (Some((group, decided)), Some(setting)) = (group, &self.setting) else {
            self.wait(job);
            return;
        };
        if reading_of([&job].into_iter(), &decided.home, moments) != Reading::Nothing {
            self.wait(job);
            return;
        }
        decided.decide(&mut self.answered, job.asked(), &setting.context());
        group.jobs.push(job);
        self.jobs += 1;
    }

    fn wait(&mut self, job: Job) {
        self.waiting.insert(job.home.clone());
        self.later.push(job);
    }

    /// Takes a kept home in, if a request can be decided on it.
    fn begin(
        &mut self,
        kept: &mut KeptHomes,
        job: &Job,
        moments: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<usize> {
        let home = kept.take(&job.home)?;
        if reading_of([job].into_iter(), &home, moments) != Reading::Nothing {
            // What is missing is read and put beside it.
            kept.keep(home);
            return None;
        }
        let place = self.groups.len();
        let group = Group::new(job.home.clone());
        self.groups.push((group, DecidedHome::new((home, true))));
        self.places.insert(job.home.clone(), place);
        Some(place)
    }

    /// Requests to be decided again.
    pub(super) fn put_back(&mut self, jobs: impl IntoIterator<Item = Job>) {
        for mut job in jobs {
            job.attempts += 1;
            self.wait(job);
        }
    }

    /// Undoes what was decided on a home that is not what it was thought to be.
    pub(super) fn undo(&mut self, home: &AccountId) {
        let Some(place) = self.places.remove(home) else {
            return;
        };
        let (group, decided) = self.groups.swap_remove(place);
        if let Some((last, _)) = self.groups.get(place) {
            self.places.insert(last.home.clone(), place);
        }
        for booked in &decided.home.changes.operations {
            if let Some(key) = &booked.key {
                self.answered.remove(&(booked.account.clone(), key.clone()));
            }
        }
        self.jobs -= group.jobs.len();
        self.put_back(group.jobs);
    }

    /// What has to be read now: all that waits, but for homes on which something is decided already. Whoever waited too
    /// long is told so: it took no effect.
    pub(super) fn take_later(&mut self) -> Vec<Job> {
        let places = &self.places;
        let is_free = |job: &mut Job| !places.contains_key(&job.home);
        let now = Instant::now();
        let in_time = |job: &Job| now < job.until || job.is_uncertain;
        let (ready, late): (Vec<Job>, Vec<Job>) =
            self.later.extract_if(.., is_free).partition(in_time);
        self.waiting = self.later.iter().map(|job| job.home.clone()).collect();
        for job in late {
            job.answer(Err(EngineError::Busy));
        }
        ready
    }

    /// All that is decided, together with what was read and decided now. What was decided under another catalog is
    /// undone.
    pub(super) fn take_decided(&mut self, read: Option<Decided>) -> Option<Decided> {
        let other = |setting: &Setting| {
            let read = read.as_ref();
            read.is_some_and(|read| read.setting.catalog.version != setting.catalog.version)
        };
        if self.setting.as_ref().is_some_and(other) {
            let homes: Vec<AccountId> = self.places.keys().cloned().collect();
            for home in &homes {
                self.undo(home);
            }
        }
        let (setting, keys_since) = (self.setting.take(), self.keys_since.take());
        let gathered = std::mem::take(&mut self.groups);
        self.places.clear();
        self.answered.clear();
        self.jobs = 0;
        let Some(mut read) = read else {
            return Some(Decided {
                groups: gathered,
                setting: setting?,
                keys_since: keys_since?,
                moved: Vec::new(),
            });
        };
        self.put_back(std::mem::take(&mut read.moved));
        read.groups.extend(gathered);
        if let Some(keys_since) = keys_since {
            read.keys_since = read.keys_since.min(keys_since);
        }
        Some(read)
    }
}
