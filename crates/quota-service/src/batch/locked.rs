//! Homes that keep moving: decided one at a time while the store holds them.

use quota_core::command::Request;
use quota_core::operation::Operation;
use quota_core::ports::{Lease, LoadQuery, Loaded, StoreError, WriteBatch};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::job::{Group, Job};
use super::writing::Written;
use super::{Decider, again, answer_all, answered};
use crate::EngineError;
use crate::decide::{DecidedHome, Setting, decide_home};

impl Decider {
    /// Decides one home while nobody else can write it; gives back the jobs of which it is not known whether they took
    /// effect.
    pub(super) async fn process_locked(&self, group: Group, lease: Option<&Lease>) -> Vec<Job> {
        let query = self.query(self.clock.now(), std::iter::once(&group));
        let (group, setting, former) = match self.before_lock(group, &query).await {
            Ok(ready) => ready,
            Err(left) => return left,
        };
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
            // Whoever left meanwhile is looked for again by the next try.
            let is_here =
                |(request, _): &(Request, _)| home.accounts.contains_key(&request.account);
            if home.version != 0 && !requests.iter().all(is_here) && !creates(&requests) {
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
        self.after_lock(group, result, decided.ok()).await
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
                self.tell(written.iter()).await;
                answer_all(group.jobs, decided.verdicts);
            }
            (Ok(_), _) => {
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
                let text = error.to_string();
                for job in group.jobs {
                    let error = again(&text, error.is_transient());
                    job.answer(Err(EngineError::Store(error)));
                }
            }
        }
        Vec::new()
    }

    /// What is read before the home is locked: the catalog, and first answers from homes that its users left. Those
    /// cannot grow any more.
    async fn before_lock(
        &self,
        group: Group,
        query: &LoadQuery,
    ) -> Result<(Group, Setting, Vec<Operation>), Vec<Job>> {
        let read = async {
            let catalog = self.catalogs.refresh().await?;
            let mut loaded = self.storage.load(query).await?;
            loaded.earlier.clear();
            let groups = std::slice::from_ref(&group);
            self.add_former_keys(groups, query, &mut loaded).await?;
            Ok::<_, StoreError>((catalog, loaded.earlier))
        };
        match read.await {
            Ok((catalog, former)) => {
                let setting = Setting {
                    catalog,
                    now: query.now,
                    grace: self.settings.grace,
                };
                Ok((group, setting, former))
            }
            Err(error) => Err(self.not_loaded(vec![group], error).left),
        }
    }
}

fn creates(requests: &[(Request, Vec<Uuid>)]) -> bool {
    let is_creation = |(request, _): &(Request, _)| request.command.traits().may_create;
    requests.iter().any(is_creation)
}
