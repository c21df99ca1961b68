use std::collections::BTreeSet;

use billing_stripe::client::SubscriptionFilter;
use billing_stripe::read::period_of;

use testkit::fake_stripe::Shape;

use crate::fake;

#[tokio::test]
async fn twenty_thousand_subscriptions_are_two_hundred_calls() {
    for (shape, count, pages_expected) in [(Shape::New, 20_000, 200), (Shape::Old, 200, 2)] {
        let (fake, client) = fake(shape).await;
        fake.many_subscriptions(count, "pro");
        let mut pages = client.list_subscriptions(&SubscriptionFilter::default());
        let mut ids = BTreeSet::new();
        while let Some(page) = pages.next().await.expect("a page") {
            for subscription in page {
                assert!(period_of(&subscription, &["pro"]).is_some());
                ids.insert(subscription.id);
            }
        }
        assert_eq!(ids.len(), count);
        assert_eq!(fake.calls()["GET /v1/subscriptions"], pages_expected);
    }
}
