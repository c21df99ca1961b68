//! Problems: raised, settled and listed.

use quota_core::payment::PaymentMode;
use quota_core::ports::ProblemPage;
use quota_core::provider::{BillingProblem, ProblemId, ProblemKind, Settled};

use super::{AT_ONCE, Billing, provider};
use crate::conformance::store::round_trip::odd_instant;
use crate::fixtures::{instant, org, user};

fn problem(kind: ProblemKind, about: &str) -> BillingProblem {
    BillingProblem {
        id: ProblemId {
            provider: provider("stripe"),
            mode: PaymentMode::Live,
            kind,
            about: about.to_owned(),
        },
        account: None,
        detail: "a price stands for nothing".to_owned(),
        evidence: [("price".to_owned(), "price_1".to_owned())].into(),
        times: 1,
        first_seen_at: instant(5),
        last_seen_at: instant(5),
        settled: None,
    }
}

fn settled(by: &str) -> Settled {
    Settled {
        at: instant(60),
        by: by.to_owned(),
        note: None,
    }
}

async fn raise(store: &Billing, problem: &BillingProblem) {
    store.raise_problem(problem).await.expect("writes");
}

async fn read(store: &Billing, id: &ProblemId) -> BillingProblem {
    let read = store.problem(id).await.expect("reads");
    read.expect("is there")
}

/// A problem comes back whole, of whatever kind.
pub async fn every_field_of_a_problem_comes_back(store: Billing) {
    let odd = "it's \"odd\": %_ 数";
    let full = BillingProblem {
        account: Some(org("acme")),
        detail: odd.to_owned(),
        evidence: [
            (odd.to_owned(), odd.to_owned()),
            ("b".to_owned(), String::new()),
        ]
        .into(),
        times: 9,
        first_seen_at: odd_instant(),
        last_seen_at: instant(7),
        ..problem(ProblemKind::UnknownPrice, odd)
    };
    let mut tried_out = problem(ProblemKind::UnknownPrice, odd);
    tried_out.id.mode = PaymentMode::Test;
    tried_out.evidence.clear();
    let mut problems = vec![full.clone(), tried_out];
    problems.extend(ProblemKind::ALL.map(|kind| problem(kind, "cus_1")));
    for problem in &problems {
        assert_eq!(store.problem(&problem.id).await.expect("reads"), None);
        raise(&store, problem).await;
    }
    for problem in problems {
        assert_eq!(read(&store, &problem.id).await, problem);
    }
    let settled = Settled {
        at: odd_instant(),
        by: odd.to_owned(),
        note: Some(odd.to_owned()),
    };
    let done = store.settle_problem(&full.id, &settled).await;
    assert!(done.expect("writes"));
    let whole = BillingProblem {
        settled: Some(settled),
        ..full
    };
    assert_eq!(read(&store, &whole.id).await, whole);
}

/// P12: a problem that is met again is one problem, told anew; when it was met first stays.
pub async fn a_problem_that_is_met_again_counts_once_more(store: Billing) {
    let first = problem(ProblemKind::UnknownPrice, "cus_1");
    let again = BillingProblem {
        account: Some(user("alice")),
        detail: "told anew".to_owned(),
        evidence: [("price".to_owned(), "price_2".to_owned())].into(),
        times: 7,
        first_seen_at: instant(9),
        last_seen_at: instant(9),
        ..first.clone()
    };
    raise(&store, &first).await;
    raise(&store, &again).await;
    let twice = BillingProblem {
        times: 2,
        first_seen_at: first.first_seen_at,
        ..again
    };
    assert_eq!(read(&store, &first.id).await, twice);
    // Who met it earlier and comes later does not turn the clock back.
    raise(&store, &first).await;
    let met_last_at = read(&store, &first.id).await.last_seen_at;
    assert_eq!(met_last_at, instant(9));
}

/// A problem is settled once, and open again when it is met again.
pub async fn a_problem_is_settled_once_and_open_when_it_is_met_again(store: Billing) {
    let met = problem(ProblemKind::UnknownPayer, "cs_1");
    let settle = async |by: &str| {
        let done = store.settle_problem(&met.id, &settled(by)).await;
        done.expect("writes")
    };
    assert!(!settle("nobody").await);
    raise(&store, &met).await;
    assert!(settle("one").await);
    assert!(!settle("two").await);
    let read_by = read(&store, &met.id).await.settled;
    assert_eq!(read_by, Some(settled("one")));
    let again = BillingProblem {
        settled: Some(settled("three")),
        ..met.clone()
    };
    raise(&store, &again).await;
    let open = BillingProblem {
        times: 2,
        ..met.clone()
    };
    assert_eq!(read(&store, &met.id).await, open);
    assert!(settle("two").await);
}

