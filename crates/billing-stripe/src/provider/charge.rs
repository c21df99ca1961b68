//! Payments that are made at once without their payer (P20).
//!
//! One is an intent that names our charge in its metadata, so that it is found again when its answer did not come and Stripe has
//! forgotten the key. One that is declined is canceled before it is told as failed: nobody can pay it afterwards.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ids::PaymentRef;
use quota_core::ports::{Charged, NewCharge};
use quota_core::terms::TopUpFailure;

use super::facts::PACK_KEY;
use super::fault::{Fault, there};
use super::make::for_people;
use super::stripe::Stripe;
use crate::client::{IdempotencyKey, IntentFilter, NewOffSessionIntent, StripeError};
use crate::shapes::{IntentStatus, Open, PaymentIntent};

/// The metadata by which the payment of a charge is found again.
const CHARGE_KEY: &str = "quota_top_up";
/// How far Stripe's clock may be behind ours.
const CLOCKS_APART: TimeDelta = TimeDelta::hours(1);
/// Why a bank declines that asks for the one who pays.
const ASKS_FOR_PAYER: &str = "authentication_required";

impl Stripe {
    /// What a charge came to that may have been asked for before.
    pub(super) async fn found_charge(&self, charge: &NewCharge) -> Result<Option<Charged>, Fault> {
        match self.intent_of(charge).await? {
            Some(intent) => self.come_to(charge, intent).await.map(Some),
            None => Ok(None),
        }
    }

