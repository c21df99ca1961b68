//! Uses of codes, claimed and given back by many at once; and failures.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use quota_core::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse, CodeWindow};
use quota_core::ids::AccountId;
use quota_core::ports::{CodeClaim, CodeUsePage};

use super::{Store, batch, one_code, put};
use crate::fixtures::{instant, key, org, user};

const AT_ONCE: usize = 64;

fn claim_at(code: &Code, account: &AccountId, at: i64) -> CodeClaim {
    CodeClaim {
        hash: code.hash,
        account: account.clone(),
        key: None,
        at: instant(at),
    }
}

async fn claim(store: &Store, code: &Code, account: &AccountId) -> Option<CodeUse> {
    let claim = claim_at(code, account, 0);
    store.claim_code(&claim).await.expect("writes")
}

/// How many uses are counted, and whose they are.
async fn uses_of(store: &Store, code: &Code) -> (u32, Vec<AccountId>) {
    let read = store.code(code.id).await.expect("reads").expect("is there");
    let page = CodeUsePage {
        hash: code.hash,
        after: None,
        limit: 1_000,
    };
    let uses = store.code_uses(&page).await.expect("reads");
    (
        read.uses,
        uses.into_iter().map(|used| used.account).collect(),
    )
}

/// E31: of 50 accounts that claim a code with 3 uses at once, 3 have it and 47 have not.
pub async fn e31_of_fifty_accounts_at_once_three_get_a_code_of_three_uses(store: Store) {
    let code = one_code(&store, 3, CodeWindow::default()).await;
    let claims = (0..50).map(|number| {
        let (store, code) = (store.clone(), code.clone());
        tokio::spawn(async move { claim(&store, &code, &user(&format!("u{number}"))).await })
    });
    let claimed = join_all(claims.collect::<Vec<_>>()).await;
    let claimed = claimed.into_iter().filter_map(|claim| claim.expect("ends"));
    let mut accounts: Vec<AccountId> = claimed.map(|claimed| claimed.account).collect();
    accounts.sort();
    assert_eq!(accounts.len(), 3);
    assert_eq!(uses_of(&store, &code).await, (3, accounts));
    let sum = store.code_batch_uses(code.batch).await;
    assert_eq!(sum.expect("reads"), 3);
}

/// P15: an account that claims a code many times at once has one use of it, of which each claim is a try.
pub async fn one_account_many_times_at_once_has_one_use(store: Store) {
    for uses_max in [1, 3] {
        let code = CodeBatch {
            uses_max,
            count: 1,
            ..batch(uses_max.into(), 0)
        };
        let code = put(&store, &code).await.remove(0);
        let claims = (0..AT_ONCE).map(|_| {
            let (store, code) = (store.clone(), code.clone());
            tokio::spawn(async move { claim(&store, &code, &user("ann")).await })
        });
        for claimed in join_all(claims.collect::<Vec<_>>()).await {
            let claimed = claimed.expect("ends");
            assert_eq!(claimed.expect("is hers").account, user("ann"));
        }
        assert_eq!(uses_of(&store, &code).await, (1, vec![user("ann")]));
        let used = store.code_use(&code.hash, &user("ann")).await;
        let tries = used.expect("reads").expect("is there").tries;
        assert_eq!(usize::try_from(tries), Ok(AT_ONCE));
    }
}

/// P15: a code is claimed in its half-open window only, and not once it is revoked; who has a use of it keeps that.
pub async fn a_code_is_claimed_in_its_window_and_until_it_is_revoked(store: Store) {
    let window = CodeWindow {
        from: Some(instant(10)),
        until: Some(instant(20)),
    };
    let code = one_code(&store, 9, window).await;
    let claim_at = async |name: &str, at: i64| {
        let claim = claim_at(&code, &user(name), at);
        store.claim_code(&claim).await.expect("writes")
    };
    for (name, at, is_open) in [
        ("a", 9, false),
        ("b", 10, true),
        ("c", 19, true),
        ("d", 20, false),
    ] {
        assert_eq!(claim_at(name, at).await.is_some(), is_open, "{name}");
    }
    assert!(
        store
            .revoke_code(code.id, instant(15))
            .await
            .expect("writes")
    );
    assert_eq!(claim_at("e", 16).await, None);
    let again = claim_at("b", 30).await.expect("keeps it");
    assert_eq!((again.tries, again.claimed_at), (2, instant(10)));
    assert_eq!(uses_of(&store, &code).await.0, 2);
    let unknown = CodeClaim {
        hash: CodeHash([9; 32]),
        account: user("a"),
        key: None,
        at: instant(15),
    };
    assert_eq!(store.claim_code(&unknown).await.expect("looks"), None);
}

