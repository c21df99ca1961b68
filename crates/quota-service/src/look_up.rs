//! Reads of one thing by its id: a reservation, an operation, a grant; and of all grants and boosts.

use std::collections::BTreeMap;

use chrono::DateTime;
use quota_core::answer::Rejection;
use quota_core::balance::{Balance, Bucket};
use quota_core::home::{ClosedBalance, Home};
use quota_core::ids::{AccountId, GrantId, IdempotencyKey};
use quota_core::operation::Operation;
use quota_core::ports::{AccountRow, ClosedKind, ClosedQuery, HomeQuery, KeyQuery, LoadQuery};
use quota_core::reservation::{Ending, Reservation, ReservationState};
use quota_core::rules::ending::ending;
use uuid::Uuid;

use crate::{Engine, EngineError};

impl Engine {
    /// A reservation of an account, and how it ended if it has; one past its deadline is `expired` whether or not that
    /// is booked (R4). Those from before the account moved are found too.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account or reservation, [`EngineError::Store`] when it cannot be
    /// read.
    pub async fn reservation(
        &self,
        account: &AccountId,
        id: Uuid,
    ) -> Result<(Reservation, Ending), EngineError> {
        let mut expired = None;
        for home in self.homes_of(account).await? {
            let query = HomeQuery {
                reservations: vec![id],
                ..HomeQuery::of(home)
            };
            let Some(mut home) = self.load_one(query).await? else {
                continue;
            };
            let found = home.reservations.remove(&id);
            let Some(mut held) = found.filter(|held| held.account == *account) else {
                continue;
            };
            if held.state == ReservationState::Open && !held.is_live(self.now()) {
                held.state = ReservationState::Expired;
            }
            let ending = ending(&home, &held);
            // It may have been committed late in another home.
            if held.state != ReservationState::Expired || held.late_commit.is_some() {
                return Ok((held, ending));
            }
            expired.get_or_insert((held, ending));
        }
        expired.ok_or_else(|| Rejection::UnknownReservation.into())
    }

    /// An operation of an account, also one from before the account moved.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account or operation, [`EngineError::Store`] when it cannot be
    /// read.
    pub async fn operation(&self, account: &AccountId, id: Uuid) -> Result<Operation, EngineError> {
        for home in self.homes_of(account).await? {
            let query = HomeQuery {
                operations: vec![id],
                ..HomeQuery::of(home)
            };
            let Some(mut home) = self.load_one(query).await? else {
                continue;
            };
            let found = home.referred.remove(&id).map(|found| found.operation);
            if let Some(operation) = found.filter(|found| found.account == *account) {
                return Ok(operation);
            }
        }
        Err(Rejection::UnknownOperation.into())
    }

