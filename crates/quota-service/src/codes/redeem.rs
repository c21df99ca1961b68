//! A code is redeemed (P15).
//!
//! A code, its uses and an account's books lie in three shards, so there is an order and no transaction over all: the use is claimed
//! by one guarded write, then the gift is given in the account's home under a name that no account has twice, then the use is
//! marked done. Each step may be repeated at will, so a call that broke off anywhere is healed by the same call again. A gift that
//! cannot be given gives the use back, once every call that began on it knows that.

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::code::{Code, CodeGift, CodeHash, CodeUse};
use quota_core::code_misfit::CodeMisfit;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::origin::Origin;
use quota_core::ports::CodeClaim;
use quota_core::rules::codes::{FAILURES_MAX, FAILURES_SPAN};
use sha2::{Digest, Sha256};

use super::Codes;
use super::make::hash_of;
use crate::EngineError;
use crate::ask::Ask;
use crate::decide::Verdict;

/// Tries of a claim while uses of the code are given back beside it.
const ATTEMPTS_MAX: u32 = 16;
/// What a gift is booked about.
const RESOURCE: &str = "code";

/// A code that an account wants to redeem. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Redeem {
    /// Who redeems it.
    pub account: AccountId,
    /// The code as it was typed.
    pub code: String,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// Who asks.
    pub origin: Origin,
}

impl std::fmt::Debug for Redeem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redeem")
            .field("account", &self.account)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What became of it: the account has what the code gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The code.
    pub code: Code,
    /// The account's use of it.
    pub used: CodeUse,
    /// Whether this call gave it, or the earlier one that it repeats; else the account had it before.
    pub is_news: bool,
    /// Whether this is the answer to an earlier request with the same key (X1).
    pub is_replay: bool,
}

/// How an account has a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// Given just now.
    Now,
    /// Given by an earlier call, or by one at the same time.
    Before,
}

impl Codes {
    /// Redeems a code for an account: once, however often it is asked. Dropping the call does not undo it.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account or code, when the code cannot be redeemed, or when what it gives
    /// cannot be given; [`EngineError::TooManyFailures`] when the account tried too many texts that are no code;
    /// the others are those of [`crate::Engine::submit`].
    pub async fn redeem(&self, asked: Redeem) -> Result<Redeemed, EngineError> {
        let codes = self.clone();
        let work = async move { codes.carried_out(asked).await };
        self.engine.in_own_task(Box::pin(work)).await
    }

    async fn carried_out(&self, asked: Redeem) -> Result<Redeemed, EngineError> {
        let account = &asked.account;
        if !self.engine.exists(account).await? {
            return Err(Rejection::UnknownAccount.into());
        }
        let hash = hash_of(&asked.code);
        let body_hash = body_hash(account, &hash);
        let under = (account, asked.key.as_ref());
        let is_replay = self.engine.first_answer_under(under, &body_hash).await?;
        let is_replay = is_replay.is_some();
        let now = self.engine.now();
        let Some(code) = self.store.code_by_hash(&hash).await? else {
            return Err(self.failed(account, now).await?);
        };
        if !is_replay {
            self.must_not_be_stopped(account, now).await?;
        }
        let (code, claimed) = self.claimed((code, now), &asked).await?;
        let is_same_key = asked.key.is_some() && claimed.key == asked.key;
        if claimed.done_at.is_some() {
            let is_replay = is_replay || is_same_key;
            return Ok(Redeemed {
                code,
                used: claimed,
                is_news: is_replay,
                is_replay,
            });
        }
        let given = match self.given((&code, &claimed), &asked, body_hash).await {
            Ok(given) => given,
            Err(refused) => {
                if is_certain(&refused) {
                    self.store.refuse_code_use(&hash, account).await?;
                }
                return Err(of_code(refused));
            }
        };
        self.store.end_code_use(&hash, account, now).await?;
        let is_replay = is_replay || (given == Given::Before && is_same_key);
        Ok(Redeemed {
            code,
            used: CodeUse {
                done_at: Some(now),
                ..claimed
            },
            is_news: is_replay || given == Given::Now,
            is_replay,
        })
    }

    /// Claims a use of a code for the account, or finds the one that it has.
    async fn claimed(
        &self,
        (mut code, now): (Code, DateTime<Utc>),
        asked: &Redeem,
    ) -> Result<(Code, CodeUse), EngineError> {
        let claim = CodeClaim {
            hash: code.hash,
            account: asked.account.clone(),
            key: asked.key.clone(),
            at: now,
        };
        for _ in 0..ATTEMPTS_MAX {
            if let Some(claimed) = self.store.claim_code(&claim).await? {
                let keys_kept = self.engine.settings().keys_kept;
                if claimed.done_at.is_none() && !code.may_be_ended(&claimed, now, keys_kept) {
                    return Err(Rejection::from(CodeMisfit::Used).into());
                }
                return Ok((code, claimed));
            }
            let newest = self.store.code_by_hash(&code.hash).await?;
            code = newest.ok_or_else(|| Rejection::from(CodeMisfit::Unknown))?;
            if let Some(misfit) = code.refusal(now) {
                return Err(Rejection::from(misfit).into());
            }
        }
        Err(EngineError::Busy)
    }

