//! Top-ups, and the accounts that may want one.

use std::cmp::Reverse;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{StoreError, TopUpPage, TopUpStore};
use quota_core::provider::{TopUp, TopUpState};

use super::MemoryStore;
use super::records::at_most;
use super::top_ups_state::is_open;

#[async_trait]
impl TopUpStore for MemoryStore {
    async fn enter_top_up_account(&self, account: &AccountId) -> Result<(), StoreError> {
        self.call(|state| {
            state.top_ups.accounts.insert(account.clone());
            Ok(())
        })
    }

    async fn top_up_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        self.call(|state| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = state.top_ups.accounts.range((from, Bound::Unbounded));
            Ok(behind.take(at_most(limit)).cloned().collect())
        })
    }

    async fn begin_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        self.call(|state| {
            let top_ups = &mut state.top_ups;
            if top_ups.of(&top_up.account).any(is_open) {
                return Ok(false);
            }
            let named = (top_up.account.clone(), top_up.id);
            let is_new = !top_ups.rows.contains_key(&named);
            top_ups.rows.entry(named).or_insert_with(|| top_up.clone());
            Ok(is_new)
        })
    }

    async fn put_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        self.call(|state| {
            let before = top_up.version.saturating_sub(1);
            let Some(known) = state.top_ups.known(top_up, before) else {
                return Ok(false);
            };
            *known = TopUp {
                state: top_up.state,
                tries: top_up.tries,
                next_look_at: top_up.next_look_at,
                payment: top_up.payment.clone(),
                ended_at: top_up.ended_at,
                failure: top_up.failure,
                error: top_up.error.clone(),
                version: top_up.version,
                ..known.clone()
            };
            Ok(true)
        })
    }

    async fn drop_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        self.call(|state| {
            let is_there = state.top_ups.known(top_up, top_up.version).is_some();
            if is_there {
                let named = (top_up.account.clone(), top_up.id);
                state.top_ups.rows.remove(&named);
            }
            Ok(is_there)
        })
    }

    async fn open_top_up(&self, account: &AccountId) -> Result<Option<TopUp>, StoreError> {
        self.call(|state| Ok(state.top_ups.of(account).find(|row| is_open(row)).cloned()))
    }

    async fn due_top_ups(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<TopUp>, StoreError> {
        self.call(|state| {
            let open = state.top_ups.rows.values().filter(|row| is_open(row));
            let mut due: Vec<&TopUp> = open.filter(|row| row.next_look_at <= now).collect();
            due.sort_by_key(|row| (row.next_look_at, &row.account, row.id));
            Ok(due.into_iter().take(at_most(limit)).cloned().collect())
        })
    }

    async fn top_ups(&self, page: &TopUpPage) -> Result<Vec<TopUp>, StoreError> {
        self.call(|state| {
            let place = |row: &TopUp| (row.opened_at, row.id);
            let rows = state.top_ups.of(&page.account);
            let behind = rows.filter(|row| page.after.is_none_or(|after| place(row) < after));
            let mut found: Vec<&TopUp> = behind.collect();
            found.sort_by_key(|row| Reverse(place(row)));
            let found = found.into_iter().take(at_most(page.limit));
            Ok(found.cloned().collect())
        })
    }

    async fn count_top_ups(
        &self,
        account: &AccountId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.call(|state| {
            let rows = state.top_ups.of(account);
            let counted = rows.filter(|row| from <= row.opened_at && row.opened_at < until);
            let counted = counted.filter(|row| row.state != TopUpState::Failed);
            Ok(u64::try_from(counted.count()).unwrap_or(u64::MAX))
        })
    }
}
