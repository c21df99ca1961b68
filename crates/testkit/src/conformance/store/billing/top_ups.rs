//! Top-ups, and the accounts that may want one.

use quota_core::ids::{AccountId, Currency, CustomerRef, PackCode, PaymentRef};
use quota_core::payment::PaymentMode;
use quota_core::ports::TopUpPage;
use quota_core::provider::{TopUp, TopUpState};
use quota_core::terms::TopUpFailure;
use uuid::Uuid;

use super::{AT_ONCE, Billing, provider};
use crate::conformance::store::round_trip::{ODD, odd_instant};
use crate::fixtures::{instant, org, user};

/// An open top-up that was begun at second `at`, with the id of that number.
fn top_up(account: &AccountId, at: i64) -> TopUp {
    TopUp {
        account: account.clone(),
        id: Uuid::from_u128(u128::try_from(at).expect("a second")),
        provider: provider("stripe"),
        mode: PaymentMode::Live,
        customer: None,
        pack: PackCode::new("small").expect("a pack"),
        amount: 900,
        currency: Currency::new("eur").expect("a currency"),
        state: TopUpState::Open,
        opened_at: instant(at),
        tries: 0,
        next_look_at: instant(at),
        payment: None,
        ended_at: None,
        failure: None,
        error: None,
        version: 1,
    }
}

/// The same with its next version.
fn next(before: &TopUp) -> TopUp {
    TopUp {
        version: before.version + 1,
        ..before.clone()
    }
}

fn ended(before: &TopUp, state: TopUpState) -> TopUp {
    TopUp {
        state,
        ended_at: Some(instant(90)),
        ..next(before)
    }
}

fn all_of(account: &AccountId) -> TopUpPage {
    TopUpPage {
        account: account.clone(),
        after: None,
        limit: 100,
    }
}

/// Begins one and ends it.
async fn with_ended(store: &Billing, new: &TopUp, state: TopUpState) -> TopUp {
    assert!(store.begin_top_up(new).await.expect("writes"));
    let ended = ended(new, state);
    assert!(store.put_top_up(&ended).await.expect("writes"));
    ended
}

/// P20: entered again, an account is there once; they come by id, page by page.
pub async fn accounts_that_want_top_ups_are_entered_once(store: Billing) {
    let names = [org("b"), user("a"), user("c"), user("a"), user("b")];
    for account in &names {
        store.enter_top_up_account(account).await.expect("writes");
    }
    let all = store.top_up_accounts(None, 9).await.expect("reads");
    assert_eq!(all, [org("b"), user("a"), user("b"), user("c")]);
    let behind = store.top_up_accounts(Some(&user("a")), 1).await;
    assert_eq!(behind.expect("reads"), [user("b")]);
    let none = store.top_up_accounts(Some(&user("c")), 1).await;
    assert_eq!(none.expect("reads"), []);
}

/// P20: what was begun stays, and all that changes comes back.
pub async fn every_field_of_a_top_up_comes_back(store: Billing) {
    let alice = user("alice");
    let begun = TopUp {
        mode: PaymentMode::Test,
        customer: Some(CustomerRef::new("cus_1").expect("a customer")),
        opened_at: odd_instant(),
        ..top_up(&alice, 1)
    };
    assert!(store.begin_top_up(&begun).await.expect("writes"));
    let open = store.open_top_up(&alice).await.expect("reads");
    assert_eq!(open, Some(begun.clone()));
    let mut changed = begun;
    for failure in TopUpFailure::ALL {
        changed = TopUp {
            tries: changed.tries + 1,
            next_look_at: odd_instant(),
            payment: Some(PaymentRef::new("pi_1").expect("a payment")),
            failure: Some(failure),
            error: Some(ODD.to_owned()),
            ..next(&changed)
        };
        assert!(store.put_top_up(&changed).await.expect("writes"));
        let open = store.open_top_up(&alice).await.expect("reads");
        assert_eq!(open.as_ref(), Some(&changed));
    }
    let otherwise = TopUp {
        pack: PackCode::new("large").expect("a pack"),
        amount: 1,
        opened_at: instant(5),
        customer: None,
        ..ended(&changed, TopUpState::Failed)
    };
    assert!(store.put_top_up(&otherwise).await.expect("writes"));
    let kept = ended(&changed, TopUpState::Failed);
    let all = store.top_ups(&all_of(&alice)).await.expect("reads");
    assert_eq!(all, [kept]);
    assert_eq!(store.open_top_up(&alice).await.expect("reads"), None);
}

/// P20: the next only after the last is settled; other accounts are not in the way.
pub async fn of_sixty_four_that_begin_a_top_up_one_does(store: Billing) {
    let alice = user("alice");
    let racers = (1..=AT_ONCE).map(|number| {
        let number = i64::try_from(number).expect("small");
        let (store, new) = (store.clone(), top_up(&alice, number));
        tokio::spawn(async move { store.begin_top_up(&new).await.expect("writes") })
    });
    let racers: Vec<_> = racers.collect();
    let mut begun = 0;
    for racer in racers {
        begun += usize::from(racer.await.expect("no panic"));
    }
    assert_eq!(begun, 1);
    assert!(
        store
            .begin_top_up(&top_up(&user("bea"), 1))
            .await
            .expect("writes")
    );
    let open = store
        .open_top_up(&alice)
        .await
        .expect("reads")
        .expect("one");
    let paid = ended(&open, TopUpState::Paid);
    assert!(store.put_top_up(&paid).await.expect("writes"));
    let again = TopUp {
        id: paid.id,
        ..top_up(&alice, 99)
    };
    assert!(
        !store.begin_top_up(&again).await.expect("writes"),
        "an id is one"
    );
    assert!(
        store
            .begin_top_up(&top_up(&alice, 99))
            .await
            .expect("writes")
    );
}

