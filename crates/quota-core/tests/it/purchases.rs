//! Credits that were bought: what refunds and disputes leave of them, and who pays for what was spent (P1, P6 to P11).

use crate::bought::{facts, forgive, purchase, told};
use crate::relocated::relocated;
use crate::stage::{Stage, amount, commit, consume, grant, id, refund, reserve};
use chrono::TimeDelta;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command, GrantCredits, Release, TakeBackCredits};
use quota_core::ids::GrantId;
use quota_core::payment_misfit::PaymentMisfit;
use quota_core::rules::scope_balances::overview;

fn close() -> Command {
    Command::CloseWindows(CloseWindows::default())
}

/// A user without a plan, who bought 100 credits for 1000 and used some of them.
fn spent(used: u64) -> Stage {
    let mut stage = Stage::user("");
    stage.buy("a", 100, 1000);
    stage.done("user:a", consume("try_on", used));
    stage
}

/// E15, E16, E17, E18 and E19: refunds by their sum, a debt that the next purchase pays, and a refund that fails.
#[test]
fn e15_to_e19_refunds_lower_a_grant_by_their_sum_and_debt_is_paid_by_the_next() {
    let mut stage = spent(30);
    stage.tell("a", [250, 0, 0]);
    assert_eq!(stage.free_and_debt(), (45, 0), "E15");
    stage.tell("a", [500, 0, 0]);
    assert_eq!(stage.free_and_debt(), (20, 0), "E16");
    stage.tell("a", [1000, 0, 0]);
    assert_eq!(stage.free_and_debt(), (0, 30), "E17");
    stage.buy("b", 100, 1000);
    assert_eq!(stage.free_and_debt(), (70, 0), "E18");
    stage.tell("a", [500, 0, 0]);
    assert_eq!(stage.free_and_debt(), (120, 0), "E19");
    assert_eq!(audit(&stage.records()), []);
}

/// E20: what is left is rounded once, of the sum, and not with each refund.
#[test]
fn e20_three_refunds_of_a_third_leave_seven_four_and_none_of_ten() {
    let mut stage = Stage::user("");
    stage.buy("a", 10, 999);
    for (refunded, left) in [(333, 7), (666, 4), (999, 0)] {
        stage.tell("a", [refunded, 0, 0]);
        assert_eq!(stage.free_and_debt(), (left, 0));
    }
    assert_eq!(audit(&stage.records()), []);
}

/// E21 and P11: an open dispute freezes, and owes nothing; won frees, lost revokes.
#[test]
fn e21_a_dispute_freezes_and_its_end_decides() {
    for (after, wanted) in [([0, 0, 0], (60, 0)), ([0, 1000, 0], (0, 40))] {
        let mut stage = spent(40);
        stage.tell("a", [0, 0, 1000]);
        assert_eq!(stage.free_and_debt(), (0, 0));
        assert_eq!(stage.wallet().frozen, 60);
        assert_eq!(stage.denied("user:a", consume("try_on", 4)).available, 3);
        stage.tell("a", after);
        assert_eq!(stage.free_and_debt(), wanted);
        assert_eq!(audit(&stage.records()), []);
    }
}

/// E22: a dispute about what a refund left.
#[test]
fn e22_a_dispute_after_a_refund_takes_what_was_left() {
    for (after, wanted) in [([400, 0, 0], (50, 0)), ([400, 600, 0], (0, 10))] {
        let mut stage = spent(10);
        stage.tell("a", [400, 0, 0]);
        stage.tell("a", [400, 0, 600]);
        assert_eq!(stage.free_and_debt(), (0, 0));
        stage.tell("a", after);
        assert_eq!(stage.free_and_debt(), wanted);
    }
}

