//! The store: two verbs, `load` and `write`. It holds no rule.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::jobs::Lease;
use super::store_error::StoreError;
use crate::balance::Bucket;
use crate::command::Reads;
use crate::event::Event;
use crate::home::{Account, ClosedBalance, Home};
use crate::ids::{AccountId, BoostId, FeatureCode, GrantId, IdempotencyKey};
use crate::operation::{Operation, sequence_of};
use crate::reservation::Reservation;

/// Which accounts of a home are wanted; the home's own account always comes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeQuery {
    /// The account that the home is named after.
    pub home: AccountId,
    /// Accounts in it, beside its own.
    pub accounts: Vec<AccountId>,
    /// Reservations in it. With one that has ended comes the operation that ended it, and its late commit.
    pub reservations: Vec<Uuid>,
    /// Operations in it, of any of its lives, each with its refunds and with those of its buckets that were closed.
    pub operations: Vec<Uuid>,
    /// Closed balances of accounts in it.
    pub closed: Vec<ClosedQuery>,
    /// Keys whose first answers are wanted.
    pub keys: Vec<KeyQuery>,
}

impl HomeQuery {
    /// Wants nothing of a home but its own account.
    pub fn of(home: AccountId) -> Self {
        Self {
            home,
            accounts: Vec::new(),
            reservations: Vec::new(),
            operations: Vec::new(),
            closed: Vec::new(),
            keys: Vec::new(),
        }
    }
}

/// Closed balances of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedQuery {
    /// The account whose balances they are.
    pub account: AccountId,
    /// All windows of a feature, one grant or boost, or all of these.
    pub what: ClosedKind,
}

/// Which closed balances of an account are wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedKind {
    /// All windows of a feature, under a subscription or without one, those of further limits too (C9).
    Windows(FeatureCode),
    /// The same of all features.
    AllWindows,
    /// One grant.
    Grant(GrantId),
    /// Every grant that the account ever had and that was closed.
    Grants,
    /// The boost of that feature and id.
    Boost(FeatureCode, BoostId),
    /// Every boost that the account ever had and that was closed.
    Boosts,
    /// What was sold of a feature on demand, in all periods.
    OnDemand(FeatureCode),
    /// What was sold of every feature on demand, in all periods.
    Sales,
    /// What was used with tokens, over their lifetime and in the windows of their caps (T3).
    TokenCounts,
}

impl ClosedKind {
    /// In which a balance of this bucket is found once it is closed, wherever it was moved; none when it need not be.
    pub(crate) fn of(bucket: &Bucket) -> Option<Self> {
        match bucket {
            // What stands may have been moved to a window.
            Bucket::Window(feature, _)
            | Bucket::Tracked(feature, _)
            | Bucket::Standing(feature) => Some(Self::Windows(feature.clone())),
            Bucket::Grant(grant) => Some(Self::Grant(grant.clone())),
            Bucket::Boost(feature, boost) => Some(Self::Boost(feature.clone(), boost.clone())),
            Bucket::OnDemand(feature, _) => Some(Self::OnDemand(feature.clone())),
            Bucket::Further(..)
            | Bucket::Trial(_)
            | Bucket::Room(_)
            | Bucket::Member(..)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => None,
        }
    }

    /// What a command reads of the closed balances of its account; of windows, those of its home too.
    pub fn read_by(reads: Reads<'_>) -> Vec<Self> {
        match reads {
            Reads::Account | Reads::Stored | Reads::Reservation(_) | Reads::Operation(_) => {
                Vec::new()
            }
            Reads::Grants => vec![Self::Grants],
            Reads::Boosts => vec![Self::Boosts],
            Reads::Purchases => vec![Self::Grants, Self::Boosts],
            Reads::Counters => vec![Self::AllWindows, Self::Sales],
            Reads::TokenCounts => vec![Self::TokenCounts],
            Reads::Windows(track) => {
                let features = track.items.iter().map(|item| item.feature.clone());
                let of_token = track.token.as_ref().map(|_| Self::TokenCounts);
                features.map(Self::Windows).chain(of_token).collect()
            }
        }
    }
}

