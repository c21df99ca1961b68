//! API keys, leases, runs and batches.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{
    ApiKey, BatchRecord, JobRun, JobStore, KeyStore, Lease, RunState, StoreError,
};
use uuid::Uuid;

use super::MemoryStore;
use super::records::at_most;
use super::state::{LeaseState, State};

#[async_trait]
impl KeyStore for MemoryStore {
    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.call(|state| {
            let taken = |other: &ApiKey| other.id == key.id || other.hash == key.hash;
            if state.keys.iter().any(taken) {
                let what = format!("the key `{}` exists already", key.id);
                return Err(StoreError::Refused { what });
            }
            state.keys.push(key.clone());
            state.keys.sort_by_key(|key| (key.created_at, key.id));
            Ok(())
        })
    }

    async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.call(|state| Ok(state.keys.iter().find(|key| key.hash == *hash).cloned()))
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.call(|state| Ok(state.keys.clone()))
    }

    async fn revoke_key(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.call(|state| {
            let found = state.keys.iter_mut().find(|key| key.id == id);
            Ok(found.map(|key| key.revoked_at.get_or_insert(at)).is_some())
        })
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError> {
        self.call(|state| {
            let stored = state.leases.entry(name.to_owned()).or_insert(LeaseState {
                owner: None,
                epoch: 0,
                until,
            });
            if stored.owner.as_deref() != Some(owner) {
                if stored.owner.is_some() && now < stored.until {
                    return Ok(None);
                }
                stored.owner = Some(owner.to_owned());
                stored.epoch += 1;
            }
            stored.until = until;
            Ok(Some(Lease {
                name: name.to_owned(),
                owner: owner.to_owned(),
                epoch: stored.epoch,
            }))
        })
    }

    async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError> {
        self.call(|state| {
            state.give_lease_back(lease);
            Ok(())
        })
    }

    async fn put_run(&self, run: &JobRun) -> Result<(), StoreError> {
        self.call(|state| {
            state.put_run(run);
            Ok(())
        })
    }

    async fn end_run(&self, run: &JobRun, lease: &Lease) -> Result<(), StoreError> {
        self.call(|state| {
            state.put_run(run);
            state.give_lease_back(lease);
            Ok(())
        })
    }

    async fn put_batch(&self, batch: &BatchRecord) -> Result<(), StoreError> {
        self.call(|state| {
            state
                .batches
                .insert((batch.run, batch.number), batch.clone());
            Ok(())
        })
    }

    async fn run(&self, id: Uuid) -> Result<Option<JobRun>, StoreError> {
        self.call(|state| Ok(state.runs.iter().find(|run| run.id == id).cloned()))
    }

    async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        self.call(|state| {
            let newest_first = state.runs.iter().rev();
            let of_job = newest_first.filter(|run| job.is_none_or(|job| run.job == job));
            Ok(of_job.take(at_most(limit)).cloned().collect())
        })
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, StoreError> {
        self.call(|state| {
            let of_run = state.batches.values().filter(|batch| batch.run == run);
            Ok(of_run.cloned().collect())
        })
    }
}

impl State {
    fn give_lease_back(&mut self, lease: &Lease) {
        if let Some(stored) = self.leases.get_mut(&lease.name) {
            let is_own = stored.owner.as_ref() == Some(&lease.owner);
            if is_own && stored.epoch == lease.epoch {
                stored.owner = None;
            }
        }
    }

    fn put_run(&mut self, run: &JobRun) {
        if let Some(stored) = self.runs.iter_mut().find(|stored| stored.id == run.id) {
            *stored = run.clone();
            return;
        }
        let of_job = self.runs.iter_mut().filter(|other| other.job == run.job);
        for other in of_job.filter(|other| other.state == RunState::Running) {
            other.state = RunState::Lost;
        }
        self.runs.push(run.clone());
    }
}
