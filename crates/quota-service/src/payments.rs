//! Payments of any provider: facts in, the target booked (P1, P5 to P7, P16).
//!
//! The store has no transaction over an id, a payment and the books. So there is an order: the ids are claimed, then the
//! row is written, then the books follow the row. Each step may be repeated at will, so a call that broke off anywhere is
//! healed by the same call again, or by the next one about that payment.

use quota_core::answer::{Answer, Rejection};
use quota_core::command::{Command, CreditPurchase};
use quota_core::ids::{AccountId, IdempotencyKey, PaymentRef};
use quota_core::origin::Origin;
use quota_core::payment::{BoughtLine, Paying, Payment, PaymentHolder, PaymentId};
use quota_core::payment_misfit::PaymentMisfit;
use quota_core::ports::{HomeQuery, KeyQuery, LoadQuery, PaymentPage};
use quota_core::purchase::PaymentLine;
use quota_core::rules::payment_news::{PaymentNews, must_be_possible, next_row};
use sha2::{Digest, Sha256};

use crate::ask::Ask;
use crate::decide::{Reply, Verdict};
use crate::moving::first_answer;
use crate::{Engine, EngineError};

/// Tries of a write while others change the same payment: as many refunds at once are let through.
const ATTEMPTS_MAX: u32 = 200;

/// What a payment is told, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPayment {
    /// Who paid.
    pub account: AccountId,
    /// The payment, by its own id or an alias.
    pub id: PaymentId,
    /// Other ids of it, of the same provider.
    pub aliases: Vec<PaymentRef>,
    /// What is told.
    pub news: PaymentNews,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// Who asks, and why.
    pub origin: Origin,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedPayment {
    /// The payment as it is now.
    pub payment: Payment,
    /// Whether it told something new: this call, or the earlier one that it repeats.
    pub is_news: bool,
    /// Whether this is the answer to an earlier request with the same key (X1).
    pub is_replay: bool,
}

impl BookPayment {
    /// Hash of what is told (X1). Who tells it does not count.
    fn body_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let aliases: Vec<&str> = self.aliases.iter().map(PaymentRef::as_str).collect();
        let said = format!(
            "payment {} {} {aliases:?} {:?} {:?}",
            self.account, self.id, self.news, self.origin.reason
        );
        hasher.update(said);
        hasher.finalize().into()
    }
}

impl Engine {
    /// Books what is told of a payment: its ids are claimed for the account, its row is written, and the credits that it
    /// bought follow (P1, P7, P9 to P11). Told again, nothing changes. Dropping the call does not undo it.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when it is of another account, differs from what is known, or can never be right;
    /// the others are those of [`Engine::submit`].
    pub async fn book_payment(&self, asked: BookPayment) -> Result<BookedPayment, EngineError> {
        must_be_possible(&asked.news, &self.catalog_now())?;
        let engine = self.clone();
        let work = async move { engine.book(asked).await };
        self.in_own_task(Box::pin(work)).await
    }

    async fn book(&self, asked: BookPayment) -> Result<BookedPayment, EngineError> {
        if !self.exists(&asked.account).await? {
            return Err(Rejection::UnknownAccount.into());
        }
        let body_hash = asked.body_hash();
        let first = self.first_answer_under((&asked.account, asked.key.as_ref()), &body_hash);
        let first = first.await?;
        let id = self.claimed(&asked).await?;
        let (mut payment, is_news) = self.written(&asked, &id).await?;
        for _ in 0..ATTEMPTS_MAX {
            self.follow(&payment, &asked, body_hash).await?;
            // What was written meanwhile may have been followed before this was.
            let newest = self.storage().payment(&asked.account, &id).await?;
            match newest.filter(|newest| payment.version < newest.version) {
                Some(newest) => payment = newest,
                None => break,
            }
        }
        let was_news = |first: &Reply| !matches!(first.operation.answer, Answer::Unchanged);
        Ok(BookedPayment {
            payment,
            is_news: first.as_ref().map_or(is_news, was_news),
            is_replay: first.is_some(),
        })
    }

