//! A row of each kind that is kept of payment providers, for tests of how a store keeps it.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failed call is a failed test, and says which"
)]

use quota_core::ids::{
    Currency, CustomerRef, EventRef, PackCode, PaymentRef, ProviderCode, SubscriptionRef,
};
use quota_core::payment::PaymentMode;
use quota_core::ports::{BillingStore, EventPage, ProblemPage, StoreError, TopUpPage};
use quota_core::provider::{
    BillingProblem, Connection, CustomerId, CustomerLink, EventId, EventState, KeptEvent,
    ObjectKind, ProblemId, ProblemKind, ProviderObject, Settled, SyncProgress, TopUp, TopUpState,
};
use quota_core::terms::TopUpFailure;
use uuid::Uuid;

use crate::fixtures::{instant, user};

fn provider() -> ProviderCode {
    ProviderCode::new("stripe").expect("a provider")
}

fn connection() -> Connection {
    Connection {
        provider: provider(),
        mode: PaymentMode::Live,
        account: "acct_1".to_owned(),
        money_starts_at: instant(1),
        progress: SyncProgress {
            events_read_until: Some(instant(2)),
            list_after: Some(SubscriptionRef::new("sub_1").expect("a subscription")),
            ..SyncProgress::default()
        },
    }
}

fn link() -> CustomerLink {
    CustomerLink {
        id: CustomerId {
            provider: provider(),
            mode: PaymentMode::Live,
            customer: CustomerRef::new("cus_1").expect("a customer"),
        },
        account: user("alice"),
        linked_at: instant(3),
        synced_at: None,
    }
}

/// An event that came after the one that [`write_one_of_each`] writes, and waits.
pub fn later_event() -> KeptEvent {
    let mut later = event();
    later.id.event = EventRef::new("evt_2").expect("an event");
    later.received_at = instant(6);
    later
}

fn event() -> KeptEvent {
    KeptEvent {
        id: EventId {
            provider: provider(),
            mode: PaymentMode::Live,
            event: EventRef::new("evt_1").expect("an event"),
        },
        kind: "invoice.paid".to_owned(),
        about: Some(ProviderObject {
            kind: ObjectKind::Invoice,
            id: "in_1".to_owned(),
        }),
        customer: Some(link().id.customer),
        made_at: instant(4),
        received_at: instant(5),
        state: EventState::Waiting,
        tries: 0,
        next_try_at: instant(5),
        error: None,
    }
}

fn problem() -> BillingProblem {
    BillingProblem {
        id: ProblemId {
            provider: provider(),
            mode: PaymentMode::Test,
            kind: ProblemKind::UnknownPrice,
            about: "cus_1".to_owned(),
        },
        account: Some(user("alice")),
        detail: "a price stands for nothing".to_owned(),
        evidence: [("price".to_owned(), "price_1".to_owned())].into(),
        times: 1,
        first_seen_at: instant(6),
        last_seen_at: instant(6),
        settled: None,
    }
}

fn top_up() -> TopUp {
    TopUp {
        account: user("alice"),
        id: Uuid::from_u128(7),
        provider: provider(),
        mode: PaymentMode::Live,
        customer: Some(link().id.customer),
        pack: PackCode::new("small").expect("a pack"),
        amount: 900,
        currency: Currency::new("eur").expect("a currency"),
        state: TopUpState::Open,
        opened_at: instant(6),
        tries: 1,
        next_look_at: instant(7),
        payment: Some(PaymentRef::new("pi_1").expect("a payment")),
        ended_at: None,
        failure: Some(TopUpFailure::AuthenticationRequired),
        error: Some("the bank asks".to_owned()),
        version: 1,
    }
}

/// Writes a connection, a link, an event in each state, a problem that is settled and one that is open, and a top-up that failed and is
/// open.
pub async fn write_one_of_each(store: &dyn BillingStore) {
    store.connect(&connection()).await.expect("writes");
    store.link_customer(&link()).await.expect("writes");
    for state in EventState::ALL {
        let mut event = event();
        if state != EventState::Waiting {
            event.id.event = EventRef::new(&format!("evt_{state:?}")).expect("an event");
            (event.state, event.about, event.customer) = (state, None, None);
        }
        assert!(store.keep_event(&event).await.expect("writes"));
    }
    let mut settled = problem();
    settled.id.kind = ProblemKind::NoPeriod;
    for problem in [&problem(), &settled] {
        store.raise_problem(problem).await.expect("writes");
    }
    let by = Settled {
        at: instant(9),
        by: "key:ops".to_owned(),
        note: Some("asked them".to_owned()),
    };
    let done = store.settle_problem(&settled.id, &by).await;
    assert!(done.expect("writes"));
    let entered = store.enter_top_up_account(&user("alice")).await;
    entered.expect("writes");
    assert!(store.begin_top_up(&top_up()).await.expect("writes"));
}

/// What each read of these rows says, where it cannot read one: the table and its row.
pub async fn unreadable(store: &dyn BillingStore) -> Vec<String> {
    let events = EventPage {
        provider: provider(),
        state: None,
        after: None,
        limit: 9,
    };
    let problems = ProblemPage {
        provider: provider(),
        is_open: true,
        kind: None,
        account: None,
        after: None,
        limit: 9,
    };
    let (event, problem) = (event().id, problem().id);
    let top_ups = TopUpPage {
        account: user("alice"),
        after: None,
        limit: 9,
    };
    let about = store.open_problems_about(&problem.provider, problem.mode, &problem.about);
    [
        named(store.connect(&connection()).await),
        named(store.customer(&link().id).await),
        named(store.customers_of(&link().account).await),
        named(store.event(&event).await),
        named(store.events(&events).await),
        named(store.take_events(instant(7), instant(7), 9).await),
        named(store.problem(&problem).await),
        named(store.problems(&problems).await),
        named(about.await),
        named(store.top_up_accounts(None, 9).await),
        named(store.open_top_up(&user("alice")).await),
        named(store.due_top_ups(instant(7), 9).await),
        named(store.top_ups(&top_ups).await),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn named<T>(read: Result<T, StoreError>) -> Option<String> {
    match read {
        Ok(_) => None,
        Err(StoreError::Corrupt { table, key, .. }) => Some(format!("{table} {key}")),
        Err(other) => Some(other.to_string()),
    }
}