impl ClosedQuery {
    /// Their buckets as text: in each range from the first text on, before the second.
    pub fn ranges(&self) -> Vec<(String, String)> {
        match &self.what {
            ClosedKind::Windows(feature) => {
                // `;` follows `:`, and a code has neither.
                let range = |kind| (format!("{kind}:{feature}:"), format!("{kind}:{feature};"));
                ["window", "tracked", "further"].map(range).into()
            }
            ClosedKind::AllWindows => all_of(["window", "tracked", "further"]),
            ClosedKind::Grant(grant) => one(&Bucket::Grant(grant.clone())),
            ClosedKind::Grants => all_of(["grant"]),
            ClosedKind::Boost(feature, boost) => {
                one(&Bucket::Boost(feature.clone(), boost.clone()))
            }
            ClosedKind::Boosts => all_of(["boost"]),
            ClosedKind::OnDemand(feature) => {
                vec![(
                    format!("ondemand:{feature}:"),
                    format!("ondemand:{feature};"),
                )]
            }
            ClosedKind::Sales => all_of(["ondemand"]),
            ClosedKind::TokenCounts => all_of(["token", "tokenwindow"]),
        }
    }

    /// Whether a closed balance is one of them.
    pub fn holds(&self, account: &AccountId, bucket: &Bucket) -> bool {
        let is_wanted = match bucket {
            Bucket::Window(feature, _)
            | Bucket::Tracked(feature, _)
            | Bucket::Further(feature, ..) => {
                let of_feature = ClosedKind::Windows(feature.clone());
                self.what == ClosedKind::AllWindows || self.what == of_feature
            }
            Bucket::Grant(grant) => match &self.what {
                ClosedKind::Grants => true,
                ClosedKind::Grant(wanted) => wanted == grant,
                ClosedKind::Windows(_)
                | ClosedKind::AllWindows
                | ClosedKind::Boost(..)
                | ClosedKind::Boosts
                | ClosedKind::OnDemand(_)
                | ClosedKind::Sales
                | ClosedKind::TokenCounts => false,
            },
            Bucket::Boost(feature, boost) => match &self.what {
                ClosedKind::Boosts => true,
                ClosedKind::Boost(of, wanted) => of == feature && wanted == boost,
                ClosedKind::Windows(_)
                | ClosedKind::AllWindows
                | ClosedKind::Grant(_)
                | ClosedKind::Grants
                | ClosedKind::OnDemand(_)
                | ClosedKind::Sales
                | ClosedKind::TokenCounts => false,
            },
            Bucket::OnDemand(feature, _) => {
                let of_feature = ClosedKind::OnDemand(feature.clone());
                self.what == ClosedKind::Sales || self.what == of_feature
            }
            Bucket::Standing(_) | Bucket::Trial(_) | Bucket::Room(_) | Bucket::Member(..) => false,
            Bucket::Token(_) | Bucket::TokenWindow(..) => self.what == ClosedKind::TokenCounts,
        };
        *account == self.account && is_wanted
    }
}

/// The ranges of all buckets of these kinds.
fn all_of<const KINDS: usize>(kinds: [&str; KINDS]) -> Vec<(String, String)> {
    kinds
        .map(|kind| (format!("{kind}:"), format!("{kind};")))
        .into()
}

/// The range of one bucket: no text lies between but the bucket itself.
fn one(bucket: &Bucket) -> Vec<(String, String)> {
    vec![(bucket.to_string(), format!("{bucket}\u{1}"))]
}

/// A key within its account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyQuery {
    /// The account whose key it is.
    pub account: AccountId,
    /// The key as the caller sent it.
    pub key: IdempotencyKey,
}

/// What is wanted for a batch of requests; no home twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadQuery {
    /// Open reservations whose deadline is not later come too, with their homes and the accounts they are of.
    pub now: DateTime<Utc>,
    /// Keys older than this need not be found.
    pub keys_since: DateTime<Utc>,
    /// What is wanted of each home.
    pub homes: Vec<HomeQuery>,
}

/// What a store has of that which was asked for, all of one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Version of the catalog at the same instant.
    pub catalog_version: u64,
    /// One for each home asked for, in the same order; an absent one has version 0 and no accounts. Its
    /// `hold_before` is later than `now` once the reservations that came with it are ended.
    pub homes: Vec<Home>,
    /// Operations that carry the keys asked for.
    pub earlier: Vec<Operation>,
}

