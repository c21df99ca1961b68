//! Lists, the ledger, and what is removed.

use std::sync::Arc;

use quota_core::home::Account;
use quota_core::ids::{AccountId, AccountKind, OrgId};
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{AccountPage, AuditHome, AuditReader, LedgerPage};
use quota_core::reservation::ReservationState;
use uuid::Uuid;

use super::{Store, all, pass, put};
use crate::fixtures::{
    account, account_write, event, first_write, instant, next_write, operation, org, reservation,
    shared, user,
};

/// `acme` with members `alice` and `bob`, and `carol`, `dave` on their own; `bob` is due at 10, `carol` at 20.
async fn five_accounts(store: &Store) {
    let mut acme = first_write(&org("acme"));
    for (name, due_at) in [("alice", None), ("bob", Some(instant(10)))] {
        let mut member = account_write(&user(name), member_of("acme"));
        member.due_at = due_at;
        acme.accounts.push(member);
    }
    let mut carol = first_write(&user("carol"));
    carol.accounts[0].due_at = Some(instant(20));
    put(store, vec![carol, acme, first_write(&user("dave"))]).await;
}

fn member_of(org: &str) -> Account {
    let mut account = account(0);
    account.terms.org = Some(OrgId::new(org).expect("an org id"));
    account
}

async fn listed(store: &Store, page: AccountPage) -> Vec<String> {
    let rows = store.accounts(&page).await.expect("reads");
    rows.iter().map(|row| row.id.to_string()).collect()
}

fn page() -> AccountPage {
    AccountPage {
        limit: 10,
        ..AccountPage::default()
    }
}

/// Accounts are listed in the order of their ids, each with its home.
pub async fn accounts_are_listed_by_id_with_their_home(store: Store) {
    five_accounts(&store).await;
    let rows = store.accounts(&page()).await.expect("reads");
    let homes: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.home.as_str()))
        .collect();
    let expected = [
        ("org:acme", "org:acme"),
        ("user:alice", "org:acme"),
        ("user:bob", "org:acme"),
        ("user:carol", "user:carol"),
        ("user:dave", "user:dave"),
    ];
    assert_eq!(homes, expected);
    assert_eq!(rows[1].account, member_of("acme"));
}

/// Pages follow one another without a gap.
pub async fn pages_of_accounts_follow_one_another(store: Store) {
    five_accounts(&store).await;
    let after = |after: Option<AccountId>| AccountPage {
        after,
        limit: 2,
        ..page()
    };
    let first = listed(&store, after(None)).await;
    assert_eq!(first, ["org:acme", "user:alice"]);
    let second = listed(&store, after(Some(user("alice")))).await;
    assert_eq!(second, ["user:bob", "user:carol"]);
    let third = listed(&store, after(Some(user("carol")))).await;
    assert_eq!(third, ["user:dave"]);
    let between = listed(&store, after(Some(user("bz")))).await;
    assert_eq!(between, ["user:carol", "user:dave"]);
}

/// Accounts are listed by kind, by org, and by what is due.
pub async fn accounts_are_listed_by_kind_org_and_due(store: Store) {
    five_accounts(&store).await;
    let of_kind = |kind| AccountPage {
        kind: Some(kind),
        ..page()
    };
    assert_eq!(
        listed(&store, of_kind(AccountKind::Org)).await,
        ["org:acme"]
    );
    let users = listed(&store, of_kind(AccountKind::User)).await;
    assert_eq!(users, ["user:alice", "user:bob", "user:carol", "user:dave"]);
    let of_org = |id: &str| AccountPage {
        org: Some(OrgId::new(id).expect("an org id")),
        ..page()
    };
    let members = listed(&store, of_org("acme")).await;
    assert_eq!(members, ["user:alice", "user:bob"]);
    assert!(
        listed(&store, of_org("acm")).await.is_empty(),
        "no such org"
    );
    let due = |seconds, mut page: AccountPage| {
        page.due_before = Some(instant(seconds));
        page
    };
    assert!(
        listed(&store, due(9, page())).await.is_empty(),
        "none is due"
    );
    assert_eq!(listed(&store, due(10, page())).await, ["user:bob"]);
    let both = listed(&store, due(20, page())).await;
    assert_eq!(both, ["user:bob", "user:carol"]);
    assert_eq!(listed(&store, due(20, of_org("acme"))).await, ["user:bob"]);
    let orgs = listed(&store, due(20, of_kind(AccountKind::Org))).await;
    assert!(orgs.is_empty(), "no org is due");
}

/// An account that was due is not listed once its books say so.
pub async fn what_is_due_moves_with_the_account(store: Store) {
    five_accounts(&store).await;
    put(&store, vec![next_write(&user("carol"), 1)]).await;
    let due = AccountPage {
        due_before: Some(instant(1_000)),
        ..page()
    };
    assert_eq!(listed(&store, due).await, ["user:bob"]);
}

async fn ledger(store: &Store, page: LedgerPage) -> Vec<u64> {
    let operations = store.ledger(&page).await.expect("reads");
    operations
        .iter()
        .map(|operation| operation.sequence)
        .collect()
}