/// A use is another's again once every try that was begun has been refused, and not before.
pub async fn a_use_is_given_back_once_every_try_was_refused(store: Store) {
    let code = one_code(&store, 1, CodeWindow::default()).await;
    let (ann, bob) = (user("ann"), org("bob"));
    let refuse = async |account: &AccountId| {
        let refused = store.refuse_code_use(&code.hash, account).await;
        refused.expect("writes")
    };
    let keyed = CodeClaim {
        key: Some(key("k")),
        ..claim_at(&code, &ann, 5)
    };
    let first = store.claim_code(&keyed).await.expect("writes");
    let wanted = CodeUse {
        account: ann.clone(),
        key: Some(key("k")),
        claimed_at: instant(5),
        tries: 1,
        refused: 0,
        done_at: None,
    };
    assert_eq!(first, Some(wanted.clone()));
    let second = claim(&store, &code, &ann).await;
    assert_eq!(second, Some(CodeUse { tries: 2, ..wanted }));
    assert!(!refuse(&ann).await, "one try may still succeed");
    assert_eq!(claim(&store, &code, &bob).await, None);
    assert!(refuse(&ann).await);
    assert!(!refuse(&ann).await, "nothing is left to give back");
    assert_eq!(uses_of(&store, &code).await, (0, vec![]));
    assert!(claim(&store, &code, &bob).await.is_some());
    assert_eq!(claim(&store, &code, &ann).await, None);
    assert_eq!(uses_of(&store, &code).await, (1, vec![bob]));
}

/// A use that is done stays, whoever was refused beside it, and is no more a try; when it was done first is kept.
pub async fn a_use_that_is_done_is_never_given_back(store: Store) {
    let code = one_code(&store, 1, CodeWindow::default()).await;
    let ann = user("ann");
    claim(&store, &code, &ann).await.expect("is hers");
    for at in [5, 9] {
        let ended = store.end_code_use(&code.hash, &ann, instant(at)).await;
        ended.expect("writes");
    }
    let refused = store.refuse_code_use(&code.hash, &ann).await;
    assert!(!refused.expect("looks"));
    let again = claim(&store, &code, &ann).await.expect("is hers");
    assert_eq!((again.tries, again.done_at), (1, Some(instant(5))));
    assert_eq!(uses_of(&store, &code).await, (1, vec![ann]));
}

/// However claims and refusals meet, as many uses are counted as there are, and never more than may be.
pub async fn uses_are_counted_however_claims_and_refusals_meet(store: Store) {
    let code = one_code(&store, 3, CodeWindow::default()).await;
    let players = (0..16).map(|number| {
        let (store, code) = (store.clone(), code.clone());
        tokio::spawn(async move {
            let account = user(&format!("u{}", number % 8));
            for _ in 0..6 {
                if claim(&store, &code, &account).await.is_some() {
                    let refused = store.refuse_code_use(&code.hash, &account).await;
                    refused.expect("writes");
                }
            }
        })
    });
    for player in join_all(players.collect::<Vec<_>>()).await {
        player.expect("ends");
    }
    assert_eq!(uses_of(&store, &code).await, (0, vec![]));
}

/// Uses of a code come by account, page by page.
pub async fn uses_of_a_code_come_by_account(store: Store) {
    let code = one_code(&store, 9, CodeWindow::default()).await;
    for account in [user("c"), user("a"), org("z"), user("B")] {
        claim(&store, &code, &account).await.expect("is free");
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = CodeUsePage {
            hash: code.hash,
            after,
            limit: 3,
        };
        let found = store.code_uses(&page).await.expect("reads");
        let Some(last) = found.last() else { break };
        after = Some(last.account.clone());
        seen.extend(found.into_iter().map(|used| used.account));
    }
    assert_eq!(seen, [org("z"), user("B"), user("a"), user("c")]);
}

/// P15: of many failures at once so many count as may, each for its own account; a new span begins when the last is over.
pub async fn failures_count_up_to_their_bound_however_many_at_once(store: Store) {
    let fail = async |store: &Store, name: &str, (now, over_before): (i64, i64)| {
        let span: (DateTime<Utc>, DateTime<Utc>) = (instant(now), instant(over_before));
        let counted = store.count_code_failure(&user(name), span, 10).await;
        counted.expect("writes")
    };
    let none = store.code_failures(&user("ann")).await;
    assert_eq!(none.expect("reads"), None);
    let tries = (0..AT_ONCE).map(|_| fail(&store, "ann", (100, 40)));
    let counted = join_all(tries).await;
    assert_eq!(counted.iter().filter(|counts| **counts).count(), 10);
    assert!(fail(&store, "bob", (100, 40)).await);
    let known = async |name: &str| {
        let known = store.code_failures(&user(name)).await.expect("reads");
        let CodeFailures { began_at, failures } = known.expect("failed");
        (began_at, failures)
    };
    assert_eq!(known("ann").await, (instant(100), 10));
    assert_eq!(known("bob").await, (instant(100), 1));
    assert!(!fail(&store, "ann", (159, 99)).await);
    assert!(fail(&store, "ann", (160, 100)).await);
    assert_eq!(known("ann").await, (instant(160), 1));
}
