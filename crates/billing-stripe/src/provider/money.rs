//! What took the money of a payment, and what came back of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use quota_core::ids::PaymentRef;
use quota_core::payment::{Disputed, Refunded};

use super::facts::{charged_at, disputed, may_have_paid, refunded};
use super::fault::Fault;
use super::stripe::Stripe;
use crate::client::{ChargeFilter, DisputeFilter, RefundFilter};
use crate::read::PaidPart;
use crate::shapes::Charge;

/// The money of a payment.
#[derive(Debug, Default)]
pub(super) struct Money {
    /// Ids of what took it, or is to take it.
    pub(super) aliases: Vec<PaymentRef>,
    /// When it was taken.
    pub(super) taken_at: Option<DateTime<Utc>>,
    /// All refunds.
    pub(super) refunds: BTreeMap<PaymentRef, Refunded>,
    /// All disputes.
    pub(super) disputes: BTreeMap<PaymentRef, Disputed>,
}

impl Stripe {
    /// The money that came by intents, by charges of old that have none, or another way.
    pub(super) async fn money(&self, parts: &[PaidPart]) -> Result<Money, Fault> {
        let mut money = Money::default();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut charges: Vec<Charge> = Vec::new();
        for part in parts {
            match part {
                PaidPart::Intent(intent) => {
                    money.aliases.push(PaymentRef::new(intent)?);
                    let filter = ChargeFilter {
                        payment_intent: Some(intent.clone()),
                        ..ChargeFilter::default()
                    };
                    let of_it = self.client.list_charges(&filter).all().await?;
                    seen.extend(of_it.iter().map(|charge| charge.id.clone()));
                    charges.extend(of_it);
                    self.add_returns(&mut money, (Some(intent), None)).await?;
                }
                PaidPart::Charge(charge) if seen.contains(charge) => {}
                PaidPart::Charge(charge) => {
                    charges.push(self.client.retrieve_charge(charge).await?);
                    self.add_returns(&mut money, (None, Some(charge))).await?;
                }
                PaidPart::Record(record) => money.aliases.push(PaymentRef::new(record)?),
            }
        }
        // A try that failed took nothing, and nothing comes back of it.
        charges.retain(may_have_paid);
        money.taken_at = charged_at(&charges);
        for charge in &charges {
            money.aliases.push(PaymentRef::new(&charge.id)?);
        }
        Ok(money)
    }

    async fn add_returns(
        &self,
        money: &mut Money,
        (intent, charge): (Option<&String>, Option<&String>),
    ) -> Result<(), Fault> {
        let filter = RefundFilter {
            payment_intent: intent.cloned(),
            charge: charge.cloned(),
            ..RefundFilter::default()
        };
        let refunds = self.client.list_refunds(&filter).all().await?;
        money.refunds.extend(refunded(&refunds)?);
        let filter = DisputeFilter {
            payment_intent: intent.cloned(),
            charge: charge.cloned(),
            ..DisputeFilter::default()
        };
        let disputes = self.client.list_disputes(&filter).all().await?;
        money.disputes.extend(disputed(&disputes)?);
        Ok(())
    }
}
