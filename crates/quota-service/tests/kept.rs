//! Homes that a queue keeps: what is known of them is not read again, and what is not known any more is.
#![expect(clippy::expect_used, reason = "a test that cannot be set up must stop")]

use std::sync::Arc;

use chrono::DateTime;
use quota_core::amount::Amount;
use quota_core::audit::audit;
use quota_core::command::{AccountSpec, Command, Consume, Presence, PutAccount, Subscribe, Track};
use quota_core::draw::Scope;
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey, OrgId, PlanCode};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_core::ports::{Audits, CatalogStore, FixedClock};
use quota_service::{Ask, Engine, EngineParts, EngineSettings, NoCache, Reply, TimeIds};
use testkit::memory::{FailWhen, MemoryStore};
use testkit::sequences::catalog;

const MEMBERS: [&str; 3] = ["user:a", "user:b", "user:c"];

/// An org with three members, each subscribed to `pro`.
async fn org_of_three() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
    let stored = store.put_catalog(&catalog(), None, start).await;
    assert!(stored.expect("the catalog is stored"));
    let engine = node(&store).await;
    for account in ["org:acme", "user:a", "user:b", "user:c"] {
        let is_org = account.starts_with("org:");
        let org = (!is_org).then(|| OrgId::new("acme").expect("a literal id"));
        let spec = AccountSpec {
            org,
            ..AccountSpec::default()
        };
        let presence = Presence::New;
        done(
            &engine,
            account,
            None,
            Command::PutAccount(PutAccount { presence, spec }),
        )
        .await;
        let subscribe =
            Command::Subscribe(Subscribe::to(PlanCode::new("pro").expect("a literal code")));
        done(&engine, account, None, subscribe).await;
    }
    engine.stop().await;
    store
}

async fn node(store: &Arc<MemoryStore>) -> Engine {
    let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
    let parts = EngineParts {
        storage: Arc::<MemoryStore>::clone(store),
        cache: Arc::new(NoCache),
        clock: Arc::new(FixedClock::at(start)),
        ids: Arc::new(TimeIds),
    };
    let engine = Engine::start(parts, EngineSettings::patient()).await;
    engine.expect("the engine starts")
}

async fn done(engine: &Engine, account: &str, key: Option<&str>, command: Command) -> Reply {
    let ask = Ask {
        account: AccountId::parse(account).expect("a literal id"),
        key: key.map(|key| IdempotencyKey::new(key).expect("a literal key")),
        command,
        origin: Origin::default(),
    };
    engine.submit(ask).await.expect("an answer")
}

fn article() -> Vec<Item> {
    vec![Item {
        feature: FeatureCode::new("art").expect("a literal code"),
        amount: Amount::new(1).expect("in range"),
    }]
}

async fn track(engine: &Engine, account: &str, key: &str) -> Reply {
    let command = Command::Track(Track {
        token: None,
        items: article(),
        at: None,
    });
    done(engine, account, Some(key), command).await
}

/// Units that the org was charged, in sound books.
async fn charged(store: &MemoryStore) -> u64 {
    let org = AccountId::parse("org:acme").expect("a literal id");
    let found = store.audit_home(&org).await.expect("read");
    let found = found.expect("exists");
    let findings = audit(&found);
    assert!(findings.is_empty(), "{findings:?}");
    let own = found.accounts.iter().find(|(id, _)| *id == org);
    let books = &own.expect("the org's own account").1.books;
    books
        .balances
        .iter()
        .map(|balance| balance.used + balance.overage)
        .sum()
}

#[tokio::test]
async fn members_that_asked_before_are_not_read_again() {
    let store = org_of_three().await;
    let engine = node(&store).await;
    for member in MEMBERS {
        track(&engine, member, "first").await;
    }
    let before = store.calls();
    for member in MEMBERS {
        track(&engine, member, "second").await;
    }
    assert_eq!(store.calls() - before, 3, "one write each, and no load");
    assert_eq!(charged(&store).await, 6);
}

#[tokio::test]
async fn a_new_member_is_not_put_beside_what_another_node_has_changed() {
    let store = org_of_three().await;
    let (here, there) = (node(&store).await, node(&store).await);
    track(&here, "user:a", "k").await;
    track(&there, "user:a", "l").await;
    track(&here, "user:b", "k").await;
    track(&there, "user:c", "k").await;
    track(&here, "user:a", "m").await;
    assert!(track(&here, "user:c", "k").await.is_replay);
    assert!(track(&there, "user:a", "k").await.is_replay);
    assert_eq!(charged(&store).await, 5);
}

