//! A line is carried out: once, whoever asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quota_core::answer::{Answer, Rejection};
use quota_core::change::Change;
use quota_core::command::Command;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::origin::Origin;
use quota_core::ports::BillingStore;
use quota_core::provider::{CustomerId, CustomerLink};
use quota_core::rules::payment_news::PaymentNews;
use quota_service::{Ask, BookPayment, Engine, EngineError, Reply};

use super::refusal::Refusal;
use super::rehearsal::Rehearsal;
use super::work::{Deed, Work, digest};

/// Who is booked for what is imported.
const ACTOR: &str = "import";
/// Tries of a line while the database is away or busy; together some 25 seconds.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause between them; each is twice the last one.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It made something.
    New,
    /// It changed what was there.
    Changed,
    /// It was carried out before, or there was nothing to do.
    Unchanged,
    /// Nothing of it was booked.
    Refused(Refusal),
}

/// Carries lines out, or says what would become of them.
pub(crate) struct Importer {
    pub(crate) engine: Engine,
    pub(crate) billing: Arc<dyn BillingStore>,
    /// Whose lines they are, as reasons tell it.
    pub(crate) file: String,
    /// Set for a dry run: nothing is written then.
    pub(crate) rehearsal: Option<Rehearsal>,
    /// Whether a line failed for good, so that the others need not be waited for.
    pub(crate) gave_up: AtomicBool,
}

impl Importer {
    /// Carries a line out; while the database is away it is tried again for a while, unless another line was given up.
    pub(crate) async fn carry_out(&self, number: u64, work: &Work) -> Result<Outcome, EngineError> {
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
        settled
    }

    async fn attempt(&self, number: u64, work: &Work) -> Result<Outcome, EngineError> {
        let done = match &self.rehearsal {
            Some(rehearsal) => rehearsal.look_at(self, work).await,
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
                let booked = self.engine.book_payment(asked).await?;
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
        match self.engine.submit(ask).await {
            Ok(reply) => Ok(outcome_of(&reply)),
            // The line may stand elsewhere in the file by now, or in another one.
            Err(EngineError::KeyReused { used_for }) => {
                let before = self.before(account, (key, command)).await?;
                let other = || Refusal::of("key", format!("stands for something else: {used_for}"));
                Ok(before.unwrap_or_else(|| Outcome::Refused(other())))
            }
            Err(other) => Err(other),
        }
    }

    /// What became of the same command under the same key, if the key is taken.
    pub(crate) async fn before(
        &self,
        account: &AccountId,
        (key, command): (&IdempotencyKey, &Command),
    ) -> Result<Option<Outcome>, EngineError> {
        let Some(first) = self.engine.operation_under(account, key).await? else {
            return Ok(None);
        };
        if first.origin.request_id == Some(request_id(&digest(account, command))) {
            return Ok(Some(Outcome::Unchanged));
        }
        let by = first
            .origin
            .reason
            .unwrap_or_else(|| "another request".to_owned());
        Ok(Some(Outcome::Refused(other_line(&by))))
    }

    async fn link(&self, account: &AccountId, id: &CustomerId) -> Result<Outcome, EngineError> {
        self.engine.account(account).await?;
        if let Some(link) = self.billing.customer(id).await? {
            return Ok(linked(account, &link, false));
        }
        let link = CustomerLink {
            id: id.clone(),
            account: account.clone(),
            linked_at: self.engine.now(),
            synced_at: None,
        };
        let link = self.billing.link_customer(&link).await?;
        Ok(linked(account, &link, true))
    }
}

/// What a link that is there says of a line.
pub(super) fn linked(account: &AccountId, link: &CustomerLink, is_new: bool) -> Outcome {
    if link.account == *account {
        return new_or_not(is_new);
    }
    let why = format!("is linked to `{}` already", link.account);
    Outcome::Refused(Refusal::of("customer", why))
}

/// Two lines that ask different things of one matter.
pub(super) fn other_line(before: &str) -> Refusal {
    let why = format!(
        "was used for another line ({before}): the same matter of the same account is told once; if both are meant, give each \
         line a `key` of its own"
    );
    Refusal::of("key", why)
}

pub(super) fn new_or_not(is_new: bool) -> Outcome {
    if is_new {
        Outcome::New
    } else {
        Outcome::Unchanged
    }
}

fn request_id(content: &str) -> String {
    format!("import:{content}")
}

fn origin(reason: &str, content: Option<String>) -> Origin {
    Origin {
        actor: Some(ACTOR.to_owned()),
        request_id: content.map(|content| request_id(&content)),
        reason: Some(reason.to_owned()),
        ..Origin::default()
    }
}

fn outcome_of(reply: &Reply) -> Outcome {
    if reply.is_replay {
        return Outcome::Unchanged;
    }
    match &reply.operation.answer {
        Answer::Unchanged => Outcome::Unchanged,
        Answer::Changed {
            change: Change::AccountChanged | Change::TokenChanged,
            ..
        } => Outcome::Changed,
        Answer::Denied { .. } => Outcome::Refused(Refusal::of("feature", "was denied")),
        Answer::Changed { .. }
        | Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. } => Outcome::New,
    }
}

/// What a command needs of the catalog is not there.
pub(super) fn unknown(work: &Work, rejection: &Rejection) -> Outcome {
    Outcome::Refused(Refusal::rejected(work.kind, rejection))
}