/// Of many who meet a problem at once each is counted, and of many who settle it one does.
pub async fn of_sixty_four_that_meet_a_problem_each_counts_and_one_settles_it(store: Billing) {
    let met = problem(ProblemKind::Refused, "evt_1");
    let racers = (0..AT_ONCE).map(|_| {
        let (store, met) = (store.clone(), met.clone());
        tokio::spawn(async move { raise(&store, &met).await })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.expect("ends");
    }
    let read_times = read(&store, &met.id).await.times;
    assert_eq!(read_times, u64::try_from(AT_ONCE).expect("few"));
    let racers = (0..AT_ONCE).map(|number| {
        let (store, id) = (store.clone(), met.id.clone());
        tokio::spawn(async move {
            let settled = settled(&format!("operator {number}"));
            let done = store.settle_problem(&id, &settled).await;
            done.expect("writes").then_some(settled)
        })
    });
    let mut settled = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        settled.extend(racer.await.expect("ends"));
    }
    assert_eq!(settled.len(), 1, "{settled:?}");
    assert_eq!(read(&store, &met.id).await.settled, settled.pop());
}

/// What is open about a customer, a payment or an event is found by that.
pub async fn open_problems_are_found_by_what_they_are_about(store: Billing) {
    let about = |kind: ProblemKind| problem(kind, "cus_1");
    let mut tried_out = about(ProblemKind::NoPeriod);
    tried_out.id.mode = PaymentMode::Test;
    let mut of_another = about(ProblemKind::NoPeriod);
    of_another.id.provider = provider("bank");
    let over = about(ProblemKind::Refused);
    let found = [
        about(ProblemKind::NoPeriod),
        about(ProblemKind::SecondTrial),
        about(ProblemKind::UnknownPrice),
    ];
    let others = [
        problem(ProblemKind::NoPeriod, "cus_2"),
        tried_out.clone(),
        of_another.clone(),
        over.clone(),
    ];
    for problem in found.iter().rev().chain(&others) {
        raise(&store, problem).await;
    }
    let done = store.settle_problem(&over.id, &settled("one")).await;
    assert!(done.expect("writes"));
    let open = async |of: &ProblemId, about: &str| {
        let open = store.open_problems_about(&of.provider, of.mode, about);
        open.await.expect("reads")
    };
    assert_eq!(open(&over.id, "cus_1").await, found);
    assert_eq!(open(&over.id, "cus_3").await, []);
    assert_eq!(open(&tried_out.id, "cus_1").await, [tried_out]);
    assert_eq!(open(&of_another.id, "cus_1").await, [of_another]);
}

/// A provider's problems, the one that was met last first, nothing twice and nothing left out; all, or those asked for.
pub async fn problems_come_last_met_first_by_pages(store: Billing) {
    let (alice, acme) = (user("alice"), org("acme"));
    let at = |kind: ProblemKind, about: &str, seconds: i64| BillingProblem {
        last_seen_at: instant(seconds),
        ..problem(kind, about)
    };
    let mut tried_out = at(ProblemKind::NoPeriod, "b", 7);
    tried_out.id.mode = PaymentMode::Test;
    let mut newest = [
        at(ProblemKind::Refused, "a", 9),
        tried_out,
        at(ProblemKind::UnknownStatus, "b", 7),
        at(ProblemKind::UnknownPrice, "b", 7),
        at(ProblemKind::TestClock, "z", 7),
        at(ProblemKind::TestClock, "b", 7),
        at(ProblemKind::UnknownPrice, "c", 1),
    ];
    for (problem, number) in newest.iter_mut().zip(0..) {
        let account = if number % 2 == 0 { &alice } else { &acme };
        problem.account = (number % 3 != 2).then(|| account.clone());
    }
    for problem in newest.iter().rev() {
        raise(&store, problem).await;
    }
    let mut of_another = at(ProblemKind::Refused, "a", 8);
    of_another.id.provider = provider("bank");
    raise(&store, &of_another).await;
    for problem in newest.iter_mut().step_by(3) {
        problem.settled = Some(settled("one"));
        let done = store.settle_problem(&problem.id, &settled("one")).await;
        assert!(done.expect("writes"));
    }
    let kinds = [
        None,
        Some(ProblemKind::UnknownPrice),
        Some(ProblemKind::TestClock),
    ];
    for is_open in [false, true] {
        for kind in kinds {
            for account in [
                None,
                Some(alice.clone()),
                Some(acme.clone()),
                Some(user("bob")),
            ] {
                let asked = ProblemPage {
                    provider: provider("stripe"),
                    is_open,
                    kind,
                    account,
                    after: None,
                    limit: 2,
                };
                let is_asked_for = |problem: &&BillingProblem| {
                    (!is_open || problem.settled.is_none())
                        && kind.is_none_or(|kind| problem.id.kind == kind)
                        && (asked.account.is_none() || problem.account == asked.account)
                };
                let found: Vec<BillingProblem> =
                    newest.iter().filter(is_asked_for).cloned().collect();
                assert_eq!(listed(&store, &asked).await, found, "{asked:?}");
            }
        }
    }
}

async fn listed(store: &Billing, asked: &ProblemPage) -> Vec<BillingProblem> {
    let mut listed: Vec<BillingProblem> = Vec::new();
    loop {
        let last = listed.last();
        let page = ProblemPage {
            after: last.map(|last| (last.last_seen_at, last.id.clone())),
            ..asked.clone()
        };
        let page = store.problems(&page).await.expect("reads");
        assert!(page.len() <= 2, "{page:?}");
        if page.is_empty() {
            return listed;
        }
        listed.extend(page);
    }
}
