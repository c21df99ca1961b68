//! Homes that keep moving: decided one at a time while the store holds them.

use chrono::{DateTime, Utc};
use quota_core::command::Request;
use quota_core::home::Home;
use quota_core::ports::{Lease, Loaded, WriteBatch};
use tokio::sync::oneshot;

use super::job::Group;
use super::writing::Written;
use super::{Decider, again, answer_all, answered};
use crate::EngineError;
use crate::decide::{Setting, decide_home};

impl Decider {
    /// Decides one home while nobody else can write it.
    pub(super) async fn process_locked(&self, group: Group, lease: Option<&Lease>) {
        let query = self.query(self.clock.now(), std::iter::once(&group));
        let catalog = match self.catalogs.refresh().await {
            Ok(catalog) => catalog,
            Err(error) => {
                self.not_loaded(vec![group], error);
                return;
            }
        };
        let setting = Setting {
            catalog,
            now: query.now,
            grace: self.settings.grace,
        };
        let requests: Vec<Request> = group.jobs.iter().map(|job| job.request.clone()).collect();
        let (sender, receiver) = oneshot::channel();
        let (lease, keys_since) = (lease.cloned(), query.keys_since);
        let decide = Box::new(move |mut loaded: Loaded| {
            let mut answered = answered(std::mem::take(&mut loaded.earlier));
            let home = loaded.homes.pop()?;
            // Keys of a former home cannot be read from here: such a request is tried again later.
            if has_former_keys(&home, &requests, keys_since) {
                return None;
            }
            let context = setting.context();
            let mut decided = decide_home((home, false), &mut answered, requests.iter(), &context);
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
        match (result, decided) {
            (Ok(has_passed), Ok((decided, written))) if has_passed || written.is_none() => {
                self.tell(written.iter()).await;
                answer_all(group, decided);
            }
            (Ok(_), _) => {
                for job in group.jobs {
                    job.answer(Err(EngineError::Busy));
                }
            }
            (Err(error), _) => {
                let text = error.to_string();
                for job in group.jobs {
                    let error = again(&text, error.is_transient());
                    job.answer(Err(EngineError::Store(error)));
                }
            }
        }
    }
}

fn has_former_keys(home: &Home, requests: &[Request], keys_since: DateTime<Utc>) -> bool {
    requests.iter().any(|request| {
        let account = home.accounts.get(&request.account);
        let former = account.and_then(|account| account.terms.former_home.as_ref());
        request.key.is_some() && former.is_some_and(|former| keys_since <= former.left_at)
    })
}
