//! What balances count, as it is shown: used, held and left, and each window that limits a feature.

use super::allowance::Allowance;
use crate::amount::Limit;
use crate::answer::{ScopeBalance, WindowBalance};
use crate::balance::Bucket;
use crate::catalog::Per;
use crate::draw::Scope;
use crate::home::Account;
use crate::window::Window;

pub(super) fn has_begun(account: &Account, bucket: &Bucket) -> bool {
    account.books.balance(bucket).is_some()
}

/// What a balance counts; nothing where it is not open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) used: u64,
    pub(super) held: u64,
    pub(super) overage: u64,
    pub(super) taken: u64,
}

impl Counted {
    /// So many members of an org (C12).
    pub(super) fn members(members: u64) -> Self {
        Self {
            used: members,
            taken: members,
            ..Self::default()
        }
    }

    pub(super) fn left_of(self, limit: Limit) -> Option<u64> {
        limit.ceiling().map(|_| limit.room(self.taken))
    }
}

pub(super) fn counted(account: &Account, bucket: &Bucket) -> Counted {
    let balance = account.books.balance(&account.books.resolved(bucket));
    balance.map_or(Counted::default(), |balance| Counted {
        used: balance.used,
        held: balance.held,
        overage: balance.overage,
        taken: balance.taken(),
    })
}

/// Adds each window that limits the feature, and shows the one of which least remains; of equals the one that ends last.
pub(super) fn show_windows(
    balance: &mut ScopeBalance,
    scope: Scope,
    account: &Account,
    own: &Allowance,
) {
    let own_window = own.own_per.zip(own.limit_at(scope)).map(|(per, limit)| {
        let begun = Some(own.window).filter(|_| !own.is_waiting || has_begun(account, &own.bucket));
        let window = window_balance(account, &own.bucket, (per, limit, own.rolled_over), begun);
        let window = WindowBalance {
            added: own.added,
            ..window
        };
        (window, own.plan_value)
    });
    let further = own.further.iter().map(|limit| {
        let has_begun = !limit.is_waiting || has_begun(account, &limit.bucket);
        let begun = Some(limit.window).filter(|_| has_begun);
        let place = (limit.per, limit.limit, limit.rolled_over);
        let window = window_balance(account, &limit.bucket, place, begun);
        let window = WindowBalance {
            added: limit.added,
            ..window
        };
        (window, limit.plan_value)
    });
    let windows = own_window.into_iter().chain(further);
    let (mut windows, plan_values): (Vec<_>, Vec<_>) = windows.unzip();
    let shown = windows.iter().zip(plan_values);
    let least = shown.min_by_key(|(window, _)| {
        let left = window.remaining.unwrap_or(u64::MAX);
        (left, std::cmp::Reverse(window.resets_at))
    });
    if let Some((least, plan_value)) = least {
        balance.granted = Some(least.granted);
        (balance.used, balance.held, balance.overage) = (least.used, least.held, least.overage);
        (balance.remaining, balance.resets_at) = (least.remaining, least.resets_at);
        (balance.plan_value, balance.added) = if own.is_by_addon {
            (None, Some(least.granted.minus(least.rolled_over)))
        } else {
            (plan_value, least.added)
        };
    }
    if own.is_read_only {
        for window in &mut windows {
            window.remaining = Some(0);
        }
    }
    balance.windows = windows;
}

fn window_balance(
    account: &Account,
    bucket: &Bucket,
    (per, granted, rolled_over): (Per, Limit, u64),
    begun: Option<Window>,
) -> WindowBalance {
    let counted = counted(account, bucket);
    WindowBalance {
        per: per.cadence,
        anchor: per.anchor,
        granted,
        used: counted.used,
        held: counted.held,
        overage: counted.overage,
        remaining: counted.left_of(granted),
        rolled_over,
        added: None,
        starts_at: begun.map(|window| window.starts_at),
        resets_at: begun.and_then(|window| window.ends_at),
    }
}
