//! Bodies beside the types of `api-types`: what is answered and what is sent can be read by them, and written again
//! without a difference.

use api_types::{
    AccountBody, AccountList, AddonList, AutoTopUpBody, BatchAnswer, BatchBody, BillingEventBody,
    BillingEventList, BillingProblemBody, BillingProblemList, BoostBody, BoostList, CancelBody,
    CatalogBody, ChangeBody, ChangeOrPreview, ChangePlanBody, CheckBody, CheckoutBody,
    ClaimPaymentBody, ClearSpendCapBody, CodeBatchBody, CodeBatchList, CodeBody, CodeList,
    CodeUseList, CommitBody, ConsumeBody, CreditsBody, CustomerBody, CustomerList, DecisionBody,
    EntitlementsBody, ExtendBody, ForgiveBody, GrantBody, HealthBody, JobList, KeyBody, KeyList,
    LedgerBody, LinkCustomerBody, MadeCodesBody, MemberLimitBody, MemberList, MoveBody,
    NewBoostBody, NewCheckoutBody, NewCodesBody, NewGrantBody, NewKeyBody, NewOrgBody,
    NewPaymentDisputeBody, NewPaymentRefundBody, NewPortalBody, NewPurchaseBody, NewTokenBody,
    NewUserBody, OneMemberLimitBody, OperationBody, OrgBody, OverrideBody, OverviewBody,
    PaymentBody, PaymentList, PlanOfChanges, PortalBody, Problem, ReasonBody, RedeemBody,
    RedemptionBody, RefundBody, ReleaseBody, ReleaseCapacityBody, RenewBody, ReservationBody,
    ReserveBody, ResetBody, ResumeBody, RunBatchList, RunBody, RunJobBody, RunList, SeatsBody,
    SetAddonBody, SetMemberLimitBody, SetTopUpBody, SettleProblemBody, SpendCapBody, SpendingList,
    StartBody, StatusBody, SubscriptionBody, SyncBody, TakeBackBody, TokenBody, TokenList,
    TokenTermsBody, TrackBody, UserBody, WebhookAnswer,
};
use quota_core::catalog::CatalogFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a body by the type that its schema is named after, and writes it again.
pub(crate) fn again(schema: &Value, body: &Value) -> Result<Value, String> {
    let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    else {
        return any_of(schema, body);
    };
    by_type(name, body)
}

/// Reads a body by the name of its type, with one arm for each of them.
macro_rules! by_name {
    ($name:ident, $json:ident: $($body:ident),* $(,)?) => {
        match $name {
            $(stringify!($body) => written::<$body>($json),)*
            _ => Err(format!("`{}` is no type of api-types", $name)),
        }
    };
}

fn by_type(name: &str, body: &Value) -> Result<Value, String> {
    by_name!(
        name, body:
        AccountBody,
        AccountList,
        AddonList,
        BatchAnswer,
        BatchBody,
        BillingEventBody, BillingEventList, BillingProblemBody, BillingProblemList, SettleProblemBody,
        CheckoutBody, NewCheckoutBody, NewPortalBody, PortalBody, SyncBody, WebhookAnswer,
        ClaimPaymentBody, CustomerBody, CustomerList, LinkCustomerBody,
        BoostBody, BoostList,
        SpendingList,
        CancelBody,
        CatalogBody,
        CatalogFile,
        ChangeBody,
        ChangeOrPreview,
        ChangePlanBody,
        CheckBody,
        CodeBatchBody, CodeBatchList, CodeBody, CodeList, CodeUseList, MadeCodesBody, NewCodesBody, RedeemBody, RedemptionBody,
        CommitBody,
        ConsumeBody,
        TrackBody,
        CreditsBody,
        DecisionBody,
        EntitlementsBody,
        ExtendBody,
        GrantBody,
        HealthBody,
        JobList,
        KeyBody, KeyList, LedgerBody,
        MemberLimitBody,
        MemberList,
        OneMemberLimitBody,
        SetMemberLimitBody,
        MoveBody,
        ForgiveBody, NewPaymentDisputeBody, NewPaymentRefundBody, NewPurchaseBody, PaymentBody, PaymentList, NewBoostBody,
        NewGrantBody,
        NewKeyBody,
        NewOrgBody,
        NewTokenBody,
        NewUserBody,
        OperationBody,
        OrgBody,
        OverrideBody,
        OverviewBody,
        PlanOfChanges,
        Problem,
        ReasonBody,
        RefundBody,
        ReleaseBody,
        ReleaseCapacityBody,
        RenewBody, ResumeBody,
        ReservationBody,
        ReserveBody,
        ResetBody,
        RunBatchList,
        RunBody,
        RunJobBody,
        RunList,
        SeatsBody,
        SetAddonBody,
        ClearSpendCapBody, SpendCapBody, AutoTopUpBody, SetTopUpBody,
        StartBody, StatusBody,
        SubscriptionBody,
        TakeBackBody,
        TokenBody, TokenList, TokenTermsBody, UserBody,
    )
}

/// A denial or a problem: the first type that reads it.
fn any_of(schema: &Value, body: &Value) -> Result<Value, String> {
    let parts = schema["anyOf"].as_array().into_iter().flatten();
    let mut read = parts.filter_map(|part| again(part, body).ok());
    read.next().ok_or_else(|| format!("no type for {schema}"))
}

fn written<T: Serialize + DeserializeOwned>(body: &Value) -> Result<Value, String> {
    let read = T::deserialize(body).map_err(|error| error.to_string())?;
    serde_json::to_value(&read).map_err(|error| error.to_string())
}
