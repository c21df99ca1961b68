//! A user joins, leaves or changes its org.

use crate::ask::Ask;
use crate::decide::{Reply, Verdict};
use crate::{Engine, EngineError};
use quota_core::command::{AccountSpec, Command, Presence, PutAccount, Request};
use quota_core::home::Home;
use quota_core::ids::{AccountId, IdempotencyKey, OrgId};
use quota_core::operation::Operation;
use quota_core::origin::Origin;
use quota_core::ports::{HomeQuery, KeyQuery, LedgerPage, LoadQuery};
use quota_core::reservation::{Reservation, ReservationState};
use quota_core::rules::{closed_at_org, relocate};

/// Tries of a move while others work on either home.
const ATTEMPTS_MAX: u32 = 20;

impl Engine {
    /// Moves a user into an org, or out of its org for `None`, with its balances, tokens and subscription. What its
    /// org was charged stays with that org, but for capacity that the user holds there.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] for an unknown user or org and for a user with open reservations;
    /// [`EngineError::Busy`] when others keep changing either home; [`EngineError::Deadline`] when it takes too long, and it
    /// may be carried out all the same.
    pub async fn move_user(
        &self,
        user: &AccountId,
        org: Option<&OrgId>,
        key: Option<IdempotencyKey>,
        origin: Origin,
    ) -> Result<Reply, EngineError> {
        let (engine, user, org) = (self.clone(), user.clone(), org.cloned());
        let work = async move {
            engine
                .relocate_user(&user, org.as_ref(), (key, origin))
                .await
        };
        self.in_own_task(Box::pin(work)).await
    }

    async fn relocate_user(
        &self,
        user: &AccountId,
        org: Option<&OrgId>,
        (key, origin): (Option<IdempotencyKey>, Origin),
    ) -> Verdict {
        let to = org.map_or_else(|| user.clone(), AccountId::org);
        // A command that says the same: its text tells a repeated request from another one under its key.
        let request = self.request(spec_of(user, key, org.cloned(), origin));
        for _ in 0..ATTEMPTS_MAX {
            let setting = self.setting_now();
            let from = self.inner.decider.homes.look_up(user).await?;
            let mut homes = vec![home_query(&from, &request)];
            if from != to {
                homes.push(home_query(&to, &request));
            }
            let load = LoadQuery {
                now: setting.now,
                keys_since: setting.now - self.settings().keys_kept,
                homes,
            };
            let mut loaded = self.storage().load(&load).await?;
            if let Some(first) = loaded.earlier.pop() {
                return first_answer(&from, first, &request.body_hash);
            }
            let mut homes = loaded.homes.into_iter();
            let Some(mut left) = homes.next() else {
                continue;
            };
            let mut entered = homes.next().unwrap_or_else(|| Home::empty(to.clone()));
            let begins = entered.version == 0 && to == *user;
            if begins {
                entered.version = self.last_sequence(user).await?;
            }
            if self.swept(&left).await? {
                continue;
            }
            if !self.read_closed(&mut left, user).await? {
                continue;
            }
            if from == to {
                let nothing = spec_of(user, request.key, org.cloned(), request.origin);
                return self.submit(nothing).await;
            }
            let mut moved = relocate((&left, &entered), org, &request, &setting.context())?;
            if begins {
                moved.to.1 = 0;
            }
            if self.storage().relocate(&moved).await? {
                self.inner.decider.homes.remember(user, &to);
                let homes = [
                    (from, moved.left.sequence),
                    (to.clone(), moved.joined.sequence),
                ];
                if let Err(error) = self.cache().advance(&homes, true).await {
                    tracing::debug!(%error, "the cache was not told");
                }
                self.inner.decider.events.notify_one();
                return Ok(Reply {
                    home: to,
                    operation: moved.joined.into(),
                    is_replay: false,
                });
            }
        }
        Err(EngineError::Busy)
    }

    /// Reads what the org of a home has closed that the user may hold something of; `false` when the home changed meanwhile.
    async fn read_closed(&self, left: &mut Home, user: &AccountId) -> Result<bool, EngineError> {
        let closed = closed_at_org(left, user);
        if closed.is_empty() {
            return Ok(true);
        }
        let now = self.now();
        let load = LoadQuery {
            now,
            keys_since: now,
            homes: vec![HomeQuery {
                closed,
                ..HomeQuery::of(left.id.clone())
            }],
        };
        let mut loaded = self.storage().load(&load).await?;
        let read = loaded
            .homes
            .pop()
            .filter(|home| home.version == left.version);
        let Some(read) = read else {
            return Ok(false);
        };
        left.closed = read.closed;
        Ok(true)
    }

    /// Where the history of a home that has ceased stands: its next life goes on counting from there, so that no
    /// version comes twice.
    async fn last_sequence(&self, home: &AccountId) -> Result<u64, EngineError> {
        let page = LedgerPage {
            home: home.clone(),
            account: home.clone(),
            members: true,
            before: None,
            limit: 1,
        };
        let last = self.storage().ledger(&page).await?;
        Ok(last.first().map_or(0, |operation| operation.sequence))
    }

    /// Ends holds of a home that are past their deadline; `true` when there were any, and it must be read again.
    async fn swept(&self, home: &Home) -> Result<bool, EngineError> {
        let is_due =
            |held: &&Reservation| held.state == ReservationState::Open && !held.is_live(self.now());
        let Some(held) = home.reservations.values().find(is_due) else {
            return Ok(false);
        };
        let sweep = Ask {
            account: held.account.clone(),
            key: None,
            command: Command::Sweep,
            origin: Origin::default(),
        };
        self.submit(sweep).await?;
        Ok(true)
    }
}

pub(crate) fn first_answer(
    home: &AccountId,
    first: Operation,
    body_hash: &[u8; 32],
) -> Result<Reply, EngineError> {
    if first.body_hash != *body_hash {
        return Err(EngineError::key_of(&first));
    }
    Ok(Reply {
        home: home.clone(),
        operation: first.into(),
        is_replay: true,
    })
}

/// What a move has to know of either home.
pub(crate) fn home_query(home: &AccountId, request: &Request) -> HomeQuery {
    let keys = request.key.iter().map(|key| KeyQuery {
        account: request.account.clone(),
        key: key.clone(),
    });
    HomeQuery {
        accounts: vec![request.account.clone()],
        keys: keys.collect(),
        ..HomeQuery::of(home.clone())
    }
}

fn spec_of(
    user: &AccountId,
    key: Option<IdempotencyKey>,
    org: Option<OrgId>,
    origin: Origin,
) -> Ask {
    Ask {
        account: user.clone(),
        key,
        command: Command::PutAccount(PutAccount {
            presence: Presence::Existing,
            spec: AccountSpec {
                org,
                ..AccountSpec::default()
            },
        }),
        origin,
    }
}
