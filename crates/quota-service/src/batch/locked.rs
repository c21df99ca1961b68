//! Homes that other nodes keep changing: decided one at a time, while the store holds the lock of the home.

use std::collections::{HashMap, HashSet};

use quota_core::command::Request;
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{Lease, LoadQuery, Loaded, StoreError, WriteBatch};
use quota_core::terms::FormerHome;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::moved::CurrentHomes;
use super::pending_request::{Group, PendingRequest};
use super::writing::WrittenHome;
use super::{Decider, answer_all, answered};
use crate::EngineError;
use crate::decide::{DecidedHome, decide_home};
use crate::setting::Setting;

impl Decider {
    /// Decides one home while nobody else can write it. Returns the requests that have no answer yet: their account moved,
    /// or the fate of their write is unknown.
    pub(super) async fn process_locked(
        &self,
        group: Group,
        lease: Option<&Lease>,
    ) -> Vec<PendingRequest> {
        let query = self.query(self.clock.now(), std::iter::once(&group));
        let PreparedGroup {
            group,
            setting,
            former,
            left_closed,
            former_homes,
            absent,
            moved,
        } = match self.before_lock(group, &query).await {
            Ok(prepared) => prepared,
            Err(unanswered) => return unanswered,
        };
        if group.requests.is_empty() {
            return moved;
        }
        let inputs: Vec<(Request, Vec<Uuid>)> = group
            .requests
            .iter()
            .map(|pending| {
                (
                    *pending.request.clone(),
                    pending.attempted_operations.clone(),
                )
            })
            .collect();
        let (sender, receiver) = oneshot::channel();
        let (lease, keys_since) = (lease.cloned(), query.keys_since);
        let decide = Box::new(move |mut loaded: Loaded| {
            let mut earlier = std::mem::take(&mut loaded.earlier);
            earlier.extend(former);
            let mut answered = answered(earlier);
            let mut home = loaded.homes.pop()?;
            // An account that has left since the look-up, or left and came back, is looked up again by the next try.
            let is_expected = |(request, _): &(Request, _)| {
                let known = home.accounts.get(&request.account);
                let left = known.map(|account| &account.terms.former_homes);
                left == former_homes.get(&request.account)
                    && (known.is_some() || absent.contains(&request.account))
            };
            if !inputs.iter().all(is_expected) {
                return None;
            }
            home.closed.extend(left_closed);
            let context = setting.context();
            let asked = inputs
                .iter()
                .map(|(request, attempted)| (request, attempted.as_slice()));
            let mut decided = decide_home((Box::new(home), false), &mut answered, asked, &context);
            let write = decided.take_write();
            let written = write.as_ref().map(WrittenHome::of);
            drop(sender.send((decided, written)));
            Some(WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since,
                lease,
                homes: vec![write?],
            })
        });
        let result = self.storage.write_locked(&query, decide).await;
        let decided = receiver.await;
        let mut unanswered = self.after_lock(group, result, decided.ok()).await;
        unanswered.extend(moved);
        unanswered
    }

    /// Answers by what became of the write, as far as that is known.
    async fn after_lock(
        &self,
        group: Group,
        result: Result<bool, StoreError>,
        decided: Option<(DecidedHome, Option<WrittenHome>)>,
    ) -> Vec<PendingRequest> {
        match (result, decided) {
            (Ok(has_passed), Some((decided, written))) if has_passed || written.is_none() => {
                if written.is_some() {
                    self.writes.passed();
                }
                self.announce(written.iter()).await;
                answer_all(group.requests, decided.verdicts);
            }
            // An account had left the home: nothing was decided.
            (Ok(_), None) => return group.requests,
            (Ok(_), Some(_)) => {
                return answer_certain(group.requests, || EngineError::Busy);
            }
            (Err(error), decided) => {
                self.writes.failed(&error);
                return not_locked(group.requests, &error, decided);
            }
        }
        Vec::new()
    }

    /// Reads what need not be read under the lock: the catalog, who lives elsewhere, and first answers from former homes,
    /// which do not change any more.
    async fn before_lock(
        &self,
        mut group: Group,
        query: &LoadQuery,
    ) -> Result<PreparedGroup, Vec<PendingRequest>> {
        let read = async {
            let catalog = self.catalogs.refresh().await?;
            let loaded = self.storage.load(query).await?;
            Ok::<_, StoreError>((catalog, loaded))
        };
        let (catalog, mut loaded) = match read.await {
            Ok(read) => read,
            Err(error) => return Err(self.not_loaded(vec![group], error).to_retry),
        };
        loaded.earlier.clear();
        let (mut moved, mut absent) = (Vec::new(), HashSet::new());
        let mut former_homes = HashMap::new();
        if let Some(home) = loaded.homes.first() {
            moved = self
                .take_moved(&mut group, home, &mut CurrentHomes::new())
                .await;
            let accounts = group
                .requests
                .iter()
                .map(|pending| &pending.request.account);
            let is_absent = |account: &&AccountId| !home.accounts.contains_key(*account);
            absent.extend(accounts.clone().filter(is_absent).cloned());
            former_homes.extend(accounts.filter_map(|id| {
                let account = home.accounts.get(id)?;
                Some((id.clone(), account.terms.former_homes.clone()))
            }));
        }
        // The home itself is read once more under the lock.
        for home in &mut loaded.homes {
            home.closed.clear();
        }
        let groups = std::slice::from_ref(&group);
        if let Err(error) = self.add_of_former_homes(groups, query, &mut loaded).await {
            moved.extend(self.not_loaded(vec![group], error).to_retry);
            return Err(moved);
        }
        let setting = Setting {
            catalog,
            now: query.now,
            grace: self.settings.grace,
        };
        Ok(PreparedGroup {
            group,
            setting,
            former: loaded.earlier,
            left_closed: loaded
                .homes
                .into_iter()
                .flat_map(|home| home.closed)
                .collect(),
            former_homes,
            absent,
            moved,
        })
    }
}

