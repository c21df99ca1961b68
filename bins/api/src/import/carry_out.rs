//! A line is carried out: once, whoever asks again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quota_core::command::Command;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::origin::Origin;
use quota_core::provider::{CustomerId, CustomerLink};
use quota_core::rules::payment_news::PaymentNews;
use quota_service::{Ask, BookPayment, EngineError};

use super::outcome::{Outcome, linked, new_or_not, outcome_of};
use super::refusal::Refusal;
use super::rehearsal::Rehearsal;
use super::target::{Target, request_id};
use super::work::{Deed, Work, digest};

/// Who is booked for what is imported.
const ACTOR: &str = "import";
/// Tries of a line while the database is away or busy; together some 25 seconds.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause between them; each is twice the last one.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries lines out, or says what would become of them.
pub(crate) struct Importer {
    pub(crate) target: Target,
    /// Whose lines they are, as reasons tell it.
    pub(crate) file: String,
    /// Set for a dry run: nothing is written then.
    pub(crate) rehearsal: Option<Rehearsal>,
    /// Whether a line failed for good, so that the others need not be waited for.
    pub(crate) gave_up: AtomicBool,
}

impl Importer {
    /// Carries a line out; while the database is away it is tried again for a while, unless another line was given up. None when it
    /// was not begun since one was: what it says may rest on that one.
    pub(crate) async fn carry_out(
        &self,
        number: u64,
        work: &Work,
    ) -> Result<Option<Outcome>, EngineError> {
        if self.gave_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut pause = PAUSE;
        let mut settled = self.attempt(number, work).await;
        for _ in 1..ATTEMPTS_MAX {
            let again = settled.as_ref().err().filter(|error| error.is_transient());
            let Some(error) = again.filter(|_| !self.gave_up.load(Ordering::Relaxed)) else {
                break;
            };
            tracing::warn!(%error, line = number, "a line is tried again");
            tokio::time::sleep(pause).await;
            pause *= 2;
            settled = self.attempt(number, work).await;
        }
        if settled.is_err() {
            self.gave_up.store(true, Ordering::Relaxed);
        }
        settled.map(Some)
    }

    async fn attempt(&self, number: u64, work: &Work) -> Result<Outcome, EngineError> {
        let done = match &self.rehearsal {
            Some(rehearsal) => rehearsal.look_at(&self.target, work).await,
            None => self.done(number, work).await,
        };
        match done {
            Err(EngineError::Rejected(rejection)) => {
                Ok(Outcome::Refused(Refusal::rejected(work.kind, &rejection)))
            }
            Err(EngineError::InvalidField(invalid)) => {
                Ok(Outcome::Refused(Refusal::of(invalid.field, invalid.why)))
            }
            done => done,
        }
    }

    async fn done(&self, number: u64, work: &Work) -> Result<Outcome, EngineError> {
        let reason = format!("import of {}, line {number}", self.file);
        match &work.deed {
            Deed::Commands(commands) => {
                let mut outcome = Outcome::Unchanged;
                for keyed in commands {
                    match self.submit(&work.account, keyed, &reason).await? {
                        Outcome::Unchanged => {}
                        refused @ Outcome::Refused(_) => return Ok(refused),
                        booked @ (Outcome::New | Outcome::Changed) => outcome = booked,
                    }
                }
                Ok(outcome)
            }
            Deed::Payment(id, aliases, paid) => {
                let asked = BookPayment {
                    account: work.account.clone(),
                    id: id.clone(),
                    aliases: aliases.clone(),
                    news: PaymentNews::Paid(paid.clone()),
                    key: None,
                    origin: origin(&reason, None),
                };
                let booked = self.target.engine.book_payment(asked).await?;
                Ok(new_or_not(booked.is_news))
            }
            Deed::Customer(id) => self.link(&work.account, id).await,
        }
    }

    async fn submit(
        &self,
        account: &AccountId,
        (key, command): &(IdempotencyKey, Command),
        reason: &str,
    ) -> Result<Outcome, EngineError> {
        let content = digest(account, command);
        let ask = Ask {
            account: account.clone(),
            key: Some(key.clone()),
            command: command.clone(),
            origin: origin(reason, Some(content)),
        };
        match self.target.engine.submit(ask).await {
            Ok(reply) => Ok(outcome_of(&reply)),
            // The line may stand elsewhere in the file by now, or in another one.
            Err(EngineError::KeyReused { used_for }) => {
                let before = self.target.before(account, (key, command)).await?;
                let other = || Refusal::of("key", format!("stands for something else: {used_for}"));
                Ok(before.unwrap_or_else(|| Outcome::Refused(other())))
            }
            Err(other) => Err(other),
        }
    }

    async fn link(&self, account: &AccountId, id: &CustomerId) -> Result<Outcome, EngineError> {
        self.target.engine.account(account).await?;
        if let Some(link) = self.target.billing.customer(id).await? {
            return Ok(linked(account, &link, false));
        }
        let link = CustomerLink {
            id: id.clone(),
            account: account.clone(),
            linked_at: self.target.engine.now(),
            synced_at: None,
        };
        let link = self.target.billing.link_customer(&link).await?;
        Ok(linked(account, &link, true))
    }
}

fn origin(reason: &str, content: Option<String>) -> Origin {
    Origin {
        actor: Some(ACTOR.to_owned()),
        request_id: content.map(|content| request_id(&content)),
        reason: Some(reason.to_owned()),
        ..Origin::default()
    }
}
