//! Grants that were bought, and the commands about them.

use quota_core::command::{
    Command, CreditPurchase, ForgiveDebt, SetPaymentFacts, SyncSubscription,
};
use quota_core::ids::{
    Currency, FeatureCode, LineRef, PaymentRef, PriceId, ProviderCode, SubscriptionRef,
};
use quota_core::provider::{
    Provided, ProviderChange, ProviderItem, ProviderPeriod, ProviderSubscription,
};
use quota_core::purchase::{Backing, PaymentFacts, PaymentLine, Purchase};

use super::{amount, at, of};
use crate::Documents;

fn line() -> PaymentLine {
    PaymentLine {
        provider: of(ProviderCode::new("stripe")),
        payment: of(PaymentRef::new("cs_1")),
        line: of(LineRef::new("li_1")),
    }
}

fn facts() -> PaymentFacts {
    PaymentFacts {
        refunded: 250,
        lost: 100,
        disputed: 50,
    }
}

/// With everything that it may hold.
pub fn backing() -> Backing {
    Backing {
        revoked: 3,
        frozen: 1,
        purchase: Some(Purchase {
            line: line(),
            money: 1000,
            currency: of(Currency::new("eur")),
            facts: facts(),
            fetched_at: at(2),
        }),
    }
}

/// Of a grant of which nothing came back.
pub fn least_backing() -> Backing {
    let full = backing();
    Backing {
        purchase: full.purchase.map(|purchase| Purchase {
            facts: PaymentFacts::default(),
            ..purchase
        }),
        ..Backing::default()
    }
}

fn purchase() -> CreditPurchase {
    CreditPurchase {
        line: line(),
        credits: amount(50),
        boost: None,
        money: 1000,
        currency: of(Currency::new("eur")),
        priority: 0,
        expires_at: None,
        facts: PaymentFacts::default(),
        fetched_at: at(2),
    }
}

fn told(facts: PaymentFacts) -> Command {
    let line = line();
    Command::SetPaymentFacts(SetPaymentFacts {
        provider: line.provider,
        payment: line.payment,
        facts,
        fetched_at: at(2),
    })
}

pub fn least_of_purchases() -> Documents<Command> {
    vec![
        ("credit_purchase", Command::CreditPurchase(purchase())),
        ("set_payment_facts", told(PaymentFacts::default())),
        ("forgive_debt", Command::ForgiveDebt(ForgiveDebt::default())),
        ("sync_subscription", synced(Vec::new())),
    ]
}

pub fn full_of_purchases() -> Documents<Command> {
    let purchase = CreditPurchase {
        priority: 7,
        expires_at: Some(at(90)),
        facts: facts(),
        ..purchase()
    };
    let boost = CreditPurchase {
        boost: Some(of(FeatureCode::new("articles"))),
        ..purchase.clone()
    };
    let credits = Some(amount(20));
    vec![
        ("full_boost_purchase", Command::CreditPurchase(boost)),
        ("full_credit_purchase", Command::CreditPurchase(purchase)),
        ("full_set_payment_facts", told(facts())),
        (
            "full_forgive_debt",
            Command::ForgiveDebt(ForgiveDebt { credits }),
        ),
        ("full_sync_subscription", synced(vec![least(), full()])),
    ]
}

fn synced(subscriptions: Vec<ProviderSubscription>) -> Command {
    Command::SyncSubscription(SyncSubscription {
        provider: line().provider,
        subscriptions,
        fetched_at: at(2),
    })
}

pub fn provided() -> Provided {
    Provided {
        provider: line().provider,
        subscription: of(SubscriptionRef::new("sub_1")),
        fetched_at: at(2),
    }
}

fn least() -> ProviderSubscription {
    ProviderSubscription {
        id: provided().subscription,
        status: "active".to_owned(),
        items: Vec::new(),
        period: None,
        is_paid: None,
        cancel_at: None,
        ended_at: None,
        trial_end: None,
        created: at(0),
        has_pending_update: false,
        scheduled: None,
        is_collection_paused: false,
    }
}

fn full() -> ProviderSubscription {
    let price = of(PriceId::new("price_1"));
    let period = Some(ProviderPeriod {
        starts_at: at(0),
        ends_at: at(31),
    });
    ProviderSubscription {
        items: vec![ProviderItem {
            price: price.clone(),
            quantity: Some(5),
            period,
        }],
        period,
        is_paid: Some(true),
        cancel_at: Some(at(31)),
        ended_at: Some(at(31)),
        trial_end: Some(at(14)),
        has_pending_update: true,
        scheduled: Some(ProviderChange { price, at: at(31) }),
        is_collection_paused: true,
        ..least()
    }
}
