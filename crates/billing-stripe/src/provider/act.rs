//! What is asked of a subscription (S5, S8, S11, S12).
//!
//! A change at once begins a period and acts when it is paid. A change at the end of the period is a schedule of two phases: what runs,
//! as it is, and what follows. Each first looks whether it is done already, so that it may be repeated when its key is forgotten.

use chrono::{DateTime, Utc};
use quota_core::ids::{PriceId, SubscriptionRef};
use quota_core::ports::SubscriptionAct;

use super::fault::Fault;
use super::stripe::Stripe;
use crate::client::{
    Change, IdempotencyKey, ItemChange, NewSchedulePhase, PhaseLine, SubscriptionChange,
};
use crate::read::{is_over, item_price, own_period, phases_ahead, top_period};
use crate::shapes::{
    OneOf, Schedule, SchedulePhase, Subscription, SubscriptionItem, SubscriptionStatus,
};

/// Another price or quantity in place of one.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    from: &'a PriceId,
    to: &'a PriceId,
    quantity: u64,
}

impl Stripe {
    /// Asks for a change of a subscription.
    pub(super) async fn act_on(
        &self,
        id: &SubscriptionRef,
        act: &SubscriptionAct,
        key: &str,
    ) -> Result<(), Fault> {
        let mut found = self.client.retrieve_subscription(id.as_str()).await?;
        if found.items.has_more {
            found.items.data = self.client.list_subscription_items(&found.id).all().await?;
        }
        if is_over(&found) {
            return match act {
                SubscriptionAct::Cancel { .. }
                | SubscriptionAct::DropScheduled
                | SubscriptionAct::Item { quantity: 0, .. } => Ok(()),
                SubscriptionAct::Change { .. }
                | SubscriptionAct::Resume
                | SubscriptionAct::Item { .. } => {
                    Err(Fault::refused(format!("subscription `{id}` has ended")))
                }
            };
        }
        match act {
            SubscriptionAct::Change {
                from,
                to,
                quantity,
                at_period_end,
            } => {
                let quantity = *quantity;
                let wanted = Wanted { from, to, quantity };
                if *at_period_end {
                    self.change_at_period_end(&found, &wanted, key).await
                } else {
                    self.change_now(&found, &wanted, key).await
                }
            }
            SubscriptionAct::Item { price, quantity } => {
                self.set_item(&found, (price, *quantity), key).await
            }
            SubscriptionAct::Cancel { now: true } => {
                self.client.cancel_subscription(id.as_str()).await?;
                Ok(())
            }
            SubscriptionAct::Cancel { now: false } => self.end_with_period(&found, key).await,
            SubscriptionAct::Resume => self.go_on(&found, key).await,
            SubscriptionAct::DropScheduled => self.drop_schedule(&found, key).await,
        }
    }

    async fn change_now(
        &self,
        found: &Subscription,
        wanted: &Wanted<'_>,
        key: &str,
    ) -> Result<(), Fault> {
        let pending = found.pending_update.iter();
        let mut coming = pending.flat_map(|update| &update.subscription_items);
        if coming.any(|item| is_as_wanted(item, wanted)) {
            return Ok(());
        }
        let Some(item) = item_to_change(found, wanted)? else {
            return Ok(());
        };
        // What was scheduled was for what is replaced here.
        self.drop_schedule(found, key).await?;
        let is_trial = found
            .status
            .as_ref()
            .is_some_and(|status| status.is(SubscriptionStatus::Trialing));
        let item = ItemChange {
            id: Some(item.id.clone()),
            price: Some(wanted.to.as_str().to_owned()),
            quantity: Some(wanted.quantity),
            deleted: None,
        };
        let mut change = SubscriptionChange {
            items: vec![item],
            ..SubscriptionChange::default()
        };
        if is_trial {
            // Nothing is to be paid before its end, which stays.
            change.proration_behavior = Some("none");
        } else {
            // Another quantity keeps the period: else use would begin anew with each seat.
            change.billing_cycle_anchor = (wanted.from != wanted.to).then_some("now");
            change.proration_behavior = Some("always_invoice");
            change.payment_behavior = Some("pending_if_incomplete");
        }
        self.update(found, &change, key).await
    }

