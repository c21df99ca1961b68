//! A member leaves its org after a period of the org was closed in the books: the org gets back what the member held, as it would had
//! no job run (O8, S9).

use chrono::{DateTime, Utc};
use quota_core::audit::audit;
use quota_core::command::{AccountSpec, CloseWindows, Command, Subscribe};
use quota_core::draw::Scope;
use quota_core::ids::AccountId;

use crate::relocated::relocated;
use crate::several_limits::at;
use crate::stage::{Stage, code, consume, id, member, plan_code, put_account, start};

fn start_of(starts_at: DateTime<Utc>, ends_at: &str) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ends_at: Some(at(ends_at)),
        ..Subscribe::to(plan_code("pro"))
    })
}

/// An org in which `user:a` occupies 3 of 5 albums and used 7 articles, and `user:b` 1 and 2; its period is over, and the member is
/// home again.
fn left(closes: bool) -> (Stage, Stage) {
    let mut org = Stage::org_alone("");
    org.done("org:o", start_of(start(), "2027-03-20T00:00:00Z"));
    for (user, albums, articles) in [("user:a", 3, 7), ("user:b", 1, 2)] {
        let spec = AccountSpec {
            unlimited: Some(true),
            ..member()
        };
        org.done(user, put_account(spec));
        org.done(user, consume("albums", albums));
        org.done(user, consume("articles", articles));
    }
    org.now = at("2027-03-21T00:00:00Z");
    if closes {
        org.done("org:o", Command::ExpireSubscription);
        org.done("org:o", Command::CloseWindows(CloseWindows::default()));
        let live = &org.home.accounts[&id("org:o")].books.balances;
        assert!(live.is_empty(), "all of it is closed");
    }
    let mut own = Stage::new("user:a");
    own.now = org.now;
    relocated(&mut org, &mut own);
    (org, own)
}

fn of_org(stage: &mut Stage, feature: &str) -> u64 {
    stage.standing("org:o", Scope::Org, feature).0
}

fn charged_for(stage: &Stage, account: &AccountId, feature: &str) -> u64 {
    use quota_core::rules::share::charged;
    let org = &stage.home.accounts[&stage.home.id];
    let shares = match stage.home.accounts.get(account) {
        Some(member) => &member.books.shares,
        None => &org.terms.left_members[account].shares,
    };
    let feature = &stage.catalog.features[&code(feature)];
    charged(&stage.context(), org, feature, shares)
}

/// O8 and S9: when the org's period counts again, nothing of its capacity is occupied by one that left, and what was consumed is
/// explained by it still (O6).
#[test]
fn a_member_that_leaves_gives_back_what_it_holds_in_a_closed_window() {
    for closes in [false, true] {
        let (mut org, _) = left(closes);
        assert_eq!(audit(&org.records()), []);
        org.done("org:o", start_of(start(), "2027-04-10T12:00:00Z"));
        assert_eq!(of_org(&mut org, "albums"), 1, "{closes}");
        assert_eq!(of_org(&mut org, "articles"), 9, "{closes}");
        let (left, stays) = (id("user:a"), id("user:b"));
        assert_eq!(charged_for(&org, &left, "articles"), 7, "{closes}");
        assert_eq!(charged_for(&org, &stays, "articles"), 2, "{closes}");
        org.done("user:b", consume("albums", 4));
        org.denied("user:b", consume("albums", 1));
        assert_eq!(audit(&org.records()), []);
    }
}

/// O8: once given back it is not given back again, whether the user comes back, releases or leaves once more.
#[test]
fn what_was_given_back_of_a_closed_window_is_given_back_once() {
    for closes in [false, true] {
        let (mut org, mut own) = left(closes);
        org.now = own.now;
        relocated(&mut own, &mut org);
        relocated(&mut org, &mut own);
        org.done("org:o", start_of(start(), "2027-04-10T12:00:00Z"));
        relocated(&mut own, &mut org);
        assert_eq!(of_org(&mut org, "albums"), 1, "{closes}");
        assert_eq!(charged_for(&org, &id("user:a"), "albums"), 0);
        assert_eq!(charged_for(&org, &id("user:a"), "articles"), 7, "{closes}");
        assert_eq!(audit(&org.records()), []);
    }
}
