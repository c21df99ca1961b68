//! Whose turn it is: lines of one account are done in their order, and an org's lines before those of its members.

use std::collections::HashMap;

use quota_core::ids::AccountId;
use tokio::sync::watch;

use super::work::Work;

/// After so many lines what has ended is forgotten.
const FORGET_EVERY: usize = 1024;

/// A line is done when its sender is gone.
type Done = watch::Receiver<()>;

/// What of an account is on the way.
#[derive(Default)]
struct Ahead {
    /// Its last line.
    own: Option<Done>,
    /// Lines of users that are made in it, since then.
    members: Vec<Done>,
}

/// Who waits for whom. What it keeps is bounded by the lines on the way.
#[derive(Default)]
pub(crate) struct Turns {
    ahead: HashMap<AccountId, Ahead>,
    since_forgotten: usize,
}

/// A line's turn: it comes when all lines are done that it waits for.
pub(crate) struct Turn {
    after: Vec<Done>,
    /// Lets the next ones begin when it is dropped.
    until: watch::Sender<()>,
}

impl Turns {
    /// The turn of a line, behind those that were taken before.
    pub(crate) fn take(&mut self, work: &Work) -> Turn {
        self.forget_ended();
        let (until, done) = watch::channel(());
        let own = self.ahead.entry(work.account.clone()).or_default();
        let mut after: Vec<Done> = own.members.drain(..).collect();
        after.extend(own.own.replace(done.clone()));
        if let Some(org) = &work.org {
            let org = self.ahead.entry(org.clone()).or_default();
            after.extend(org.own.clone());
            org.members.push(done);
        }
        Turn { after, until }
    }

    fn forget_ended(&mut self) {
        self.since_forgotten += 1;
        if self.since_forgotten < FORGET_EVERY {
            return;
        }
        self.since_forgotten = 0;
        let runs = |done: &Done| done.has_changed().is_ok();
        self.ahead.retain(|_, ahead| {
            ahead.members.retain(runs);
            ahead.own = ahead.own.take().filter(runs);
            ahead.own.is_some() || !ahead.members.is_empty()
        });
    }
}

impl Turn {
    /// Waits until it is this line's turn.
    pub(crate) async fn come(&mut self) {
        for mut done in self.after.drain(..) {
            while done.changed().await.is_ok() {}
        }
    }

    /// The line is done.
    pub(crate) fn end(self) {
        drop(self.until);
    }
}
