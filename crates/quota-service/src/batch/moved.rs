//! Requests whose account is not in the home that it was thought to live in.

use std::collections::HashMap;

use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::Loaded;

use super::Decider;
use super::pending_request::{Group, PendingRequest};
use crate::EngineError;

/// Homes of accounts as the directory has them now.
pub(super) type CurrentHomes = HashMap<AccountId, AccountId>;

impl Decider {
    /// Takes the requests out whose account lives in another home than was thought. Where the directory cannot be read, the
    /// caller is told so.
    pub(super) async fn without_moved(
        &self,
        groups: Vec<Group>,
        loaded: Loaded,
    ) -> (Vec<Group>, Loaded, Vec<PendingRequest>) {
        let mut moved = Vec::new();
        let mut remaining = Vec::with_capacity(groups.len());
        let mut found = CurrentHomes::new();
        let mut groups = groups.into_iter();
        for (mut group, home) in groups.by_ref().take(loaded.homes.len()).zip(&loaded.homes) {
            let elsewhere = self.take_moved(&mut group, home, &mut found).await;
            moved.extend(elsewhere);
            remaining.push(group);
        }
        remaining.extend(groups);
        (remaining, loaded, moved)
    }

    /// Takes out of one home's requests those whose account lives elsewhere, or has to be looked up once more.
    pub(super) async fn take_moved(
        &self,
        group: &mut Group,
        home: &Home,
        found: &mut CurrentHomes,
    ) -> Vec<PendingRequest> {
        let (mut here, mut moved) = (Vec::with_capacity(group.requests.len()), Vec::new());
        for mut pending in std::mem::take(&mut group.requests) {
            let account = &pending.request.account;
            if home.accounts.contains_key(account) {
                here.push(pending);
                continue;
            }
            if !found.contains_key(account) {
                match self.homes.look_up(account).await {
                    Ok(home) => drop(found.insert(account.clone(), home)),
                    Err(error) => {
                        pending.answer(Err(EngineError::Store(error)));
                        continue;
                    }
                }
            }
            // A creation has entered its account in the directory: where that says so, it is only not there yet.
            let is_settled = pending.is_rechecked || pending.request.command.traits().may_create;
            match found.get(account) {
                Some(home) if *home != pending.home || !is_settled => {
                    // The load came before the look-up: an account that moves is read once more.
                    pending.is_rechecked = *home == pending.home;
                    pending.home = home.clone();
                    moved.push(pending);
                }
                Some(_) | None => here.push(pending),
            }
        }
        group.requests = here;
        moved
    }
}
