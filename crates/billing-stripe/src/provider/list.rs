//! Lists, a page at a time.

use chrono::{DateTime, Utc};
use quota_core::ids::CustomerRef;
use quota_core::ports::Listed;
use quota_core::provider::{KeptEvent, ProviderSubscription};

use super::event::event_of;
use super::fault::Fault;
use super::stripe::Stripe;
use crate::client::{EventFilter, Pages, SubscriptionFilter};
use crate::shapes;

impl Stripe {
    /// A page of all subscriptions but those on test clocks, which are nothing real.
    pub(super) async fn page_of_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, Fault> {
        let filter = SubscriptionFilter::default();
        let (page, next) = page_of(self.client.list_subscriptions(&filter), after).await?;
        let mut items = Vec::with_capacity(page.len());
        for one in page.into_iter().filter(|one| one.test_clock.is_none()) {
            items.push(self.owned_subscription(one).await?);
        }
        Ok(Listed { items, next })
    }

    /// A page of events, without those that nobody looks at. Stripe filters by 20 kinds at most, and there are more: all are read.
    pub(super) async fn page_of_events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, Fault> {
        let filter = EventFilter {
            created_since: Some(since.timestamp()),
            types: Vec::new(),
        };
        let (page, next) = page_of(self.client.list_events(&filter), after).await?;
        let kept = page
            .iter()
            .filter_map(|event| event_of(&self.code, event, now));
        Ok(Listed {
            items: kept.filter(|event| event.about.is_some()).collect(),
            next,
        })
    }
}

/// One page of a list, and the object behind which the next one begins.
pub(super) async fn page_of<T: shapes::Listed>(
    mut pages: Pages<T>,
    after: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    if let Some(after) = after {
        pages = pages.after(after);
    }
    let page = pages.next().await?.unwrap_or_default();
    let next = pages.cursor().filter(|_| !pages.is_at_end());
    Ok((page, next.map(str::to_owned)))
}
