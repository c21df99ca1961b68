//! What is read and written beside the hot path.

use super::MemoryStore;
use super::state::{HomeState, StoredAccount};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::catalog::Catalog;
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{
    AccountPage, AccountRow, AuditHome, AuditReader, Audits, CatalogStore, Directory, LedgerPage,
    Lists, StoreError,
};
use quota_core::relocation::Relocation;

pub(super) fn at_most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[async_trait]
impl Directory for MemoryStore {
    async fn home_of(&self, account: &AccountId) -> Result<Option<AccountId>, StoreError> {
        self.answers().await;
        self.call(|state| Ok(state.directory.get(account).cloned()))
    }

    async fn claim(&self, account: &AccountId, home: &AccountId) -> Result<AccountId, StoreError> {
        self.call(|state| {
            if let Some(entered) = state.directory.get(account) {
                return Ok(entered.clone());
            }
            if let Some(home) = state.home_with_row(account) {
                return Ok(home.clone());
            }
            if account != home {
                state.directory.insert(account.clone(), home.clone());
            }
            Ok(home.clone())
        })
    }

    async fn relocate(&self, moved: &Relocation) -> Result<bool, StoreError> {
        self.call(|state| state.relocate(moved))
    }
}

#[async_trait]
impl CatalogStore for MemoryStore {
    async fn catalog(&self) -> Result<Catalog, StoreError> {
        self.call(|state| Ok(state.catalogs.last().cloned().unwrap_or_default()))
    }

    async fn catalog_version(&self) -> Result<u64, StoreError> {
        self.call(|state| Ok(state.catalog_version()))
    }

    async fn put_catalog(
        &self,
        next: &Catalog,
        _actor: Option<&str>,
        _at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.call(|state| {
            let follows = next.version == state.catalog_version() + 1;
            if follows {
                state.catalogs.push(next.clone());
            }
            Ok(follows)
        })
    }
}

/// Whether an account belongs on a page.
fn is_listed(page: &AccountPage, id: &AccountId, stored: &StoredAccount) -> bool {
    let is_member = |org| stored.account.terms.org.as_ref() == Some(org);
    let is_due = |before: DateTime<Utc>| stored.due_at.is_some_and(|due_at| due_at <= before);
    page.kind.is_none_or(|kind| id.kind() == kind)
        && page.org.as_ref().is_none_or(is_member)
        && page.due_before.is_none_or(is_due)
        && page.after.as_ref().is_none_or(|after| after < id)
}

#[async_trait]
impl Lists for MemoryStore {
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError> {
        self.call(|state| {
            let mut rows: Vec<AccountRow> = Vec::new();
            for (home, stored) in &state.homes {
                let found = stored
                    .accounts
                    .iter()
                    .filter(|(id, stored)| is_listed(page, id, stored));
                rows.extend(found.map(|(id, stored)| AccountRow {
                    home: home.clone(),
                    id: id.clone(),
                    account: stored.account.as_ref().clone(),
                }));
            }
            rows.sort_by(|a, b| a.id.cmp(&b.id));
            rows.truncate(at_most(page.limit));
            Ok(rows)
        })
    }

    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError> {
        self.call(|state| {
            let lives = state.homes.get(&page.home).map(|home| home.lives.iter());
            let operations = lives.into_iter().flatten().flatten();
            let found = operations.rev().filter(|operation| {
                (page.members || operation.account == page.account)
                    && page.before.is_none_or(|before| operation.sequence < before)
            });
            Ok(found.take(at_most(page.limit)).cloned().collect())
        })
    }

    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        self.call(|state| {
            let is_due = |home: &HomeState| home.open_reservations().any(|r| r.expires_at <= now);
            let due = state.homes.iter().filter(|(_, home)| is_due(home));
            Ok(due.map(|(id, _)| id.clone()).take(at_most(limit)).collect())
        })
    }
}

#[async_trait]
impl Audits for MemoryStore {
    async fn read_home(
        &self,
        home: &AccountId,
        reader: &mut dyn AuditReader,
    ) -> Result<(), StoreError> {
        let found = self.call(|state| {
            let stored = state.homes.get(home).filter(|stored| stored.is_living());
            Ok(stored.map(|stored| stored.audit(home)))
        })?;
        if let Some(found) = found {
            show(found, reader);
        }
        Ok(())
    }

    async fn homes(
        &self,
        after: Option<&AccountId>,
        since: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        self.call(|state| {
            let found = state.homes.iter().filter(|(id, home)| {
                home.is_living()
                    && after.is_none_or(|after| after < *id)
                    && since.is_none_or(|since| home.operations().iter().any(|o| since <= o.at))
            });
            Ok(found
                .map(|(id, _)| id.clone())
                .take(at_most(limit))
                .collect())
        })
    }
}

/// Operations that are shown at once.
const PORTION: usize = 1_000;

/// Shows a home that is all in memory.
pub fn show(mut home: AuditHome, reader: &mut dyn AuditReader) {
    let operations = std::mem::take(&mut home.operations);
    let refunds = operations.iter();
    let refunds = refunds.filter(|operation| operation.kind == OperationKind::Refund);
    let refunded = refunds.filter_map(|refund| refund.refers_to).collect();
    reader.begin(home, refunded);
    for some in operations.chunks(PORTION) {
        reader.operations(some.to_vec());
    }
}

impl HomeState {
    fn audit(&self, home: &AccountId) -> AuditHome {
        let closed = self.closed.iter();
        AuditHome {
            home: home.clone(),
            version: self.version,
            hold_before: self.hold_before,
            accounts: self
                .accounts
                .iter()
                .map(|(id, stored)| (id.clone(), stored.account.as_ref().clone()))
                .collect(),
            closed: closed
                .map(|((account, _), balance)| ClosedBalance {
                    account: account.clone(),
                    balance: balance.clone(),
                })
                .collect(),
            reservations: self.reservations.values().cloned().collect(),
            operations: self.operations().to_vec(),
        }
    }
}
