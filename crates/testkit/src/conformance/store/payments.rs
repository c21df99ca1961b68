//! Payments, and the ids by which their providers name them.

use std::collections::BTreeMap;

use quota_core::amount::{AMOUNT_MAX, Amount};
use quota_core::ids::{AccountId, Currency, FeatureCode, LineRef, PaymentRef, ProviderCode};
use quota_core::payment::{
    BoughtLine, DisputeStatus, Disputed, Paying, Payment, PaymentHolder, PaymentId, PaymentMode,
    RefundStatus, Refunded,
};
use quota_core::ports::{PaymentPage, PaymentPlace};

use super::Store;
use super::round_trip::odd_instant;
use crate::fixtures::{instant, org, user};

const CLAIMS: usize = 64;
const WRITERS: usize = 16;

fn reference(text: &str) -> PaymentRef {
    PaymentRef::new(text).expect("a reference")
}

fn id(provider: &str, payment: &str) -> PaymentId {
    PaymentId {
        provider: ProviderCode::new(provider).expect("a provider"),
        mode: PaymentMode::Live,
        payment: reference(payment),
    }
}

fn holder(account: &AccountId, payment: &str) -> PaymentHolder {
    PaymentHolder {
        account: account.clone(),
        payment: reference(payment),
    }
}

fn paid(account: &AccountId, payment: &str) -> Payment {
    Payment {
        account: account.clone(),
        id: id("bank", payment),
        amount: 1000,
        currency: Currency::new("eur").expect("a currency"),
        paying: Paying::Paid,
        lines: Vec::new(),
        refunds: BTreeMap::new(),
        disputes: BTreeMap::new(),
        created_at: instant(5),
        paid_at: None,
        fetched_at: instant(5),
        version: 1,
    }
}

/// P7: of many accounts that claim an id at once one gets it, and all are told which.
pub async fn of_sixty_four_claims_of_one_id_the_first_counts(store: Store) {
    let claims = (0..CLAIMS).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let account = user(&format!("u{number}"));
            let (id, holder) = (id("bank", "p"), holder(&account, "p"));
            let claimed = store.claim_payment(&id, &holder).await;
            claimed.expect("writes")
        })
    });
    let mut told = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        told.push(claim.await.expect("ends"));
    }
    let first = store.holder_of(&id("bank", "p")).await.expect("reads");
    let first = first.expect("one of them has it");
    assert_eq!(told, vec![first; CLAIMS]);
}

/// P7: an id is unique within provider and mode, and stays with who claimed it first.
pub async fn an_id_of_a_payment_never_moves(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    let first = holder(&alice, "cs_1");
    let (root, alias) = (id("stripe", "cs_1"), id("stripe", "pi_1"));
    assert_eq!(store.holder_of(&root).await.expect("reads"), None);
    for id in [&root, &alias] {
        let claimed = store.claim_payment(id, &first).await;
        assert_eq!(claimed.expect("writes"), first);
        for other in [holder(&acme, "cs_1"), holder(&alice, "cs_2")] {
            let claimed = store.claim_payment(id, &other).await;
            assert_eq!(claimed.expect("writes"), first);
        }
        assert_eq!(
            store.holder_of(id).await.expect("reads"),
            Some(first.clone())
        );
    }
    let tried_out = PaymentId {
        mode: PaymentMode::Test,
        ..root
    };
    let odd = id("bank", "it's \"odd\" %_ 数");
    for another in [id("bank", "cs_1"), tried_out, odd] {
        let other = holder(&acme, "it's \"odd\" %_ 数");
        let claimed = store.claim_payment(&another, &other).await;
        assert_eq!(claimed.expect("writes"), other, "{another}");
    }
}