/// The locked write failed. Those whose fate is unknown, by this try or by an earlier one, are tried again, and found by the
/// ids of their operations if one took effect.
fn not_locked(
    mut requests: Vec<PendingRequest>,
    error: &StoreError,
    decided: Option<(DecidedHome, Option<WrittenHome>)>,
) -> Vec<PendingRequest> {
    if matches!(error, StoreError::Unavailable(_)) {
        for pending in &mut requests {
            pending.is_uncertain = true;
        }
        let verdicts = decided.into_iter().flat_map(|(home, _)| home.verdicts);
        for (pending, verdict) in requests.iter_mut().zip(verdicts) {
            pending.mark_uncertain(&verdict);
        }
        return requests;
    }
    if error.is_transient() {
        return answer_certain(requests, || EngineError::Store(error.repeated()));
    }
    for pending in requests {
        pending.answer(Err(EngineError::Store(error.repeated())));
    }
    Vec::new()
}

/// Answers those requests of which surely nothing took effect; returns the others.
fn answer_certain(
    requests: Vec<PendingRequest>,
    error: impl Fn() -> EngineError,
) -> Vec<PendingRequest> {
    let (uncertain, certain): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|pending| pending.is_uncertain);
    for pending in certain {
        pending.answer(Err(error()));
    }
    uncertain
}

/// A group, with all that is read for it before its home is locked.
struct PreparedGroup {
    group: Group,
    setting: Setting,
    /// First answers from former homes.
    former: Vec<Operation>,
    /// What its accounts closed in homes that they left.
    left_closed: Vec<ClosedBalance>,
    /// Those homes, by account.
    former_homes: HashMap<AccountId, Vec<FormerHome>>,
    /// Accounts that live nowhere.
    absent: HashSet<AccountId>,
    /// Requests whose account lives elsewhere.
    moved: Vec<PendingRequest>,
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use quota_core::command::Command;
    use quota_core::origin::Origin;

    use super::*;
    use crate::decide::Verdict;

    fn pending(is_uncertain: bool) -> (PendingRequest, oneshot::Receiver<Verdict>) {
        let account = AccountId::parse("user:ann").expect("a literal id");
        let (reply, receiver) = oneshot::channel();
        let pending = PendingRequest {
            request: Box::new(Request {
                id: Uuid::from_u128(u128::from(is_uncertain)),
                account: account.clone(),
                key: None,
                body_hash: [0; 32],
                command: Command::Sweep,
                origin: Origin::default(),
            }),
            home: account,
            until: Instant::now(),
            is_uncertain,
            attempted_operations: Vec::new(),
            attempts: 0,
            is_rechecked: false,
            reply,
        };
        (pending, receiver)
    }

    /// I8: a store that is full now says nothing of an earlier try: what that may have done is looked up before it is answered.
    #[test]
    fn an_earlier_try_that_may_have_taken_effect_is_not_answered_with_a_later_error() {
        let full = StoreError::Full("no room".into());
        let (unsure, mut unsure_waits) = pending(true);
        let (sure, mut sure_waits) = pending(false);
        let left = not_locked(vec![unsure, sure], &full, None);
        assert_eq!(left.len(), 1);
        assert!(left[0].is_uncertain);
        assert!(unsure_waits.try_recv().is_err(), "no answer yet");
        let answer = sure_waits.try_recv().expect("an answer");
        assert!(matches!(
            answer,
            Err(EngineError::Store(StoreError::Full(_)))
        ));
        let gone = StoreError::Unavailable("gone".into());
        let (sure, mut sure_waits) = pending(false);
        let left = not_locked(vec![sure], &gone, None);
        assert!(left.iter().all(|pending| pending.is_uncertain) && left.len() == 1);
        assert!(sure_waits.try_recv().is_err(), "nobody knows yet");
    }
}
