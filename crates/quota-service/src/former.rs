//! Refunds and late commits of what happened in a home that its user left (X3).

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::command::{Command, Reads, Request};
use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, LoadQuery, Loaded, WriteBatch};
use quota_core::rules::former::{Homes, settle_former};

use crate::ask::Ask;
use crate::decide::{DecidedHome, Reply, Verdict};
use crate::moving::{first_answer, home_query};
use crate::setting::Setting;
use crate::{Engine, EngineError};

/// Tries while others work on either home.
const ATTEMPTS_MAX: u32 = 20;

/// Where the account lives, and the former home in which something lies that a request refers to.
struct Found {
    present: Home,
    former: Home,
    setting: Setting,
}

/// What was found for a request.
enum Search {
    /// It was answered before, in this home.
    Answered(Box<Reply>),
    /// It is to be decided on these homes.
    Found(Box<Found>),
    /// The account came back meanwhile to where that lies: it is decided there as any other.
    AtHome,
    /// The account moved between the reads.
    Moving,
}

impl Engine {
    /// Carries out a request that refers to what lies in a former home of its account; both homes are written together.
    pub(crate) async fn settle_former(&self, ask: Ask) -> Verdict {
        let request = self.request(ask.clone());
        for _ in 0..ATTEMPTS_MAX {
            let found = match self.find_former(&request).await? {
                Search::Answered(reply) => return Ok(*reply),
                Search::AtHome => return self.decide_at_home(ask).await,
                Search::Moving => continue,
                Search::Found(found) => *found,
            };
            let Found {
                present,
                former,
                setting,
            } = found;
            let home = present.id.clone();
            let mut present = DecidedHome::new((Box::new(present), false));
            let mut former = DecidedHome::new((Box::new(former), false));
            let homes = Homes {
                present: &mut present.home,
                former: &mut former.home,
            };
            let outcome = settle_former(homes, &request, &setting.context())?;
            let reply = |is_replay| Reply {
                home: home.clone(),
                operation: outcome.operation.clone(),
                is_replay,
            };
            if !outcome.is_booked {
                return Ok(reply(false));
            }
            let writes = [present.take_write(), former.take_write()];
            let batch = WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since: self.keys_since(setting.now),
                lease: None,
                homes: writes.into_iter().flatten().collect(),
            };
            if self.storage().write_together(&batch).await? {
                let written = batch.homes.iter();
                let versions: Vec<(AccountId, u64)> = written
                    .map(|write| (write.home.clone(), write.new_version))
                    .collect();
                if let Err(error) = self.cache().advance(&versions, false).await {
                    tracing::debug!(%error, "the cache was not told");
                }
                return Ok(reply(false));
            }
        }
        Err(EngineError::Busy)
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

    /// Reads where the account lives and the homes that it left, the latest first.
    async fn find_former(&self, request: &Request) -> Result<Search, EngineError> {
        let user = &request.account;
        let now = self.now();
        let present = self.inner.decider.homes.look_up(user).await?;
        let mut query = home_query(&present, request);
        refer(&mut query, request);
        let mut loaded = self.load_homes(now, vec![query]).await?;
        if let Some(first) = loaded.earlier.pop() {
            let answer = first_answer(&present, first, &request.body_hash)?;
            return Ok(Search::Answered(Box::new(answer)));
        }
        let catalog = self.inner.decider.catalogs.at(loaded.catalog_version);
        let setting = Setting {
            catalog: catalog.await?,
            now,
            grace: self.settings().grace,
        };
        let present = loaded.homes.pop().ok_or_else(|| absent(request))?;
        let Some(account) = present.accounts.get(user) else {
            return if self
                .inner
                .decider
                .is_between_moves(&present.id, user)
                .await?
            {
                Ok(Search::Moving)
            } else {
                Err(absent(request).into())
            };
        };
        if holds(&present, request) {
            return Ok(Search::AtHome);
        }
        let former = account.terms.former_homes.iter().rev();
        let former = former.map(|former| &former.home);
        let queries = former.filter(|home| **home != present.id).map(|home| {
            let mut query = home_query(home, request);
            query.accounts.clear();
            refer(&mut query, request);
            query
        });
        let queries: Vec<HomeQuery> = queries.collect();
        if queries.is_empty() {
            return Err(absent(request).into());
        }
        let mut loaded = self.load_homes(now, queries).await?;
        if let Some(first) = loaded.earlier.pop() {
            let answer = first_answer(&present.id, first, &request.body_hash)?;
            return Ok(Search::Answered(Box::new(answer)));
        }
        let mut homes = loaded.homes.into_iter();
        let former = homes.find(|home| holds(home, request));
        let former = former.ok_or_else(|| absent(request))?;
        Ok(Search::Found(Box::new(Found {
            present,
            former,
            setting,
        })))
    }
}

/// Asks for what the request refers to.
fn refer(query: &mut HomeQuery, request: &Request) {
    match request.command.traits().reads {
        Reads::Account | Reads::Stored | Reads::Windows(_) => {}
        Reads::Reservation(reservation) => query.reservations.push(reservation),
        Reads::Operation(operation) => query.operations.push(operation),
    }
}

fn holds(home: &Home, request: &Request) -> bool {
    match request.command.traits().reads {
        Reads::Account | Reads::Stored | Reads::Windows(_) => false,
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