/// E23 and R2: what was reserved before a refund is committed all the same, as debt; or is gone when it is released.
#[test]
fn e23_a_refund_while_credits_are_reserved() {
    for (commits, debt) in [(true, 50), (false, 20)] {
        let mut stage = spent(20);
        let held = stage.done("user:a", reserve("try_on", 30, 60)).id;
        stage.tell("a", [1000, 0, 0]);
        assert_eq!(stage.free_and_debt(), (0, 20));
        let end = if commits {
            commit(held, 30)
        } else {
            Command::Release(Release { reservation: held })
        };
        stage.done("user:a", end);
        assert_eq!(stage.free_and_debt(), (0, debt));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// E24, E25 and X3: another grant covers, whichever was bought first; use that is given back owes nothing any more.
#[test]
fn e24_and_e25_another_grant_covers_and_use_given_back_owes_nothing() {
    for is_first in [true, false] {
        let mut stage = Stage::user("");
        if !is_first {
            stage.buy("b", 50, 500);
        }
        let mut bought = purchase("a", 100, 1000, stage.now);
        // Of A is used first, whichever came first.
        bought.expires_at = Some(stage.now + TimeDelta::days(30));
        stage.done("user:a", Command::CreditPurchase(bought));
        if is_first {
            stage.buy("b", 50, 500);
        }
        let first = stage.done("user:a", consume("try_on", 30)).id;
        stage.done("user:a", consume("try_on", 50));
        assert_eq!(stage.grant("user:a", "stripe:a:1"), (80, 0));
        stage.tell("a", [1000, 0, 0]);
        assert_eq!(stage.free_and_debt(), (0, 30), "E24");
        stage.done("user:a", refund(first, None));
        assert_eq!(stage.free_and_debt(), (0, 0), "E25");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// E26: what cost nothing has nothing to refund; whatever is told of it.
#[test]
fn e26_what_a_coupon_paid_stays() {
    let mut stage = Stage::user("");
    stage.buy("a", 100, 0);
    stage.tell("a", [500, 0, 0]);
    assert_eq!(stage.free_and_debt(), (100, 0));
}

/// E27: tax is in what was paid and in what is refunded alike; all packs of a line are one grant.
#[test]
fn e27_half_of_three_packs_with_tax_leaves_fifteen() {
    let mut stage = Stage::user("");
    stage.buy("a", 30, 1190);
    stage.tell("a", [595, 0, 0]);
    assert_eq!(stage.free_and_debt(), (15, 0));
}

/// P9: products of the largest numbers lose nothing.
#[test]
fn the_largest_purchase_is_revoked_to_the_credit() {
    let most = 1_000_000_000_000_000;
    let mut stage = Stage::user("");
    stage.buy("a", most, most);
    stage.tell("a", [most - 1, 0, 0]);
    assert_eq!(stage.free_and_debt(), (1, 0));
}

/// P1 and P6: said again, a purchase adds nothing; of two fetches the one that began last counts, whichever comes first.
#[test]
fn a_purchase_said_again_adds_nothing_and_the_last_fetch_wins() {
    let mut stage = Stage::user("");
    let (early, late) = (stage.now, stage.now + TimeDelta::minutes(1));
    let mut bought = purchase("a", 100, 1000, late);
    bought.facts = facts([250, 0, 0]);
    stage.done("user:a", Command::CreditPurchase(bought.clone()));
    for _ in 0..5 {
        let again = stage.run("user:a", Command::CreditPurchase(bought.clone()));
        let answer = again.expect("it fits").operation.answer.clone();
        assert_eq!(answer, Answer::Unchanged);
    }
    let older = stage.run("user:a", told("a", [0, 0, 0], early));
    assert_eq!(older.expect("it fits").operation.answer, Answer::Unchanged);
    assert_eq!(stage.free_and_debt(), (75, 0));
    // The same told by a later fetch: what began in between comes too late.
    let later = late + TimeDelta::minutes(2);
    stage.done("user:a", told("a", [250, 0, 0], later));
    let between = stage.run(
        "user:a",
        told("a", [0, 0, 1000], late + TimeDelta::minutes(1)),
    );
    assert_eq!(
        between.expect("it fits").operation.answer,
        Answer::Unchanged
    );
    assert_eq!(stage.free_and_debt(), (75, 0));
    for (field, other) in [
        ("credits", purchase("a", 99, 1000, late)),
        ("money", purchase("a", 100, 999, late)),
    ] {
        let refused = stage
            .run("user:a", Command::CreditPurchase(other))
            .map(drop);
        assert_eq!(refused, Err(PaymentMisfit::LineDiffers { field }.into()));
    }
    let unknown = stage.run("user:a", told("z", [0, 0, 0], late)).map(drop);
    assert!(matches!(unknown, Err(Rejection::UnknownPayment(_))));
    assert_eq!(audit(&stage.records()), []);
}

/// P9: facts find a grant that was closed in the books, and give it back what they leave.
#[test]
fn facts_find_a_grant_that_was_closed() {
    let mut stage = spent(100);
    stage.done("user:a", close());
    stage.tell("a", [1000, 0, 0]);
    assert_eq!(stage.free_and_debt(), (0, 100));
    // While more is used than it is worth it is not closed.
    let closing = stage.run("user:a", close()).expect("it fits");
    assert_eq!(closing.operation.answer, Answer::Unchanged);
    stage.tell("a", [0, 0, 0]);
    assert_eq!(stage.free_and_debt(), (0, 0));
    stage.done("user:a", close());
    assert_eq!(audit(&stage.records()), []);
    // One of which nothing was used is closed once all of it was refunded, and comes back.
    stage.buy("b", 10, 100);
    stage.tell("b", [100, 0, 0]);
    stage.done("user:a", close());
    stage.tell("b", [0, 0, 0]);
    assert_eq!(stage.free_and_debt(), (10, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// P10: a grant that ended goes on covering, live or closed, whether the refund is told before or after its end; what was
/// bought after it had ended it does not cover.
#[test]
fn a_grant_that_ended_goes_on_covering() {
    for (is_told_first, is_closed) in [(true, true), (false, true), (false, false)] {
        let mut stage = Stage::user("");
        stage.buy("a", 100, 1000);
        stage.done("user:a", consume("try_on", 80));
        let mut other = purchase("b", 50, 500, stage.now);
        other.expires_at = Some(stage.now + TimeDelta::days(1));
        stage.done("user:a", Command::CreditPurchase(other));
        if is_told_first {
            stage.tell("a", [1000, 0, 0]);
            assert_eq!(stage.free_and_debt(), (0, 30));
        }
        stage.later(TimeDelta::days(2));
        if is_closed {
            stage.run("user:a", close()).expect("it fits");
        }
        if !is_told_first {
            stage.tell("a", [1000, 0, 0]);
        }
        assert_eq!(stage.free_and_debt(), (0, 30));
        stage.run("user:a", close()).expect("it fits");
        assert_eq!(stage.free_and_debt(), (0, 30));
        assert_eq!(stage.home.accounts[&id("user:a")].due_at(), None);
        assert_eq!(audit(&stage.records()), []);
        stage.buy("c", 60, 600);
        assert_eq!(stage.free_and_debt(), (30, 0));
        stage.done("user:a", consume("try_on", 30));
        stage.tell("c", [600, 0, 0]);
        assert_eq!(stage.free_and_debt(), (0, 60));
    }
}

/// P10 and F5: what covers is not spent twice: the grants that burn first cover, the others are drawn.
#[test]
fn what_covers_is_not_spent() {
    let mut stage = spent(30);
    stage.tell("a", [1000, 0, 0]);
    stage.done("user:a", grant("first", 20));
    stage.later(TimeDelta::seconds(1));
    stage.done("user:a", grant("second", 20));
    assert_eq!(stage.free_and_debt(), (10, 0));
    stage.done("user:a", consume("try_on", 8));
    assert_eq!(stage.grant("user:a", "first"), (0, 0));
    assert_eq!(stage.grant("user:a", "second"), (8, 0));
    let denied = stage.denied("user:a", consume("try_on", 6));
    assert_eq!(denied.available, 5, "2 credits and the trial");
    let found = &stage.home.accounts[&id("user:a")];
    let seen = overview(&stage.context(), &id("user:a"), 1, (found, None));
    let covers: Vec<_> = seen.grants.iter().map(|grant| grant.covers).collect();
    assert_eq!(covers, [20, 10, 0], "first, second and what is short");
    assert_eq!((seen.wallet.free, seen.wallet.debt), (2, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// P10: debt is forgiven once, by whoever may; nothing comes of it when the refund fails, and it pays for nothing that was
/// bought later.
#[test]
fn a_debt_is_forgiven() {
    let mut stage = spent(30);
    let none = stage.run("user:a", forgive(None)).map(drop);
    assert_eq!(none, Err(Rejection::DebtTooSmall { debt: 0 }));
    stage.tell("a", [1000, 0, 0]);
    let more = stage.run("user:a", forgive(Some(31))).map(drop);
    assert_eq!(more, Err(Rejection::DebtTooSmall { debt: 30 }));
    stage.done("user:a", forgive(Some(10)));
    assert_eq!(stage.free_and_debt(), (0, 20));
    stage.done("user:a", forgive(None));
    assert_eq!(stage.free_and_debt(), (0, 0));
    stage.run("user:a", close()).expect("it fits");
    assert_eq!(stage.free_and_debt(), (0, 0));
    stage.tell("a", [0, 0, 0]);
    assert_eq!(stage.free_and_debt(), (70, 0));
    stage.done("user:a", close());
    assert_eq!(audit(&stage.records()), []);
    stage.done("user:a", consume("try_on", 70));
    stage.buy("b", 10, 100);
    stage.done("user:a", consume("try_on", 10));
    stage.tell("b", [100, 0, 0]);
    assert_eq!(stage.free_and_debt(), (0, 10));
    assert_eq!(audit(&stage.records()), []);
}

/// P19 and P10: of a grant made by hand more may be taken back than is left; what was spent of that is debt. One that was
/// bought is its provider's.
#[test]
fn what_was_spent_of_a_grant_may_be_taken_back() {
    let take_back = |name: &str, credits| {
        Command::TakeBackCredits(TakeBackCredits {
            grant: GrantId::new(name).expect("a literal id"),
            credits: Some(amount(credits)),
        })
    };
    for is_closed in [false, true] {
        let mut stage = Stage::user("");
        stage.done("user:a", grant("pack", 50));
        stage.done("user:a", consume("try_on", if is_closed { 50 } else { 40 }));
        if is_closed {
            stage.done("user:a", close());
        }
        let refused = stage.run("user:a", take_back("pack", 51)).map(drop);
        assert_eq!(refused, Err(Rejection::GrantTooSmall { left: 50 }));
        stage.done("user:a", take_back("pack", 50));
        let debt = if is_closed { 50 } else { 40 };
        assert_eq!(stage.free_and_debt(), (0, debt));
        assert_eq!(audit(&stage.records()), []);
        stage.buy("a", 60, 100);
        assert_eq!(stage.free_and_debt(), (60 - debt, 0));
        let bought = stage.run("user:a", take_back("stripe:a:1", 1)).map(drop);
        assert!(matches!(bought, Err(Rejection::GrantBought(_))));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// P18: what is paid is never refused. Beyond a thousand live grants it waits, and enters as others are spent; callers' own
/// grants are refused as ever.
#[test]
fn a_purchase_beyond_the_bound_waits_in_line() {
    let mut stage = Stage::user("");
    for number in 0..1002 {
        let mut bought = purchase(&format!("p{number}"), 10, 100, stage.now);
        bought.expires_at = Some(stage.now + TimeDelta::days(30));
        stage.done("user:a", Command::CreditPurchase(bought));
    }
    assert_eq!((stage.wallet().free, stage.wallet().waiting), (10_000, 20));
    let own = stage.run("user:a", grant("own", 1)).map(drop);
    assert!(matches!(own, Err(Rejection::Full { field: "grant", .. })));
    // One that waits is refunded in line.
    stage.tell("p1001", [50, 0, 0]);
    assert_eq!(stage.wallet().waiting, 15);
    assert_eq!(audit(&stage.records()), []);
    stage.done("user:a", consume("try_on", 10));
    assert_eq!((stage.wallet().free, stage.wallet().waiting), (10_000, 5));
    // All that are live end at once: the next request finds what waited, and the time that it waited is not lost.
    stage.later(TimeDelta::days(30));
    assert_eq!((stage.wallet().free, stage.wallet().waiting), (0, 5));
    stage.done("user:a", consume("try_on", 4));
    stage.later(TimeDelta::days(29));
    assert_eq!((stage.wallet().free, stage.wallet().waiting), (1, 0));
    stage.later(TimeDelta::days(1));
    assert_eq!(stage.free_and_debt(), (0, 0));
    assert_eq!(audit(&stage.records()), []);
}

/// P7: the same payment at another provider is another one, and grants made by hand may not have its name.
#[test]
fn a_grant_made_by_hand_keeps_its_name() {
    let mut stage = Stage::user("");
    stage.done(
        "user:a",
        Command::GrantCredits(GrantCredits {
            grant: GrantId::new("stripe:a:1").expect("a literal id"),
            credits: amount(5),
            priority: 0,
            expires_at: None,
        }),
    );
    let bought = purchase("a", 100, 1000, stage.now);
    let refused = stage
        .run("user:a", Command::CreditPurchase(bought))
        .map(drop);
    assert_eq!(refused, Err(Rejection::GrantExists));
}

/// P2, P9 and X3: a wallet goes with its account: what was bought where it lived before, live, closed or waiting, is lowered
/// where it lives now.
#[test]
fn facts_find_what_was_bought_before_a_move() {
    let mut home = spent(100);
    home.done("user:a", close());
    home.buy("b", 50, 500);
    home.done("user:a", consume("try_on", 20));
    home.tell("b", [500, 0, 0]);
    assert_eq!(home.free_and_debt(), (0, 20));
    let mut org = Stage::org_alone("");
    org.now = home.now;
    relocated(&mut home, &mut org);
    assert_eq!(org.free_and_debt(), (0, 20));
    org.tell("a", [500, 0, 0]);
    assert_eq!(org.free_and_debt(), (0, 70));
    org.tell("b", [0, 0, 0]);
    assert_eq!(org.free_and_debt(), (0, 20), "30 of the other cover");
    org.tell("a", [0, 0, 0]);
    assert_eq!(org.free_and_debt(), (30, 0));
    org.run("user:a", close()).expect("it fits");
    assert_eq!(audit(&home.records()), []);
    assert_eq!(audit(&org.records()), []);
}
