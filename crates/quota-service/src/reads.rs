//! Reads: check, overview, entitlements and accounts. The cache answers the first three; it never says yes to a consume.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use metrics::{Counter, counter};
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{Command, Consume, Request};
use quota_core::home::{ClosedBalance, Home};
use quota_core::ids::{AccountId, FeatureCode, TokenId};
use quota_core::ports::{
    AccountPage, AccountRow, CachedHome, ClosedKind, ClosedQuery, HomeQuery, LoadQuery, StoreError,
};
use quota_core::reservation::Reservation;
use quota_core::rules::check::{Checked, check, check_items};
use quota_core::rules::context::Context;
use quota_core::rules::entitlements::{Entitlements, entitlements};
use quota_core::rules::execute::execute;
use quota_core::rules::scope_balances::{Overview, overview};
use uuid::Uuid;

use crate::setting::Setting;
use crate::writes::WriteFault;
use crate::{Engine, EngineError};

/// Most rows of one page.
pub const PAGE_MAX: u32 = 1_000;

/// What is read of an account beside itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// What of these kinds it has closed.
    pub(crate) closed: &'a [ClosedKind],
    /// Open holds of its home whose deadline is not later.
    pub(crate) due_until: DateTime<Utc>,
}

/// What was found of that. Of the holds those that are due already are ended.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) closed: Vec<ClosedBalance>,
    pub(crate) reservations: BTreeMap<Uuid, Reservation>,
}

impl Engine {
    /// What a request of one item would be answered now, with nothing drawn. [`Engine::check`] takes plain texts.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when a counter would pass its largest value, [`EngineError::Store`] when the account
    /// cannot be read.
    pub async fn check_item(
        &self,
        account: &AccountId,
        token: Option<&TokenId>,
        feature: &FeatureCode,
        amount: Amount,
    ) -> Result<Checked, EngineError> {
        let setting = self.setting_now();
        let known = self.known(account, &setting).await?;
        let accounts = known
            .as_deref()
            .map(|known| (&known.user, known.org.as_ref()));
        Ok(check(&setting.context(), accounts, token, feature, amount)?)
    }

    /// What a request of several items would be answered now, all or none, with nothing drawn.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when a counter would pass its largest value, [`EngineError::Store`] when the account
    /// cannot be read.
    pub async fn check_items(
        &self,
        account: &AccountId,
        asked: Consume,
    ) -> Result<Checked, EngineError> {
        let setting = self.setting_now();
        let known = self.known(account, &setting).await?;
        let home = home_of(account, known.as_deref());
        let context = setting.context();
        Ok(check_items(&context, home, account, &asked)?)
    }

    /// How an account stands for every feature.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] for an unknown account, [`EngineError::Store`] when it cannot be read.
    pub async fn overview(&self, account: &AccountId) -> Result<Overview, EngineError> {
        let setting = self.setting_now();
        let known = self.known(account, &setting).await?;
        let known = known.ok_or(Rejection::UnknownAccount)?;
        let context = setting.context();
        Ok(overview(
            &context,
            account,
            known.version,
            (&known.user, known.org.as_ref()),
        ))
    }

    /// What an account may do, in short: flags, settings, and what is left of each limit.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] for an unknown account, [`EngineError::Store`] when it cannot be read.
    pub async fn entitlements(&self, account: &AccountId) -> Result<Entitlements, EngineError> {
        let setting = self.setting_now();
        let known = self.known(account, &setting).await?;
        let known = known.ok_or(Rejection::UnknownAccount)?;
        let member = (&known.user, known.org.as_ref());
        Ok(entitlements(&setting.context(), account, member))
    }

    /// An account and the home that it lives in.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] for an unknown account, [`EngineError::Store`] when it cannot be read.
    pub async fn account(&self, account: &AccountId) -> Result<AccountRow, EngineError> {
        let setting = self.setting_now();
        let known = self.in_time(self.read(account, &setting)).await?;
        let known = known.ok_or(Rejection::UnknownAccount)?;
        Ok(AccountRow {
            home: known.home.clone(),
            id: account.clone(),
            account: known.user.clone(),
        })
    }

    pub(crate) async fn exists(&self, account: &AccountId) -> Result<bool, EngineError> {
        let setting = self.setting_now();
        Ok(self.known(account, &setting).await?.is_some())
    }

    /// A page of accounts in the order of their ids, past the cache.
    ///
    /// # Errors
    /// [`EngineError::Store`] when they cannot be read.
    pub async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, EngineError> {
        let accounts = async { Ok(self.storage().accounts(page).await?) };
        self.in_time(accounts).await
    }

    pub(crate) fn setting_now(&self) -> Setting {
        Setting {
            catalog: self.inner.decider.catalogs.current(),
            now: self.now(),
            grace: self.settings().grace,
        }
    }

    /// The account from the cache, or from the store and then into the cache.
    async fn known(
        &self,
        account: &AccountId,
        setting: &Setting,
    ) -> Result<Option<Arc<CachedHome>>, EngineError> {
        let home = async { Ok(self.inner.decider.homes.of(account).await?) };
        let home = self.in_time(home).await?;
        let cache = self.cache();
        let cached = cache.get(&home, account).await.unwrap_or_default();
        let is_fresh =
            |known: &Arc<CachedHome>| known.hold_before.is_none_or(|before| setting.now < before);
        let cached = cached.filter(is_fresh);
        count_read(cache.name(), cached.is_some());
        if cached.is_some() {
            return Ok(cached);
        }
        let read = self
            .in_time(self.read(account, setting))
            .await?
            .map(Arc::new);
        if let Some(read) = &read
            && let Err(error) = cache.put(Arc::clone(read)).await
        {
            tracing::debug!(%error, "the cache took no entry");
        }
        Ok(read)
    }

