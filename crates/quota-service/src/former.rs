//! Refunds and late commits of what happened in a home that its user left (X3).

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::command::{Command, Reads, Request};
use quota_core::home::{Account, ClosedBalance, Home};
use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, LoadQuery, Loaded, StoreError, WriteBatch};
use quota_core::rules::former::{Homes, Needs, lies_in_parts, settle_former};
use uuid::Uuid;

use crate::ask::Ask;
use crate::batch::{UNKNOWN_MAX, UNKNOWN_WAIT};
use crate::decide::{DecidedHome, Reply, Verdict};
use crate::moving::{first_answer, home_query};
use crate::setting::Setting;
use crate::{Engine, EngineError};

/// Tries while others work on one of the homes.
const ATTEMPTS_MAX: u32 = 20;

/// Where the account lives, and the other homes in which something lies that a request refers to.
struct Found {
    present: Home,
    others: Vec<Home>,
    /// What of it was closed in the homes that the account left, the latest first.
    left_closed: Vec<ClosedBalance>,
    setting: Setting,
}

/// What was found for a request.
enum Search {
    /// It was answered before, or an earlier try took effect.
    Answered(Box<Reply>),
    /// It is to be decided on these homes.
    Found(Box<Found>),
    /// All of it lies where the account lives now: it is decided there as any other.
    AtHome,
    /// The account moved between the reads.
    Moving,
}

impl Engine {
    /// Carries out a request that refers to what lies in a former home of its account; the homes are written together. As in
    /// a queue: the wait ends with the deadline, and the request is carried out all the same.
    pub(crate) async fn settle_former(&self, ask: Ask) -> Verdict {
        let engine = self.clone();
        let work = async move { engine.settle(ask).await };
        self.in_own_task(Box::pin(work)).await
    }