    /// So many of one price beside the others. The period stays, and what is added is paid at once, or does not act.
    async fn set_item(
        &self,
        found: &Subscription,
        (price, quantity): (&PriceId, u64),
        key: &str,
    ) -> Result<(), Fault> {
        let items = &found.items.data;
        let is_it = |item: &&SubscriptionItem| item_price(item) == Some(price.as_str());
        let known = items.iter().find(is_it);
        let pending = found.pending_update.iter();
        let mut coming = pending.flat_map(|update| &update.subscription_items);
        let wanted = Some(quantity).filter(|quantity| *quantity != 0);
        if coming.any(|item| is_it(&item) && item.quantity == wanted)
            || known.and_then(|item| item.quantity) == wanted
        {
            return Ok(());
        }
        if wanted.is_none() && items.len() == 1 {
            self.client.cancel_subscription(&found.id).await?;
            return Ok(());
        }
        let begun = items
            .first()
            .and_then(own_period)
            .or_else(|| top_period(found));
        if begun.is_some_and(|period| !phases_ahead(found, period.starts_at).is_empty()) {
            // What follows was written down with what is sold now: it would be taken out again.
            let why = format!(
                "a change of `{}` is scheduled: take it back first",
                found.id
            );
            return Err(Fault::refused(why));
        }
        let item = ItemChange {
            id: known.map(|item| item.id.clone()),
            price: Some(price.as_str().to_owned()).filter(|_| wanted.is_some()),
            quantity: wanted,
            deleted: wanted.is_none().then_some(true),
        };
        let status = found.status.as_ref();
        let is_trial = status.is_some_and(|status| status.is(SubscriptionStatus::Trialing));
        let (proration, payment) = match (is_trial, wanted) {
            (true, _) => ("none", None),
            (false, None) => ("always_invoice", None),
            (false, Some(_)) => ("always_invoice", Some("pending_if_incomplete")),
        };
        let change = SubscriptionChange {
            items: vec![item],
            proration_behavior: Some(proration),
            payment_behavior: payment,
            ..SubscriptionChange::default()
        };
        self.update(found, &change, key).await
    }

    async fn change_at_period_end(
        &self,
        found: &Subscription,
        wanted: &Wanted<'_>,
        key: &str,
    ) -> Result<(), Fault> {
        let Some(item) = item_to_change(found, wanted)? else {
            return self.drop_schedule(found, key).await;
        };
        let period = own_period(item).or_else(|| top_period(found));
        let period =
            period.ok_or_else(|| Fault::refused(format!("`{}` has no period", found.id)))?;
        let ends_at = period.ends_before;
        let next = lines_with(found, wanted);
        let is_scheduled = phases_ahead(found, period.starts_at)
            .first()
            .is_some_and(|ahead| {
                let then = ahead.items.iter();
                let mut then = then.map(|(price, quantity)| (price.as_str(), *quantity));
                ahead.starts_at == ends_at
                    && then.any(|line| line == (wanted.to.as_str(), wanted.quantity))
            });
        if is_scheduled {
            return Ok(());
        }
        let schedule = match found.schedule.as_ref() {
            Some(OneOf::Whole(schedule)) => schedule.as_ref().clone(),
            Some(OneOf::Id(schedule)) => self.client.retrieve_schedule(schedule).await?,
            None => {
                // An end that was set goes before: nothing follows what ends.
                if found.cancel_at_period_end || found.cancel_at.is_some() {
                    self.go_on(found, key).await?;
                }
                let key = IdempotencyKey::of(key, "schedule");
                self.client.create_schedule(&found.id, &key).await?
            }
        };
        let phases = [
            running_phase(&schedule, found, ends_at),
            NewSchedulePhase {
                start_date: Some(ends_at.timestamp()),
                items: next,
                ..NewSchedulePhase::default()
            },
        ];
        let key = IdempotencyKey::of(key, &format!("phases:{}", schedule.id));
        self.client
            .update_schedule(&schedule.id, &phases, &key)
            .await?;
        Ok(())
    }