    /// The operation that a key of an account stands for, however long ago it was booked; none when the key is free, or there
    /// is no such account.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be read.
    pub async fn operation_under(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<Operation>, EngineError> {
        let homes = match self.homes_of(account).await {
            Err(EngineError::Rejected(Rejection::UnknownAccount)) => return Ok(None),
            homes => homes?,
        };
        let asked = |home| HomeQuery {
            keys: vec![KeyQuery {
                account: account.clone(),
                key: key.clone(),
            }],
            ..HomeQuery::of(home)
        };
        let query = LoadQuery {
            now: self.now(),
            keys_since: DateTime::UNIX_EPOCH,
            homes: homes.into_iter().map(asked).collect(),
        };
        let found = async { Ok(self.storage().load(&query).await?.earlier.pop()) };
        self.in_time(found).await
    }

    /// A grant of an account, live or ended, also one that ended before the account moved.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account or grant, [`EngineError::Store`] when it cannot be read.
    pub async fn grant(&self, account: &AccountId, id: &GrantId) -> Result<Balance, EngineError> {
        let bucket = Bucket::Grant(id.clone());
        let mut records = Vec::new();
        for home in self.homes_of(account).await? {
            let query = HomeQuery {
                accounts: vec![account.clone()],
                closed: vec![ClosedQuery {
                    account: account.clone(),
                    what: ClosedKind::Grant(id.clone()),
                }],
                ..HomeQuery::of(home)
            };
            let Some(home) = self.load_one(query).await? else {
                continue;
            };
            let known = home.accounts.get(account);
            if let Some(live) = known.and_then(|known| known.books.balance(&bucket)) {
                return Ok(live.clone());
            }
            records.extend(home.closed);
        }
        let last = records.into_iter().min_by_key(ClosedBalance::rank);
        let last = last.map(|closed| closed.balance);
        last.ok_or_else(|| Rejection::UnknownGrant(id.clone()).into())
    }

    /// All grants of an account, by id: live and ended, also those that ended before the account moved.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is no such account, [`EngineError::Store`] when it cannot be read.
    pub async fn grants(&self, account: &AccountId) -> Result<Vec<Balance>, EngineError> {
        let grants = self.given(account, ClosedKind::Grants, |bucket| {
            let Bucket::Grant(id) = bucket else {
                return None;
            };
            Some(id.as_str().to_owned())
        });
        grants.await
    }

    /// All boosts of an account, by id: live and ended, also those that ended before the account moved.
    ///
    /// # Errors
    /// Those of [`Engine::grants`].
    pub async fn boosts(&self, account: &AccountId) -> Result<Vec<Balance>, EngineError> {
        let boosts = self.given(account, ClosedKind::Boosts, |bucket| {
            let Bucket::Boost(_, id) = bucket else {
                return None;
            };
            Some(id.as_str().to_owned())
        });
        boosts.await
    }

    /// All that was sold to an account on demand, in every period: also in those that ended before it moved.
    ///
    /// # Errors
    /// Those of [`Engine::grants`].
    pub async fn sales(&self, account: &AccountId) -> Result<Vec<Balance>, EngineError> {
        let sales = self.given(account, ClosedKind::Sales, |bucket| {
            matches!(bucket, Bucket::OnDemand(..)).then(|| bucket.to_string())
        });
        sales.await
    }

    /// All balances of an account that `id_of` knows, by their ids: live ones, and those that were closed in any of its
    /// homes.
    async fn given(
        &self,
        account: &AccountId,
        what: ClosedKind,
        id_of: fn(&Bucket) -> Option<String>,
    ) -> Result<Vec<Balance>, EngineError> {
        let row = self.account(account).await?;
        let live = row.account.books.balances.clone();
        let mut records: BTreeMap<String, ClosedBalance> = BTreeMap::new();
        for home in homes(row) {
            let query = HomeQuery {
                closed: vec![ClosedQuery {
                    account: account.clone(),
                    what: what.clone(),
                }],
                ..HomeQuery::of(home)
            };
            let closed = self.load_one(query).await?.map(|home| home.closed);
            for closed in closed.into_iter().flatten() {
                let Some(id) = id_of(&closed.balance.bucket) else {
                    continue;
                };
                let known = records.get(&id);
                if known.is_none_or(|known| closed.rank() < known.rank()) {
                    records.insert(id, closed);
                }
            }
        }
        let records = records.into_iter().map(|(id, closed)| (id, closed.balance));
        let mut given: BTreeMap<String, Balance> = records.collect();
        given.extend(
            live.into_iter()
                .filter_map(|balance| Some((id_of(&balance.bucket)?, balance))),
        );
        Ok(given.into_values().collect())
    }

    /// Where an account lives, then where it lived before, latest first.
    async fn homes_of(&self, account: &AccountId) -> Result<Vec<AccountId>, EngineError> {
        Ok(homes(self.account(account).await?))
    }

    async fn load_one(&self, query: HomeQuery) -> Result<Option<Home>, EngineError> {
        let now = self.now();
        let query = LoadQuery {
            now,
            keys_since: now,
            homes: vec![query],
        };
        let found = async { Ok(self.storage().load(&query).await?.homes.pop()) };
        self.in_time(found).await
    }
}

fn homes(row: AccountRow) -> Vec<AccountId> {
    let former = row.account.terms.former_homes.into_iter().rev();
    let homes = std::iter::once(row.home).chain(former.map(|former| former.home));
    homes.collect()
}
