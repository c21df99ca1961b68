//! The work on one top-up that is open: asked for, followed, ended. Each step may be repeated, by whoever takes it over.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use quota_core::command::{Command, EndTopUp, TopUpEnd};
use quota_core::ids::{AccountId, IdempotencyKey, PaymentRef};
use quota_core::payment::Paying;
use quota_core::ports::{Charged, NewCharge};
use quota_core::provider::{ObjectKind, ProblemKind, ProviderObject, TopUp, TopUpState};
use quota_core::terms::TopUpFailure;

use super::events::after;
use super::problems::Found;
use super::{Billing, BillingError, TopUpLook};
use crate::EngineError;
use crate::ask::Ask;

/// The pause before an open top-up is looked at again; it doubles with each look.
const PAUSE: Duration = Duration::from_mins(1);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_hours(1);

impl Billing {
    /// Works on an open top-up that was begun or taken over by whoever calls this.
    pub(super) async fn work_on_top_up(
        &self,
        mut top_up: TopUp,
    ) -> Result<TopUpLook, BillingError> {
        if top_up.failure.is_some() {
            return self.end_failed(top_up).await;
        }
        let worked = self.carried_on(&mut top_up).await;
        match worked {
            Ok(Some(TopUpLook::Open)) => {
                self.look_later(&mut top_up, None).await?;
                Ok(TopUpLook::Open)
            }
            Ok(Some(look)) => Ok(look),
            Ok(None) if top_up.failure.is_some() => self.end_failed(top_up).await,
            Ok(None) => self.end_paid(top_up).await,
            Err(error) => {
                self.look_later(&mut top_up, Some(error.to_string()))
                    .await?;
                Err(error)
            }
        }
    }

    /// Carries it on as far as that goes: `None` when its end is known, and only to be told.
    async fn carried_on(&self, top_up: &mut TopUp) -> Result<Option<TopUpLook>, BillingError> {
        if top_up.tries != 0
            && let Some(charged) = self.charged_before(top_up).await?
        {
            return self.follow(top_up, charged).await;
        }
        // Nothing of it is at the provider: it is decided on what there is now.
        let look = self.look_again(top_up).await?;
        if look != TopUpLook::Open {
            let is_gone = self.store().drop_top_up(top_up).await?;
            return Ok(Some(if is_gone { look } else { TopUpLook::UnderWay }));
        }
        top_up.tries = top_up.tries.saturating_add(1);
        if !self.changed(top_up).await? {
            return Ok(Some(TopUpLook::UnderWay));
        }
        let charged = self.charge(top_up).await?;
        self.follow(top_up, charged).await
    }

    /// What the provider has of it, if it was asked before.
    async fn charged_before(&self, top_up: &TopUp) -> Result<Option<Charged>, BillingError> {
        match charge_of(top_up) {
            Some(charge) => Ok(self.provider().charged(&charge).await?),
            None => Ok(None),
        }
    }

    /// Asks the provider for it, unless it cannot be paid.
    async fn charge(&self, top_up: &TopUp) -> Result<Charged, BillingError> {
        let failed = |failure: TopUpFailure| Charged::Failed {
            failure,
            words: failure.in_words().to_owned(),
            payment: None,
        };
        let catalog = self.engine().catalog_now();
        let pack = catalog.packs.get(&top_up.pack);
        if !pack.is_some_and(|pack| pack.credits.is_some() && self.is_sold(pack)) {
            return Ok(failed(TopUpFailure::NotForSale));
        }
        match charge_of(top_up) {
            Some(charge) => Ok(self.provider().charge(&charge).await?),
            None => Ok(failed(TopUpFailure::NoCustomer)),
        }
    }

    /// Follows what the provider said: what was taken is fetched and booked as any payment.
    async fn follow(
        &self,
        top_up: &mut TopUp,
        charged: Charged,
    ) -> Result<Option<TopUpLook>, BillingError> {
        let payment = match charged {
            Charged::Taken(payment) => payment,
            Charged::Failed {
                failure,
                words,
                payment,
            } => return self.note_failure(top_up, (failure, words), payment).await,
        };
        if top_up.payment.as_ref() != Some(&payment) {
            top_up.payment = Some(payment.clone());
            if !self.changed(top_up).await? {
                return Ok(Some(TopUpLook::UnderWay));
            }
        }
        let object = intent(&payment);
        self.sync_payment(&object).await?;
        match self.paying_of(&top_up.account, &payment).await? {
            Paying::Paid => Ok(None),
            Paying::Pending => Ok(Some(TopUpLook::Open)),
            Paying::Failed => {
                let failure = TopUpFailure::Declined;
                let words = failure.in_words().to_owned();
                self.note_failure(top_up, (failure, words), None).await
            }
        }
    }

    /// Whether a payment that was synced is paid: as its row says, or where it has none here, as the provider does.
    async fn paying_of(
        &self,
        account: &AccountId,
        payment: &PaymentRef,
    ) -> Result<Paying, BillingError> {
        let id = self.payment_id(payment);
        let row = self.engine().storage().payment(account, &id).await?;
        if let Some(row) = row {
            return Ok(row.paying);
        }
        let fetched = self.provider().payment(&intent(payment)).await?;
        Ok(fetched.map_or(Paying::Failed, |fetched| fetched.paying))
    }