/// The ledger comes newest first by pages: of one account, or of all members.
pub async fn the_ledger_comes_newest_first_by_pages(store: Store) {
    let (acme, alice) = (org("acme"), user("alice"));
    let mut write = first_write(&acme);
    let of = |sequence: u64| {
        if sequence.is_multiple_of(3) {
            &alice
        } else {
            &acme
        }
    };
    let operations: Vec<Operation> = (1..=9).map(|n| operation(of(n), n)).collect();
    write.operations = shared(&operations);
    write.new_version = 9;
    put(&store, vec![write]).await;
    let page = |account: &AccountId, members, before, limit| LedgerPage {
        home: acme.clone(),
        account: account.clone(),
        members,
        before,
        limit,
    };
    assert_eq!(
        ledger(&store, page(&acme, true, None, 4)).await,
        [9, 8, 7, 6]
    );
    assert_eq!(
        ledger(&store, page(&acme, true, Some(6), 4)).await,
        [5, 4, 3, 2]
    );
    assert_eq!(ledger(&store, page(&acme, false, None, 3)).await, [8, 7, 5]);
    assert_eq!(
        ledger(&store, page(&alice, false, None, 9)).await,
        [9, 6, 3]
    );
    let newest = store.ledger(&page(&alice, false, Some(4), 9)).await;
    assert_eq!(newest.expect("reads"), [operations[2].clone()]);
    let mut nowhere = page(&acme, true, None, 9);
    nowhere.home = org("nowhere");
    assert!(ledger(&store, nowhere).await.is_empty(), "no such home");
}

/// Events that were passed and ended holds from before the instant go, a bounded number at a time; the rest stays.
pub async fn only_what_nobody_needs_is_pruned(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    write.events = (1..=4).map(|n| event(&alice, &alice, n)).collect();
    let hold = |end, state| {
        let mut hold = reservation(&alice, instant(end));
        hold.state = state;
        hold
    };
    write.reservations = vec![
        hold(10, ReservationState::Open),
        hold(10, ReservationState::Committed),
        hold(90, ReservationState::Released),
    ];
    write.hold_before = Some(instant(10));
    let events = write.events.clone();
    put(&store, vec![write]).await;
    pass(&store, "reader", 3).await;
    let prune = |limit| store.prune(instant(50), limit);
    assert_eq!(prune(2).await.expect("writes"), 3, "two events, one hold");
    assert_eq!(prune(2).await.expect("writes"), 1, "one event");
    assert_eq!(prune(2).await.expect("writes"), 0);
    let kept = store.events_after(&alice, &alice, 0, 9).await;
    assert_eq!(kept.expect("reads"), events[3..]);
    let stored = all(&store, &alice).await.expect("exists");
    assert_eq!(stored.reservations.len(), 2);
    assert_eq!(stored.operations.len(), 1, "the ledger stays");
}

/// Homes come by id; with an instant only those where something happened since.
pub async fn homes_come_by_id_and_by_what_happened(store: Store) {
    let homes = [org("acme"), user("alice"), user("bob"), user("carol")];
    put(&store, homes.iter().map(first_write).collect()).await;
    let mut late = next_write(&homes[2], 1);
    Arc::make_mut(&mut late.operations[0]).at = instant(60);
    put(&store, vec![late]).await;
    let all_homes = store.homes(None, None, 9).await.expect("reads");
    assert_eq!(all_homes, homes);
    let some = store.homes(Some(&homes[0]), None, 2).await;
    assert_eq!(some.expect("reads"), homes[1..3]);
    let since = |seconds| store.homes(None, Some(instant(seconds)), 9);
    assert_eq!(since(60).await.expect("reads"), homes[2..3]);
    assert_eq!(since(61).await.expect("reads"), []);
    assert_eq!(since(1).await.expect("reads"), homes);
}

/// A home without a row is none to the auditor.
pub async fn the_auditor_finds_no_home_that_is_not_there(store: Store) {
    assert_eq!(all(&store, &user("alice")).await, None);
    store
        .claim(&user("alice"), &org("acme"))
        .await
        .expect("writes");
    assert_eq!(all(&store, &org("acme")).await, None);
    assert_eq!(store.homes(None, None, 9).await.expect("reads"), []);
    store.ping().await.expect("answers");
    store.time().await.expect("answers");
}

/// A reader that drops what it is shown, and knows in what portions it came.
#[derive(Default)]
struct Portions {
    refunded: Vec<Uuid>,
    sequences: Vec<u64>,
    largest: usize,
}

impl AuditReader for Portions {
    fn begin(&mut self, home: AuditHome, refunded: Vec<Uuid>) {
        assert_eq!(home.operations, [], "they come later");
        self.refunded = refunded;
    }

    fn operations(&mut self, next: Vec<Operation>) {
        self.largest = self.largest.max(next.len());
        self.sequences.extend(next.iter().map(|next| next.sequence));
    }
}

/// The operations of a home with a long ledger are shown in their order, and some at a time.
pub async fn a_long_ledger_is_shown_bit_by_bit(store: Store) {
    const LENGTH: u64 = 2_300;
    let (alice, bob) = (user("alice"), user("bob"));
    put(&store, vec![first_write(&bob)]).await;
    let mut refunded = Vec::new();
    for version in (0..LENGTH).step_by(460) {
        let mut write = next_write(&alice, version);
        write.operations = (1..=460)
            .map(|n| operation(&alice, version + n).into())
            .collect();
        write.new_version = version + 460;
        if let [first, .., last] = write.operations.as_mut_slice() {
            let last = Arc::make_mut(last);
            (last.kind, last.refers_to) = (OperationKind::Refund, Some(first.id));
            refunded.push(first.id);
        }
        put(&store, vec![write]).await;
    }
    let mut portions = Portions::default();
    store.read_home(&alice, &mut portions).await.expect("reads");
    assert!(portions.sequences.iter().copied().eq(1..=LENGTH));
    assert!(portions.largest <= 1_000, "{}", portions.largest);
    portions.refunded.sort_unstable();
    refunded.sort_unstable();
    assert_eq!(portions.refunded, refunded);
}
