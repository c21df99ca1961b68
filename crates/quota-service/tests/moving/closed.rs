//! What was closed in a home that a user left is read where it lives now.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::{CloseWindows, GrantCredits, Refund};
use quota_core::ids::GrantId;
use quota_core::ports::Clock as _;

use super::*;

fn start_of(starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ends_at: Some(ends_at),
        ..Subscribe::to(PlanCode::new("pro").expect("a literal code"))
    })
}

impl Stage {
    /// `user:bob`, without a subscription and limited.
    async fn bob(&self) {
        let spec = AccountSpec::default();
        let presence = Presence::New;
        let put = Command::PutAccount(PutAccount { presence, spec });
        self.done("user:bob", None, put).await;
    }

    async fn bob_moves(&self, org: Option<&OrgId>) {
        let bob = id("user:bob");
        let moved = self.engine.move_user(&bob, org, None, Origin::default());
        moved.await.expect("moved");
    }

    async fn days_pass(&self, days: i64) {
        self.clock.set(self.clock.now() + TimeDelta::days(days));
        for upkeep in [
            Command::ExpireSubscription,
            Command::CloseWindows(CloseWindows::default()),
        ] {
            self.done("user:bob", None, upkeep).await;
        }
    }
}

/// W4, S9 and X5: a window that was closed in a home that was left counts again with its use, and takes what is told late; also where
/// the home is decided under the lock, since others keep changing it.
#[tokio::test]
async fn what_was_closed_in_a_home_that_was_left_counts_again() {
    for is_contended in [false, true] {
        let stage = Stage::new().await;
        let began = stage.clock.now();
        stage.bob().await;
        stage
            .done(
                "user:bob",
                None,
                start_of(began, began + TimeDelta::days(9)),
            )
            .await;
        stage.done("user:bob", None, consume(3)).await;
        stage.days_pass(10).await;
        stage.bob_moves(Some(&acme())).await;
        stage.store.contend(is_contended);
        let late = Command::Track(Track {
            token: None,
            items: items(4),
            at: Some(began),
        });
        stage.done("user:bob", None, late).await;
        stage
            .done(
                "user:bob",
                None,
                start_of(began, began + TimeDelta::days(12)),
            )
            .await;
        stage.store.contend(false);
        assert_eq!(stage.used("user:bob").await, 7, "{is_contended}");
        stage.done("user:bob", None, consume(2)).await;
        stage.days_pass(3).await;
        // At home again there is an older record of it.
        stage.bob_moves(None).await;
        stage.store.contend(is_contended);
        stage
            .done(
                "user:bob",
                None,
                start_of(began, began + TimeDelta::days(20)),
            )
            .await;
        stage.store.contend(false);
        assert_eq!(stage.used("user:bob").await, 9, "{is_contended}");
        stage.is_sound().await;
    }
}

/// R6: of a grant that ended, the record is shown that was lowered last, also where the user is in a home again that has an older
/// one.
#[tokio::test]
async fn a_grant_that_ended_is_shown_as_it_was_left() {
    let stage = Stage::new().await;
    stage.bob().await;
    let pack = GrantId::new("pack").expect("a literal id");
    let grant = Command::GrantCredits(GrantCredits {
        grant: pack.clone(),
        credits: Amount::new(5).expect("in range"),
        priority: 0,
        expires_at: Some(stage.clock.now() + TimeDelta::days(1)),
    });
    stage.done("user:bob", None, grant).await;
    let spent = Command::Consume(Consume {
        token: None,
        items: vec![Item {
            feature: FeatureCode::new("tok").expect("a literal code"),
            amount: Amount::new(4).expect("in range"),
        }],
    });
    let spent = stage.done("user:bob", None, spent).await;
    stage.days_pass(2).await;
    stage.bob_moves(Some(&acme())).await;
    let back = Command::Refund(Refund {
        operation: spent.operation.id,
        feature: None,
        amount: Some(Amount::new(3).expect("in range")),
    });
    stage.done("user:bob", None, back).await;
    stage.bob_moves(None).await;
    let bob = id("user:bob");
    let one = stage.engine.grant(&bob, &pack).await.expect("it is known");
    assert_eq!(one.used, 1);
    assert_eq!(stage.engine.grants(&bob).await.expect("read"), [one]);
    stage.is_sound().await;
}

/// O8: what a member held of a capacity in a period of its org that was closed is not occupied when that counts again.
#[tokio::test]
async fn capacity_in_a_closed_period_of_the_org_is_given_back_by_a_move() {
    let stage = Stage::new().await;
    let (began, gamma) = (
        stage.clock.now(),
        OrgId::new("gamma").expect("a literal id"),
    );
    let new = |org| {
        let spec = AccountSpec {
            org,
            ..AccountSpec::default()
        };
        let presence = Presence::New;
        Command::PutAccount(PutAccount { presence, spec })
    };
    let days = |days| start_of(began, began + TimeDelta::days(days));
    stage.done("org:gamma", None, new(None)).await;
    stage.done("org:gamma", None, days(9)).await;
    stage.done("user:bob", None, new(Some(gamma.clone()))).await;
    let albums = Command::Consume(Consume {
        token: None,
        items: vec![Item {
            feature: FeatureCode::new("alb").expect("a literal code"),
            amount: Amount::new(3).expect("in range"),
        }],
    });
    stage.done("user:bob", None, albums).await;
    stage.clock.set(began + TimeDelta::days(10));
    for upkeep in [
        Command::ExpireSubscription,
        Command::CloseWindows(CloseWindows::default()),
    ] {
        stage.done("org:gamma", None, upkeep).await;
    }
    stage.bob_moves(None).await;
    stage.done("org:gamma", None, days(20)).await;
    let overview = stage.engine.overview(&id("org:gamma")).await;
    let features = overview.expect("an overview").features;
    let albums = features.iter().find(|of| of.feature.code.as_str() == "alb");
    assert_eq!(albums.map(|albums| albums.own.used), Some(0));
    stage.is_sound().await;
}
