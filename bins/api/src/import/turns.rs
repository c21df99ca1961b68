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

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use chrono::DateTime;
    use futures::poll;

    use super::super::line::read;
    use super::*;

    fn work(text: &str) -> Work {
        let (kind, line) = read(text.as_bytes()).expect("a line");
        Work::of(kind, line, DateTime::UNIX_EPOCH).expect("it can be right")
    }

    /// Members wait for their org and not for each other; a later line of the org waits for them.
    #[tokio::test]
    async fn an_org_is_done_before_its_members_and_they_before_its_next_line() {
        let mut turns = Turns::default();
        let mut org = turns.take(&work(r#"{"type": "org", "id": "acme"}"#));
        let mut ann = turns.take(&work(r#"{"type": "user", "id": "ann", "org": "acme"}"#));
        let mut ben = turns.take(&work(r#"{"type": "user", "id": "ben", "org": "acme"}"#));
        let mut next = turns.take(&work(r#"{"type": "org", "id": "acme", "disabled": true}"#));
        org.come().await;
        {
            let mut anns = pin!(ann.come());
            assert!(poll!(&mut anns).is_pending(), "the org is on the way");
            org.end();
            anns.await;
        }
        ben.come().await;
        ann.end();
        {
            let mut nexts = pin!(next.come());
            assert!(poll!(&mut nexts).is_pending(), "ben is on the way");
            ben.end();
            nexts.await;
        }
    }

    /// What has ended is forgotten: what is kept is bounded by the lines on the way.
    #[test]
    fn what_has_ended_is_forgotten() {
        let mut turns = Turns::default();
        for number in 0..10 * FORGET_EVERY {
            let line = format!(r#"{{"type": "user", "id": "u{number}", "org": "acme"}}"#);
            turns.take(&work(&line)).end();
        }
        assert!(
            turns.ahead.len() <= FORGET_EVERY + 1,
            "{}",
            turns.ahead.len()
        );
        let members = turns.ahead.values().map(|ahead| ahead.members.len());
        assert!(members.sum::<usize>() <= FORGET_EVERY);
    }
}
