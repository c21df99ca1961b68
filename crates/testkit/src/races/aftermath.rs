//! What is in a store when all is over.

use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{AuditHome, Storage};
use quota_core::reservation::Reservation;

/// Homes in one page.
const PAGE: u32 = 500;

/// Every home of a store; the auditor found nothing in any.
#[derive(Debug)]
pub struct Aftermath {
    homes: Vec<AuditHome>,
}

impl Aftermath {
    /// Reads and audits every home.
    pub async fn of(storage: &dyn Storage) -> Self {
        let mut homes: Vec<AuditHome> = Vec::new();
        loop {
            let after = homes.last().map(|last| &last.home);
            let page = storage.homes(after, None, PAGE).await;
            let page = page.expect("the homes are listed");
            if page.is_empty() {
                return Self { homes };
            }
            for id in page {
                let home = storage.audit_home(&id).await.expect("the home is read");
                let home = home.expect("the home exists");
                let findings = audit(&home);
                assert!(findings.is_empty(), "{id}: {findings:?}");
                homes.push(home);
            }
        }
    }

    /// An account as it stands after the race.
    pub fn account(&self, id: &AccountId) -> &Account {
        let mut accounts = self.homes.iter().flat_map(|home| &home.accounts);
        let found = accounts.find(|(of, _)| of == id);
        &found.expect("the account exists").1
    }

    /// What balances say was used: those of windows, not those of credits, trials and tokens.
    pub fn used(&self, id: &AccountId) -> u64 {
        let is_window =
            |bucket: &Bucket| matches!(bucket, Bucket::Window(..) | Bucket::Tracked(..));
        self.sum(id, is_window)
    }

    /// What was spent of credits.
    pub fn credits_used(&self, id: &AccountId) -> u64 {
        self.sum(id, |bucket| matches!(bucket, Bucket::Grant(_)))
    }

    /// What was spent of boosts.
    pub fn boosts_used(&self, id: &AccountId) -> u64 {
        self.sum(id, |bucket| matches!(bucket, Bucket::Boost(..)))
    }

    /// What is owed for use on demand.
    pub fn owed(&self, id: &AccountId) -> u64 {
        let balances = self.account(id).books.balances.iter();
        let sold = balances.filter_map(|sold| Some(sold.sale.as_ref()?.owed(sold.used)));
        sold.sum()
    }

    /// What was spent of tokens' caps.
    pub fn tokens_used(&self, id: &AccountId) -> u64 {
        self.sum(id, |bucket| matches!(bucket, Bucket::Token(_)))
    }

    fn sum(&self, id: &AccountId, of: impl Fn(&Bucket) -> bool) -> u64 {
        let balances = self.account(id).books.balances.iter();
        let balances = balances.filter(|balance| of(&balance.bucket));
        balances.map(|balance| balance.used).sum()
    }

    /// What is held anywhere.
    pub fn held(&self) -> u64 {
        let accounts = self.homes.iter().flat_map(|home| &home.accounts);
        let balances = accounts.flat_map(|(_, account)| &account.books.balances);
        balances.map(|balance| balance.held).sum()
    }

    /// What is held of an account's own balances.
    pub fn held_by(&self, id: &AccountId) -> u64 {
        let balances = self.account(id).books.balances.iter();
        balances.map(|balance| balance.held).sum()
    }

    /// Every reservation of the home, open or ended.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.homes.iter().flat_map(|home| &home.reservations)
    }

    /// The consumptions and denials in an account's ledger.
    pub fn consumptions(&self, id: &AccountId) -> impl Iterator<Item = &Operation> {
        let operations = self.homes.iter().flat_map(|home| &home.operations);
        operations.filter(move |found| found.account == *id && found.kind == OperationKind::Consume)
    }

    /// The consumptions in an account's ledger that were allowed.
    pub fn booked(&self, id: &AccountId) -> usize {
        let allowed = self.consumptions(id);
        allowed.filter(|found| found.answer.is_allowed()).count()
    }
}
