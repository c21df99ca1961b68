//! Requests whose account is not in the home that it was thought to live in.

use std::collections::HashMap;

use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::Loaded;

use super::Decider;
use super::job::{Group, Job};
use crate::EngineError;

/// Homes of accounts as the directory has them now.
pub(super) type Found = HashMap<AccountId, AccountId>;

impl Decider {
    /// Takes out the jobs whose account is not in the home that it was thought to live in but in another one. Where
    /// that cannot be found out, the caller is told so.
    pub(super) async fn without_moved(
        &self,
        groups: Vec<Group>,
        loaded: Loaded,
    ) -> (Vec<Group>, Loaded, Vec<Job>) {
        let mut moved = Vec::new();
        let mut stay = Vec::with_capacity(groups.len());
        let mut found = Found::new();
        let mut groups = groups.into_iter();
        for (mut group, home) in groups.by_ref().take(loaded.homes.len()).zip(&loaded.homes) {
            let left = self.take_moved(&mut group, home, &mut found).await;
            moved.extend(left);
            stay.push(group);
        }
        stay.extend(groups);
        (stay, loaded, moved)
    }

    /// Takes out of one home's jobs those whose account lives elsewhere, or has to be looked for once more.
    pub(super) async fn take_moved(
        &self,
        group: &mut Group,
        home: &Home,
        found: &mut Found,
    ) -> Vec<Job> {
        let (mut here, mut moved) = (Vec::with_capacity(group.jobs.len()), Vec::new());
        for mut job in std::mem::take(&mut group.jobs) {
            let account = &job.request.account;
            if home.accounts.contains_key(account) {
                here.push(job);
                continue;
            }
            if !found.contains_key(account) {
                match self.homes.look_up(account).await {
                    Ok(home) => drop(found.insert(account.clone(), home)),
                    Err(error) => {
                        job.answer(Err(EngineError::Store(error)));
                        continue;
                    }
                }
            }
            // A creation has entered its account in the directory: where that says so, it is only not there yet.
            let is_settled = job.is_rechecked || job.request.command.traits().may_create;
            match found.get(account) {
                Some(home) if *home != job.home || !is_settled => {
                    // The load came before the look-up: an account that moves is read once more.
                    job.is_rechecked = *home == job.home;
                    job.home = home.clone();
                    moved.push(job);
                }
                Some(_) | None => here.push(job),
            }
        }
        group.jobs = here;
        moved
    }
}
