//! What goes over the wire: the bodies of requests and answers, problems, and the ids that callers see. The server and
//! its clients share these types, so that a field or a word is written down once. Enums and ids are those of
//! `quota-core`.
//!
//! ```
//! use api_types::{ConsumeBody, DecisionBody};
//!
//! let asked: ConsumeBody = serde_json::from_str(r#"{"user":"alice","feature":"try_on","amount":1}"#)?;
//! assert_eq!(asked.user.as_str(), "alice");
//! let answer: DecisionBody = serde_json::from_str(r#"{"allowed":true,"replayed":false,"draws":[],"balances":[]}"#)?;
//! assert!(answer.allowed);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod accounts;
mod addons;
mod batch;
mod billing;
mod boosts;
mod catalog;
mod codes;
mod credits;
mod decide;
mod decision;
mod entitlements;
pub mod instant;
mod jobs;
mod keys;
mod label;
mod ledger;
mod member_limits;
mod members;
mod offers;
mod on_demand;
mod overview;
mod payments;
mod preview;
mod probes;
mod problem;
mod public_id;
mod reservation;
mod said;
mod subscription;
mod tokens;
mod top_ups;
mod ttl;
mod zone;

pub use accounts::{
    AccountBody, AccountList, ChangeBody, MoveBody, NewOrgBody, NewUserBody, OrgBody, OrgField,
    OverrideBody, OverrideView, OwnOverrideView, ReasonBody, ResetBody, UserBody,
};
pub use addons::{AddonBody, AddonList, SetAddonBody};
pub use batch::{BatchAnswer, BatchBody, BatchItem, BatchResult, OperationVerb};
pub use billing::{
    BillingEventBody, BillingEventList, BillingObjectBody, BillingProblemBody, BillingProblemList,
    CheckoutBody, CheckoutStateBody, ClaimPaymentBody, CustomerBody, CustomerList,
    LinkCustomerBody, NewCheckoutBody, NewPortalBody, PortalBody, SettleProblemBody, SettledBody,
    SyncBody, SyncOutcome, WebhookAnswer,
};
pub use boosts::{BoostBody, BoostList, NewBoostBody};
pub use catalog::{
    CatalogBody, DefaultPlanChangeBody, FieldChangeBody, HeldBody, LessOnDemandBody,
    LimitChangeBody, LostFlagBody, LostLimitBody, OverLimitBody, PlanBody, PlanOfChanges,
};
pub use codes::{
    BoostGiftBody, CodeBatchBody, CodeBatchList, CodeBody, CodeList, CodeUseBody, CodeUseList,
    CreditsGiftBody, GiftBody, MadeCodesBody, NewCodeBody, NewCodesBody, PlanGiftBody, RedeemBody,
    RedemptionBody,
};
pub use credits::{
    CreditsBody, GrantBody, GrantPurchaseBody, GrantState, NewGrantBody, TakeBackBody,
};
pub use decide::{
    CheckBody, CommitBody, ConsumeBody, ExtendBody, ItemBody, RefundBody, ReleaseBody,
    ReleaseCapacityBody, ReserveBody, TrackBody,
};
pub use decision::{BalanceBody, DecisionBody, DrawBody, ReleasedBody, RoomBody, WindowBody};
pub use entitlements::{EntitlementsBody, LeftBody};
pub use jobs::{JobBody, JobList, RunBatchBody, RunBatchList, RunBody, RunJobBody, RunList};
pub use keys::{KeyBody, KeyList, NewKeyBody};
pub use label::{InvalidLabel, Label};
pub use ledger::{EntryBody, LedgerBody, OperationBody, OriginBody, PriceBody};
pub use member_limits::{
    EachMemberBody, MemberBalanceBody, MemberLimitBody, OneMemberLimitBody, SetMemberLimitBody,
};
pub use members::{LeftMemberBody, LeftUse, MemberBody, MemberList, MemberUse};
pub use offers::{OfferBody, OfferKind};
pub use on_demand::{
    ClearSpendCapBody, OnDemandBody, SoldFeatureBody, SoldPeriodBody, SpendCapBody, SpendCapBy,
    SpendingBody, SpendingList,
};
pub use overview::{FeatureBody, OverviewBody, TokenStanding};
pub use payments::{
    BoughtBoostBody, ForgiveBody, NewPaymentDisputeBody, NewPaymentRefundBody, NewPurchaseBody,
    PaymentBody, PaymentDisputeBody, PaymentLineBody, PaymentList, PaymentRefundBody,
};
pub use preview::{
    ChangeOrPreview, DropBody, DropKind, FeaturePreview, FlagPreview, OverBody, PlanStateBody,
    PreviewBody, SettingPreview,
};
pub use probes::{HealthBody, HealthStatus};
pub use problem::{FieldError, PROBLEM_JSON, Problem, problem_type};
pub use public_id::{Named, public_id, read_id};
pub use reservation::ReservationBody;
pub use subscription::{
    CancelBody, ChangePlanBody, RenewBody, ResumeBody, ScheduledBody, SeatsBody, StartBody,
    StatusBody, SubscriptionBody, UpcomingBody,
};
pub use tokens::{NewTokenBody, TokenBody, TokenList, TokenTermsBody};
pub use top_ups::{AutoTopUpBody, SetTopUpBody, TopUpBody, TopUpOffBody};
pub use zone::Zone;
