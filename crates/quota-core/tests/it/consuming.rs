//! Consume, batch, track, and what the ledger says of them.

use std::sync::Arc;

use crate::several_limits::chat;
use crate::stage::{
    GRACE, Stage, amount, code, consume, grant, id, item, key, put_account, put_token, reserve,
    token_id, track,
};
use quota_core::amount::{COUNT_MAX, Limit};
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{AccountSpec, Command, Consume, ITEMS_MAX, Reset, Track};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::ids::FeatureCode;
use quota_core::operation::OperationKind;
use quota_core::origin::Origin;
use quota_core::rules::check::{check, check_items};
use quota_core::rules::context::Context;
use quota_core::unrefundable::Unrefundable;

fn batch(items: &[(&str, u64)]) -> Command {
    let items = items
        .iter()
        .map(|(feature, amount)| item(feature, *amount))
        .collect();
    Command::Consume(Consume { token: None, items })
}

/// X1: a denial that carries a key is booked, with key, body and answer, so that a repeated request gets it again;
/// one without a key leaves no trace.
#[test]
fn a_denial_with_a_key_is_booked() {
    let mut stage = Stage::user("free");
    let plain = stage
        .run("user:a", consume("articles", 6))
        .expect("a denial is an outcome");
    assert!(!plain.is_booked);
    let accounts = stage.home.accounts.clone();
    let mut request = stage.request("user:a", consume("articles", 6));
    request.key = Some(key("once"));
    let keyed = stage.ask(&request).expect("a denial is an outcome");
    assert!(keyed.is_booked);
    let booked = stage.operations.last().expect("booked");
    assert_eq!(*booked, *keyed.operation);
    assert_eq!(
        (booked.key.clone(), booked.body_hash),
        (request.key, request.body_hash)
    );
    assert_eq!(booked.sequence, stage.home.version);
    assert!(booked.entries.is_empty() && !booked.answer.is_allowed());
    assert_eq!(stage.home.accounts, accounts, "nothing else changes");
}

/// X2: a batch is drawn whole or not at all; its items see what the ones before them took.
#[test]
fn a_batch_is_all_or_nothing() {
    let mut stage = Stage::user("basic");
    stage.done(
        "user:a",
        batch(&[("articles", 30), ("requests", 2), ("articles", 10)]),
    );
    assert_eq!(stage.remaining("user:a", "articles"), Some(10));
    let before = stage.home.clone();
    let denied = stage.denied(
        "user:a",
        batch(&[("requests", 3), ("articles", 6), ("articles", 5)]),
    );
    let left = (denied.reason, denied.available);
    assert_eq!(left, (Reason::LimitReached, 10));
    assert_eq!(stage.home.accounts, before.accounts);
    assert_eq!(stage.home.version, before.version);
    let many = vec![("articles", 1); ITEMS_MAX + 1];
    let too_many = stage.run("user:a", batch(&many));
    assert!(matches!(
        too_many,
        Err(Rejection::OutOfRange { field: "items", .. })
    ));
    assert!(stage.run("user:a", batch(&[])).is_err());
}

/// X5: what already happened is recorded whatever the quota says; the excess is overage, at every scope.
#[test]
fn track_is_never_denied() {
    let mut stage = Stage::org("free");
    stage.done("user:a", track("articles", 7));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (7, 0, 0));
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (5, 0, 2));
    let off = quota_core::command::AccountSpec {
        unlimited: Some(false),
        disabled: Some(true),
        ..Default::default()
    };
    stage.done("user:a", crate::stage::put_account(off));
    stage.done("user:a", track("articles", 2));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (7, 0, 2));
    let unknown = stage.run("user:a", track("none", 1)).expect_err("unknown");
    let named = FeatureCode::new("none").expect("a literal code");
    assert_eq!(unknown, Rejection::UnknownFeature(named).in_list(0));
}