    async fn settle(&self, ask: Ask) -> Verdict {
        let request = self.request(ask.clone());
        let (mut attempted, mut failures) = (Vec::new(), 0);
        for _ in 0..ATTEMPTS_MAX {
            let error = match self.try_former(&ask, &request, &mut attempted).await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => continue,
                Err(error) => error,
            };
            // Whether an earlier try took effect is looked up before anything is answered.
            if attempted.is_empty() || !error.is_transient() {
                return Err(error);
            }
            if failures == UNKNOWN_MAX {
                break;
            }
            tokio::time::sleep(UNKNOWN_WAIT * 2_u32.pow(failures)).await;
            failures += 1;
        }
        Err(if attempted.is_empty() {
            EngineError::Busy
        } else {
            EngineError::Deadline
        })
    }

    /// One try. `None` when others changed one of the homes meanwhile.
    async fn try_former(
        &self,
        ask: &Ask,
        request: &Request,
        attempted: &mut Vec<Uuid>,
    ) -> Result<Option<Reply>, EngineError> {
        let found = match self.find_former(request, attempted).await? {
            Search::Answered(reply) => return Ok(Some(*reply)),
            Search::AtHome => {
                let attempted = std::mem::take(attempted);
                return self.decide_after(ask.clone(), attempted).await.map(Some);
            }
            Search::Moving => return Ok(None),
            Search::Found(found) => *found,
        };
        let fresh = |home| DecidedHome::new((Box::new(home), false));
        let mut present = fresh(found.present);
        let mut others: Vec<DecidedHome> = found.others.into_iter().map(fresh).collect();
        let homes = Homes {
            present: &mut present.home,
            others: others.iter_mut().map(|other| &mut *other.home).collect(),
            left_closed: found.left_closed,
        };
        let setting = found.setting;
        let outcome = settle_former(homes, request, &setting.context());
        if let Err(error @ Rejection::BalanceMissing { .. }) = &outcome {
            tracing::error!(account = %request.account, %error, "a refund finds what it drew from in no books");
        }
        let outcome = outcome?;
        let reply = Reply {
            home: present.home.id.clone(),
            operation: outcome.operation,
            is_replay: false,
        };
        if !outcome.is_booked {
            return Ok(Some(reply));
        }
        let decided = std::iter::once(&mut present).chain(&mut others);
        let batch = WriteBatch {
            catalog_version: setting.catalog.version,
            keys_since: self.keys_since(setting.now),
            lease: None,
            homes: decided.filter_map(DecidedHome::take_write).collect(),
        };
        match self.storage().write_together(&batch).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                self.inner.decider.writes.failed(&error);
                if matches!(error, StoreError::Unavailable(_)) {
                    attempted.push(reply.operation.id);
                }
                return Err(error.into());
            }
        }
        self.inner.decider.writes.passed();
        let written = batch.homes.iter();
        let versions: Vec<(AccountId, u64)> = written
            .map(|write| (write.home.clone(), write.new_version))
            .collect();
        if let Err(error) = self.cache().advance(&versions, false).await {
            tracing::debug!(%error, "the cache was not told");
        }
        Ok(Some(reply))
    }

    fn keys_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.settings().keys_kept
    }

    async fn load_homes(
        &self,
        now: DateTime<Utc>,
        homes: Vec<HomeQuery>,
    ) -> Result<Loaded, EngineError> {
        let query = LoadQuery {
            now,
            keys_since: self.keys_since(now),
            homes,
        };
        Ok(self.storage().load(&query).await?)
    }

    /// Finds the home in which that lies which a request refers to, among that where the account lives and those that it
    /// left, the latest first; then reads all that is needed at one instant.
    async fn find_former(
        &self,
        request: &Request,
        attempted: &[Uuid],
    ) -> Result<Search, EngineError> {
        let user = &request.account;
        let now = self.now();
        let present = self.inner.decider.homes.look_up(user).await?;
        let mut query = home_query(&present, request);
        refer(&mut query, request);
        query.operations.extend_from_slice(attempted);
        let mut loaded = self.load_homes(now, vec![query]).await?;
        if let Some(reply) = answered(&present, &mut loaded, request, attempted)? {
            return Ok(Search::Answered(reply));
        }
        let present = loaded.homes.pop().ok_or_else(|| absent(request))?;
        let Some(account) = present.accounts.get(user) else {
            let homes = &self.inner.decider;
            return if homes.is_between_moves(&present.id, user).await? {
                Ok(Search::Moving)
            } else {
                Err(absent(request).into())
            };
        };
        let is_whole = holds(&present, request) && !lies_in_parts(&present, request);
        if is_whole && attempted.is_empty() {
            return Ok(Search::AtHome);
        }
        let left = left_homes(account, &present.id);
        let queries = left.iter().map(|home| {
            let mut query = home_query(home, request);
            query.accounts.clear();
            refer(&mut query, request);
            query.operations.extend_from_slice(attempted);
            query
        });
        let mut loaded = self.load_homes(now, queries.collect()).await?;
        if let Some(reply) = answered(&present.id, &mut loaded, request, attempted)? {
            return Ok(Search::Answered(reply));
        }
        if is_whole {
            return Ok(Search::AtHome);
        }
        let mut homes = std::iter::once(&present).chain(&loaded.homes);
        let found = homes.find(|home| holds(home, request));
        let found = found.ok_or_else(|| absent(request))?;
        self.read_together(now, (&present, found), (request, attempted))
            .await
    }

    /// Reads where the account lives and the homes in which something lies that the request refers to, all of one instant; of
    /// the other homes that the account left, what was closed there. An earlier try may have taken effect since what was read
    /// before: it is looked for once more.
    async fn read_together(
        &self,
        now: DateTime<Utc>,
        (present, found): (&Home, &Home),
        (request, attempted): (&Request, &[Uuid]),
    ) -> Result<Search, EngineError> {
        let user = &request.account;
        let account = present.accounts.get(user);
        let left = account.map_or_else(Vec::new, |account| left_homes(account, &present.id));
        let homes = (&present.id, found, left.as_slice());
        let (queries, decided) = queries_together(homes, request, attempted);
        let mut loaded = self.load_homes(now, queries).await?;
        if let Some(reply) = answered(&present.id, &mut loaded, request, attempted)? {
            return Ok(Search::Answered(reply));
        }
        let catalog = self.inner.decider.catalogs.at(loaded.catalog_version);
        let setting = Setting {
            catalog: catalog.await?,
            now,
            grace: self.settings().grace,
        };
        let of_left = left.iter().filter_map(|left| {
            let mut homes = loaded.homes.iter();
            homes.find(|home| home.id == *left)
        });
        let left_closed = of_left.flat_map(|home| &home.closed);
        let left_closed = left_closed.filter(|closed| closed.account == *user);
        let left_closed = left_closed.cloned().collect();
        let mut homes = loaded.homes.into_iter().take(decided);
        let has_not_moved = |home: &Home| {
            let account = home.accounts.get(user);
            account.is_some_and(|account| left_homes(account, &home.id) == left)
        };
        let Some(present) = homes.next().filter(has_not_moved) else {
            return Ok(Search::Moving);
        };
        Ok(Search::Found(Box::new(Found {
            present,
            others: homes.collect(),
            left_closed,
            setting,
        })))
    }
}