    /// Has a customer pay at once.
    pub(super) async fn new_charge(&self, charge: &NewCharge) -> Result<Charged, Fault> {
        let customer = charge.customer.as_str();
        let Some(method) = self.method_of(customer).await? else {
            return self.cannot_pay(customer).await;
        };
        let mut metadata = for_people(&charge.account);
        metadata.insert(PACK_KEY.to_owned(), charge.pack.to_string());
        metadata.insert(CHARGE_KEY.to_owned(), charge.id.to_string());
        let intent = NewOffSessionIntent {
            amount: i64::try_from(charge.amount).unwrap_or(i64::MAX),
            currency: charge.currency.to_string(),
            customer: customer.to_owned(),
            payment_method: method,
            description: Some(format!("Top-up: {}", charge.pack)),
            metadata,
        };
        let key = IdempotencyKey::of(&key_of(charge), "");
        match self.client.create_off_session_intent(&intent, &key).await {
            Ok(made) => self.come_to(charge, made).await,
            Err(StripeError::Declined {
                intent: Some(made), ..
            }) => {
                // As it is now: an answer that is repeated under its key is as old as the first.
                let made = self.client.retrieve_intent(&made.id).await?;
                self.come_to(charge, made).await
            }
            Err(StripeError::Declined { code, said, .. }) => Ok(Charged::Failed {
                failure: failure_of(Some(&code)),
                words: said,
                payment: None,
            }),
            Err(StripeError::Refused { said, .. } | StripeError::NotFound { said, .. }) => {
                Ok(refused(said))
            }
            // It was asked for otherwise before, such as with another card: only a look tells what came of it.
            Err(error @ StripeError::KeyReused { .. }) => Err(Fault::later(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The intent of a charge, if there is one.
    async fn intent_of(&self, charge: &NewCharge) -> Result<Option<PaymentIntent>, Fault> {
        if let Some(payment) = &charge.payment {
            return Ok(there(self.client.retrieve_intent(payment.as_str()).await)?);
        }
        let since = charge.since.checked_sub_signed(CLOCKS_APART);
        let filter = IntentFilter {
            customer: Some(charge.customer.as_str().to_owned()),
            created_since: since.as_ref().map(DateTime::<Utc>::timestamp),
        };
        let id = charge.id.to_string();
        let mut pages = self.client.list_intents(&filter);
        while let Some(page) = pages.next().await? {
            let is_it = |intent: &PaymentIntent| intent.metadata.get(CHARGE_KEY) == Some(&id);
            if let Some(found) = page.into_iter().find(is_it) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What an intent came to. One that waits for somebody is canceled: nobody is there.
    async fn come_to(&self, charge: &NewCharge, intent: PaymentIntent) -> Result<Charged, Fault> {
        if !waits_for_payer(&intent) {
            return ended(&intent);
        }
        let key = IdempotencyKey::of(&key_of(charge), "cancel");
        match self.client.cancel_intent(&intent.id, &key).await {
            // Why it was declined is told by what it was before.
            Ok(_canceled) => failed(&intent),
            Err(StripeError::Refused { said, .. }) => {
                let now = self.client.retrieve_intent(&intent.id).await?;
                if waits_for_payer(&now) {
                    return Err(Fault::later(said));
                }
                ended(&now)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What a customer pays with: its default, else what was added last.
    async fn method_of(&self, customer: &str) -> Result<Option<String>, Fault> {
        let Some(found) = there(self.client.retrieve_customer(customer).await)? else {
            return Ok(None);
        };
        if found.deleted {
            return Ok(None);
        }
        let invoices = found.invoice_settings.unwrap_or_default();
        let default = invoices.default_payment_method.or(found.default_source);
        if default.is_some() {
            return Ok(default);
        }
        let mut methods = self.client.list_payment_methods(customer)?;
        let first = methods
            .next()
            .await?
            .and_then(|page| page.into_iter().next());
        Ok(first.map(|method| method.id))
    }

    /// Why a customer has nothing to pay with.
    async fn cannot_pay(&self, customer: &str) -> Result<Charged, Fault> {
        let found = there(self.client.retrieve_customer(customer).await)?;
        let is_there = found.is_some_and(|found| !found.deleted);
        let (failure, words) = if is_there {
            let words = format!("customer `{customer}` has no payment method");
            (TopUpFailure::NoPaymentMethod, words)
        } else {
            let words = format!("customer `{customer}` is not there");
            (TopUpFailure::NoCustomer, words)
        };
        Ok(Charged::Failed {
            failure,
            words,
            payment: None,
        })
    }
}

fn key_of(charge: &NewCharge) -> String {
    format!("top_up:{}", charge.id)
}

/// Whether nothing more comes of an intent unless somebody does something.
fn waits_for_payer(intent: &PaymentIntent) -> bool {
    match intent.status {
        Some(Open::Known(status)) => match status {
            IntentStatus::RequiresAction
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresPaymentMethod => true,
            IntentStatus::Canceled
            | IntentStatus::Processing
            | IntentStatus::RequiresCapture
            | IntentStatus::Succeeded => false,
        },
        Some(Open::Other(_)) | None => false,
    }
}

/// What an intent came to that waits for nobody.
fn ended(intent: &PaymentIntent) -> Result<Charged, Fault> {
    let status = intent.status.as_ref();
    if status.is_some_and(|status| status.is(IntentStatus::Canceled)) {
        return failed(intent);
    }
    Ok(Charged::Taken(PaymentRef::new(&intent.id)?))
}

fn failed(intent: &PaymentIntent) -> Result<Charged, Fault> {
    let error = intent.last_payment_error.clone().unwrap_or_default();
    let asks = intent.status.as_ref();
    let asks = asks.is_some_and(|status| status.is(IntentStatus::RequiresAction));
    let codes = [error.code.as_deref(), error.decline_code.as_deref()];
    let asks = asks || codes.contains(&Some(ASKS_FOR_PAYER));
    let code = if asks { Some(ASKS_FOR_PAYER) } else { None };
    let words = error.message.or(error.code);
    Ok(Charged::Failed {
        failure: failure_of(code),
        words: words.unwrap_or_else(|| "it was not paid".to_owned()),
        payment: Some(PaymentRef::new(&intent.id)?),
    })
}

fn failure_of(code: Option<&str>) -> TopUpFailure {
    match code {
        Some(ASKS_FOR_PAYER) => TopUpFailure::AuthenticationRequired,
        Some(_) | None => TopUpFailure::Declined,
    }
}

fn refused(words: String) -> Charged {
    Charged::Failed {
        failure: TopUpFailure::Refused,
        words,
        payment: None,
    }
}
