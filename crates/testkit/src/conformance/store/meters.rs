//! What is kept of use on demand on its way to a provider's meter.

use std::collections::BTreeSet;
use std::sync::Arc;

use quota_core::amount::Limit;
use quota_core::balance::{Balance, Bucket};
use quota_core::ids::{AccountId, CustomerRef, MeterName, ProviderCode};
use quota_core::meter::{
    Compared, EntryId, MeterEntry, MeterPeriod, MeterPeriodId, MeterState, MeterSums,
};
use quota_core::payment::PaymentMode;
use quota_core::ports::{LedgerMark, MeterEntries, MeterStore, MeterWrite};
use quota_core::sale::Sale;
use uuid::Uuid;

use super::round_trip::odd_instant;
use crate::fixtures::{feature, instant, odd_sale, user};

type Meters = Arc<dyn MeterStore>;

const WRITERS: usize = 16;

fn id(account: &AccountId, start: i64) -> MeterPeriodId {
    MeterPeriodId {
        account: account.clone(),
        provider: ProviderCode::new("stripe").expect("a provider"),
        mode: PaymentMode::Test,
        bucket: Bucket::OnDemand(feature("articles"), start),
    }
}

fn period(id: MeterPeriodId) -> MeterPeriod {
    let mut balance = Balance::new(id.bucket.clone(), Limit::Of(10), instant(1));
    balance.sale = Some(Box::new(Sale {
        meter: MeterName::new("articles_used").ok(),
        ..odd_sale()
    }));
    let begun = MeterPeriod::begun(id, &balance, instant(2));
    MeterPeriod {
        version: 1,
        ..begun.expect("a meter is told")
    }
}

fn entry(number: u32, state: MeterState) -> MeterEntry {
    MeterEntry {
        id: EntryId {
            operation: Uuid::from_u128(
                0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(number),
            ),
            place: number,
        },
        units: 3,
        booked_at: instant(i64::from(number)),
        at: instant(i64::from(number)),
        state,
        generation: 0,
        netted: 0,
        told: 0,
        customer: None,
        sent_at: (state == MeterState::Told).then(|| instant(100 + i64::from(number))),
        is_final: false,
    }
}

async fn put(store: &Meters, period: &MeterPeriod, entries: Vec<MeterEntry>) -> bool {
    let period = period.clone();
    let written = store.write_meters(&MeterWrite { period, entries }).await;
    written.expect("writes")
}

async fn asked(store: &Meters, wanted: MeterEntries) -> Vec<u32> {
    let found = store.meter_entries(&wanted).await.expect("reads");
    found.into_iter().map(|(_, entry)| entry.id.place).collect()
}

/// A period and its entries come back whole.
pub async fn every_field_of_a_meters_period_comes_back(store: Meters) {
    let customer = CustomerRef::new("cus_1").expect("a customer");
    let mut whole = period(id(&user("ann"), 7));
    whole.next_at = Some(odd_instant());
    whole.ends_at = Some(odd_instant());
    whole.sums = MeterSums {
        booked: 1,
        refunded: 2,
        netted: 3,
        told: 4,
        late: 5,
        too_old: 6,
        unknown: 7,
    };
    whole.customers = BTreeSet::from([customer.clone()]);
    whole.waits_since = Some(odd_instant());
    whole.refused = Some("¤'\"".to_owned());
    whole.tries = 3;
    whole.compared = Some(Compared {
        at: odd_instant(),
        theirs: 1,
        told: 2,
        booked: 3,
        books: Some(4),
    });
    let mut full = entry(1, MeterState::Sending);
    full.generation = 2;
    full.netted = 1;
    full.told = 2;
    full.customer = Some(customer);
    full.sent_at = Some(odd_instant());
    full.is_final = true;
    let entries = MeterState::ALL
        .into_iter()
        .zip(2..)
        .map(|(state, number)| entry(number, state));
    let entries: Vec<MeterEntry> = entries.chain([full]).collect();
    assert!(put(&store, &whole, entries.clone()).await);
    let read = store.meter_period(&whole.id).await.expect("reads");
    assert_eq!(read, Some(whole.clone()));
    let of_account = store.meter_periods(&whole.id.account).await.expect("reads");
    assert_eq!(of_account, std::slice::from_ref(&whole));
    let ids = entries.iter().map(|entry| entry.id).collect();
    let known = MeterEntries::Known(whole.id.clone(), ids);
    let known = store.meter_entries(&known).await.expect("reads");
    assert_eq!(known.len(), entries.len());
    for (bucket, known) in known {
        assert_eq!(bucket, whole.id.bucket);
        assert!(entries.contains(&known), "{known:?}");
    }
}

