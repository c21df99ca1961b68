//! A user moves between two stages.

use quota_core::command::Command;
use quota_core::ids::OrgId;
use quota_core::rules::context::Context;
use quota_core::rules::{closed_at_org, relocate};

use crate::stage::{GRACE, Stage};

/// Moves `user:a`, as a store does.
pub fn relocated(from: &mut Stage, to: &mut Stage) {
    relocated_user(from, to, "user:a");
}

/// Moves a user, as a store does.
pub fn relocated_user(from: &mut Stage, to: &mut Stage, user: &str) {
    let request = to.request(user, Command::Sweep);
    let catalog = to.catalog.clone();
    let context = Context {
        now: to.now,
        catalog: &catalog,
        grace: GRACE,
    };
    let org = to.home.id.as_str().strip_prefix("org:");
    let org = org.map(|org| OrgId::new(org).expect("a valid id"));
    from.load_closed(&closed_at_org(&from.home, &request.account));
    let homes = (&from.home, &to.home);
    let moved = relocate(homes, org.as_ref(), &request, &context).expect("it may move");
    from.home.accounts.remove(&moved.user);
    from.home.version = moved.left.sequence;
    if let Some(org) = moved.left_org {
        from.home.accounts.insert(from.home.id.clone(), org.into());
    }
    for closed in moved.closed {
        let key = (closed.account.clone(), closed.balance.bucket.clone());
        from.closed.insert(key, closed);
    }
    from.home.closed.clear();
    if let Some(org) = moved.joined_org {
        to.home.accounts.insert(to.home.id.clone(), org.into());
    }
    from.operations.push(moved.left);
    to.home.accounts.insert(moved.user, moved.account.into());
    let closed = from
        .closed
        .values()
        .filter(|closed| closed.account == request.account);
    to.left_closed = closed.chain(&from.left_closed).cloned().collect();
    to.home.version = moved.joined.sequence;
    to.operations.push(moved.joined);
}
