//! Pages, the auditor's view, the outbox, and what is removed.

use std::slice::from_ref;

use quota_core::home::ClosedBalance;
use quota_core::ids::{AccountKind, OrgId};
use quota_core::ports::{
    AccountPage, AccountWrite, Audits, JobRun, JobStore, LedgerPage, Lists, Outbox, RunState,
    RunSummary, Upkeep,
};
use quota_core::reservation::ReservationState;
use uuid::Uuid;

use crate::fixture::{
    account, ask, at, balance, change, event, fresh, id, load, operation, reservation, sql, write,
};

#[tokio::test]
async fn accounts_come_in_pages_by_id() {
    let (store, _) = fresh("accounts").await;
    let (org, member) = (id("org:one"), id("user:m"));
    let mut home = change(&org, 0, 1);
    home.accounts.push(AccountWrite {
        has_new_terms: true,
        id: member.clone(),
        account: account(1),
        due_at: Some(at(5)),
    });
    write(
        &store,
        vec![
            home,
            change(&id("user:a"), 0, 1),
            change(&id("user:z"), 0, 1),
        ],
    )
    .await;
    let list = async |page: AccountPage| -> Vec<String> {
        let rows = store.accounts(&page).await.expect("reads");
        rows.iter().map(|row| row.id.to_string()).collect()
    };
    let all = AccountPage {
        limit: 10,
        ..AccountPage::default()
    };
    assert_eq!(
        list(all.clone()).await,
        ["org:one", "user:a", "user:m", "user:z"]
    );
    let orgs = AccountPage {
        kind: Some(AccountKind::Org),
        ..all.clone()
    };
    assert_eq!(list(orgs).await, ["org:one"]);
    let after = AccountPage {
        after: Some(id("user:a")),
        limit: 1,
        ..all.clone()
    };
    assert_eq!(list(after).await, ["user:m"]);
    let of_org = OrgId::new("one").expect("a literal id");
    let members = AccountPage {
        org: Some(of_org),
        ..all.clone()
    };
    assert_eq!(list(members).await, ["user:m"]);
    let due = |before| AccountPage {
        due_before: Some(at(before)),
        ..all.clone()
    };
    assert_eq!(list(due(5)).await, ["user:m"]);
    assert!(list(due(4)).await.is_empty());
    let rows = store.accounts(&due(5)).await.expect("reads");
    assert_eq!((&rows[0].home, &rows[0].account), (&org, &*account(1)));
}

#[tokio::test]
async fn the_ledger_comes_newest_first() {
    let (store, _) = fresh("ledger").await;
    let (org, member) = (id("org:one"), id("user:m"));
    let mut home = change(&org, 0, 1);
    home.operations
        .extend((2..=5).map(|sequence| operation(&member, sequence)));
    // One of them in another month.
    home.operations[3].at = at(40 * 86_400);
    home.new_version = 5;
    write(&store, vec![home]).await;
    let page = |account, members, before, limit| LedgerPage {
        home: org.clone(),
        account,
        members,
        before,
        limit,
    };
    let list = async |page: LedgerPage| -> Vec<u64> {
        let operations = store.ledger(&page).await.expect("reads");
        operations
            .iter()
            .map(|operation| operation.sequence)
            .collect()
    };
    assert_eq!(list(page(org.clone(), true, None, 3)).await, [5, 4, 3]);
    assert_eq!(list(page(org.clone(), true, Some(3), 3)).await, [2, 1]);
    assert_eq!(list(page(org.clone(), false, None, 3)).await, [1]);
    assert_eq!(list(page(member.clone(), false, Some(5), 2)).await, [4, 3]);
}

#[tokio::test]
async fn an_audit_reads_everything_of_a_home() {
    let (store, _) = fresh("audit").await;
    let (org, member) = (id("org:one"), id("user:m"));
    let mut home = change(&org, 0, 1);
    home.hold_before = Some(at(70));
    home.accounts.push(AccountWrite {
        has_new_terms: true,
        id: member.clone(),
        account: account(2),
        due_at: None,
    });
    home.operations.push(operation(&member, 2));
    home.new_version = 2;
    home.reservations = vec![reservation(&member, at(70)), reservation(&org, at(80))];
    home.closed = vec![ClosedBalance {
        account: member.clone(),
        balance: balance(3),
    }];
    write(&store, vec![home.clone(), change(&id("user:other"), 0, 1)]).await;
    let audited = store
        .audit_home(&org)
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!((audited.version, audited.hold_before), (2, Some(at(70))));
    let accounts = [(&org, &*account(1)), (&member, &*account(2))];
    assert!(
        audited
            .accounts
            .iter()
            .map(|(id, account)| (id, account))
            .eq(accounts)
    );
    assert_eq!(audited.operations, home.operations);
    assert_eq!(audited.reservations.len(), 2);
    assert_eq!(audited.closed, home.closed);
    assert_eq!(
        store.audit_home(&id("user:none")).await.expect("reads"),
        None
    );
    let homes = |after, since, limit| store.homes(after, since, limit);
    let other = id("user:other");
    assert_eq!(
        homes(None, None, 9).await.expect("reads"),
        [org.clone(), other.clone()]
    );
    assert_eq!(
        homes(Some(&org), Some(at(1)), 9).await.expect("reads"),
        [other]
    );
    assert!(homes(None, Some(at(2)), 9).await.expect("reads").is_empty());
    assert_eq!(homes(None, None, 1).await.expect("reads"), [org]);
}

