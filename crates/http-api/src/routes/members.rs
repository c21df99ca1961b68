//! An org's report of its members (O6).

use api_types::{MemberBody, MemberList, MemberUse};
use axum::Json;
use axum::extract::State;
use quota_core::ids::{AccountKind, OrgId};
use quota_core::ports::{AccountPage, AccountRow};
use quota_core::rules::context::Context;
use quota_core::rules::standing::overview;

use super::accounts::next_of;
use crate::ApiState;
use crate::caller::Reads;
use crate::params::{Account, Page};
use crate::problem::Problem;

/// Lists an org's members and what each used.
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
    let rows = engine.accounts(&wanted).await?;
    if rows.is_empty() {
        engine.account(&org).await?;
    }
    let catalog = engine.catalog().await?;
    let context = Context {
        now: engine.now(),
        catalog: &catalog,
        grace: engine.settings().grace,
    };
    let items = rows.iter().map(|row| member(&context, row)).collect();
    Ok(Json(MemberList {
        next: next_of(&rows, page.limit),
        items,
    }))
}

fn member(context: &Context<'_>, row: &AccountRow) -> MemberBody {
    let standing = overview(context, &row.id, 0, (&row.account, None));
    let features = standing.features.into_iter();
    let touched = features.filter(|standing| standing.lifetime != 0 || standing.own.used != 0);
    MemberBody {
        id: row.id.id().to_owned(),
        unlimited: row.account.terms.unlimited,
        disabled: row.account.terms.disabled,
        features: touched
            .map(|standing| MemberUse {
                used: standing.own.used,
                lifetime: standing.lifetime,
                feature: standing.feature.code,
            })
            .collect(),
    }
}