/// No write finds out that the home of a denial without a key is stale: it is read before the denial is given, whichever way it
/// comes out then.
#[tokio::test]
async fn a_denial_is_not_given_from_a_kept_home_that_another_node_changed() {
    for is_enabled in [true, false] {
        let store = org_of_three().await;
        let (here, there) = (node(&store).await, node(&store).await);
        let put = |disabled| {
            let presence = Presence::Existing;
            let spec = AccountSpec {
                disabled: Some(disabled),
                ..AccountSpec::default()
            };
            Command::PutAccount(PutAccount { presence, spec })
        };
        done(&here, "user:a", None, put(true)).await;
        if is_enabled {
            done(&there, "user:a", None, put(false)).await;
        }
        let consume = Command::Consume(Consume {
            token: None,
            items: article(),
        });
        let reply = done(&here, "user:a", None, consume).await;
        assert_eq!(reply.operation.answer.is_allowed(), is_enabled);
    }
}

/// What becomes of a write while others wait behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// Another node was faster, with so many requests of another member.
    Overtaken(u64),
    /// It failed, and nobody knows whether it took effect: it did not.
    Lost,
    /// It took effect, and the answer was lost.
    Unheard,
}

/// While a write is on its way the next requests are decided on what it will leave. When it leaves something else,
/// nothing of what was decided so reaches anybody.
#[tokio::test]
async fn what_was_decided_on_a_write_that_failed_is_decided_again() {
    for mishap in [
        Mishap::Overtaken(1),
        Mishap::Overtaken(2),
        Mishap::Lost,
        Mishap::Unheard,
    ] {
        let store = org_of_three().await;
        let (here, there) = (node(&store).await, node(&store).await);
        let mut replies = vec![track(&here, "user:a", "first").await];
        let mut held = store.hold_next_write();
        let ask = |key: &str| {
            let (here, key) = (here.clone(), key.to_owned());
            tokio::spawn(async move { track(&here, "user:a", &key).await })
        };
        let mut asked = vec![ask("in hand")];
        held.has_come().await.expect("it is written");
        asked.extend(["next 1", "next 2", "in hand"].map(ask));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        match mishap {
            Mishap::Overtaken(times) => {
                for time in 0..times {
                    track(&there, "user:b", &time.to_string()).await;
                }
            }
            Mishap::Lost => store.fail_at(store.calls() + 1, FailWhen::BeforeEffect),
            Mishap::Unheard => store.fail_at(store.calls() + 1, FailWhen::AfterEffect),
        }
        held.go_on();
        for reply in asked {
            replies.push(reply.await.expect("an answer"));
        }
        replies.sort_by_key(|reply| reply.operation.sequence);
        // Repetitions of a key have the first answer.
        replies.dedup_by(|one, other| one.operation == other.operation);
        assert_eq!(replies.len(), 4, "{mishap:?}");
        let used = replies.iter().map(|reply| {
            let mut balances = reply.operation.answer.balances().iter();
            let user = balances.find(|balance| balance.scope == Scope::User);
            user.map(|balance| balance.used + balance.overage)
        });
        let used: Vec<Option<u64>> = used.collect();
        assert_eq!(used, [1, 2, 3, 4].map(Some), "{mishap:?}");
        let others = match mishap {
            Mishap::Overtaken(times) => times,
            Mishap::Lost | Mishap::Unheard => 0,
        };
        assert_eq!(charged(&store).await, 4 + others, "{mishap:?}");
    }
}

/// On a home that is never at rest, whoever needs something to be read gets its turn.
#[tokio::test]
async fn a_new_member_is_not_passed_over_by_those_that_are_known() {
    let store = org_of_three().await;
    let engine = node(&store).await;
    track(&engine, "user:a", "first").await;
    let ask = |account: &'static str, key: String| {
        let engine = engine.clone();
        tokio::spawn(async move { track(&engine, account, &key).await })
    };
    let gathered = async || {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    let mut held = store.hold_next_write();
    let mut known = vec![ask("user:a", "in hand".to_owned())];
    held.has_come().await.expect("it is written");
    let new = ask("user:b", "new".to_owned());
    gathered().await;
    for round in 0..3 {
        known.push(ask("user:a", round.to_string()));
        gathered().await;
        let next = store.hold_next_write();
        held.go_on();
        held = next;
        held.has_come().await.expect("it is written");
    }
    assert!(new.is_finished(), "it went with the second write");
    held.go_on();
    for reply in known {
        reply.await.expect("an answer");
    }
    assert_eq!(charged(&store).await, 6);
}