#[tokio::test]
async fn events_are_told_oldest_first_and_once_marked_no_more() {
    let (store, _) = fresh("outbox").await;
    let (a, b) = (id("user:a"), id("user:b"));
    let (mut one, mut two) = (change(&a, 0, 1), change(&b, 0, 1));
    one.events = vec![event(&a, 1, "first"), event(&a, 3, "third")];
    two.events = vec![event(&b, 2, "second")];
    // Two events of one operation share its id.
    let mut twin = one.events[0].clone();
    twin.kind = event(&a, 1, "twin").kind;
    one.events.push(twin.clone());
    let (first, third, second) = (
        one.events[0].clone(),
        one.events[1].clone(),
        two.events[0].clone(),
    );
    write(&store, vec![one, two]).await;
    let pending = store.pending_events(9).await.expect("reads");
    assert_eq!(
        pending,
        [first.clone(), twin.clone(), second.clone(), third.clone()]
    );
    assert_eq!(
        store.pending_events(1).await.expect("reads"),
        from_ref(&first)
    );
    store
        .mark_published(&[first.clone(), third], at(20))
        .await
        .expect("marks");
    store.mark_published(&[first], at(30)).await.expect("marks");
    assert_eq!(
        store.pending_events(9).await.expect("reads"),
        [twin, second]
    );
    assert_eq!(store.prune(at(20), 9).await.expect("prunes"), 0);
    assert_eq!(store.prune(at(21), 1).await.expect("prunes"), 1);
    assert_eq!(store.prune(at(21), 9).await.expect("prunes"), 1);
}

#[tokio::test]
async fn pruning_takes_what_has_ended_and_nothing_else() {
    let (store, url) = fresh("prune").await;
    let a = id("user:a");
    let open = reservation(&a, at(5));
    let mut ended = reservation(&a, at(5));
    ended.state = ReservationState::Released;
    let mut recent = reservation(&a, at(50));
    recent.state = ReservationState::Committed;
    let mut home = change(&a, 0, 1);
    home.hold_before = Some(at(5));
    home.reservations = vec![open.clone(), ended.clone(), recent];
    write(&store, vec![home]).await;
    let run = |state, ended_at| JobRun {
        id: Uuid::now_v7(),
        job: "sweep".to_owned(),
        asked_by: "schedule".to_owned(),
        filter: None,
        owner: "me".to_owned(),
        started_at: at(1),
        ended_at,
        state,
        summary: RunSummary::default(),
    };
    store
        .put_run(&run(RunState::Succeeded, Some(at(3))))
        .await
        .expect("puts");
    store
        .put_run(&run(RunState::Running, None))
        .await
        .expect("puts");
    assert_eq!(
        store.homes_with_due_holds(at(4), 9).await.expect("reads"),
        []
    );
    assert_eq!(
        store.homes_with_due_holds(at(5), 9).await.expect("reads"),
        from_ref(&a)
    );

    assert_eq!(store.prune(at(10), 9).await.expect("prunes"), 2);
    assert_eq!(store.runs(None, 9).await.expect("reads").len(), 1);
    let home = load(&store, vec![ask(&a)]).await.homes.remove(0);
    assert_eq!(
        home.reservations.keys().copied().collect::<Vec<_>>(),
        [open.id]
    );
    let later = at(86_400 * 70);
    store.make_ledger_months(later).await.expect("makes them");
    let months = "select count(*) from pg_inherits where inhparent = 'operations'::regclass
        and inhrelid::regclass::text like 'operations_y2027m0%'";
    let months: u32 = sql(&url, months)
        .await
        .expect("counts")
        .parse()
        .expect("a number");
    assert!(months >= 3, "{months}");
    assert!(store.time().await.expect("answers").is_some());
    store.ping().await.expect("answers");
    store.close().await;
    assert!(store.ping().await.expect_err("is closed").is_transient());
}
