//! Credits granted by hand and taken back.

use crate::boosts::boost;
use crate::stage::{Stage, amount, commit, consume, grant, id, refund, reserve};
use chrono::TimeDelta;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command, GrantCredits, TakeBackCredits};
use quota_core::emptied::Emptied;
use quota_core::ids::GrantId;
use quota_core::rules::scope_balances::overview;

fn take_back(credits: Option<u64>) -> Command {
    Command::TakeBackCredits(TakeBackCredits {
        grant: GrantId::new("pack").expect("a literal id"),
        credits: credits.map(amount),
    })
}

/// E46 and P19: of a grant of 5000 by mistake, 20 used, 4950 are taken back and 30 stay.
#[test]
fn e46_a_grant_by_mistake_is_taken_back() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 5000));
    stage.done("user:a", consume("renders", 10));
    stage.done("user:a", take_back(Some(4950)));
    assert_eq!(stage.grant("user:a", "pack"), (20, 0));
    assert_eq!(stage.denied("user:a", consume("renders", 16)).available, 15);
    stage.done("user:a", consume("renders", 15));
    assert_eq!(audit(&stage.records()), []);
}

/// P19 and X8: unless more is said, what is left is taken; what is used or reserved stays, and a refund finds its grant again.
#[test]
fn what_is_left_of_a_grant_is_taken_back() {
    let mut stage = Stage::user("");
    let unknown = stage.run("user:a", take_back(None)).map(drop);
    assert!(matches!(unknown, Err(Rejection::UnknownGrant(_))));
    stage.done("user:a", grant("pack", 100));
    let spent = stage.done("user:a", consume("renders", 10));
    stage.done("user:a", reserve("renders", 15, 60));
    let refused = stage.run("user:a", take_back(Some(101))).map(drop);
    assert_eq!(refused, Err(Rejection::GrantTooSmall { left: 100 }));
    stage.done("user:a", take_back(None));
    let empty = stage.run("user:a", take_back(None)).map(drop);
    let why = Emptied::Reserved;
    assert_eq!(empty, Err(Rejection::GrantEmpty { why }));
    assert_eq!(stage.denied("user:a", consume("renders", 1)).available, 0);
    stage.done("user:a", refund(spent.id, None));
    stage.done("user:a", consume("renders", 10));
    assert_eq!(audit(&stage.records()), []);
}

/// R1 and X8: a grant or a boost that is reserved whole is shown with what is held of it, and is gone when that is spent.
#[test]
fn what_is_reserved_whole_is_in_the_overview() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 20));
    stage.done("user:a", consume("renders", 5));
    stage.done("user:a", boost("extra", "articles", 30));
    stage.done("user:a", consume("articles", 100));
    let renders = stage.done("user:a", reserve("renders", 10, 60));
    let articles = stage.done("user:a", reserve("articles", 30, 60));
    let shown = |stage: &Stage| {
        let account = &stage.home.accounts[&id("user:a")];
        let seen = overview(&stage.context(), &id("user:a"), 1, (account, None));
        let grants = seen.grants.iter().map(|one| one.balance.held);
        let boosts = seen.boosts.iter().map(|one| one.held);
        (grants.collect::<Vec<_>>(), boosts.collect::<Vec<_>>())
    };
    assert_eq!(shown(&stage), (vec![20], vec![30]));
    stage.done("user:a", commit(renders.id, 10));
    stage.done("user:a", commit(articles.id, 30));
    assert_eq!(shown(&stage), (vec![], vec![]));
}

/// P19 and X8: what is not left is said to be what it is, whether or not the books were closed meanwhile.
#[test]
fn a_grant_of_which_nothing_is_left_says_why() {
    let over_at = crate::stage::start() + TimeDelta::days(1);
    for is_closed in [false, true] {
        for (why, used) in [
            (Emptied::Spent, 10),
            (Emptied::TakenBack, 0),
            (Emptied::Over { at: over_at }, 1),
        ] {
            let mut stage = Stage::user("");
            stage.done(
                "user:a",
                Command::GrantCredits(GrantCredits {
                    grant: GrantId::new("pack").expect("a literal id"),
                    credits: amount(20),
                    priority: 0,
                    expires_at: Some(over_at),
                }),
            );
            if used != 0 {
                stage.done("user:a", consume("renders", used));
            }
            match why {
                Emptied::TakenBack => drop(stage.done("user:a", take_back(None))),
                Emptied::Over { .. } => stage.now = over_at,
                Emptied::Spent | Emptied::Reserved | Emptied::Frozen | Emptied::Earlier => {}
            }
            if is_closed {
                let close = Command::CloseWindows(CloseWindows::default());
                stage.done("user:a", close);
            }
            let empty = stage.run("user:a", take_back(None)).map(drop);
            assert_eq!(empty, Err(Rejection::GrantEmpty { why }));
        }
    }
}
