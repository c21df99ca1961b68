use billing_stripe::client::{Answer, EventFilter, PAGES_MAX, StripeError, SubscriptionFilter};
use serde_json::{Value, json};

use crate::{Script, answer, text};

fn page(ids: &[&str], has_more: bool) -> Answer {
    let data: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let page =
        json!({"object": "list", "data": data, "has_more": has_more, "url": "/v1/subscriptions"});
    answer(200, &page)
}

fn ids(script: &Script) -> Vec<String> {
    let sent = script.sent();
    sent.into_iter().map(|request| request.path).collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_end_page_by_page() {
    let script = Script::new([
        Ok(page(&["sub_1", "sub_2"], true)),
        Ok(page(&["sub_3"], false)),
    ]);
    let mut pages = script
        .client()
        .list_subscriptions(&SubscriptionFilter::default());
    let mut found = Vec::new();
    while let Some(page) = pages.next().await.expect("a page") {
        found.push(page.len());
    }
    assert_eq!(found, [2, 1]);
    assert_eq!(pages.cursor(), Some("sub_3"));
    assert_eq!(pages.next().await, Ok(None));
    assert_eq!(
        ids(&script),
        [
            "/v1/subscriptions?expand%5B0%5D=data.schedule&expand%5B1%5D=data.latest_invoice&limit=100&status=all",
            "/v1/subscriptions?expand%5B0%5D=data.schedule&expand%5B1%5D=data.latest_invoice&limit=100&starting_after=sub_2&status=all",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_on_behind_what_was_read_before() {
    let script = Script::new([Ok(page(&["sub_3"], false))]);
    let filter = SubscriptionFilter {
        customer: Some("cus_1".to_owned()),
    };
    let pages = script.client().list_subscriptions(&filter).after("sub_2");
    let all = pages.all().await.expect("all");
    assert_eq!(all.len(), 1);
    let path = "/v1/subscriptions?customer=cus_1&expand%5B0%5D=data.schedule&expand%5B1%5D=data.latest_invoice&limit=100&starting_after=sub_2&status=all";
    assert_eq!(ids(&script), [path]);
}

#[tokio::test(start_paused = true)]
async fn pages_that_repeat_end_with_an_error() {
    // The same page for ever; two pages in turn; an empty page that says that there is more.
    let same = vec![Ok(page(&["sub_1"], true)), Ok(page(&["sub_1"], true))];
    let in_turn = vec![
        Ok(page(&["sub_1"], true)),
        Ok(page(&["sub_2"], true)),
        Ok(page(&["sub_1"], true)),
    ];
    let empty = vec![Ok(page(&["sub_1"], true)), Ok(page(&[], true))];
    for answers in [same, in_turn, empty] {
        let script = Script::new(answers);
        let pages = script
            .client()
            .list_subscriptions(&SubscriptionFilter::default());
        let error = pages.all().await;
        assert_eq!(
            error.map(|all| all.len()),
            Err(StripeError::RepeatingList {
                call: "list_subscriptions",
                cursor: "sub_1".to_owned(),
            })
        );
    }
    let script = Script::new([Ok(page(&[], true)), Ok(page(&[], true))]);
    let mut pages = script.client().list_events(&EventFilter::default());
    let first = pages.next().await;
    assert_eq!(first.map(|page| page.map(|page| page.len())), Ok(Some(0)));
    let second = pages.next().await;
    assert!(
        matches!(second, Err(StripeError::RepeatingList { .. })),
        "{second:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn pages_that_never_end_end_with_an_error() {
    let script = Script::new((0..PAGES_MAX).map(|n| Ok(page(&[&format!("sub_{n}")], true))));
    let pages = script
        .client()
        .list_subscriptions(&SubscriptionFilter::default());
    let error = pages.all().await;
    assert_eq!(
        error.map(|all| all.len()),
        Err(StripeError::EndlessList {
            call: "list_subscriptions",
            pages: PAGES_MAX,
        })
    );
}

#[tokio::test(start_paused = true)]
async fn after_an_error_the_same_page_is_asked_for_again() {
    let failing = (0..5).map(|_| Ok(text(500, "")));
    let answers = [Ok(page(&["sub_1"], true))].into_iter().chain(failing);
    let script = Script::new(answers.chain([Ok(page(&["sub_2"], false))]));
    let mut pages = script
        .client()
        .list_subscriptions(&SubscriptionFilter::default());
    assert!(pages.next().await.is_ok());
    assert!(pages.next().await.is_err());
    let page = pages.next().await.expect("a page").expect("one more");
    assert_eq!(page[0].id, "sub_2");
    let sent = ids(&script);
    assert_eq!(sent[1], sent[6]);
}

#[tokio::test(start_paused = true)]
async fn one_object_that_cannot_be_read_is_named_and_none_is_left_out() {
    let data = json!({"data": [{"id": "sub_1"}, {"id": "sub_2", "items": {"data": [{"quantity": 1}]}}], "has_more": false});
    let script = Script::new([Ok(answer(200, &data))]);
    let pages = script
        .client()
        .list_subscriptions(&SubscriptionFilter::default());
    let error = pages.all().await;
    let Err(StripeError::Unreadable { field, why, .. }) = error else {
        panic!("{error:?}");
    };
    assert!(field.starts_with("data[1].items"), "{field}");
    assert!(why.contains("missing field `id`"), "{why}");
}
