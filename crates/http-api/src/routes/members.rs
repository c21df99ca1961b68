//! An org's report of its members (O6).

use api_types::{LeftMemberBody, LeftUse, MemberBody, MemberList, MemberUse};
use axum::Json;
use axum::extract::State;
use quota_core::catalog::Feature;
use quota_core::home::Account as AccountOf;
use quota_core::ids::{AccountId, AccountKind, OrgId};
use quota_core::ports::{AccountPage, AccountRow};
use quota_core::rules::context::Context;
use quota_core::rules::member_limit::member_balance;
use quota_core::rules::scope_balances::overview;
use quota_core::rules::share::charged;
use quota_core::terms::LeftMember;

use super::accounts::next_of;
use crate::ApiState;
use crate::caller::Reads;
use crate::decision::member_body;
use crate::params::{Account, Page};
use crate::problem::Problem;

/// Lists an org's members, what each used and may use, and what the org was charged for each; on the first page also for
/// those who left.
#[utoipa::path(get, path = "/v1/orgs/{id}/members", tag = "accounts",
    params(("id" = String, Path, description = "The org's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = MemberList)))]
pub(crate) async fn members(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(org): Account,
    page: Page,
) -> Result<Json<MemberList>, Problem> {
    let engine = state.engine();
    let wanted = AccountPage {
        kind: Some(AccountKind::User),
        org: Some(OrgId::new(org.id()).map_err(|_| Problem::internal())?),
        due_before: None,
        after: page.after_account(AccountKind::User)?,
        limit: page.limit,
    };
    let org = engine.account(&org).await?.account;
    let rows = engine.accounts(&wanted).await?;
    let catalog = engine.catalog().await?;
    let context = Context {
        now: engine.now(),
        catalog: &catalog,
        grace: engine.settings().grace,
    };
    let members = rows.iter().map(|row| member(&context, &org, row));
    let left = org.terms.left_members.iter();
    let left = left.map(|(id, left)| left_member(&context, &org, (id, left)));
    let left = left.filter(|left| page.after.is_none() && !left.features.is_empty());
    Ok(Json(MemberList {
        next: next_of(&rows, page.limit),
        items: members.collect(),
        left: left.collect(),
    }))
}

fn left_member(
    context: &Context<'_>,
    org: &AccountOf,
    (id, left): (&AccountId, &LeftMember),
) -> LeftMemberBody {
    let features = context.catalog.features.values().map(|feature| LeftUse {
        feature: feature.code.clone(),
        charged: charged(context, org, feature, &left.shares),
    });
    LeftMemberBody {
        id: id.id().to_owned(),
        left_at: left.left_at,
        features: features.filter(|used| used.charged != 0).collect(),
    }
}

fn member(context: &Context<'_>, org: &AccountOf, row: &AccountRow) -> MemberBody {
    let standing = overview(context, &row.id, 0, (&row.account, None));
    let features = standing.features.into_iter();
    let in_org = |feature: &Feature| {
        let own = context.allowance(org, feature);
        let balance = member_balance(context.now, (&row.account, org), feature, &own);
        balance.as_deref().map(member_body)
    };
    let uses = features.map(|standing| MemberUse {
        in_org: in_org(&standing.feature),
        limit: standing.own.granted,
        used: standing.own.used,
        charged: charged(context, org, &standing.feature, &row.account.books.shares),
        lifetime: standing.lifetime,
        feature: standing.feature.code,
    });
    let is_told = |of: &MemberUse| {
        let is_used = of.lifetime != 0 || of.used != 0 || of.charged != 0;
        is_used || of.in_org.is_some()
    };
    let touched = uses.filter(is_told);
    MemberBody {
        id: row.id.id().to_owned(),
        unlimited: row.account.terms.unlimited,
        disabled: row.account.terms.disabled,
        features: touched.collect(),
    }
}