    async fn end_with_period(&self, found: &Subscription, key: &str) -> Result<(), Fault> {
        self.drop_schedule(found, key).await?;
        let change = SubscriptionChange {
            cancel_at_period_end: Some(true),
            ..SubscriptionChange::default()
        };
        self.update(found, &change, key).await
    }

    /// Takes an end back. Stripe takes one of its two fields at a time: the one that says so.
    async fn go_on(&self, found: &Subscription, key: &str) -> Result<(), Fault> {
        let mut change = SubscriptionChange::default();
        if found.cancel_at_period_end {
            change.cancel_at_period_end = Some(false);
        } else if found.cancel_at.is_some() {
            change.cancel_at = Some(Change::Clear);
        } else {
            return Ok(());
        }
        self.update(found, &change, key).await
    }

    async fn drop_schedule(&self, found: &Subscription, key: &str) -> Result<(), Fault> {
        let Some(schedule) = &found.schedule else {
            return Ok(());
        };
        let id = schedule.id();
        let key = IdempotencyKey::of(key, &format!("release:{id}"));
        self.client.release_schedule(id, &key).await?;
        Ok(())
    }

    async fn update(
        &self,
        found: &Subscription,
        change: &SubscriptionChange,
        key: &str,
    ) -> Result<(), Fault> {
        let key = IdempotencyKey::of(key, "");
        self.client
            .update_subscription(&found.id, change, &key)
            .await?;
        Ok(())
    }
}

fn is_as_wanted(item: &SubscriptionItem, wanted: &Wanted<'_>) -> bool {
    item_price(item) == Some(wanted.to.as_str()) && item.quantity == Some(wanted.quantity)
}

/// The item that is to be changed; none where it is as wanted already.
fn item_to_change<'a>(
    found: &'a Subscription,
    wanted: &Wanted<'_>,
) -> Result<Option<&'a SubscriptionItem>, Fault> {
    let items = &found.items.data;
    if items.iter().any(|item| is_as_wanted(item, wanted)) {
        return Ok(None);
    }
    let has_price = |item: &&SubscriptionItem| item_price(item) == Some(wanted.from.as_str());
    let item = items.iter().find(has_price);
    let lacks = || format!("subscription `{}` has no price `{}`", found.id, wanted.from);
    item.ok_or_else(|| Fault::refused(lacks())).map(Some)
}

/// What is sold in a subscription, with the change in it.
fn lines_with(found: &Subscription, wanted: &Wanted<'_>) -> Vec<PhaseLine> {
    let lines = found.items.data.iter().filter_map(|item| {
        let price = item_price(item)?;
        let line = if price == wanted.from.as_str() {
            (wanted.to.as_str(), Some(wanted.quantity))
        } else {
            (price, item.quantity)
        };
        Some(PhaseLine {
            price: line.0.to_owned(),
            quantity: line.1,
        })
    });
    lines.collect()
}

/// The phase that runs, to be sent again as it is; it ends with the period.
fn running_phase(
    schedule: &Schedule,
    found: &Subscription,
    ends_at: DateTime<Utc>,
) -> NewSchedulePhase {
    let begun = schedule
        .current_phase
        .as_ref()
        .and_then(|phase| phase.start_date);
    let is_running = |phase: &&SchedulePhase| begun.is_none() || phase.start_date == begun;
    let running = schedule.phases.iter().find(is_running);
    let lines = found.items.data.iter().filter_map(|item| {
        Some(PhaseLine {
            price: item_price(item)?.to_owned(),
            quantity: item.quantity,
        })
    });
    NewSchedulePhase {
        start_date: running
            .and_then(|phase| phase.start_date)
            .map(|start| start.timestamp()),
        end_date: Some(ends_at.timestamp()),
        items: lines.collect(),
        trial_end: running
            .and_then(|phase| phase.trial_end)
            .map(|end| end.timestamp()),
        discounts: running
            .map(|phase| phase.discounts.clone())
            .unwrap_or_default(),
        metadata: running
            .map(|phase| phase.metadata.clone())
            .unwrap_or_default(),
        proration_behavior: None,
    }
}
