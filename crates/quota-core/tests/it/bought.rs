//! Credits that are bought on a stage, and what comes back of their payments.

use crate::stage::{Stage, amount, id};
use chrono::{DateTime, Utc};
use quota_core::command::{Command, CreditPurchase, ForgiveDebt, SetPaymentFacts};
use quota_core::ids::{Currency, LineRef, PaymentRef, ProviderCode};
use quota_core::purchase::{PaymentFacts, PaymentLine};
use quota_core::rules::wallet::Wallet;

pub fn line(payment: &str) -> PaymentLine {
    PaymentLine {
        provider: ProviderCode::new("stripe").expect("a literal code"),
        payment: PaymentRef::new(payment).expect("a literal reference"),
        line: LineRef::new("1").expect("a literal line"),
    }
}

/// So many credits for so much money of a payment of which nothing came back.
pub fn purchase(payment: &str, credits: u64, money: u64, at: DateTime<Utc>) -> CreditPurchase {
    CreditPurchase {
        line: line(payment),
        credits: amount(credits),
        boost: None,
        money,
        currency: Currency::new("eur").expect("a literal currency"),
        priority: 0,
        expires_at: None,
        facts: PaymentFacts::default(),
        fetched_at: at,
    }
}

pub fn facts([refunded, lost, disputed]: [u64; 3]) -> PaymentFacts {
    PaymentFacts {
        refunded,
        lost,
        disputed,
    }
}

pub fn told(payment: &str, sums: [u64; 3], at: DateTime<Utc>) -> Command {
    let line = line(payment);
    Command::SetPaymentFacts(SetPaymentFacts {
        provider: line.provider,
        payment: line.payment,
        facts: facts(sums),
        fetched_at: at,
    })
}

pub fn forgive(credits: Option<u64>) -> Command {
    Command::ForgiveDebt(ForgiveDebt {
        credits: credits.map(amount),
    })
}

impl Stage {
    /// `user:a` buys credits.
    pub fn buy(&mut self, payment: &str, credits: u64, money: u64) {
        let bought = purchase(payment, credits, money, self.now);
        self.done("user:a", Command::CreditPurchase(bought));
    }

    /// A fetch that begins now tells `user:a` what came back of a payment: refunded, lost, disputed.
    pub fn tell(&mut self, payment: &str, sums: [u64; 3]) {
        self.now += chrono::TimeDelta::seconds(1);
        self.done("user:a", told(payment, sums, self.now));
    }

    pub fn wallet(&self) -> Wallet {
        Wallet::of(&self.home.accounts[&id("user:a")].books, self.now)
    }

    /// What `user:a` can spend and what it owes.
    pub fn free_and_debt(&self) -> (u64, u64) {
        let wallet = self.wallet();
        (wallet.free, wallet.debt)
    }
}
