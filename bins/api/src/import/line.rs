//! A line of the file: one JSON object, read strictly, with the fields of the API's bodies.

use api_types::Zone;
use chrono::{DateTime, Utc};
use http_api::{JsonFault, read_json_text};
use quota_core::amount::{Amount, Limit};
use quota_core::catalog::Given;
use quota_core::command::ChangeWhen;
use quota_core::ids::{
    AccountId, Currency, CustomerRef, FeatureCode, GrantId, IdempotencyKey, OrgId, PaymentRef,
    PlanCode, ProviderCode, TokenId, UserId,
};
use quota_core::payment::PaymentMode;
use quota_core::quantity::Quantity;
use quota_core::terms::{CapSpan, Policy, Status};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::kind::Kind;
use super::refusal::Refusal;

/// The one field that is read first: the others depend on it.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Kind,
}

/// A line, by its type.
#[derive(Debug)]
pub(crate) enum Line {
    Org(OrgLine),
    User(UserLine),
    Token(TokenLine),
    Customer(CustomerLine),
    Subscription(SubscriptionLine),
    Override(OverrideLine),
    Usage(UsageLine),
    Credits(CreditsLine),
    Payment(PaymentLine),
}

/// An org; there or not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) id: OrgId,
    pub(crate) time_zone: Option<Zone>,
    pub(crate) disabled: Option<bool>,
    pub(crate) policy: Option<Policy>,
}

/// A user; there or not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) id: UserId,
    pub(crate) org: Option<OrgId>,
    pub(crate) time_zone: Option<Zone>,
    pub(crate) disabled: Option<bool>,
    pub(crate) unlimited: Option<bool>,
}

/// A token of a user, without its secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) user: UserId,
    pub(crate) id: TokenId,
    pub(crate) cap: Option<Limit>,
    pub(crate) per: Option<CapSpan>,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Which customer of a payment provider an account is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    // It is an id of the provider's that makes such a line once.
    #[serde(rename = "key")]
    _key: Option<IdempotencyKey>,
    pub(crate) account: AccountId,
    pub(crate) provider: ProviderCode,
    #[serde(default)]
    pub(crate) mode: PaymentMode,
    pub(crate) customer: CustomerRef,
}

/// A subscription that runs, ran or waits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriptionLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) account: AccountId,
    pub(crate) plan: PlanCode,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) starts_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) ends_at: Option<DateTime<Utc>>,
    pub(crate) status: Option<Status>,
    pub(crate) seats: Option<Quantity>,
    pub(crate) trial: Option<bool>,
    /// That it was canceled, and when that acts.
    pub(crate) cancel: Option<ChangeWhen>,
}

/// What an account has of a feature by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) account: AccountId,
    pub(crate) feature: FeatureCode,
    pub(crate) limit: Option<Limit>,
    pub(crate) value: Option<Given>,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// What a user has used of a feature, in the window that runs now or in that of `at`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) user: UserId,
    pub(crate) token: Option<TokenId>,
    pub(crate) feature: FeatureCode,
    pub(crate) amount: Amount,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) at: Option<DateTime<Utc>>,
}

/// Credits that an account has left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditsLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) account: AccountId,
    pub(crate) id: Option<GrantId>,
    pub(crate) amount: i64,
    #[serde(default)]
    pub(crate) priority: u32,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// A payment of the past: kept, and nothing credited for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentLine {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    // It is an id of the provider's that makes such a line once.
    #[serde(rename = "key")]
    _key: Option<IdempotencyKey>,
    pub(crate) account: AccountId,
    pub(crate) provider: ProviderCode,
    #[serde(rename = "ref")]
    pub(crate) payment: PaymentRef,
    #[serde(default)]
    pub(crate) mode: PaymentMode,
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
    #[serde(default, deserialize_with = "api_types::instant::deserialize_option")]
    pub(crate) paid_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(crate) ids: Vec<PaymentRef>,
}

/// Reads a line; where it cannot be read, its type is told as far as that can.
pub(crate) fn read(text: &[u8]) -> Result<(Kind, Line), (Option<Kind>, Refusal)> {
    let head: Head = read_json_text(text).map_err(|fault| (None, refusal(fault)))?;
    let kind = head.kind;
    let line = match kind {
        Kind::Org => read_json_text(text).map(Line::Org),
        Kind::User => read_json_text(text).map(Line::User),
        Kind::Token => read_json_text(text).map(Line::Token),
        Kind::Customer => read_json_text(text).map(Line::Customer),
        Kind::Subscription => read_json_text(text).map(Line::Subscription),
        Kind::Override => read_json_text(text).map(Line::Override),
        Kind::Usage => read_json_text(text).map(Line::Usage),
        Kind::Credits => read_json_text(text).map(Line::Credits),
        Kind::Payment => read_json_text(text).map(Line::Payment),
    };
    match line {
        Ok(line) => Ok((kind, line)),
        Err(fault) => Err((Some(kind), refusal(fault))),
    }
}

/// The line is one line: only the column says where in it.
fn refusal(fault: JsonFault) -> Refusal {
    let JsonFault { pointer, why } = fault;
    if let Some(field) = pointer.strip_prefix('/') {
        return Refusal::of(field, why);
    }
    let why = why.replace(" at line 1, column ", " at column ");
    Refusal::whole(format!("the line {why}"))
}
