//! A wallet: what the grants of an account come to together. What is used of a grant beyond its worth, since that was taken
//! back, is covered by what other grants have free; the rest is debt. Nothing of it is booked: it is worked out anew (P10).

use chrono::{DateTime, Utc};

use super::funding::{idle_credits, in_burn_order};
use crate::balance::Balance;
use crate::cover::{cover_by_ended, ended, grants, owed, shorts_of, sum};
use crate::home::Books;

/// What the grants of an account come to together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Credits that can be spent.
    pub free: u64,
    /// Credits that are disputed, and are free again if the dispute is won (P11).
    pub frozen: u64,
    /// Credits that were spent of what was taken back, and that nothing covers (P10).
    pub debt: u64,
    /// Credits that were bought and wait until others are spent (P18).
    pub waiting: u64,
}

impl Wallet {
    /// The wallet of an account with these books.
    pub fn of(books: &Books, now: DateTime<Utc>) -> Self {
        let balances = books.balances.as_slice();
        let live = grants(balances).filter(|grant| !grant.has_ended(now));
        let (idle, owed) = (idle_credits(balances, now), owed(balances, now));
        Self {
            free: idle.saturating_sub(owed),
            frozen: sum(live.map(Balance::frozen)),
            debt: owed.saturating_sub(idle),
            waiting: sum(grants(&books.waiting).map(Balance::idle)),
        }
    }
}

/// A grant as it stands among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantStanding {
    /// The grant by itself.
    pub balance: Balance,
    /// What of it covers use of others beyond their worth, and cannot be spent.
    pub covers: u64,
}

/// How each grant among `balances` stands.
pub fn standings(balances: &[Balance], now: DateTime<Utc>) -> Vec<GrantStanding> {
    let mut shorts = shorts_of(balances, Balance::short);
    let mut covers = cover_by_ended(&mut shorts, ended(balances, now));
    let mut owed = sum(shorts.iter().map(|short| short.credits));
    if owed != 0 {
        for live in in_burn_order(balances, now) {
            let part = live.remaining(now).min(owed);
            owed = owed.saturating_sub(part);
            covers.push((&live.bucket, part));
        }
    }
    let standing = |balance: &Balance| {
        let part = covers.iter().find(|(of, _)| **of == balance.bucket);
        GrantStanding {
            balance: balance.clone(),
            covers: part.map_or(0, |(_, part)| *part),
        }
    };
    grants(balances).map(standing).collect()
}
