//! The subscription among an account's terms, as it is shown.

use std::sync::Arc;

use api_types::{AddonBody, ScheduledBody, SubscriptionBody, UpcomingBody};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::catalog::Catalog;
use quota_core::terms::{Lapse, Subscription, Terms};

use crate::ApiState;
use crate::problem::Problem;

/// The catalog that says which subscription counts now, and whether its plan is there still: the one that decisions are made by;
/// the newest when something waits, or what there was has ended.
pub(crate) async fn catalog_for(
    state: &ApiState,
    held: Option<&Subscription>,
) -> Result<Arc<Catalog>, Problem> {
    let now = state.engine().now();
    let has_ended = |held: &Subscription| held.ends_for_good_at().is_some_and(|end| end <= now);
    let waits = |held: &Subscription| held.scheduled.is_some() || held.upcoming.is_some();
    if held.is_some_and(|held| waits(held) || has_ended(held)) {
        return Ok(state.engine().catalog().await?);
    }
    Ok(state.engine().catalog_now())
}

/// The subscription among an account's terms, if it has one, and the add-ons beside it.
pub(crate) fn subscription_body(
    state: &ApiState,
    terms: &Terms,
    catalog: &Catalog,
) -> Option<SubscriptionBody> {
    let engine = state.engine();
    let instant = Instant {
        now: engine.now(),
        grace: engine.settings().grace,
    };
    subscription_at(terms, catalog, instant)
}

/// When a subscription is looked at.
#[derive(Clone, Copy)]
pub(super) struct Instant {
    pub(super) now: DateTime<Utc>,
    /// How long a past-due subscription stays in force.
    pub(super) grace: TimeDelta,
}

/// The subscription at an instant.
pub(super) fn subscription_at(
    terms: &Terms,
    catalog: &Catalog,
    Instant { now, grace }: Instant,
) -> Option<SubscriptionBody> {
    let held = terms.subscription.as_ref()?.current(catalog, now);
    let period = held.period(now);
    let lapse = held.lapse(catalog, now, grace);
    let in_force = lapse.is_none();
    Some(SubscriptionBody {
        plan: held.plan.clone(),
        plan_version: catalog.held_version(&held.plan, held.plan_version),
        plan_removed: lapse == Some(Lapse::PlanRemoved),
        seats: held.seats,
        status: held.status,
        in_force,
        starts_at: period.starts_at,
        ends_at: period.ends_at.unwrap_or(held.ends_at),
        interval: held.interval,
        renews: held.renews_after(now),
        renews_until: held.renews_until,
        past_due_at: held.past_due_at,
        cancel_at: held.canceled_at(),
        scheduled: held.scheduled_change().map(|change| ScheduledBody {
            plan: change.plan.clone(),
            at: change.at,
        }),
        upcoming: held.chain().skip(1).map(upcoming_body).collect(),
        addons: addon_bodies(terms, catalog, (&held, in_force), now),
    })
}

/// The add-ons among an account's terms that have not ended.
fn addon_bodies(
    terms: &Terms,
    catalog: &Catalog,
    (base, in_force): (&Subscription, bool),
    now: DateTime<Utc>,
) -> Vec<AddonBody> {
    let held = terms.addons.iter().filter(|(_, addon)| !addon.is_over(now));
    let counts = |addon| in_force && base.addon_plan(catalog, addon, now).is_some();
    held.map(|(plan, addon)| AddonBody {
        plan: plan.clone(),
        plan_version: catalog.held_version(plan, addon.plan_version),
        quantity: addon.quantity,
        in_force: counts((plan, addon)),
        starts_at: addon.starts_at,
        ends_at: addon.ends_at,
    })
    .collect()
}

fn upcoming_body(next: &Subscription) -> UpcomingBody {
    UpcomingBody {
        plan: next.plan.clone(),
        seats: next.seats,
        starts_at: next.starts_at,
        ends_at: next.ends_at,
    }
}