/// X7: the ledger says account, feature, source, amount, resource, actor and request of every accepted effect.
#[test]
fn the_ledger_says_who_drew_what_and_what_for() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 9));
    let mut request = stage.request("user:a", consume("renders", 7));
    request.origin = Origin {
        actor: Some("ann".to_owned()),
        request_id: Some("req-1".to_owned()),
        resource_type: Some("scene".to_owned()),
        resource_id: Some("s-9".to_owned()),
        reason: None,
    };
    stage.ask(&request).expect("it fits");
    let booked = stage.operations.last().expect("booked");
    assert_eq!(
        (booked.kind, &booked.origin, booked.at),
        (OperationKind::Consume, &request.origin, stage.now)
    );
    let drawn: Vec<_> = booked
        .entries
        .iter()
        .map(|entry| {
            (
                entry.account.as_str(),
                entry.feature.as_ref().map(ToString::to_string),
                entry.source,
                entry.used,
            )
        })
        .collect();
    let renders = Some("renders".to_owned());
    let wanted = [
        ("user:a", renders.clone(), Source::Allowance, 5),
        ("user:a", renders, Source::Credits, 4),
    ];
    assert_eq!(drawn, wanted);
}

/// X7: each accepted effect is one operation more; the ones before it stay as they were.
#[test]
fn the_ledger_only_grows() {
    let mut stage = Stage::user("pro");
    let first = stage.done("user:a", consume("articles", 7));
    let before = stage.operations.clone();
    stage.done("user:a", crate::stage::refund(first.id, None));
    stage.done(
        "user:a",
        Command::Reset(Reset {
            features: Vec::new(),
            token: None,
        }),
    );
    assert_eq!(stage.operations[..before.len()], before);
    let sequences: Vec<u64> = stage
        .operations
        .iter()
        .map(|operation| operation.sequence)
        .collect();
    assert_eq!(sequences, (1..=stage.home.version).collect::<Vec<_>>());
    assert!(matches!(first.answer, Answer::Allowed { .. }));
}

/// X2: an answer shows every balance as it is after the last item, a wallet that pays for several features too.
#[test]
fn several_items_show_what_is_left_after_the_last() {
    let mut stage = Stage::user("");
    stage.done("user:a", put_token("t", Limit::Of(50)));
    stage.done("user:a", grant("pack", 30));
    let command = Command::Consume(Consume {
        token: Some(token_id("t")),
        items: vec![item("try_on", 4), item("renders", 5), item("try_on", 1)],
    });
    let done = stage.done("user:a", command);
    let shown = |scope, feature: Option<&str>| {
        let mut found = done.answer.balances().iter().filter(|balance| {
            balance.scope == scope && balance.feature.as_ref().map(FeatureCode::as_str) == feature
        });
        let one = found.next().expect("it is shown");
        assert!(found.next().is_none(), "once");
        (one.credits, one.remaining)
    };
    assert_eq!(shown(Scope::User, Some("try_on")), (Some(15), None));
    assert_eq!(shown(Scope::User, Some("renders")), (Some(15), None));
    assert_eq!(shown(Scope::Token, None), (None, Some(40)));
}

/// O5 and X2: near the largest count a check says what a consume would: that nothing fits, and of several items which.
#[test]
fn a_check_near_the_largest_count_says_what_a_consume_would() {
    let mut stage = Stage::user("pro");
    let spec = AccountSpec {
        unlimited: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(spec));
    let most = item("articles", quota_core::amount::AMOUNT_MAX);
    let told = Command::Track(Track {
        token: None,
        items: vec![most; 100],
        at: None,
    });
    for _ in 0..90 {
        stage.done("user:a", told.clone());
    }
    let refused = stage.run("user:a", consume("articles", 1));
    assert_eq!(refused.expect_err("full").code(), "counter_full");
    let context = Context {
        now: stage.now,
        catalog: &stage.catalog,
        grace: GRACE,
    };
    let account = &stage.home.accounts[&id("user:a")];
    let one = |feature| {
        check(
            &context,
            Some((account, None)),
            None,
            &code(feature),
            amount(1),
        )
    };
    assert_eq!(one("articles").expect_err("full"), Rejection::CounterFull);
    assert!(one("requests").expect("it fits").denial.is_none());
    let asked = Consume {
        token: None,
        items: vec![item("requests", 1), item("articles", 1)],
    };
    let several = check_items(&context, stage.home.clone(), &id("user:a"), &asked);
    let several = several.expect_err("full");
    assert_eq!((several.index(), several.code()), (Some(1), "counter_full"));
    let consumed = stage.run("user:a", Command::Consume(asked));
    assert_eq!(several, consumed.expect_err("full"));
}