    /// Writes down why it failed before that is told to anybody: who takes it over tells the same.
    async fn note_failure(
        &self,
        top_up: &mut TopUp,
        (failure, words): (TopUpFailure, String),
        payment: Option<PaymentRef>,
    ) -> Result<Option<TopUpLook>, BillingError> {
        top_up.failure = Some(failure);
        top_up.error = Some(words);
        top_up.payment = payment.or_else(|| top_up.payment.clone());
        let is_ours = self.changed(top_up).await?;
        Ok((!is_ours).then_some(TopUpLook::UnderWay))
    }

    /// Tells that it was paid, and ends it.
    async fn end_paid(&self, mut top_up: TopUp) -> Result<TopUpLook, BillingError> {
        self.tell_end(&top_up, TopUpEnd::Paid).await?;
        self.settle_top_up_problem(&top_up.account).await?;
        top_up.error = None;
        self.close(&mut top_up, TopUpState::Paid).await?;
        Ok(TopUpLook::Paid)
    }

    /// Tells that it failed, and ends it.
    async fn end_failed(&self, mut top_up: TopUp) -> Result<TopUpLook, BillingError> {
        let failure = top_up.failure.unwrap_or(TopUpFailure::Refused);
        self.tell_end(&top_up, TopUpEnd::Failed(failure)).await?;
        let words = top_up.error.clone().unwrap_or_default();
        let found = Found::new(
            ProblemKind::TopUpFailed,
            format!(
                "the top-up of `{}` with pack `{}` was not paid: {}",
                top_up.account,
                top_up.pack,
                failure.in_words()
            ),
            [
                ("top_up", top_up.id.to_string()),
                ("pack", top_up.pack.to_string()),
                ("failure", failure.as_str().to_owned()),
                ("said", words),
            ],
        );
        let about = about(&top_up.account);
        self.tell_problems(&about, Some(&top_up.account), vec![found])
            .await?;
        self.close(&mut top_up, TopUpState::Failed).await?;
        Ok(TopUpLook::Failed)
    }

    /// Tells that money of a top-up came back: nothing more is bought until it is set again.
    pub(super) async fn end_for_money_back(&self, back: &TopUp) -> Result<(), BillingError> {
        self.tell_end(back, TopUpEnd::CameBack).await?;
        counter!("top_ups_total", "end" => "came_back").increment(1);
        Ok(())
    }

    /// What was listed about an account's top-ups is settled: one was paid, or it is set anew.
    ///
    /// # Errors
    /// [`BillingError::Store`] when it cannot be written.
    pub async fn settle_top_up_problem(&self, account: &AccountId) -> Result<(), BillingError> {
        let about = about(account);
        self.tell_problems(&about, Some(account), Vec::new())
            .await?;
        Ok(())
    }

    /// Books an end in the account's ledger, once; the account's events tell it.
    async fn tell_end(&self, top_up: &TopUp, end: TopUpEnd) -> Result<(), BillingError> {
        let word = match end {
            TopUpEnd::Paid => Some("paid"),
            TopUpEnd::Failed(_) => Some("failed"),
            // Once it is switched off it is so, however often that is told.
            TopUpEnd::CameBack => None,
        };
        let key = word.map(|word| IdempotencyKey::new(&format!("top_up:{}:{word}", top_up.id)));
        let ask = Ask {
            account: top_up.account.clone(),
            key: key.transpose().map_err(|_| BillingError::Busy)?,
            command: Command::EndTopUp(EndTopUp {
                top_up: top_up.id,
                pack: top_up.pack.clone(),
                opened_at: top_up.opened_at,
                end,
            }),
            origin: self.origin(),
        };
        match self.engine().submit(ask).await {
            Ok(_) => Ok(()),
            // There is nobody to tell.
            Err(EngineError::Rejected(rejection)) => {
                tracing::warn!(account = %top_up.account, %rejection, "the end of a top-up was not booked");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn close(&self, top_up: &mut TopUp, state: TopUpState) -> Result<(), BillingError> {
        top_up.state = state;
        top_up.ended_at = Some(self.engine().now());
        if self.changed(top_up).await? {
            counter!("top_ups_total", "end" => state.as_str()).increment(1);
        }
        Ok(())
    }

    /// It is looked at again after a pause, which doubles; what stands in its way is kept for whoever asks.
    async fn look_later(
        &self,
        top_up: &mut TopUp,
        error: Option<String>,
    ) -> Result<(), BillingError> {
        let now: DateTime<Utc> = self.engine().now();
        let doubled = 2_u32.saturating_pow(top_up.tries.saturating_sub(1).min(16));
        top_up.next_look_at = after(now, PAUSE.saturating_mul(doubled).min(PAUSE_MAX));
        top_up.error = error;
        // A look is a try, though nothing is asked for again.
        top_up.tries = top_up.tries.saturating_add(u32::from(top_up.tries != 0));
        self.changed(top_up).await?;
        Ok(())
    }
}

fn intent(payment: &PaymentRef) -> ProviderObject {
    ProviderObject {
        kind: ObjectKind::Intent,
        id: payment.to_string(),
    }
}

/// What problems with the top-ups of an account are listed under.
fn about(account: &AccountId) -> String {
    format!("top-up:{account}")
}

/// What the provider is asked; none where nobody could pay.
fn charge_of(top_up: &TopUp) -> Option<NewCharge> {
    Some(NewCharge {
        id: top_up.id,
        customer: top_up.customer.clone()?,
        account: top_up.account.clone(),
        pack: top_up.pack.clone(),
        amount: top_up.amount,
        currency: top_up.currency.clone(),
        since: top_up.opened_at,
        payment: top_up.payment.clone(),
    })
}