/// P5: a payment comes back whole.
pub async fn every_field_of_a_payment_comes_back(store: Store) {
    let line = |line: &str, priority, expires_at| BoughtLine {
        line: LineRef::new(line).expect("a line"),
        credits: Amount::new(AMOUNT_MAX).expect("an amount"),
        boost: None,
        priority,
        expires_at,
    };
    let boost = FeatureCode::new("articles").expect("a code");
    let boost = BoughtLine {
        boost: Some(boost),
        ..line("boost", 0, Some(odd_instant()))
    };
    let refund = |status: RefundStatus| {
        let refund = Refunded {
            amount: AMOUNT_MAX,
            status,
        };
        (reference(&format!("re \"{status:?}\"")), refund)
    };
    let dispute = |status: DisputeStatus| {
        let dispute = Disputed { amount: 0, status };
        (reference(&format!("dp '{status:?}'")), dispute)
    };
    let full = Payment {
        id: PaymentId {
            mode: PaymentMode::Test,
            ..id("alipay", "it's \"odd\" %_ 数")
        },
        amount: AMOUNT_MAX,
        paying: Paying::Pending,
        lines: vec![
            line("1", 0, None),
            line("數", u32::MAX, Some(odd_instant())),
            boost,
        ],
        refunds: RefundStatus::ALL.map(refund).into(),
        disputes: DisputeStatus::ALL.map(dispute).into(),
        created_at: odd_instant(),
        paid_at: Some(odd_instant()),
        fetched_at: odd_instant(),
        ..paid(&user("alice"), "p")
    };
    let failed = Payment {
        amount: 0,
        paying: Paying::Failed,
        ..paid(&org("acme"), "p")
    };
    for payment in [full, failed, paid(&user("alice"), "p")] {
        assert!(store.put_payment(&payment).await.expect("writes"));
        let read = store.payment(&payment.account, &payment.id).await;
        assert_eq!(read.expect("reads"), Some(payment));
    }
    let of_another = store.payment(&user("bob"), &id("bank", "p")).await;
    assert_eq!(of_another.expect("reads"), None);
}

/// A payment is written only behind the version that it was worked out from; when it was told first stays.
pub async fn a_payment_follows_the_version_before_it(store: Store) {
    let first = paid(&user("alice"), "p");
    let at = |version: u64, amount: u64| Payment {
        amount,
        version,
        created_at: instant(90),
        fetched_at: instant(90),
        ..first.clone()
    };
    assert!(!store.put_payment(&at(2, 5)).await.expect("looks"));
    assert!(store.put_payment(&first).await.expect("writes"));
    for stale in [at(1, 7), at(3, 7)] {
        assert!(!store.put_payment(&stale).await.expect("looks"));
    }
    let read = store.payment(&first.account, &first.id).await;
    assert_eq!(read.expect("reads"), Some(first.clone()));
    assert!(store.put_payment(&at(2, 9)).await.expect("writes"));
    assert!(!store.put_payment(&at(2, 11)).await.expect("looks"));
    let read = store.payment(&first.account, &first.id).await;
    let second = Payment {
        created_at: first.created_at,
        ..at(2, 9)
    };
    assert_eq!(read.expect("reads"), Some(second));
}

/// A row that many change at once loses none of their changes.
pub async fn of_writers_of_one_payment_none_is_lost(store: Store) {
    let first = paid(&user("alice"), "p");
    assert!(store.put_payment(&first).await.expect("writes"));
    let writers = (0..WRITERS).map(|number| {
        let (store, first) = (store.clone(), first.clone());
        tokio::spawn(async move {
            let refund = Refunded {
                amount: 1,
                status: RefundStatus::Succeeded,
            };
            let mut is_written = false;
            while !is_written {
                let read = store.payment(&first.account, &first.id).await;
                let mut next = read.expect("reads").expect("is there");
                next.refunds
                    .insert(reference(&format!("re_{number}")), refund);
                next.version += 1;
                is_written = store.put_payment(&next).await.expect("writes");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("ends");
    }
    let read = store.payment(&first.account, &first.id).await;
    let last = read.expect("reads").expect("is there");
    assert_eq!(last.refunds.len(), WRITERS);
    assert_eq!(last.version, 1 + u64::try_from(WRITERS).expect("few"));
}

/// P5: an account's payments, the one that was told last first, nothing twice and nothing left out.
pub async fn payments_come_newest_first_by_pages(store: Store) {
    let alice = user("alice");
    let at = |payment: &str, seconds: i64| Payment {
        created_at: instant(seconds),
        ..paid(&alice, payment)
    };
    let newest = [at("b", 9), at("z", 7), at("c", 7), at("a", 7), at("d", 1)];
    for payment in newest.iter().rev() {
        assert!(store.put_payment(payment).await.expect("writes"));
    }
    let of_bob = paid(&user("bob"), "p");
    assert!(store.put_payment(&of_bob).await.expect("writes"));
    let mut listed: Vec<Payment> = Vec::new();
    loop {
        let after = listed.last().map(|last| PaymentPlace {
            created_at: last.created_at,
            id: last.id.clone(),
        });
        let page = PaymentPage {
            account: alice.clone(),
            after,
            limit: 2,
        };
        let page = store.payments(&page).await.expect("reads");
        assert!(page.len() <= 2, "{page:?}");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed, newest);
}
