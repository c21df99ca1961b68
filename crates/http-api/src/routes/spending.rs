//! What was sold to an account on demand, period by period.

use api_types::{SoldFeatureBody, SoldPeriodBody, SpendingList};
use axum::Json;
use axum::extract::State;
use quota_core::rules::spending::{SoldFeature, SoldPeriod, sold_periods};

use crate::ApiState;
use crate::caller::Reads;
use crate::params::{Account, Page};
use crate::problem::Problem;

/// A period and what was sold in it.
pub(super) fn sold_period_body(period: SoldPeriod) -> SoldPeriodBody {
    SoldPeriodBody {
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        owed: period.owed,
        currency: period.currency,
        features: period.features.into_iter().map(feature_body).collect(),
    }
}

fn feature_body(sold: SoldFeature) -> SoldFeatureBody {
    SoldFeatureBody {
        feature: sold.feature,
        used: sold.used,
        held: sold.held,
        price: sold.sale.price,
        per: sold.sale.per,
        owed: sold.owed,
    }
}

/// Where a period stands in the list.
fn place(period: &SoldPeriod) -> (i64, &str) {
    (period.starts_at.timestamp_micros(), &period.currency)
}

/// The period after which the page begins: its place, as it is written.
fn after(page: &Page) -> Result<Option<(i64, &str)>, Problem> {
    let wrong = || Problem::invalid_parameter("after", "is no place in this list");
    let Some(text) = &page.after else {
        return Ok(None);
    };
    let (starts_at, currency) = text.split_once('.').ok_or_else(wrong)?;
    let starts_at = starts_at.parse().map_err(|_| wrong())?;
    Ok(Some((starts_at, currency)))
}

/// Lists the periods in which something was sold to an account on demand, newest first: that which runs, and all before it.
#[utoipa::path(get, path = "/{id}/spending", tag = "money",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = SpendingList)))]
pub(crate) async fn spending(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    page: Page,
) -> Result<Json<SpendingList>, Problem> {
    let after = after(&page)?;
    let sales = state.engine().sales(&account).await?;
    let mut periods = sold_periods(sales.iter());
    if let Some(after) = after {
        periods.retain(|period| place(period) < after);
    }
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = limit < periods.len();
    periods.truncate(limit);
    let last = periods.last().filter(|_| has_more);
    let next = last.map(place);
    let next = next.map(|(starts_at, currency)| format!("{starts_at}.{currency}"));
    Ok(Json(SpendingList {
        items: periods.into_iter().map(sold_period_body).collect(),
        next,
    }))
}
