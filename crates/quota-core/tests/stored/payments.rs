//! What is stored of a payment as JSON: what it buys, and what came back of it.

use std::collections::BTreeMap;

use quota_core::ids::{FeatureCode, LineRef, PaymentRef};
use quota_core::payment::{BoughtLine, DisputeStatus, Disputed, RefundStatus, Refunded};

use super::{amount, at, of};
use crate::Documents;

pub fn payment_lines() -> Documents<Vec<BoughtLine>> {
    let least = BoughtLine {
        line: of(LineRef::new("li_1")),
        credits: amount(50),
        boost: None,
        priority: 0,
        expires_at: None,
    };
    let full = BoughtLine {
        priority: 7,
        expires_at: Some(at(90)),
        ..least.clone()
    };
    let boost = BoughtLine {
        boost: Some(of(FeatureCode::new("articles"))),
        ..least.clone()
    };
    vec![
        ("none", Vec::new()),
        ("full", vec![least, full]),
        ("boost", vec![boost]),
    ]
}

fn name(number: usize) -> PaymentRef {
    of(PaymentRef::new(&format!("id_{number}")))
}

pub fn payment_refunds() -> Documents<BTreeMap<PaymentRef, Refunded>> {
    let refund = |(number, status)| {
        let amount = 250;
        (name(number), Refunded { amount, status })
    };
    let full = RefundStatus::ALL.into_iter().enumerate().map(refund);
    vec![("none", BTreeMap::new()), ("full", full.collect())]
}

pub fn payment_disputes() -> Documents<BTreeMap<PaymentRef, Disputed>> {
    let dispute = |(number, status)| {
        let amount = 600;
        (name(number), Disputed { amount, status })
    };
    let full = DisputeStatus::ALL.into_iter().enumerate().map(dispute);
    vec![("none", BTreeMap::new()), ("full", full.collect())]
}