    /// The account as the store has it, with the holds ended whose deadline has come.
    pub(crate) async fn read(
        &self,
        account: &AccountId,
        setting: &Setting,
    ) -> Result<Option<CachedHome>, EngineError> {
        let beside = Beside {
            closed: &[],
            due_until: setting.now,
        };
        let read = self.read_with(account, setting, beside).await?;
        Ok(read.map(|(known, _)| known))
    }

    /// The same, with what is wanted beside it.
    pub(crate) async fn read_with(
        &self,
        account: &AccountId,
        setting: &Setting,
        beside: Beside<'_>,
    ) -> Result<Option<(CachedHome, Found)>, EngineError> {
        let home = self.inner.decider.homes.of(account).await?;
        let what = (setting, beside);
        if let Some(found) = self.read_in(account, home.clone(), what).await? {
            return Ok(Some(found));
        }
        let now_at = self.inner.decider.homes.look_up(account).await?;
        if now_at == home {
            return Ok(None);
        }
        self.read_in(account, now_at, what).await
    }

    async fn read_in(
        &self,
        account: &AccountId,
        home: AccountId,
        (setting, beside): (&Setting, Beside<'_>),
    ) -> Result<Option<(CachedHome, Found)>, EngineError> {
        let closed = beside.closed.iter().map(|kind| ClosedQuery {
            account: account.clone(),
            what: kind.clone(),
        });
        let query = LoadQuery {
            now: beside.due_until,
            keys_since: setting.now,
            homes: vec![HomeQuery {
                accounts: vec![account.clone()],
                closed: closed.collect(),
                ..HomeQuery::of(home.clone())
            }],
        };
        let mut loaded = self.storage().load(&query).await?;
        self.inner
            .decider
            .catalogs
            .at(loaded.catalog_version)
            .await?;
        let Some(mut home) = loaded.homes.pop() else {
            return Ok(None);
        };
        let version = home.version;
        end_holds(&mut home, account, &setting.context())?;
        let Some(user) = home.accounts.remove(account) else {
            return Ok(None);
        };
        let org = match user.terms.org {
            Some(_) => home.accounts.remove(&home.id),
            None => None,
        };
        let known = CachedHome {
            home: home.id,
            version,
            hold_before: home.hold_before,
            account: account.clone(),
            user: Arc::unwrap_or_clone(user),
            org: org.map(Arc::unwrap_or_clone),
        };
        let found = Found {
            closed: home.closed,
            reservations: home.reservations,
        };
        Ok(Some((known, found)))
    }
}

/// A copy of the account's home as far as it is known, to try on it what is not to happen.
pub(crate) fn home_of(account: &AccountId, known: Option<&CachedHome>) -> Home {
    let Some(known) = known else {
        return Home::empty(account.clone());
    };
    let mut home = Home::empty(known.home.clone());
    home.version = known.version;
    let user = Arc::new(known.user.clone());
    home.accounts.insert(account.clone(), user);
    if let Some(org) = &known.org {
        home.accounts
            .insert(known.home.clone(), Arc::new(org.clone()));
    }
    home
}

/// Answers of a cache: hits and misses.
type Answers = (&'static str, Counter, Counter);

/// Kept, because looking a counter up costs as much as the read that it counts.
static ANSWERS: RwLock<Vec<Answers>> = RwLock::new(Vec::new());

fn count_read(cache: &'static str, is_hit: bool) {
    let count = |answers: &[Answers]| {
        let (_, hits, misses) = answers.iter().find(|(name, ..)| *name == cache)?;
        let counter = if is_hit { hits } else { misses };
        counter.increment(1);
        Some(())
    };
    {
        let answers = ANSWERS.read().unwrap_or_else(PoisonError::into_inner);
        if count(&answers).is_some() {
            return;
        }
    }
    let counter = |hit| counter!("quota_cache_hit_total", "cache_type" => cache, "hit" => hit);
    let mut answers = ANSWERS.write().unwrap_or_else(PoisonError::into_inner);
    answers.push((cache, counter("true"), counter("false")));
    // Of two that came at once the first is found from now on; both are the same counter.
    count(&answers);
}

/// Ends, in memory only, the holds whose deadline has come (R4).
fn end_holds(
    home: &mut Home,
    account: &AccountId,
    context: &Context<'_>,
) -> Result<(), EngineError> {
    let sweep = Request::rehearsal(account, Command::Sweep);
    let outcome = execute(home, &sweep, context)?;
    debug_assert_eq!(
        outcome.operation.answer,
        Answer::Unchanged,
        "a sweep books nothing"
    );
    Ok(())
}

/// Whether the parts that the engine needs answer.
#[derive(Debug)]
pub struct Health {
    /// What the store says, if it fails.
    pub store: Result<(), StoreError>,
    /// Why the store took no writes when it was last asked to, though it answers.
    pub writes: Option<WriteFault>,
    /// Whether the cache answers; without it everything is right, and slower.
    pub is_cache_up: bool,
}

impl Engine {
    /// Asks the store and the cache whether they answer.
    pub async fn health(&self) -> Health {
        let (store, cache) = (self.storage().ping().await, self.cache().ping().await);
        Health {
            store,
            writes: self.inner.decider.writes.fault(),
            is_cache_up: cache.is_ok(),
        }
    }
}
