//! How an account stands, whatever told of it: what tests compare.

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::payment::PaymentStatus;
use quota_core::ports::PaymentPage;
use quota_core::provider::ProblemKind;
use quota_core::terms::{PlanChange, Status};

use crate::shop::{Shop, Stored, account};

/// A subscription as it counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub plan: String,
    pub status: Status,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub cancel_at: Option<DateTime<Utc>>,
    pub seats: u32,
    pub scheduled: Option<PlanChange>,
    pub is_in_force: bool,
}

/// An account with all that billing decides of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub held: Option<Held>,
    /// Limit and use of requests.
    pub requests: (Option<u64>, u64),
    pub free: u64,
    pub frozen: u64,
    pub debt: u64,
    /// Each grant with what it is worth and what is used of it.
    pub grants: Vec<(String, u64, u64)>,
    /// Add-ons that are held, and how many of each.
    pub addons: Vec<(String, u32)>,
    /// Each payment, where it stands, and what it came to.
    pub payments: Vec<(String, PaymentStatus, u64)>,
    pub problems: Vec<(ProblemKind, String)>,
}

impl<S: Stored> Shop<S> {
    pub async fn standing(&self, name: &str) -> Standing {
        let id = account(name);
        let overview = self.engine.overview(&id).await.expect("is read");
        let row = self.engine.account(&id).await.expect("is read").account;
        let catalog = self.engine.catalog_now();
        let now = overview.at;
        let held = overview.terms.subscription.as_ref().map(|stored| {
            let held = stored.current(&catalog, now);
            Held {
                plan: held.plan.to_string(),
                status: held.status,
                starts_at: held.starts_at,
                ends_at: held.ends_at,
                cancel_at: held.cancel_at,
                seats: held.seats.get(),
                scheduled: held.scheduled.clone(),
                is_in_force: overview.is_in_force,
            }
        });
        let mut features = overview.features.iter();
        let requests = features
            .find(|one| one.feature.code.as_str() == "requests")
            .map(|one| (one.own.granted.and_then(Limit::ceiling), one.own.used));
        let grants = row.books.all().filter_map(|balance| {
            let quota_core::balance::Bucket::Grant(grant) = &balance.bucket else {
                return None;
            };
            Some((grant.to_string(), balance.worth(), balance.used))
        });
        let mut grants: Vec<_> = grants.collect();
        grants.sort();
        let addons = overview.terms.addons.iter();
        let addons = addons.filter(|(_, addon)| addon.is_held(now));
        Standing {
            held,
            requests: requests.unwrap_or_default(),
            free: overview.wallet.free,
            frozen: overview.wallet.frozen,
            debt: overview.wallet.debt,
            grants,
            addons: addons
                .map(|(plan, addon)| (plan.to_string(), addon.quantity.get()))
                .collect(),
            payments: self.payments(name).await,
            problems: self.problems().await.into_iter().collect(),
        }
    }

    async fn payments(&self, name: &str) -> Vec<(String, PaymentStatus, u64)> {
        let page = PaymentPage {
            account: account(name),
            after: None,
            limit: 1_000,
        };
        let payments = self.store.payments(&page).await.expect("is read");
        let told = payments.iter().map(|payment| {
            let id = payment.id.payment.to_string();
            (id, payment.status(), payment.amount)
        });
        let mut told: Vec<_> = told.collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told
    }

    /// What can be spent of credits, and what is owed.
    pub async fn free_and_debt(&self, name: &str) -> (u64, u64) {
        let standing = self.standing(name).await;
        (standing.free, standing.debt)
    }

    /// The plan that is in force; none where none is.
    pub async fn plan(&self, name: &str) -> Option<String> {
        let held = self.standing(name).await.held;
        held.filter(|held| held.is_in_force).map(|held| held.plan)
    }

    /// The subscription that counts.
    pub async fn held(&self, name: &str) -> Held {
        self.standing(name).await.held.expect("there is one")
    }

    /// What is left of the requests of the plan.
    pub async fn left(&self, name: &str) -> u64 {
        let (limit, used) = self.standing(name).await.requests;
        limit.unwrap_or_default().saturating_sub(used)
    }
}
