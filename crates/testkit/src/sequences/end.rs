//! How a home is after a sequence, without what differs from run to run.

use chrono::{DateTime, Utc};
use quota_core::draw::Draw;
use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::ports::AuditHome;
use uuid::Uuid;

/// How a home is at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct EndState {
    home: AccountId,
    version: u64,
    accounts: Vec<(AccountId, Account)>,
    closed: Vec<String>,
    reservations: Vec<(AccountId, Vec<Draw>, DateTime<Utc>, String)>,
    operations: usize,
}

/// A home without what differs from run to run: ids, and the order of what has none.
pub fn end_state(found: AuditHome) -> EndState {
    let mut accounts = found.accounts;
    accounts.sort_by(|a, b| a.0.cmp(&b.0));
    for (_, account) in &mut accounts {
        account
            .books
            .balances
            .sort_by(|a, b| a.bucket.cmp(&b.bucket));
        // Ids of operations differ from run to run; what was refunded of them does not.
        let refunded = std::mem::take(&mut account.books.refunded);
        let mut refunded: Vec<_> = refunded.into_values().collect();
        refunded.sort();
        let numbered = (0..).map(Uuid::from_u128).zip(refunded);
        account.books.refunded = numbered.collect();
    }
    let mut closed: Vec<String> = found
        .closed
        .iter()
        .map(|closed| format!("{closed:?}"))
        .collect();
    closed.sort();
    let mut reservations: Vec<_> = found
        .reservations
        .into_iter()
        .map(|held| {
            (
                held.account,
                held.draws,
                held.expires_at,
                format!("{:?}", held.state),
            )
        })
        .collect();
    reservations.sort_by(|a, b| format!("{a:?}").cmp(&format!("{b:?}")));
    EndState {
        home: found.home,
        version: found.version,
        accounts,
        closed,
        reservations,
        operations: found.operations.len(),
    }
}