    /// Gives an account what a code gives, unless it has it.
    async fn given(
        &self,
        (code, claimed): (&Code, &CodeUse),
        asked: &Redeem,
        body_hash: [u8; 32],
    ) -> Result<Given, EngineError> {
        let gift = |key: Option<IdempotencyKey>| Ask {
            account: asked.account.clone(),
            key,
            command: code.gift_command(self.engine.now()),
            origin: Origin {
                resource_type: Some(RESOURCE.to_owned()),
                resource_id: Some(code.id.to_string()),
                ..asked.origin.clone()
            },
        };
        // The key of the call that claimed the use, whoever ends what that call began: by it a plan is given once.
        let key = claimed.key.clone();
        let key = key.unwrap_or_else(|| IdempotencyKey::of_code(code.id));
        let mut booked = self.engine.submit_part(gift(Some(key)), body_hash).await;
        let has_a_name = match code.gift {
            CodeGift::Credits(_) | CodeGift::Boost(_) => true,
            CodeGift::Plan(_) => false,
        };
        if has_a_name && matches!(booked, Err(EngineError::KeyReused { .. })) {
            // The key has its answer; what it does not tell of is booked all the same.
            booked = self.engine.submit_part(gift(None), body_hash).await;
        }
        given_by(booked)
    }

    /// Counts that an account tried what is no code. That is all that it is told: after too many, not even that.
    async fn failed(
        &self,
        account: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngineError, EngineError> {
        let span = (now, now - FAILURES_SPAN);
        let counts = self.store.count_code_failure(account, span, FAILURES_MAX);
        if counts.await? {
            return Ok(Rejection::from(CodeMisfit::Unknown).into());
        }
        let stopped = self.must_not_be_stopped(account, now).await;
        Ok(stopped.err().unwrap_or(EngineError::Busy))
    }

    /// Refuses to look at what an account sends that tried too much.
    async fn must_not_be_stopped(
        &self,
        account: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let failures = self.store.code_failures(account).await?;
        let Some(until) = failures.and_then(|failures| failures.stop_until(now)) else {
            return Ok(());
        };
        let millis = until.signed_duration_since(now).num_milliseconds();
        let seconds = u64::try_from(millis).unwrap_or(0).div_ceil(1_000);
        Err(EngineError::TooManyFailures {
            seconds: u32::try_from(seconds).unwrap_or(u32::MAX).max(1),
        })
    }
}

/// Hash of what is asked (X1): the code, for the account.
fn body_hash(account: &AccountId, hash: &CodeHash) -> [u8; 32] {
    let said = format!("redeem {account} {}", hex::encode(hash.0));
    Sha256::digest(said).into()
}

/// How an account has a gift after this verdict.
fn given_by(booked: Verdict) -> Result<Given, EngineError> {
    match booked {
        Ok(reply) if reply.is_replay => Ok(Given::Before),
        Ok(_) => Ok(Given::Now),
        Err(EngineError::Rejected(Rejection::GrantExists | Rejection::BoostExists)) => {
            Ok(Given::Before)
        }
        Err(error) => Err(error),
    }
}

/// Whether nothing was given, and no call like it can give it while all stays as it is.
fn is_certain(refused: &EngineError) -> bool {
    matches!(
        refused,
        EngineError::Rejected(_) | EngineError::KeyReused { .. }
    )
}

/// The same, said of the code: what it gives is no field of the request.
fn of_code(refused: EngineError) -> EngineError {
    let EngineError::Rejected(rejection) = refused else {
        return refused;
    };
    let is_gone = matches!(
        rejection,
        Rejection::UnknownFeature(_)
            | Rejection::NotCountable(_)
            | Rejection::NotConsumable(_)
            | Rejection::UnknownPlan(_)
            | Rejection::IsAddon(_)
            | Rejection::NotInFuture { .. }
    );
    if matches!(rejection, Rejection::EndRequired { .. }) {
        return Rejection::from(CodeMisfit::NoPeriod).into();
    }
    if is_gone {
        let why = rejection.to_string();
        return Rejection::from(CodeMisfit::NotGivable { why }).into();
    }
    rejection.into()
}
