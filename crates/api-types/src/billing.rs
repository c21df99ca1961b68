//! A payment provider: its events, what fits nothing, and which customer is which account.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::ids::{
    AccountId, CustomerRef, EventRef, PackCode, PlanCode, PriceId, ProviderCode,
};
use quota_core::payment::PaymentMode;
use quota_core::provider::{EventState, ObjectKind, ProblemKind};
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};

use crate::Label;

/// What the provider is told: its event is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookAnswer {
    /// Whether it came for the first time.
    pub is_new: bool,
}

/// An event of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillingEventBody {
    /// As the provider names it.
    pub id: EventRef,
    /// The provider that told it.
    #[cfg_attr(feature = "openapi", schema(example = "stripe"))]
    pub provider: ProviderCode,
    /// `live`, or `test` where no money moves.
    pub mode: PaymentMode,
    /// What happened, in the provider's word.
    #[cfg_attr(feature = "openapi", schema(example = "invoice.paid"))]
    pub kind: String,
    /// What it is about, if that is looked at here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<BillingObjectBody>,
    /// When it happened, by the provider's clock.
    pub made_at: DateTime<Utc>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Where the work on it stands.
    pub state: EventState,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An object of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BillingObjectBody {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id there.
    #[cfg_attr(feature = "openapi", schema(example = "sub_1Nx"))]
    pub id: String,
}

/// A page of events, the one that came last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillingEventList {
    /// The events.
    pub items: Vec<BillingEventBody>,
    /// Ask with `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something of a provider that fits nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillingProblemBody {
    /// By which it is retried and settled.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "stripe:live:unknown_customer:cus_1Nx")
    )]
    pub id: String,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The account that it is about, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What is wrong, in a sentence.
    pub detail: String,
    /// What to do about it.
    pub advice: String,
    /// What was seen, by name.
    pub evidence: BTreeMap<String, String>,
    /// How often it was met, each time in another way.
    pub times: u64,
    /// When it was met first.
    pub first_seen_at: DateTime<Utc>,
    /// When it was met last.
    pub last_seen_at: DateTime<Utc>,
    /// How it was settled; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<SettledBody>,
}

/// How a problem was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettledBody {
    /// When it was settled.
    pub at: DateTime<Utc>,
    /// By whom: the name of a key, or `sync` when it was not found any more.
    pub by: String,
    /// What was done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A page of problems, the one that was met last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillingProblemList {
    /// The problems.
    pub items: Vec<BillingProblemBody>,
    /// Ask with `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Settles a problem by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleProblemBody {
    /// What was done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Label>,
}

/// Says which account a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkCustomerBody {
    /// The account that it pays for.
    pub account: AccountId,
}

/// Which account a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerBody {
    /// The customer, as the provider names it.
    pub customer: CustomerRef,
    /// The provider that has this customer.
    #[cfg_attr(feature = "openapi", schema(example = "stripe"))]
    pub provider: ProviderCode,
    /// `live`, or `test` where no money moves.
    pub mode: PaymentMode,
    /// The account that it pays for.
    pub account: AccountId,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

/// The customers that an account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerList {
    /// The customers.
    pub items: Vec<CustomerBody>,
}

/// Claims a payment that was parked, for an account (P14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimPaymentBody {
    /// The session, invoice or intent that was paid, as the provider names it.
    pub object: BillingObjectBody,
}

/// What a sync with the provider came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncBody {
    /// What became of it.
    pub outcome: SyncOutcome,
    /// The account that has what the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Whether something changed here.
    pub changed: bool,
    /// What does not fit, and is in the list of problems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ProblemKind>,
}

/// What became of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// The account has what the provider says.
    Applied,
    /// It is in the list of problems, and nothing changed.
    Parked,
    /// It is about nothing that is sold here.
    NotOurs,
    /// The provider does not have it.
    Gone,
}

/// What somebody wants to buy: a plan, an add-on or a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCheckoutBody {
    /// For which account.
    pub account: AccountId,
    /// The plan or add-on; or name a pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanCode>,
    /// The pack of credits or of units; or name a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackCode>,
    /// How many of it, or how many seats: 1 to 10,000; 1 when absent.
    #[serde(default)]
    pub quantity: Quantity,
    /// Which of its prices at the provider; the first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceId>,
    /// Where the buyer goes when it is paid: an address of an origin that is allowed. `{CHECKOUT_SESSION_ID}` in it becomes the
    /// checkout's id.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "https://app.example.com/paid?checkout={CHECKOUT_SESSION_ID}")
    )]
    pub success_url: String,
    /// Where the buyer goes who gives up.
    #[cfg_attr(feature = "openapi", schema(example = "https://app.example.com/plans"))]
    pub cancel_url: String,
}

/// A checkout: where the buyer pays, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutBody {
    /// As the provider names it; ask for it on the page that the buyer comes back to.
    #[cfg_attr(feature = "openapi", schema(example = "cs_test_a1b2"))]
    pub id: String,
    /// Where it stands.
    pub state: CheckoutStateBody,
    /// Where the buyer pays, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What its payment came to here, once the buyer is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<SyncBody>,
    /// What its subscription came to here, once the buyer is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SyncBody>,
}

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStateBody {
    /// The buyer is at it.
    Open,
    /// The buyer is through; the payment may still be on its way.
    Complete,
    /// It can be paid no more.
    Expired,
}

/// Who wants to look after its subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPortalBody {
    /// The account.
    pub account: AccountId,
    /// Where it comes back to: an address of an origin that is allowed.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "https://app.example.com/account")
    )]
    pub return_url: String,
}

/// Where an account looks after its subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortalBody {
    /// The provider's page; it is good for some minutes.
    pub url: String,
}