/// Entries come as they are asked for, and only those of the period.
pub async fn entries_of_a_period_come_as_they_are_asked_for(store: Meters) {
    let (ann, bob) = (user("ann"), user("bob"));
    let (first, second) = (id(&ann, 7), id(&ann, 8));
    let mut entries = vec![
        entry(4, MeterState::Waiting),
        entry(2, MeterState::Cancelling),
        entry(3, MeterState::Sending),
    ];
    entries.extend([5, 6].map(|number| entry(number, MeterState::Told)));
    entries.push(entry(1, MeterState::Refund));
    assert!(put(&store, &period(first.clone()), entries).await);
    assert!(put(&store, &period(second), vec![entry(7, MeterState::Waiting)]).await);
    assert!(
        put(
            &store,
            &period(id(&bob, 7)),
            vec![entry(2, MeterState::Waiting)]
        )
        .await
    );
    assert_eq!(
        asked(&store, MeterEntries::Open(first.clone(), 9)).await,
        [2, 3, 4]
    );
    assert_eq!(
        asked(&store, MeterEntries::Open(first.clone(), 2)).await,
        [2, 3]
    );
    let since = MeterEntries::ToldSince(first.clone(), instant(106), 9);
    assert_eq!(asked(&store, since).await, [6]);
    let since = MeterEntries::ToldSince(first.clone(), instant(0), 9);
    assert_eq!(asked(&store, since).await, [6, 5]);
    let ids = [3, 9].map(|number| entry(number, MeterState::Told).id);
    assert_eq!(
        asked(&store, MeterEntries::Known(first, ids.into())).await,
        [3]
    );
    let within = MeterEntries::Within(ann, instant(5), instant(8));
    assert_eq!(asked(&store, within).await, [5, 6, 7]);
}

/// A write follows the version before it, or changes nothing.
pub async fn a_meters_period_follows_the_version_before_it(store: Meters) {
    let id = id(&user("ann"), 7);
    let mut next = period(id.clone());
    assert!(put(&store, &next, vec![]).await);
    assert!(!put(&store, &next, vec![entry(1, MeterState::Waiting)]).await);
    next.version = 3;
    assert!(!put(&store, &next, vec![entry(1, MeterState::Waiting)]).await);
    assert_eq!(
        asked(&store, MeterEntries::Open(id.clone(), 9)).await,
        [0; 0]
    );
    next.version = 2;
    let writers = (0..WRITERS).map(|_| {
        let (store, next) = (Arc::clone(&store), next.clone());
        tokio::spawn(async move { put(&store, &next, vec![entry(1, MeterState::Told)]).await })
    });
    let mut passed = 0;
    for writer in writers.collect::<Vec<_>>() {
        passed += usize::from(writer.await.expect("ends"));
    }
    assert_eq!(passed, 1);
    let read = store
        .meter_period(&id)
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(read.version, 2);
}

/// Periods that are due come by when they wait since.
pub async fn periods_come_when_they_are_due(store: Meters) {
    for (name, next_at) in [
        ("ann", Some(30)),
        ("bob", Some(10)),
        ("eve", None),
        ("zoe", Some(99)),
    ] {
        let mut due = period(id(&user(name), 7));
        due.next_at = next_at.map(instant);
        assert!(put(&store, &due, vec![]).await);
    }
    for (limit, names) in [(9, vec!["bob", "ann"]), (1, vec!["bob"])] {
        let due = store
            .due_meter_periods(instant(30), limit)
            .await
            .expect("reads");
        let due = due
            .into_iter()
            .map(|due| due.id.account)
            .collect::<Vec<_>>();
        assert_eq!(due, names.into_iter().map(user).collect::<Vec<_>>());
    }
}

/// The mark of the ledger is that of a provider and mode, and only grows.
pub async fn the_mark_of_the_ledger_only_grows(store: Meters) {
    let provider = ProviderCode::new("stripe").expect("a provider");
    let (live, test) = (PaymentMode::Live, PaymentMode::Test);
    assert_eq!(
        store.ledger_mark(&provider, live).await.expect("reads"),
        None
    );
    for mark in [5, 9, 7] {
        let put = store
            .put_ledger_mark(&provider, live, LedgerMark(mark))
            .await;
        put.expect("writes");
    }
    let put = store.put_ledger_mark(&provider, test, LedgerMark(1)).await;
    put.expect("writes");
    let marks = [live, test].map(|mode| store.ledger_mark(&provider, mode));
    let [live, test] = marks;
    assert_eq!(live.await.expect("reads"), Some(LedgerMark(9)));
    assert_eq!(test.await.expect("reads"), Some(LedgerMark(1)));
}

/// What is over is pruned, and nothing else.
pub async fn only_what_is_over_is_pruned_of_meters(store: Meters) {
    let over = |name: &str, next_at: Option<i64>, ends_at: Option<i64>| MeterPeriod {
        next_at: next_at.map(instant),
        ends_at: ends_at.map(instant),
        ..period(id(&user(name), 7))
    };
    let entries = vec![
        entry(1, MeterState::Told),
        entry(2, MeterState::Sending),
        entry(30, MeterState::Told),
    ];
    assert!(put(&store, &over("ann", None, Some(5)), entries).await);
    assert!(put(&store, &over("bob", Some(6), Some(5)), vec![]).await);
    assert!(put(&store, &over("eve", None, None), vec![]).await);
    assert!(put(&store, &over("zoe", None, Some(30)), vec![]).await);
    assert_eq!(
        store.prune_meters(instant(20), 100).await.expect("prunes"),
        2
    );
    assert_eq!(
        store.prune_meters(instant(20), 100).await.expect("prunes"),
        0
    );
    let within = MeterEntries::Within(user("ann"), instant(0), instant(99));
    assert_eq!(asked(&store, within).await, [2, 30]);
    let mut left = Vec::new();
    for name in ["ann", "bob", "eve", "zoe"] {
        left.push(store.meter_periods(&user(name)).await.expect("reads").len());
    }
    assert_eq!(left, [0, 1, 1, 1]);
}