/// X2, C9, F4: counters of further limits have the same bounds. What would pass one of them is refused before anything is booked, by a check
/// as by what spends or holds.
#[test]
fn a_counter_of_a_further_limit_that_is_full_changes_nothing() {
    let mut stage = chat();
    let spec = AccountSpec {
        unlimited: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(spec));
    stage.done("user:a", consume("messages", 1));
    let account = stage.home.accounts.get_mut(&id("user:a"));
    let account = Arc::make_mut(account.expect("it is here"));
    let week = account.books.balances.iter_mut();
    let mut further = week.filter(|balance| balance.bucket.is_further());
    // As many open holds of windows before this one leave it.
    further.next().expect("it is open").held = COUNT_MAX - 1;
    let before = stage.home.accounts.clone();
    for command in [
        consume("messages", 2),
        reserve("messages", 2, 60),
        track("messages", 2),
        batch(&[("articles", 1), ("messages", 2)]),
    ] {
        let refused = stage.run("user:a", command).expect_err("full");
        assert_eq!(refused.code(), "counter_full");
        assert_eq!(stage.home.accounts, before);
    }
    let user = Some((&*before[&id("user:a")], None));
    let (feature, two) = (code("messages"), amount(2));
    let checked = check(&stage.context(), user, None, &feature, two);
    assert_eq!(checked.expect_err("full"), Rejection::CounterFull);
    stage.done("user:a", consume("messages", 1));
}

/// What a consume of two items is denied for, and which of them; a check says the same. The order of the items says nothing.
#[track_caller]
fn refusal_of(stage: &mut Stage, token: Option<&str>, items: [(&str, u64); 2]) -> (Reason, String) {
    let [one, other] = items;
    let seen = [[one, other], [other, one]].map(|items| {
        let asked = Consume {
            token: token.map(token_id),
            items: items.map(|(feature, amount)| item(feature, amount)).into(),
        };
        let before = stage.home.accounts.clone();
        let context = Context {
            now: stage.now,
            catalog: &stage.catalog,
            grace: GRACE,
        };
        let checked = check_items(&context, stage.home.clone(), &id("user:a"), &asked);
        let checked = checked.expect("an answer");
        assert_eq!(checked.draws, []);
        let (item, of_check) = checked.denial.expect("is denied");
        let done = stage.run("user:a", Command::Consume(asked));
        let answer = Arc::unwrap_or_clone(done.expect("a denial is an outcome").operation).answer;
        let Answer::Denied {
            feature,
            requested,
            denial,
            ..
        } = answer
        else {
            unreachable!("expected a denial")
        };
        assert_eq!(
            (denial, &feature, requested),
            (of_check, &item.feature, item.amount.get())
        );
        assert_eq!(stage.home.accounts, before, "nothing is drawn");
        (denial.reason, feature.to_string())
    });
    assert_eq!(seen[0], seen[1], "whatever the order");
    let [seen, _] = seen;
    seen
}

/// F7 and X2: of several items of one feature, what would have been enough is told of all of them, as it stands before the first;
/// `check` says the same.
#[test]
fn items_of_one_feature_are_told_together() {
    let mut stage = Stage::user("basic");
    for (items, requested) in [
        (vec![("albums", 2), ("albums", 2)], 4),
        (
            vec![("albums", 1), ("requests", 1), ("albums", 1), ("albums", 5)],
            7,
        ),
    ] {
        let Command::Consume(asked) = batch(&items) else {
            unreachable!("a batch is consumed")
        };
        let context = stage.context();
        let checked = check_items(&context, stage.home.clone(), &id("user:a"), &asked);
        let (item, denial) = checked.expect("decided").denial.expect("it does not fit");
        assert_eq!((item.amount.get(), denial.available), (requested, 2));
        let denied = stage.run("user:a", batch(&items)).expect("decided");
        let Answer::Denied {
            feature,
            requested: told,
            denial,
            balances,
        } = &denied.operation.answer
        else {
            unreachable!("expected a denial")
        };
        assert_eq!((feature, *told), (&code("albums"), requested));
        assert_eq!((denial.reason, denial.available), (Reason::LimitReached, 2));
        assert_eq!(balances[0].remaining, Some(2));
    }
}

