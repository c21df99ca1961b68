//! What a service needs that embeds the engine: `use quota_service::prelude::*;`.

pub use quota_core::amount::Limit;
pub use quota_core::answer::{Answer, Rejection, ScopeBalance};
pub use quota_core::catalog::{CatalogFile, Given};
pub use quota_core::command::{ChangeWhen, UsageAfterChange};
pub use quota_core::denial::{Denial, Reason};
pub use quota_core::ids::{AccountId, OrgId, UserId};
pub use quota_core::origin::Origin;
pub use quota_core::rules::check::Checked;
pub use quota_core::rules::entitlements::Entitlements;
pub use quota_core::rules::offers::{Offer, Offers};
pub use quota_core::rules::preview::Preview;
pub use quota_core::terms::{Policy, Status};

pub use crate::call::{
    Cancel, ChangePlan, ClearMemberLimit, ClearOverride, ClearSpendCap, Commit, Consume, Decision,
    Denied, EndAddon, Extend, GiveBoost, GrantCredits, OperationRef, PutAccount, PutToken, Refund,
    Release, ReleaseCapacity, Renew, Reserve, Reset, Resume, RevokeToken, SetAddon, SetGiven,
    SetMemberLimit, SetOverride, SetSeats, SetSpendCap, SetStatus, Subscribe, TakeBackBoost,
    TakeBackCredits, Track,
};
pub use crate::{Engine, EngineBuilder, EngineError, EngineSettings, InvalidField, NoCache, Reply};
