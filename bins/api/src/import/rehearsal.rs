//! A dry run: what would become of a line, with nothing written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Mutex, PoisonError};

use quota_core::answer::Rejection;
use quota_core::catalog::{Catalog, PlanKind};
use quota_core::command::Command;
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey, PaymentRef, PlanCode};
use quota_core::payment::PaymentId;
use quota_core::payment_misfit::PaymentMisfit;
use quota_core::provider::CustomerId;
use quota_service::EngineError;

use super::outcome::{Outcome, linked, new_or_not, other_line};
use super::refusal::Refusal;
use super::target::Target;
use super::work::{Deed, Work, digest};

/// What earlier lines of the file would have made, in short: sixteen bytes for each.
#[derive(Default)]
pub(crate) struct Rehearsal {
    seen: Mutex<HashMap<u64, u64>>,
}

impl Rehearsal {
    /// What would become of a line.
    pub(super) async fn look_at(
        &self,
        target: &Target,
        work: &Work,
    ) -> Result<Outcome, EngineError> {
        match &work.deed {
            Deed::Commands(commands) => {
                let mut outcome = Outcome::Unchanged;
                for (key, command) in commands {
                    match self.command(target, work, (key, command)).await? {
                        Outcome::Unchanged => {}
                        refused @ Outcome::Refused(_) => return Ok(refused),
                        booked @ (Outcome::New | Outcome::Changed) => outcome = booked,
                    }
                }
                Ok(outcome)
            }
            Deed::Payment(id, aliases, _) => self.payment(target, work, (id, aliases)).await,
            Deed::Customer(id) => self.customer(target, work, id).await,
        }
    }

    async fn payment(
        &self,
        target: &Target,
        work: &Work,
        (id, aliases): (&PaymentId, &[PaymentRef]),
    ) -> Result<Outcome, EngineError> {
        self.must_be_there(target, &work.account).await?;
        let all = std::iter::once(&id.payment).chain(aliases);
        let mut is_new = true;
        for named in all {
            let alias = id.alias(named.clone());
            let held = target.engine.storage().holder_of(&alias).await?;
            if let Some(held) = held {
                if held.account != work.account {
                    let misfit = PaymentMisfit::OfAnotherAccount(named.clone());
                    return Ok(unknown(work, &misfit.into()));
                }
                is_new = false;
            }
        }
        let of_another = || Rejection::from(PaymentMisfit::OfAnotherAccount(id.payment.clone()));
        Ok(match self.enter(&id.to_string(), &work.account) {
            Some(false) => unknown(work, &of_another()),
            Some(true) => Outcome::Unchanged,
            None => new_or_not(is_new),
        })
    }

    async fn customer(
        &self,
        target: &Target,
        work: &Work,
        id: &CustomerId,
    ) -> Result<Outcome, EngineError> {
        self.must_be_there(target, &work.account).await?;
        if let Some(link) = target.billing.customer(id).await? {
            return Ok(linked(&work.account, &link, false));
        }
        let why = "is linked to another account earlier in this file";
        Ok(match self.enter(&id.to_string(), &work.account) {
            Some(false) => Outcome::Refused(Refusal::of("customer", why)),
            Some(true) => Outcome::Unchanged,
            None => Outcome::New,
        })
    }

    async fn command(
        &self,
        target: &Target,
        work: &Work,
        (key, command): (&IdempotencyKey, &Command),
    ) -> Result<Outcome, EngineError> {
        let account = &work.account;
        if let Some(before) = target.before(account, (key, command)).await? {
            return Ok(before);
        }
        // Lines of one account come one after another: what is looked at here is entered before the next one.
        let matter = (account, key);
        if let Some(is_same) = self.said(&matter, &digest(account, command)) {
            let other = || Outcome::Refused(other_line("earlier in this file"));
            return Ok(if is_same { Outcome::Unchanged } else { other() });
        }
        let is_there = target.has(account).await?;
        if let Some(org) = &work.org
            && !is_there
            && !self.knows(org)
            && !target.has(org).await?
        {
            return Ok(unknown(work, &Rejection::UnknownOrg));
        }
        let is_account = matches!(command, Command::PutAccount(_));
        if is_there {
            // Of one that the file changes before, the terms that it has now are looked at.
            if !self.knows(account) {
                target.engine.preview(account, command.clone()).await?;
            }
        } else if !is_account && !self.knows(account) {
            return Ok(unknown(work, &Rejection::UnknownAccount));
        }
        if let Err(rejection) = fits(&target.engine.catalog_now(), command) {
            return Ok(unknown(work, &rejection));
        }
        self.enter(&matter, &digest(account, command));
        self.enter(account, account);
        Ok(if is_account && is_there {
            Outcome::Changed
        } else {
            Outcome::New
        })
    }

    async fn must_be_there(&self, target: &Target, account: &AccountId) -> Result<(), EngineError> {
        if self.knows(account) || target.has(account).await? {
            return Ok(());
        }
        Err(Rejection::UnknownAccount.into())
    }

    fn knows(&self, account: &AccountId) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.contains_key(&hashed(account))
    }

    /// Whether a line that was noted says the same; none when there is no such line.
    fn said(&self, of: &impl Hash, says: &impl Hash) -> Option<bool> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*seen.get(&hashed(of))? == hashed(says))
    }

    /// Notes a line; if there was one like it, whether it said the same.
    fn enter(&self, of: &impl Hash, says: &impl Hash) -> Option<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let says = hashed(says);
        match seen.entry(hashed(of)) {
            Entry::Occupied(before) => Some(*before.get() == says),
            Entry::Vacant(free) => {
                free.insert(says);
                None
            }
        }
    }
}

fn hashed(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn unknown(work: &Work, rejection: &Rejection) -> Outcome {
    Outcome::Refused(Refusal::rejected(work.kind, rejection))
}

/// Refuses what the catalog does not have: as far as that can be said of an account that is not there yet.
fn fits(catalog: &Catalog, command: &Command) -> Result<(), Rejection> {
    if let Command::Subscribe(asked) = command {
        return must_be_base(catalog, &asked.plan);
    }
    if let Command::SetOverride(own) = command {
        return must_be_known(catalog, &own.feature);
    }
    if let Command::SetGiven(own) = command {
        return must_be_known(catalog, &own.feature);
    }
    if let Command::Track(used) = command {
        let mut features = used.items.iter().map(|item| &item.feature);
        return features.try_for_each(|feature| must_be_known(catalog, feature));
    }
    Ok(())
}

fn must_be_known(catalog: &Catalog, feature: &FeatureCode) -> Result<(), Rejection> {
    if catalog.features.contains_key(feature) {
        return Ok(());
    }
    Err(Rejection::UnknownFeature(feature.clone()))
}

fn must_be_base(catalog: &Catalog, code: &PlanCode) -> Result<(), Rejection> {
    let plan = catalog.plan(code, None);
    let plan = plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))?;
    match plan.kind {
        PlanKind::Base => Ok(()),
        PlanKind::Addon => Err(Rejection::IsAddon(code.clone())),
    }
}
