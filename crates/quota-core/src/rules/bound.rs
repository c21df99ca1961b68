//! Which limit binds a request that does not fit, and when it has room again (C9, F7, W6).

use chrono::{DateTime, Utc};

use super::allowance::Allowance;
use crate::amount::Limit;
use crate::balance::Balance;
use crate::catalog::Cadence;
use crate::draw::Scope;
use crate::terms::Token;

/// Which of an allowance's limits binds a request, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// When all limits have room again, as far as is known.
    pub resets_at: Option<DateTime<Utc>>,
    /// Of several limits, the cadence of the one that binds longest.
    pub window: Option<Cadence>,
}

impl Allowance {
    /// Which limits have less room than `wanted`, and when all of those are whole again (C9); no instant where it never fits one of
    /// them. Where the feature is sold, no later than its period ends: the caps of the next one are whole, and so are its
    /// allowances (W6).
    pub fn bound(&self, scope: Scope, balances: &[Balance], wanted: u64) -> Bound {
        if let Some(bound) = self.bound_for_ever(scope, (balances, wanted)) {
            return bound;
        }
        let by_limits = self.bound_by_limits(scope, balances, wanted);
        match self.selling.as_ref().and_then(|sold| sold.period.ends_at) {
            Some(ends_at) if by_limits.resets_at.is_none_or(|at| ends_at < at) => Bound {
                resets_at: Some(ends_at),
                window: None,
            },
            Some(_) | None => by_limits,
        }
    }

    fn bound_by_limits(&self, scope: Scope, balances: &[Balance], wanted: u64) -> Bound {
        let mut bound = Bound {
            resets_at: self.resets_at(scope),
            window: None,
        };
        if self.binding().is_empty() {
            return bound;
        }
        let is_short = |room: Option<u64>| room.is_some_and(|room| room < wanted);
        if is_short(self.own_room(scope, balances)) {
            bound.window = self.own_per.map(|per| per.cadence);
        } else {
            bound.resets_at = None;
        }
        for limit in self.binding() {
            let resets_at = limit.resets_at();
            let is_longest = bound.window.is_none() || bound.resets_at < resets_at;
            if is_short(Some(limit.room(balances))) && is_longest {
                (bound.resets_at, bound.window) = (resets_at, Some(limit.per.cadence));
            }
        }
        bound
    }

    /// Whether an amount that other sources do not pay fits a window that is whole; where the feature is sold, with what its cap buys
    /// in a whole period.
    fn fits_whole(&self, limit: Limit, (balances, wanted): (&[Balance], u64)) -> bool {
        let sold = self.selling.as_ref();
        let most = sold.map_or(0, |sold| sold.sale.units_within(sold.cap));
        let wanted = wanted.saturating_add(self.on_demand_left(balances));
        wanted <= limit.room(0).saturating_add(most)
    }

    /// The limit that never has room for an amount, if one has not: no instant is told at which it would pass.
    fn bound_for_ever(&self, scope: Scope, asked: (&[Balance], u64)) -> Option<Bound> {
        if self.plan_changes_at.is_some() {
            return None;
        }
        let is_small = |limit: &Limit| !self.fits_whole(*limit, asked);
        let several = !self.binding().is_empty();
        let own = self.limit_at(scope).filter(is_small);
        let own = own.map(|_| self.own_per.filter(|_| several));
        let mut further = self.binding().iter();
        let further = further.find(|limit| is_small(&limit.limit));
        let per = own.or_else(|| further.map(|limit| Some(limit.per)))?;
        Some(Bound {
            resets_at: None,
            window: per.map(|per| per.cadence),
        })
    }
}

/// When a token's cap has room for the amount again: with its next window, if it is enough for it at all (T3).
pub(super) fn cap_bound(token: &Token, now: DateTime<Utc>, amount: u64) -> Bound {
    let is_enough = amount <= token.cap.room(0);
    let window = token.window(now).filter(|_| is_enough);
    Bound {
        resets_at: window.and_then(|window| window.ends_at),
        window: token.per.filter(|_| is_enough),
    }
}
