//! Events: kept once, worked on until their effect is there, by whoever is there to do it (P1, P3).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::{counter, histogram};
use quota_core::ids::CustomerRef;
use quota_core::ports::{EventResult, StoreError, Webhook};
use quota_core::provider::{EventState, KeptEvent, ObjectKind, ProblemKind, ProviderObject};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use super::problems::Found;
use super::{Billing, BillingError, Synced};

/// How many events are taken at once; their lease is so many times that of one.
const TAKEN_AT_ONCE: u32 = 20;

/// What a look at waiting events came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventsWorked {
    /// How many ended.
    pub ended: u64,
    /// How many failed and wait for another try.
    pub failed: u64,
    /// How many were given up.
    pub given_up: u64,
}

impl EventsWorked {
    fn count(&mut self, state: EventState) {
        let count = match state {
            EventState::Done | EventState::Ignored | EventState::Gone => &mut self.ended,
            EventState::Waiting => &mut self.failed,
            EventState::GivenUp => &mut self.given_up,
        };
        *count = count.saturating_add(1);
    }

    /// Whether there was nothing to work on.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Billing {
    /// Whether events wait that may be tried now.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn has_waiting(&self) -> Result<bool, StoreError> {
        let next = self.store().event_counts().await?.next_try_at;
        Ok(next.is_some_and(|at| at <= self.engine().now()))
    }

    /// Takes a webhook: its event is kept, and worked on behind the answer, when this process has room for it or by another one
    /// that looks for events before. `false` when it was kept before: then there is nothing to do.
    ///
    /// # Errors
    /// [`BillingError`] when it was not kept; the provider sends it again.
    pub async fn take_webhook(&self, webhook: Webhook) -> Result<bool, BillingError> {
        let mut event = webhook.event;
        if let Some(account) = &webhook.account {
            self.set_aside_if_foreign(account, &mut event).await?;
        }
        let place = self.inner.room.place();
        let is_new = self.keep_event(&mut event, place.is_some()).await?;
        count("received", &event);
        if !is_new || event.state != EventState::Waiting {
            return Ok(is_new);
        }
        if let Some(place) = place {
            let billing = self.clone();
            tokio::spawn(async move {
                if let Err(error) = billing.work_on(&event).await {
                    tracing::warn!(event = %event.id, %error, "the end of an event was not entered; it is tried again");
                }
                billing.work_on_left_behind(place).await;
            });
        } else {
            self.inner.room.leave();
            // Whoever had the last place may have looked before this one was left.
            if let Some(place) = self.inner.room.place() {
                let billing = self.clone();
                tokio::spawn(async move { billing.work_on_left_behind(place).await });
            }
        }
        Ok(is_new)
    }

    /// Works on events that there was no room for, until none waits, here or in another process.
    async fn work_on_left_behind(&self, place: OwnedSemaphorePermit) {
        let room = &self.inner.room;
        let mut place = Some(place);
        while let Some(held) = place {
            while let Some(left) = room.left_behind() {
                match self.work_on_waiting().await {
                    Ok(worked) if worked.is_nothing() => room.all_taken(left),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "events wait for the job `work_on_events`");
                        return;
                    }
                }
            }
            drop(held);
            place = room.left_behind().and_then(|_| room.place());
        }
    }

    /// An event of another account of the provider is kept, and never applied (P14).
    async fn set_aside_if_foreign(
        &self,
        account: &str,
        event: &mut KeptEvent,
    ) -> Result<(), BillingError> {
        let connection = self.connection().await?;
        if connection.account == account {
            return Ok(());
        }
        event.about = None;
        event.error = Some(format!("it is of the account `{account}`"));
        let found = Found::new(
            ProblemKind::ForeignAccount,
            format!(
                "events of the account `{account}` come here, and `{}` is connected: they are kept and not applied",
                connection.account
            ),
            [
                ("account", account.to_owned()),
                ("event", event.id.event.to_string()),
            ],
        );
        self.tell_problems(account, None, vec![found]).await?;
        Ok(())
    }

    /// Keeps an event, taken for its first try or not; `false` when it is kept already.
    pub(super) async fn keep_event(
        &self,
        event: &mut KeptEvent,
        is_taken: bool,
    ) -> Result<bool, BillingError> {
        let is_taken = is_taken && event.about.is_some();
        event.state = if event.about.is_some() {
            EventState::Waiting
        } else {
            EventState::Ignored
        };
        event.tries = u32::from(is_taken);
        event.next_try_at = if is_taken {
            after(event.received_at, self.settings().event_lease)
        } else {
            event.received_at
        };
        Ok(self.store().keep_event(event).await?)
    }

    /// Works on an event that was taken, and enters how that ended.
    ///
    /// # Errors
    /// [`BillingError::Store`] when the end could not be entered: the event is tried again when its lease has run out.
    pub async fn work_on(&self, event: &KeptEvent) -> Result<EventState, BillingError> {
        let result = match self.effect_of(event).await {
            Ok(state) => EventResult {
                id: event.id.clone(),
                tries: event.tries,
                state,
                next_try_at: event.next_try_at,
                error: None,
            },
            Err(error) => self.failed(event, &error),
        };
        self.store().end_event_try(&result).await?;
        count(word(result.state), event);
        if result.state == EventState::Done {
            let lag = (self.engine().now() - event.received_at).to_std();
            histogram!("billing_lag_seconds").record(lag.unwrap_or_default().as_secs_f64());
        }
        Ok(result.state)
    }

    /// Takes some events that wait and may be tried now, the oldest first, and works on as many of them at once as the settings say,
    /// at least on one.
    ///
    /// # Errors
    /// [`BillingError::Store`] when the store fails.
    pub async fn work_on_waiting(&self) -> Result<EventsWorked, BillingError> {
        let mut worked = EventsWorked::default();
        let now = self.engine().now();
        let lease = self.settings().event_lease.saturating_mul(TAKEN_AT_ONCE);
        let until = after(now, lease);
        let events = self.store().take_events(now, until, TAKEN_AT_ONCE).await?;
        let mut events = events.into_iter();
        let (mut working, mut failure) = (JoinSet::new(), None);
        loop {
            let at_once = self.settings().events_at_once.max(1);
            while let Some(event) = (working.len() < at_once).then(|| events.next()).flatten() {
                let billing = self.clone();
                working.spawn(async move { billing.work_on(&event).await });
            }
            match working.join_next().await {
                None => return failure.map_or(Ok(worked), Err),
                Some(Ok(Ok(state))) => worked.count(state),
                Some(Ok(Err(error))) => failure = Some(error),
                Some(Err(panicked)) => {
                    tracing::error!(%panicked, "an event is tried again when its lease has run out");
                    worked.count(EventState::Waiting);
                }
            }
        }
    }

    /// Has an event worked on once more, whatever came of it before.
    ///
    /// # Errors
    /// [`BillingError`] when the store fails, or what it is about cannot be fetched.
    pub async fn replay(&self, event: &KeptEvent) -> Result<EventState, BillingError> {
        let again = KeptEvent {
            tries: event.tries,
            next_try_at: self.engine().now(),
            ..event.clone()
        };
        self.work_on(&again).await
    }

    fn failed(&self, event: &KeptEvent, error: &BillingError) -> EventResult {
        let settings = self.settings();
        let doubled = 2_u32.saturating_pow(event.tries.saturating_sub(1).min(31));
        let pause = settings.event_pause.saturating_mul(doubled);
        let is_last = settings.event_tries_max <= event.tries;
        if is_last {
            tracing::error!(event = %event.id, kind = event.kind, %error, "given up: it was tried {} times", event.tries);
        } else {
            tracing::warn!(event = %event.id, kind = event.kind, %error, "could not be worked on yet");
        }
        EventResult {
            id: event.id.clone(),
            tries: event.tries,
            state: if is_last {
                EventState::GivenUp
            } else {
                EventState::Waiting
            },
            next_try_at: after(self.engine().now(), pause.min(settings.event_pause_max)),
            error: Some(error.to_string()),
        }
    }

    /// Fetches what an event is about, and lets it have its effect.
    async fn effect_of(&self, event: &KeptEvent) -> Result<EventState, BillingError> {
        let Some(about) = &event.about else {
            return Ok(EventState::Ignored);
        };
        match about.kind {
            ObjectKind::Customer | ObjectKind::Subscription | ObjectKind::Schedule => Ok(state_of(
                &self.sync_owner(about, event.customer.as_ref()).await?,
            )),
            ObjectKind::Session | ObjectKind::Invoice => {
                // Each is done whatever becomes of the other.
                let owned = self.sync_owner(about, event.customer.as_ref()).await;
                let paid = self.sync_payment(about).await;
                let (owned, paid) = (owned?, paid?);
                Ok(match (state_of(&paid), state_of(&owned)) {
                    (EventState::Gone | EventState::Ignored, other) => other,
                    (state, _) => state,
                })
            }
            ObjectKind::Intent | ObjectKind::Charge | ObjectKind::Refund | ObjectKind::Dispute => {
                Ok(state_of(&self.sync_payment(about).await?))
            }
        }
    }

    /// Syncs whoever has an object: as the event hints, else as the provider says.
    async fn sync_owner(
        &self,
        about: &ProviderObject,
        hint: Option<&CustomerRef>,
    ) -> Result<Synced, BillingError> {
        let customer = match hint {
            Some(hint) => Some(hint.clone()),
            None => self.provider().customer_of(about).await?,
        };
        match customer {
            Some(customer) => self.sync_customer(&customer).await,
            None => Ok(Synced::Gone),
        }
    }
}

fn count(what: &'static str, event: &KeptEvent) {
    let provider = event.id.provider.to_string();
    counter!("billing_events_total", "provider" => provider, "state" => what).increment(1);
}

fn word(state: EventState) -> &'static str {
    match state {
        EventState::Waiting => "failed",
        EventState::Done => "done",
        EventState::Ignored => "ignored",
        EventState::Gone => "gone",
        EventState::GivenUp => "given_up",
    }
}

fn state_of(synced: &Synced) -> EventState {
    match synced {
        Synced::Applied { .. } | Synced::Parked(_) => EventState::Done,
        Synced::NotOurs => EventState::Ignored,
        Synced::Gone => EventState::Gone,
    }
}

pub(super) fn after(at: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    at.checked_add_signed(pause).unwrap_or(at)
}
