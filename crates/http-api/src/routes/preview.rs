//! `dry_run` of what changes a subscription: what it would come to, as a body. A refusal is that of the change itself.

use std::collections::{BTreeMap, BTreeSet};

use api_types::{
    ChangeOrPreview, DropBody, DropKind, FeaturePreview, FlagPreview, OverBody, PlanStateBody,
    PreviewBody, SettingPreview,
};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use quota_core::catalog::Catalog;
use quota_core::command::Command;
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::rules::dropped::Dropped;
use quota_core::rules::had::Had;
use quota_core::rules::preview::{Lost, Over, Preview, WhatIsLost};
use quota_core::rules::scope_balances::{FeatureStanding, Overview};

use super::held_subscription::{Instant, subscription_at};
use super::overview::spending_body;
use crate::ApiState;
use crate::decision::balance_body;
use crate::problem::Problem;

/// Says what a command would come to.
pub(crate) async fn previewed(
    state: &ApiState,
    account: AccountId,
    command: Command,
) -> Result<Response, Problem> {
    let engine = state.engine();
    let preview = engine.preview(&account, command).await?;
    let catalog = engine.catalog().await?;
    let body = body(account, &preview, (&catalog, engine.settings().grace));
    let body = ChangeOrPreview::Preview(Box::new(body));
    Ok(Json(body).into_response())
}

fn body(
    account: AccountId,
    preview: &Preview,
    (catalog, grace): (&Catalog, chrono::TimeDelta),
) -> PreviewBody {
    let (before, after) = (&preview.before, &preview.after);
    let state = |seen: &Overview| PlanStateBody {
        subscription: subscription_at(
            &seen.terms,
            catalog,
            Instant {
                now: seen.at,
                grace,
            },
        ),
        spending: seen
            .spending
            .as_ref()
            .map(|spending| spending_body(spending, seen.terms.spend_cap)),
    };
    let (changed, detail) = match &preview.change {
        Some((change, detail)) => (change.as_str(), detail.clone()),
        None => ("nothing", None),
    };
    let features = before.features.iter().zip(&after.features);
    let lost = preview.lost.iter().map(lost_body);
    PreviewBody {
        dry_run: true,
        account,
        at: before.at,
        changed: changed.to_owned(),
        detail,
        acts_at: preview.acts_at,
        acts_now: preview.acts_at <= before.at,
        needs_renewal: preview.needs_renewal,
        before: state(before),
        after: state(after),
        features: features
            .map(|(before, after)| feature_body(before, after))
            .collect(),
        flags: flags(&before.had, &after.had),
        settings: settings(&before.had, &after.had),
        over: preview.over.iter().map(over_body).collect(),
        drops: lost
            .chain(preview.dropped.iter().map(dropped_body))
            .collect(),
    }
}

fn feature_body(before: &FeatureStanding, after: &FeatureStanding) -> FeaturePreview {
    let feature = &before.feature;
    FeaturePreview {
        feature: feature.code.clone(),
        name: feature.name.clone(),
        unit: feature.unit.clone(),
        scale: feature.scale,
        before: balance_body(&before.own),
        after: balance_body(&after.own),
    }
}

fn flags(before: &Had, after: &Had) -> BTreeMap<FeatureCode, FlagPreview> {
    let has = |had: &Had, code: &FeatureCode| had.flags.get(code) == Some(&true);
    let both = before.flags.keys().map(|code| {
        let flag = FlagPreview {
            before: has(before, code),
            after: has(after, code),
        };
        (code.clone(), flag)
    });
    both.collect()
}

fn settings(before: &Had, after: &Had) -> BTreeMap<FeatureCode, SettingPreview> {
    let codes: BTreeSet<_> = before
        .settings
        .keys()
        .chain(after.settings.keys())
        .collect();
    let both = codes.into_iter().map(|code| {
        let setting = SettingPreview {
            before: before.settings.get(code).cloned(),
            after: after.settings.get(code).cloned(),
        };
        (code.clone(), setting)
    });
    both.collect()
}

fn over_body(over: &Over) -> OverBody {
    OverBody {
        feature: over.feature.clone(),
        window: over.window,
        limit: over.limit,
        used: over.used,
        over_by: over.used.saturating_sub(over.limit),
    }
}

fn lost_body(lost: &Lost) -> DropBody {
    let code = &lost.feature;
    let (kind, detail) = match lost.what {
        WhatIsLost::Limit => (DropKind::Feature, format!("{code} is granted no more")),
        WhatIsLost::Flag => (DropKind::Flag, format!("{code} is had no more")),
        WhatIsLost::Setting => (DropKind::Setting, format!("{code} has no value any more")),
        WhatIsLost::OnDemand => (
            DropKind::OnDemand,
            format!("{code} is sold on demand no more"),
        ),
    };
    DropBody {
        feature: Some(code.clone()),
        ..drop_of(kind, detail)
    }
}

fn dropped_body(dropped: &Dropped) -> DropBody {
    let of = |kind, at: DateTime<Utc>| DropBody {
        at: Some(at),
        ..drop_of(kind, dropped.to_string())
    };
    match dropped {
        Dropped::PaidTime { plan, ends_at } => DropBody {
            plan: Some(plan.clone()),
            ..of(DropKind::PaidTime, *ends_at)
        },
        Dropped::Trial { plan, ends_at } => DropBody {
            plan: Some(plan.clone()),
            ..of(DropKind::Trial, *ends_at)
        },
        Dropped::PeriodsAhead {
            plan,
            count,
            ends_at,
        } => DropBody {
            plan: Some(plan.clone()),
            periods: u64::try_from(*count).ok(),
            ..of(DropKind::PeriodsAhead, *ends_at)
        },
        Dropped::PlanChange { plan, at } => DropBody {
            plan: Some(plan.clone()),
            ..of(DropKind::PlanChange, *at)
        },
        Dropped::Seats { plan, seats, at } => DropBody {
            plan: Some(plan.clone()),
            seats: Some(*seats),
            ..of(DropKind::Seats, *at)
        },
        Dropped::Cancellation { at } => of(DropKind::Cancellation, *at),
        Dropped::End { at } => of(DropKind::End, *at),
    }
}

fn drop_of(kind: DropKind, detail: String) -> DropBody {
    DropBody {
        kind,
        detail,
        feature: None,
        plan: None,
        periods: None,
        seats: None,
        at: None,
    }
}
