//! Homes that keep moving: decided one at a time while the store holds them.

use std::collections::HashSet;

use quota_core::command::Request;
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{Lease, LoadQuery, Loaded, StoreError, WriteBatch};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::job::{Group, Job};
use super::moved::Found;
use super::writing::Written;
use super::{Decider, answer_all, answered};
use crate::EngineError;
use crate::decide::{DecidedHome, decide_home};
use crate::setting::Setting;

impl Decider {
    /// Decides one home while nobody else can write it; gives back the jobs of which it is not known whether they took
    /// effect.
    pub(super) async fn process_locked(&self, group: Group, lease: Option<&Lease>) -> Vec<Job> {
        let query = self.query(self.clock.now(), std::iter::once(&group));
        let Ready {
            group,
            setting,
            former,
            absent,
            moved,
        } = match self.before_lock(group, &query).await {
            Ok(ready) => ready,
            Err(left) => return left,
        };
        if group.jobs.is_empty() {
            return moved;
        }
        let requests: Vec<(Request, Vec<Uuid>)> = group
            .jobs
            .iter()
            .map(|job| (*job.request.clone(), job.tried.clone()))
            .collect();
        let (sender, receiver) = oneshot::channel();
        let (lease, keys_since) = (lease.cloned(), query.keys_since);
        let decide = Box::new(move |mut loaded: Loaded| {
            let mut earlier = std::mem::take(&mut loaded.earlier);
            earlier.extend(former);
            let mut answered = answered(earlier);
            let home = loaded.homes.pop()?;
            // Whoever left since the look-up is looked for again by the next try.
            let is_expected = |(request, _): &(Request, _)| {
                home.accounts.contains_key(&request.account) || absent.contains(&request.account)
            };
            if !requests.iter().all(is_expected) {
                return None;
            }
            let context = setting.context();
            let asked = requests
                .iter()
                .map(|(request, tried)| (request, tried.as_slice()));
            let mut decided = decide_home((Box::new(home), false), &mut answered, asked, &context);
            let write = decided.take_write();
            let written = write.as_ref().map(Written::of);
            drop(sender.send((decided, written)));
            Some(WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since,
                lease,
                homes: vec![write?],
            })
        });
        let result = self.storage.write_locked(&query, decide).await;
        let decided = receiver.await;
        let mut left = self.after_lock(group, result, decided.ok()).await;
        left.extend(moved);
        left
    }

    /// Answers by what became of the write, as far as that is known.
    async fn after_lock(
        &self,
        group: Group,
        result: Result<bool, StoreError>,
        decided: Option<(DecidedHome, Option<Written>)>,
    ) -> Vec<Job> {
        match (result, decided) {
            (Ok(has_passed), Some((decided, written))) if has_passed || written.is_none() => {
                if written.is_some() {
                    self.writes.passed();
                }
                self.tell(written.iter()).await;
                answer_all(group.jobs, decided.verdicts);
            }
            // Somebody had left the home: nothing was decided.
            (Ok(_), None) => return group.jobs,
            (Ok(_), Some(_)) => {
                for job in group.jobs {
                    job.answer(Err(EngineError::Busy));
                }
            }
            (Err(StoreError::Unavailable(_)), decided) => {
                let mut left = group.jobs;
                for job in &mut left {
                    job.is_uncertain = true;
                }
                if let Some((decided, _)) = decided {
                    let verdicts = decided.verdicts.iter();
                    left.iter_mut()
                        .zip(verdicts)
                        .for_each(|(job, verdict)| job.doubt(verdict));
                }
                return left;
            }
            (Err(error), _) => {
                self.writes.failed(&error);
                for job in group.jobs {
                    let error = error.repeated();
                    job.answer(Err(EngineError::Store(error)));
                }
            }
        }
        Vec::new()
    }

    /// What is read before the home is locked: the catalog, who lives elsewhere, and first answers from homes that the
    /// users left. Those cannot grow any more.
    async fn before_lock(&self, mut group: Group, query: &LoadQuery) -> Result<Ready, Vec<Job>> {
        let read = async {
            let catalog = self.catalogs.refresh().await?;
            let loaded = self.storage.load(query).await?;
            Ok::<_, StoreError>((catalog, loaded))
        };
        let (catalog, mut loaded) = match read.await {
            Ok(read) => read,
            Err(error) => return Err(self.not_loaded(vec![group], error).left),
        };
        loaded.earlier.clear();
        let (mut moved, mut absent) = (Vec::new(), HashSet::new());
        if let Some(home) = loaded.homes.first() {
            moved = self.take_moved(&mut group, home, &mut Found::new()).await;
            let accounts = group.jobs.iter().map(|job| &job.request.account);
            let is_absent = |account: &&AccountId| !home.accounts.contains_key(*account);
            absent.extend(accounts.filter(is_absent).cloned());
        }
        let groups = std::slice::from_ref(&group);
        if let Err(error) = self.add_former_keys(groups, query, &mut loaded).await {
            moved.extend(self.not_loaded(vec![group], error).left);
            return Err(moved);
        }
        let setting = Setting {
            catalog,
            now: query.now,
            grace: self.settings.grace,
        };
        Ok(Ready {
            group,
            setting,
            former: loaded.earlier,
            absent,
            moved,
        })
    }
}

/// What is known before a home is locked.
struct Ready {
    group: Group,
    setting: Setting,
    /// First answers from homes that the users left.
    former: Vec<Operation>,
    /// Accounts that live nowhere.
    absent: HashSet<AccountId>,
    /// Jobs whose account lives elsewhere.
    moved: Vec<Job>,
}