    /// What the same was answered under its key before.
    pub(crate) async fn first_answer_under(
        &self,
        (account, key): (&AccountId, Option<&IdempotencyKey>),
        body_hash: &[u8; 32],
    ) -> Result<Option<Reply>, EngineError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let home = self.inner.decider.homes.look_up(account).await?;
        let now = self.now();
        let keys = vec![KeyQuery {
            account: account.clone(),
            key: key.clone(),
        }];
        let query = LoadQuery {
            now,
            keys_since: now - self.settings().keys_kept,
            homes: vec![HomeQuery {
                keys,
                ..HomeQuery::of(home.clone())
            }],
        };
        let first = self.storage().load(&query).await?.earlier.pop();
        let first = first.map(|first| first_answer(&home, first, body_hash));
        first.transpose()
    }

    /// Claims all ids that are named; gives back the one that the payment is kept by. None is claimed while another
    /// account has one of them.
    async fn claimed(&self, asked: &BookPayment) -> Result<PaymentId, EngineError> {
        let storage = self.storage();
        let named = asked.aliases.iter().cloned();
        let named = std::iter::once(asked.id.payment.clone()).chain(named);
        let (mut holder, mut free) = (None, Vec::new());
        for id in named.map(|payment| asked.id.alias(payment)) {
            let Some(held) = storage.holder_of(&id).await? else {
                free.push(id);
                continue;
            };
            must_be_held_by(&asked.account, &id, &held)?;
            must_be_one(holder.get_or_insert_with(|| held.clone()), &held)?;
        }
        let is_first = match asked.news {
            PaymentNews::Paid(_) | PaymentNews::Fetched(_) => true,
            PaymentNews::Refund { .. } | PaymentNews::Dispute { .. } => false,
        };
        let Some(holder) = holder.or_else(|| is_first.then(|| own_holder(asked))) else {
            return Err(Rejection::UnknownPayment(asked.id.payment.clone()).into());
        };
        for id in &free {
            let held = storage.claim_payment(id, &holder).await?;
            must_be_held_by(&asked.account, id, &held)?;
            must_be_one(&holder, &held)?;
        }
        Ok(asked.id.alias(holder.payment))
    }

    /// Writes the row of a payment, if it is told something new; the row, and whether it was written.
    async fn written(
        &self,
        asked: &BookPayment,
        id: &PaymentId,
    ) -> Result<(Payment, bool), EngineError> {
        let account = &asked.account;
        for _ in 0..ATTEMPTS_MAX {
            let known = self.storage().payment(account, id).await?;
            let next = next_row(known.as_ref(), (account, id), &asked.news, self.now())?;
            match (next, known) {
                (Some(next), known) => {
                    let is_news = known.is_none_or(|known| !is_told(&known, &next));
                    if self.storage().put_payment(&next).await? {
                        return Ok((next, is_news));
                    }
                }
                (None, Some(known)) => return Ok((known, false)),
                (None, None) => break,
            }
        }
        Err(EngineError::Busy)
    }

    /// Lets the books follow the row: each line is credited, with what came back of the payment. What is booked already
    /// stays, and so does what a later row told.
    async fn follow(
        &self,
        payment: &Payment,
        asked: &BookPayment,
        body_hash: [u8; 32],
    ) -> Result<(), EngineError> {
        if payment.paying != Paying::Paid {
            return Ok(());
        }
        let mut key = asked.key.clone();
        for line in &payment.lines {
            let credit = |key: Option<IdempotencyKey>| Ask {
                account: payment.account.clone(),
                key,
                command: Command::CreditPurchase(credit(payment, line)),
                origin: asked.origin.clone(),
            };
            let mut booked = self.submit_part(credit(key.clone()), body_hash).await;
            if matches!(&booked, Ok(reply) if reply.is_replay) || is_taken(&booked) {
                // The key has its answer; what it does not tell of is booked all the same.
                key = None;
                booked = self.submit_part(credit(None), body_hash).await;
            }
            if !matches!(booked?.operation.answer, Answer::Unchanged) {
                key = None;
            }
        }
        Ok(())
    }

    /// A payment, by any of its ids.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is none, [`EngineError::Store`] when it cannot be read.
    pub async fn payment(&self, id: &PaymentId) -> Result<Payment, EngineError> {
        let read = async {
            let unknown = || Rejection::UnknownPayment(id.payment.clone());
            let held = self.storage().holder_of(id).await?.ok_or_else(unknown)?;
            let own = id.alias(held.payment);
            let payment = self.storage().payment(&held.account, &own).await?;
            Ok(payment.ok_or_else(unknown)?)
        };
        self.in_time(read).await
    }

    /// A payment of an account, by its own id.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be read.
    pub async fn payment_of(
        &self,
        account: &AccountId,
        id: &PaymentId,
    ) -> Result<Option<Payment>, EngineError> {
        let read = async { Ok(self.storage().payment(account, id).await?) };
        self.in_time(read).await
    }

    /// A page of an account's payments, the one that was told last first.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] for an unknown account, [`EngineError::Store`] when it cannot be read.
    pub async fn payments(&self, page: &PaymentPage) -> Result<Vec<Payment>, EngineError> {
        if !self.exists(&page.account).await? {
            return Err(Rejection::UnknownAccount.into());
        }
        let read = async { Ok(self.storage().payments(page).await?) };
        self.in_time(read).await
    }
}

/// Whether a part was refused since another request has its key.
fn is_taken(booked: &Verdict) -> bool {
    matches!(booked, Err(EngineError::KeyReused { .. }))
}

/// Whether a row tells what is known already, only later.
fn is_told(known: &Payment, next: &Payment) -> bool {
    let mut next = next.clone();
    (next.fetched_at, next.version) = (known.fetched_at, known.version);
    *known == next
}

fn own_holder(asked: &BookPayment) -> PaymentHolder {
    PaymentHolder {
        account: asked.account.clone(),
        payment: asked.id.payment.clone(),
    }
}

fn must_be_held_by(
    account: &AccountId,
    id: &PaymentId,
    held: &PaymentHolder,
) -> Result<(), Rejection> {
    if held.account == *account {
        return Ok(());
    }
    Err(PaymentMisfit::OfAnotherAccount(id.payment.clone()).into())
}

/// Refuses ids of two payments.
fn must_be_one(one: &PaymentHolder, other: &PaymentHolder) -> Result<(), Rejection> {
    if one.payment == other.payment {
        return Ok(());
    }
    let differs = PaymentMisfit::Differs {
        field: "ids",
        known: format!("they name `{}` and `{}`", one.payment, other.payment),
    };
    Err(differs.into())
}

fn credit(payment: &Payment, line: &BoughtLine) -> CreditPurchase {
    CreditPurchase {
        line: PaymentLine {
            provider: payment.id.provider.clone(),
            payment: payment.id.payment.clone(),
            line: line.line.clone(),
        },
        credits: line.credits,
        boost: line.boost.clone(),
        money: payment.amount,
        currency: payment.currency.clone(),
        priority: line.priority,
        expires_at: line.expires_at,
        facts: payment.facts(),
        fetched_at: payment.fetched_at,
    }
}
