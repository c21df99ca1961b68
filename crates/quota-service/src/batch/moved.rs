//! Requests whose account is not in the home that it was thought to live in.

use std::collections::HashMap;

use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::{LedgerPage, Loaded, StoreError};

use super::Decider;
use super::pending_request::{Group, PendingRequest};
use crate::EngineError;

/// Homes of accounts as the directory has them now.
pub(super) type CurrentHomes = HashMap<AccountId, AccountId>;

impl Decider {
    /// Takes the requests out whose account lives in another home than was thought. Where the directory cannot be read, the
    /// caller is told so, unless an earlier try may have taken effect.
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
                        moved.extend(not_looked_up(pending, error));
                        continue;
                    }
                }
            }
            let Some(current) = found.get(account) else {
                here.push(pending);
                continue;
            };
            let is_here = *current == pending.home;
            // A creation has entered its account in the directory: where that says so, it is only not there yet.
            if is_here && pending.request.command.traits().may_create {
                here.push(pending);
                continue;
            }
            if is_here && pending.is_rechecked {
                match self.is_between_moves(&pending.home, account).await {
                    Ok(false) => here.push(pending),
                    Ok(true) => moved.push(pending),
                    Err(error) => moved.extend(not_looked_up(pending, error)),
                }
                continue;
            }
            // The load came before the look-up: an account that moves is read once more.
            pending.is_rechecked = is_here;
            pending.home = current.clone();
            moved.push(pending);
        }
        group.requests = here;
        moved
    }

    /// Whether an account that is not in a home, where the directory says that it lives, lived there before: then it left
    /// and came back between the reads, however often that happens, and is not unknown.
    pub(crate) async fn is_between_moves(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let page = LedgerPage {
            home: home.clone(),
            account: account.clone(),
            members: false,
            before: None,
            limit: 1,
        };
        Ok(!self.storage.ledger(&page).await?.is_empty())
    }
}

/// The directory could not be read. A request that surely had no effect is answered; one whose earlier try may have had one
/// is tried again, unless the error is final.
fn not_looked_up(pending: PendingRequest, error: StoreError) -> Option<PendingRequest> {
    if pending.is_uncertain && error.is_transient() {
        return Some(pending);
    }
    pending.answer(Err(EngineError::Store(error)));
    None
}
