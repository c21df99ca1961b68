//! What is stored of use on demand on its way to a meter.

use std::collections::BTreeSet;

use quota_core::ids::{CustomerRef, MeterName, ProviderCode};
use quota_core::meter::{
    Compared, EntryId, MeterEntry, MeterPeriod, MeterPeriodId, MeterState, MeterSums,
};
use quota_core::payment::PaymentMode;

use super::{account, at, of, on_demand, sale};
use crate::Documents;

pub fn meter_periods() -> Documents<MeterPeriod> {
    let least = MeterPeriod {
        id: MeterPeriodId {
            account: account("user:alice"),
            provider: of(ProviderCode::new("stripe")),
            mode: PaymentMode::Live,
            bucket: on_demand(),
        },
        version: 0,
        next_at: None,
        meter: of(sale(1_000).meter.ok_or("a meter")),
        starts_at: at(0),
        ends_at: None,
        sums: MeterSums::default(),
        customers: BTreeSet::new(),
        waits_since: None,
        refused: None,
        tries: 0,
        compared: None,
    };
    let full = MeterPeriod {
        ends_at: Some(at(30)),
        sums: MeterSums {
            booked: 9,
            refunded: 3,
            netted: 2,
            told: 7,
            late: 1,
            too_old: 1,
            unknown: 1,
        },
        customers: BTreeSet::from([of(CustomerRef::new("cus_1"))]),
        waits_since: Some(at(1)),
        refused: Some("no".to_owned()),
        tries: 2,
        compared: Some(Compared {
            at: at(31),
            theirs: 7,
            told: 7,
            booked: 6,
            books: Some(6),
        }),
        meter: of(MeterName::new("articles_used")),
        ..least.clone()
    };
    vec![("least", least), ("full", full)]
}

pub fn meter_entries() -> Documents<MeterEntry> {
    let least = MeterEntry {
        id: EntryId {
            operation: of("019b0000-1111-7222-8333-440000000007".parse()),
            place: 2,
        },
        units: 3,
        booked_at: at(1),
        at: at(1),
        state: MeterState::Waiting,
        generation: 0,
        netted: 0,
        told: 0,
        customer: None,
        sent_at: None,
        is_final: false,
    };
    let full = MeterEntry {
        state: MeterState::Told,
        generation: 1,
        netted: 1,
        told: 2,
        customer: Some(of(CustomerRef::new("cus_1"))),
        sent_at: Some(at(2)),
        is_final: true,
        ..least.clone()
    };
    vec![("least", least), ("full", full)]
}

pub fn meter_states() -> Documents<MeterState> {
    MeterState::ALL
        .map(|state| (state.as_str(), state))
        .to_vec()
}