/// X2 and F7: of several items the reason that comes first is told, whichever item it is about: what is wrong with any of them
/// before what a token, the user and the org lack, each asked for all that the items want of it.
#[test]
fn of_several_items_the_first_reason_of_all_is_told() {
    let told = |reason, feature: &str| (reason, feature.to_owned());
    let mut stage = Stage::user("free");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let items = [("articles", 6), ("none", 1)];
    let unknown = told(Reason::UnknownFeature, "none");
    assert_eq!(refusal_of(&mut stage, None, items), unknown);
    assert_eq!(refusal_of(&mut stage, Some("t"), items), unknown);
    let items = [("articles", 6), ("albums", 1)];
    let absent = told(Reason::NotInPlan, "albums");
    assert_eq!(refusal_of(&mut stage, Some("t"), items), absent);
    // Each fits the token, and both do not.
    let items = [("articles", 6), ("articles", 5)];
    let (reason, _) = refusal_of(&mut stage, Some("t"), items);
    assert_eq!(reason, Reason::TokenExhausted);
    // The item that its own limit refuses takes nothing of what the other one needs.
    stage.done("user:a", grant("pack", 2));
    let items = [("try_on", 6), ("articles", 6)];
    let credits = refusal_of(&mut stage, None, items);
    assert_eq!(credits, told(Reason::NotInPlan, "try_on"));
    let items = [("try_on", 2), ("articles", 6)];
    let limit = refusal_of(&mut stage, None, items);
    assert_eq!(limit, told(Reason::LimitReached, "articles"));

    let mut stage = Stage::org("free");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(limited));
    stage.done("user:a", crate::stage::subscribe("basic"));
    let items = [("articles", 6), ("requests", 6)];
    let by_user = refusal_of(&mut stage, None, items);
    assert_eq!(by_user, told(Reason::LimitReached, "requests"));
    // What the org refuses the user would have given: both are more than the user has.
    let items = [("requests", 4), ("requests", 2)];
    let (reason, _) = refusal_of(&mut stage, None, items);
    assert_eq!(reason, Reason::LimitReached);
    let items = [("articles", 6), ("albums", 1)];
    let by_org = refusal_of(&mut stage, None, items);
    assert_eq!(by_org, told(Reason::OrgNotInPlan, "albums"));
}

/// X2: of features that are refused for the same reason the first is told, with what was left for it.
#[test]
fn of_items_refused_alike_the_first_is_told() {
    let mut stage = Stage::user("free");
    let (articles, requests) = (("articles", 6), ("requests", 4));
    for (items, first, available) in [
        ([articles, requests, ("articles", 1)], 7, 5),
        ([requests, articles, ("articles", 1)], 4, 3),
        ([("articles", 1), requests, ("articles", 4)], 4, 3),
    ] {
        let done = stage.run("user:a", batch(&items));
        let answer = Arc::unwrap_or_clone(done.expect("a denial is an outcome").operation).answer;
        let Answer::Denied {
            requested, denial, ..
        } = answer
        else {
            unreachable!("expected a denial")
        };
        assert_eq!(
            (requested, denial.available),
            (first, available),
            "{items:?}"
        );
    }
}

/// F7 and X2: a counter that is full is told of when no item is denied.
#[test]
fn a_denial_is_told_before_a_full_counter() {
    let mut stage = Stage::user("free");
    let spec = AccountSpec {
        unlimited: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(spec));
    let most = item("articles", quota_core::amount::AMOUNT_MAX);
    let told = Command::Track(Track {
        token: None,
        items: vec![most; 100],
        at: None,
    });
    for _ in 0..90 {
        stage.done("user:a", told.clone());
    }
    let items = [("articles", 1), ("none", 1)];
    let seen = refusal_of(&mut stage, None, items);
    assert_eq!(seen, (Reason::UnknownFeature, "none".to_owned()));
}

/// X1: a denied reserve is booked as what it was; no hold comes of it, and nothing can be refunded.
#[test]
fn a_denied_reserve_is_booked_as_a_reserve() {
    let mut stage = Stage::user("free");
    let mut request = stage.request("user:a", crate::stage::reserve("articles", 6, 60));
    request.key = Some(key("once"));
    let denied = stage.ask(&request).expect("a denial is an outcome");
    assert!(denied.is_booked && !denied.operation.answer.is_allowed());
    assert_eq!(denied.operation.kind, OperationKind::Reserve);
    assert!(denied.operation.entries.is_empty());
    assert!(stage.reservations.is_empty(), "nothing is held");
    let refund = stage.run("user:a", crate::stage::refund(denied.operation.id, None));
    let why = Unrefundable::Kind(OperationKind::Reserve);
    assert_eq!(refund, Err(Rejection::NotRefundable { why }));
    let committed = stage.run("user:a", crate::stage::commit(denied.operation.id, 1));
    assert_eq!(committed, Err(Rejection::UnknownReservation));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}
