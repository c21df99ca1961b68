//! A person clicks, or uses `curl`.

use billing_stripe::read::is_settled;
use testkit::fake_stripe::{Card, FakeStripe, Shape, Subscribe};

use crate::fake;

/// What a page shows, or what an act says; redirects are not followed.
async fn http(fake: &FakeStripe, method: &str, path: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(fake.url().trim_start_matches("http://"))
        .await
        .expect("a connection");
    let request = format!(
        "{method} /_fake/{path} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .expect("sent");
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
        .await
        .expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    (status.expect("a status"), answer)
}

#[tokio::test]
async fn a_person_pays_by_a_click_and_goes_back_to_the_shop() {
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::None);
    let new = crate::writes::pack_session(&customer, false);
    let session = client
        .create_session(&new, &crate::key("s"))
        .await
        .expect("one");
    let url = session.url.expect("a page");
    let page = url.split("/_fake/").nth(1).expect("a path");
    let (status, html) = http(&fake, "GET", page).await;
    assert_eq!(status, 200);
    assert!(
        html.contains("1 × pack") && html.contains("9.00 EUR"),
        "{html}"
    );
    let (status, _) = http(&fake, "POST", &format!("{page}?card=declined")).await;
    assert_eq!(status, 303);
    let (status, answer) = http(&fake, "POST", &format!("{page}?card=good")).await;
    assert_eq!(status, 303);
    let back = format!("location: https://shop.test/done/{}", session.id);
    assert!(answer.contains(&back), "{answer}");
    let paid = client.retrieve_session(&session.id).await.expect("one");
    assert!(is_settled(&paid));
    let (status, answer) = http(&fake, "POST", &format!("{page}?card=good")).await;
    assert!(status == 400 && answer.contains("is complete"), "{answer}");
}

#[tokio::test]
async fn the_portal_ends_a_subscription_and_takes_it_back() {
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let how = Subscribe {
        items: &[("pro", 1)],
        ..Subscribe::default()
    };
    let id = fake.subscribe(&customer, &how);
    let ends = async || {
        let found = client.retrieve_subscription(&id).await.expect("one");
        assert!(
            !found.cancel_at_period_end,
            "the portal of today sets the instant"
        );
        found.cancel_at.is_some()
    };
    for (act, label) in [
        ("end", "End with the period"),
        ("resume", "Go on after all"),
    ] {
        let (_, html) = http(&fake, "GET", &format!("portal/{customer}")).await;
        assert!(html.contains(label), "{html}");
        let (status, _) = http(&fake, "POST", &format!("portal/{customer}/{act}/{id}")).await;
        assert_eq!((status, ends().await), (303, act == "end"));
    }
}

#[tokio::test]
async fn acts_by_hand_do_what_they_say() {
    let (fake, client) = fake(Shape::New).await;
    let session = fake.payment_link("pack", 1);
    let late = format!("pay/{session}?card=late");
    assert_eq!(http(&fake, "POST", &late).await.0, 303);
    let intent = fake.intent_of(&session);
    assert_eq!(
        http(&fake, "POST", &format!("payment/{intent}/paid"))
            .await
            .0,
        200
    );
    let found = client.retrieve_session(&session).await.expect("one");
    assert!(is_settled(&found));
    assert_eq!(
        http(&fake, "POST", &format!("refund/{intent}?amount=400"))
            .await
            .0,
        200
    );
    assert_eq!(
        http(&fake, "POST", &format!("refund/{intent}?amount=600"))
            .await
            .0,
        400
    );
    assert_eq!(
        http(&fake, "POST", &format!("dispute/{intent}?amount=500"))
            .await
            .0,
        200
    );
    let disputes = client
        .list_disputes(&billing_stripe::client::DisputeFilter::default())
        .all()
        .await
        .expect("one");
    let won = format!("becomes/{}/won", disputes[0].id);
    assert_eq!(http(&fake, "POST", &won).await.0, 200);
    let dispute = client.retrieve_dispute(&disputes[0].id).await.expect("one");
    assert_eq!(dispute.status.expect("a state").word(), "won");
    let before = fake.now();
    assert_eq!(http(&fake, "POST", "advance?days=2").await.0, 200);
    assert_eq!(fake.now(), before + 2 * crate::DAY);
    assert_eq!(http(&fake, "POST", "refund/pi_00000000999999").await.0, 404);
    assert_eq!(http(&fake, "POST", "nothing").await.0, 400);
    for page in ["", "events", "calls"] {
        assert_eq!(http(&fake, "GET", page).await.0, 200, "{page}");
    }
}
