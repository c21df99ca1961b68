//! The members of an org, where its plan counts them (C12).

use super::context::Context;
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::draw::Scope;
use crate::home::Account;
use crate::terms::{Policy, Terms};

/// Refuses one member more than an org may have. An org that never had a subscription may have any number, but for an
/// override (O3); under policy `track` nobody is held off (O4). What the org has beyond its limit stays (S6).
pub(super) fn must_have_place(context: &Context<'_>, org: &Account) -> Result<(), Rejection> {
    if org.terms.policy == Policy::Track {
        return Ok(());
    }
    let features = context.catalog.features.values();
    for feature in features.filter(|feature| feature.counts.is_some()) {
        let own = context.allowance(org, feature);
        if own.only_tracks_org() {
            continue;
        }
        // Not in the plan, not in force, or only to be read: nothing is granted (C6, S3, S14).
        let limit = own.limit_at(Scope::Org).filter(|_| !own.is_read_only);
        let limit = limit.unwrap_or(Limit::Of(0));
        let used = org.terms.members;
        if let Some(limit) = limit.ceiling().filter(|limit| *limit <= used) {
            return Err(Rejection::MembersFull {
                feature: feature.code.clone(),
                limit,
                used,
            });
        }
    }
    Ok(())
}

/// Counts a member that came to live in the org's home.
pub(super) fn join(org: &mut Terms) {
    org.members = org.members.saturating_add(1);
}

/// Counts a member that left, which was counted when it came.
pub(super) fn leave(org: &mut Terms) {
    debug_assert_ne!(org.members, 0, "whoever leaves was counted");
    org.members = org.members.saturating_sub(1);
}