/// P20: of two that carry one on, one does; what has ended is not changed any more.
pub async fn a_top_up_follows_the_version_before_it_and_ends_once(store: Billing) {
    let alice = user("alice");
    let first = top_up(&alice, 1);
    assert!(
        !store.put_top_up(&next(&first)).await.expect("writes"),
        "is not there"
    );
    assert!(store.begin_top_up(&first).await.expect("writes"));
    let racers = (0..AT_ONCE).map(|number| {
        let tries = u32::try_from(number).expect("small");
        let taken = TopUp {
            tries,
            ..next(&first)
        };
        let store = store.clone();
        tokio::spawn(async move { store.put_top_up(&taken).await.expect("writes") })
    });
    let racers: Vec<_> = racers.collect();
    let mut taken = 0;
    for racer in racers {
        taken += usize::from(racer.await.expect("no panic"));
    }
    assert_eq!(taken, 1);
    let open = store
        .open_top_up(&alice)
        .await
        .expect("reads")
        .expect("one");
    assert!(
        !store.put_top_up(&open).await.expect("writes"),
        "its own version"
    );
    let skipped = next(&next(&open));
    assert!(!store.put_top_up(&skipped).await.expect("writes"));
    let paid = ended(&open, TopUpState::Paid);
    assert!(store.put_top_up(&paid).await.expect("writes"));
    assert!(
        !store.put_top_up(&next(&paid)).await.expect("writes"),
        "has ended"
    );
    let all = store.top_ups(&all_of(&alice)).await.expect("reads");
    assert_eq!(all, [paid]);
}

/// P20: what nobody wants any more is taken back, unless somebody carried it on.
pub async fn a_top_up_is_dropped_while_it_is_open_and_as_it_was(store: Billing) {
    let alice = user("alice");
    let first = top_up(&alice, 1);
    assert!(
        !store.drop_top_up(&first).await.expect("writes"),
        "is not there"
    );
    assert!(store.begin_top_up(&first).await.expect("writes"));
    assert!(store.put_top_up(&next(&first)).await.expect("writes"));
    assert!(
        !store.drop_top_up(&first).await.expect("writes"),
        "was carried on"
    );
    let bea = top_up(&user("bea"), 1);
    assert!(
        !store.drop_top_up(&bea).await.expect("writes"),
        "is another account's"
    );
    assert!(store.drop_top_up(&next(&first)).await.expect("writes"));
    assert_eq!(store.top_ups(&all_of(&alice)).await.expect("reads"), []);
    let paid = with_ended(&store, &first, TopUpState::Paid).await;
    assert!(
        !store.drop_top_up(&paid).await.expect("writes"),
        "has ended"
    );
}

/// P20: those that have waited longest come first.
pub async fn open_top_ups_are_due_when_their_time_has_come(store: Billing) {
    let mut open = Vec::new();
    for (name, at) in [("a", 30), ("b", 10), ("c", 20), ("d", 40)] {
        let new = top_up(&user(name), at);
        assert!(store.begin_top_up(&new).await.expect("writes"));
        open.push(new);
    }
    let done = ended(&open[2], TopUpState::Failed);
    assert!(store.put_top_up(&done).await.expect("writes"));
    let due = store.due_top_ups(instant(30), 9).await.expect("reads");
    assert_eq!(due, [open[1].clone(), open[0].clone()]);
    let first = store.due_top_ups(instant(99), 1).await.expect("reads");
    assert_eq!(first, [open[1].clone()]);
    assert_eq!(store.due_top_ups(instant(9), 9).await.expect("reads"), []);
}

/// P20: of those that were begun at one instant, by id.
pub async fn top_ups_come_newest_first_by_pages(store: Billing) {
    let (alice, mut wanted) = (user("alice"), Vec::new());
    for at in 1..=5 {
        let new = TopUp {
            opened_at: instant(at / 2),
            ..top_up(&alice, at)
        };
        wanted.push(with_ended(&store, &new, TopUpState::Paid).await);
    }
    with_ended(&store, &top_up(&user("bea"), 3), TopUpState::Paid).await;
    wanted.reverse();
    let mut found = Vec::new();
    let mut page = TopUpPage {
        limit: 2,
        ..all_of(&alice)
    };
    loop {
        let part = store.top_ups(&page).await.expect("reads");
        let Some(last) = part.last() else {
            break;
        };
        page.after = Some((last.opened_at, last.id));
        found.extend(part);
    }
    assert_eq!(found, wanted);
}

/// P20: paid and open ones count, in a span that begins with its first instant and ends before its last.
pub async fn top_ups_of_a_span_are_counted_unless_they_failed(store: Billing) {
    let alice = user("alice");
    for (at, state) in [
        (1, TopUpState::Paid),
        (2, TopUpState::Paid),
        (3, TopUpState::Failed),
        (4, TopUpState::Paid),
    ] {
        with_ended(&store, &top_up(&alice, at), state).await;
    }
    with_ended(&store, &top_up(&user("bea"), 2), TopUpState::Paid).await;
    assert!(
        store
            .begin_top_up(&top_up(&alice, 5))
            .await
            .expect("writes")
    );
    for ((from, until), wanted) in [((1, 6), 4), ((2, 5), 2), ((3, 4), 0), ((5, 6), 1)] {
        let counted = store
            .count_top_ups(&alice, instant(from), instant(until))
            .await;
        assert_eq!(counted.expect("reads"), wanted, "{from} to {until}");
    }
}