/// The homes that an account left, the latest first.
fn left_homes(account: &Account, present: &AccountId) -> Vec<AccountId> {
    let former = account.terms.former_homes.iter().rev();
    let former = former.map(|former| former.home.clone());
    former.filter(|home| home != present).collect()
}

/// What is read together: where the account lives, where that lies which the request refers to, and where a part of it is
/// booked; behind these, whose number comes too, the other homes that the account left, for what was closed there.
fn queries_together(
    (present, found, left): (&AccountId, &Home, &[AccountId]),
    request: &Request,
    attempted: &[Uuid],
) -> (Vec<HomeQuery>, usize) {
    let (needs, user) = (Needs::of(found, request), &request.account);
    let mut queries = vec![home_query(present, request)];
    let of_part = needs.part.iter().map(|(home, _)| home);
    add_homes(&mut queries, std::iter::once(&found.id).chain(of_part));
    let decided = queries.len();
    if needs.closed.iter().any(|closed| closed.account == *user) {
        add_homes(&mut queries, left.iter());
    }
    for query in &mut queries {
        if query.home == found.id {
            refer(query, request);
        }
        query.operations.extend_from_slice(attempted);
        let part = needs.part.iter().filter(|(home, _)| *home == query.home);
        query
            .operations
            .extend(part.map(|(_, operation)| operation));
        let lived_here = query.home == *present || left.contains(&query.home);
        let closed = needs.closed.iter().filter(|closed| {
            (lived_here && closed.account == *user) || closed.account == query.home
        });
        query.closed.extend(closed.cloned());
    }
    (queries, decided)
}

/// Adds queries of homes that are not asked for yet.
fn add_homes<'a>(queries: &mut Vec<HomeQuery>, homes: impl Iterator<Item = &'a AccountId>) {
    for home in homes {
        if queries.iter().all(|query| query.home != *home) {
            queries.push(HomeQuery::of(home.clone()));
        }
    }
}

/// The first answer under the request's key, or what an earlier try of it has booked.
fn answered(
    home: &AccountId,
    loaded: &mut Loaded,
    request: &Request,
    attempted: &[Uuid],
) -> Result<Option<Box<Reply>>, EngineError> {
    let mut ids = attempted.iter();
    let booked = ids.find_map(|id| {
        let mut homes = loaded.homes.iter();
        homes.find_map(|home| Some((home.id.clone(), home.referred.get(id)?.operation.clone())))
    });
    if let Some((home, operation)) = booked {
        return Ok(Some(Box::new(Reply {
            home,
            operation: operation.into(),
            is_replay: false,
        })));
    }
    let first = loaded.earlier.pop();
    let reply = first.map(|first| first_answer(home, first, &request.body_hash));
    Ok(reply.transpose()?.map(Box::new))
}

/// Asks for what the request refers to.
fn refer(query: &mut HomeQuery, request: &Request) {
    match request.command.traits().reads {
        Reads::Account
        | Reads::Stored
        | Reads::Grants
        | Reads::Boosts
        | Reads::Purchases
        | Reads::Counters
        | Reads::TokenCounts
        | Reads::Windows(_) => {}
        Reads::Reservation(reservation) => query.reservations.push(reservation),
        Reads::Operation(operation) => query.operations.push(operation),
    }
}

fn holds(home: &Home, request: &Request) -> bool {
    match request.command.traits().reads {
        Reads::Account
        | Reads::Stored
        | Reads::Grants
        | Reads::Boosts
        | Reads::Purchases
        | Reads::Counters
        | Reads::TokenCounts
        | Reads::Windows(_) => false,
        Reads::Reservation(reservation) => home.reservations.contains_key(&reservation),
        Reads::Operation(operation) => home.referred.contains_key(&operation),
    }
}

/// What a request refers to is nowhere.
fn absent(request: &Request) -> Rejection {
    if matches!(request.command, Command::Refund(_)) {
        Rejection::UnknownOperation
    } else {
        Rejection::UnknownReservation
    }
}
