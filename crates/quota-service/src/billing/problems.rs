//! What fits nothing is listed with evidence; what fits again is settled by itself.

use std::collections::{BTreeMap, BTreeSet};

use quota_core::ids::{AccountId, CustomerRef, PlanCode, SubscriptionRef};
use quota_core::ports::StoreError;
use quota_core::provider::{
    BillingProblem, Problem, ProblemId, ProblemKind, ProviderObject, Settled,
};
use serde_json::Value;

use super::{Billing, BillingError, Synced, TopUpLook};

/// The actor of what is settled since it is not there any more.
const BY_SYNC: &str = "sync";
/// What evidence calls the object by which a payment was found.
const OBJECT_KIND: &str = "object_kind";
const OBJECT_ID: &str = "object_id";

/// What evidence calls the balance that a problem with a meter is about.
pub(super) const BUCKET: &str = "bucket";

/// What was found to be wrong.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) kind: ProblemKind,
    pub(super) detail: String,
    pub(super) evidence: BTreeMap<String, String>,
}

impl Found {
    pub(super) fn new<const N: usize>(
        kind: ProblemKind,
        detail: impl Into<String>,
        evidence: [(&str, String); N],
    ) -> Self {
        let evidence = evidence.map(|(name, value)| (name.to_owned(), value));
        Self {
            kind,
            detail: detail.into(),
            evidence: evidence.into(),
        }
    }

    /// What a target did not take.
    pub(super) fn of_target(problem: &Problem) -> Self {
        let detail = problem.to_string();
        let evidence = |name: &str, value: String| BTreeMap::from([(name.to_owned(), value)]);
        let of = |kind, subscription: &dyn ToString| Self {
            kind,
            detail: detail.clone(),
            evidence: evidence("subscription", subscription.to_string()),
        };
        match problem {
            Problem::UnknownStatus {
                subscription,
                status,
            } => of(ProblemKind::UnknownStatus, subscription).and("status", status.clone()),
            Problem::UnknownPrice {
                subscription,
                price,
            } => of(ProblemKind::UnknownPrice, subscription).and("price", price.to_string()),
            Problem::NoPeriod { subscription } => of(ProblemKind::NoPeriod, subscription),
            Problem::SeveralPlans {
                subscription,
                plans,
            } => {
                let plans: Vec<&str> = plans.iter().map(PlanCode::as_str).collect();
                of(ProblemKind::SeveralPlans, subscription).and("plans", plans.join(", "))
            }
            Problem::SeveralSubscriptions { subscriptions } => {
                let each: Vec<&str> = subscriptions.iter().map(SubscriptionRef::as_str).collect();
                Self {
                    kind: ProblemKind::SeveralSubscriptions,
                    detail: detail.clone(),
                    evidence: evidence("subscriptions", each.join(", ")),
                }
            }
            Problem::SecondTrial { subscription } => of(ProblemKind::SecondTrial, subscription),
        }
    }

    /// Says by which object it was found, so that it can be fetched again.
    pub(super) fn found_by(self, object: &ProviderObject) -> Self {
        let kind = serde_json::to_value(object.kind).ok();
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        self.and(OBJECT_KIND, kind.to_owned())
            .and(OBJECT_ID, object.id.clone())
    }

    pub(super) fn and(mut self, name: &str, value: String) -> Self {
        self.evidence.insert(name.to_owned(), value);
        self
    }
}

impl Billing {
    /// Lists what was found about a customer or a payment, and settles what was listed about it and is not found any more. Kinds that are
    /// told apart by nothing else are told together.
    pub(super) async fn tell_problems(
        &self,
        about: &str,
        account: Option<&AccountId>,
        found: Vec<Found>,
    ) -> Result<BTreeSet<ProblemKind>, StoreError> {
        let (now, store) = (self.engine().now(), self.store());
        let open = store
            .open_problems_about(self.code(), self.mode(), about)
            .await?;
        let mut kinds: BTreeMap<ProblemKind, Found> = BTreeMap::new();
        for one in found {
            if let Some(known) = kinds.get_mut(&one.kind) {
                known.detail = format!("{}; {}", known.detail, one.detail);
                continue;
            }
            kinds.insert(one.kind, one);
        }
        for (kind, one) in &kinds {
            let told_before = open.iter().find(|open| open.id.kind == *kind);
            if told_before
                .is_some_and(|open| open.detail == one.detail && open.evidence == one.evidence)
            {
                continue;
            }
            let problem = BillingProblem {
                id: self.problem_id(*kind, about),
                account: account.cloned(),
                detail: one.detail.clone(),
                evidence: one.evidence.clone(),
                times: 1,
                first_seen_at: now,
                last_seen_at: now,
                settled: None,
            };
            tracing::warn!(problem = %problem.id, "{}", problem.detail);
            store.raise_problem(&problem).await?;
        }
        let settled = Settled {
            at: now,
            by: BY_SYNC.to_owned(),
            note: None,
        };
        for open in open
            .iter()
            .filter(|open| !kinds.contains_key(&open.id.kind))
        {
            store.settle_problem(&open.id, &settled).await?;
        }
        Ok(kinds.into_keys().collect())
    }

    /// Syncs what a problem is about once more. It is settled if that fits now.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked.
    pub async fn retry(&self, problem: &BillingProblem) -> Result<Synced, BillingError> {
        let evidence = |name: &str| problem.evidence.get(name);
        if let Some((account, bucket)) = problem.account.as_ref().zip(evidence(BUCKET)) {
            return self.retry_meter(account, bucket).await;
        }
        if let Some((kind, id)) = evidence(OBJECT_KIND).zip(evidence(OBJECT_ID)) {
            let kind = serde_json::from_value(Value::String(kind.clone()));
            if let Ok(kind) = kind {
                let id = id.clone();
                return self.sync_payment(&ProviderObject { kind, id }).await;
            }
        }
        if let (ProblemKind::TopUpFailed, Some(account)) = (problem.id.kind, &problem.account) {
            let look = self.top_up(account).await?;
            return Ok(Synced::Applied {
                account: account.clone(),
                is_news: look == TopUpLook::Paid,
                problems: BTreeSet::new(),
            });
        }
        if let Some(account) = &problem.account {
            return self.sync_account(account).await;
        }
        let customer = evidence("customer").and_then(|text| CustomerRef::new(text).ok());
        match customer {
            Some(customer) => self.sync_customer(&customer).await,
            None => Ok(Synced::Gone),
        }
    }

    fn problem_id(&self, kind: ProblemKind, about: &str) -> ProblemId {
        ProblemId {
            provider: self.code().clone(),
            mode: self.mode(),
            kind,
            about: about.to_owned(),
        }
    }
}