/// One account after a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountWrite {
    /// The account that is written.
    pub id: AccountId,
    /// As it is now.
    pub account: Arc<Account>,
    /// Whether its terms differ from the stored ones, or it is new. When not, only its books need to be written.
    pub has_new_terms: bool,
    /// See [`Account::due_at`].
    pub due_at: Option<DateTime<Utc>>,
}

/// One home after a batch: written whole where the stored version is still `expected_version`, else not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeWrite {
    /// The account that the home is named after.
    pub home: AccountId,
    /// The version that was loaded; 0 creates the home and must find none.
    pub expected_version: u64,
    /// The version after the last of `operations`.
    pub new_version: u64,
    /// See [`Home::hold_before`].
    pub hold_before: Option<DateTime<Utc>>,
    /// Accounts that changed or are new, each once. The home's own account among them only if it changed.
    pub accounts: Vec<AccountWrite>,
    /// New operations; their sequence runs without a gap from `expected_version + 1` to `new_version`.
    pub operations: Vec<Arc<Operation>>,
    /// Reservations that are new or changed.
    pub reservations: Vec<Reservation>,
    /// New events, for the outbox.
    pub events: Vec<Event>,
    /// Balances that were closed or whose closed value changed; none twice. Each takes the place of one with its name.
    pub closed: Vec<ClosedBalance>,
    /// Keys that were not looked for at load: the home passes only if no operation carries one.
    pub unseen_keys: Vec<KeyQuery>,
}

impl HomeWrite {
    /// Whether each key that was not looked for is that of a new operation, so that a store's unique index finds one that is
    /// taken; both are in the order of the requests.
    pub fn carries_unseen_keys(&self) -> bool {
        let mut operations = self.operations.iter();
        self.unseen_keys.iter().all(|unseen| {
            operations
                .any(|new| new.key.as_ref() == Some(&unseen.key) && new.account == unseen.account)
        })
    }

    /// What of it would damage the history of the home, if anything: a store refuses that.
    pub fn mistake(&self) -> Option<&'static str> {
        let sequences = self.operations.iter().map(|operation| operation.sequence);
        let first = self.expected_version.saturating_add(1);
        let is_misnamed =
            |operation: &Arc<Operation>| sequence_of(operation.id) != operation.sequence;
        let has_own = || self.accounts.iter().any(|own| own.id == self.home);
        if self.new_version < self.expected_version.max(1)
            || !sequences.eq(first..=self.new_version)
        {
            Some("has a gap in its history")
        } else if self.operations.iter().any(is_misnamed) {
            Some("has an operation whose id names another place")
        } else if self.expected_version == 0 && !has_own() {
            Some("is new and lacks its own account")
        } else {
            None
        }
    }
}

/// One write for many homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBatch {
    /// The catalog that was decided with: no home passes when the stored version is another.
    pub catalog_version: u64,
    /// Keys older than this need not be looked for.
    pub keys_since: DateTime<Utc>,
    /// The lease of the job that writes, if one does: no home passes when it has a newer epoch or another owner.
    pub lease: Option<Lease>,
    /// The homes; none twice.
    pub homes: Vec<HomeWrite>,
}

/// What decides a home while the store holds it; gives back what is to be written, if anything.
pub type DecideLocked = Box<dyn FnOnce(Loaded) -> Option<WriteBatch> + Send>;

/// Balances, terms, ledger, keys and reservations.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads what a batch of requests needs, in one snapshot and without a lock.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot.
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError>;

    /// Writes the homes that still are as they were loaded, each whole, and says which did: durable when it
    /// returns. Dropping the call does not undo it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] leaves open whether it took effect; any other kind means that nothing did.
    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError>;

    /// Writes homes that belong together: all of them where each still is as it was loaded, else none. The answer is
    /// whether they were written; they are durable then.
    ///
    /// # Errors
    /// As for [`Store::write`].
    async fn write_together(&self, batch: &WriteBatch) -> Result<bool, StoreError>;

    /// Loads one home, has it decided, and writes it while nobody else can: for homes that keep conflicting.
    /// The answer is whether the home passed.
    ///
    /// # Errors
    /// As for [`Store::write`].
    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError>;
}
