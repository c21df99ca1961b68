//! What a meter is told, step by step, as pure rules (P21).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::balance::{Balance, Bucket};
use quota_core::ids::{AccountId, CustomerRef, FeatureCode, MeterName, ProviderCode};
use quota_core::meter::{
    EntryId, MeterEntry, MeterPeriod, MeterPeriodId, MeterState, MeterStep, Place, next_step,
    overlapping, span_of,
};
use quota_core::payment::PaymentMode;
use quota_core::sale::Sale;
use uuid::Uuid;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_803_895_217 + seconds, 0).expect("an instant")
}

fn period(start: i64, end: i64) -> MeterPeriod {
    let feature = FeatureCode::new("requests").expect("a code");
    let bucket = Bucket::OnDemand(feature, at(start).timestamp_micros());
    let mut balance = Balance::new(bucket.clone(), Limit::Of(100), at(start));
    balance.ends_at = Some(at(end));
    balance.sale = Some(Box::new(Sale {
        price: 1,
        per: 1,
        currency: "eur".to_owned(),
        meter: MeterName::new("requests_used").ok(),
    }));
    let id = MeterPeriodId {
        account: AccountId::parse("user:ann").expect("an id"),
        provider: ProviderCode::new("stripe").expect("a code"),
        mode: PaymentMode::Test,
        bucket,
    };
    MeterPeriod::begun(id, &balance, at(start)).expect("a meter is told")
}

fn entry(place: u32, units: u64, state: MeterState) -> MeterEntry {
    MeterEntry {
        id: EntryId {
            operation: Uuid::nil(),
            place,
        },
        units,
        booked_at: at(10),
        at: at(10),
        state,
        generation: 0,
        netted: 0,
        told: 0,
        customer: None,
        sent_at: None,
        is_final: false,
    }
}

fn step(period: &MeterPeriod, open: &[MeterEntry], now: i64) -> MeterStep {
    let customer = CustomerRef::new("cus_1").expect("a name");
    next_step(&Place {
        period,
        open,
        told: &[],
        customer: Some(&customer),
        now: at(now),
    })
}

/// What is given back is taken off what is told next; what is given back whole is not told at all.
#[test]
fn what_is_given_back_is_taken_off_what_is_told_next() {
    let mut period = period(0, 3_600);
    let mut entries = [
        entry(1, 3, MeterState::Waiting),
        entry(2, 5, MeterState::Waiting),
        entry(3, 4, MeterState::Refund),
    ];
    period.take(&mut entries, at(20));
    assert_eq!(
        (period.sums.booked, period.sums.refunded, period.sums.owed()),
        (8, 4, 4)
    );
    let MeterStep::Note(both) = step(&period, &entries[..2], 20) else {
        panic!("all of the first was given back");
    };
    let (period, first) = *both;
    assert_eq!(
        (first.state, period.sums.carried()),
        (MeterState::Netted, 1)
    );
    let MeterStep::Tell(both) = step(&period, &entries[1..2], 20) else {
        panic!("the rest is told");
    };
    let (mut period, mut second) = *both;
    assert_eq!((second.told, period.sums.carried()), (4, 0));
    period.counts(&mut second, at(21));
    assert_eq!(period.sums.told, period.sums.owed());
}

/// What is in doubt is told again under its identifier for as long as that counts once, and asked for later.
#[test]
fn what_is_in_doubt_is_told_again_for_a_day_and_asked_for_later() {
    let period = period(0, 90 * 86_400);
    let mut doubtful = entry(1, 3, MeterState::Sending);
    doubtful.sent_at = Some(at(0));
    let open = [doubtful];
    assert!(matches!(
        step(&period, &open, 22 * 3_600),
        MeterStep::TellAgain(_)
    ));
    assert!(matches!(
        step(&period, &open, 23 * 3_600),
        MeterStep::Ask(_)
    ));
}

/// What is ahead of the provider's clock waits, and what is too old is not told.
#[test]
fn what_is_ahead_waits_and_what_is_too_old_is_not_told() {
    let period = period(0, 90 * 86_400);
    let open = [entry(1, 3, MeterState::Waiting)];
    assert_eq!(
        step(&period, &open, -600),
        MeterStep::Rest(Some(at(10 - 240)))
    );
    let MeterStep::Note(both) = step(&period, &open, 34 * 86_400 + 10) else {
        panic!("it is too old");
    };
    assert_eq!((both.1.state, both.0.sums.too_old), (MeterState::TooOld, 3));
}

/// W1: spans of periods that follow one another tile time in whole minutes, and what is booked lies in that of its period.
#[test]
fn spans_tile_time_and_hold_what_is_booked() {
    let (first, second) = (period(0, 1_000), period(1_000, 5_000));
    let (one, two) = (span_of(&first), span_of(&second));
    assert_eq!(one.ends_before, Some(two.starts_at));
    for booked in [0, 1, 17, 43, 999, 1_000, 9_999] {
        let placed = one.placed(at(booked) + TimeDelta::milliseconds(7));
        assert!(
            one.starts_at <= placed && Some(placed) < one.ends_before,
            "{booked}"
        );
        assert_eq!(placed.timestamp_subsec_nanos(), 0);
    }
    let tiny = span_of(&period(3, 4));
    assert!(Some(tiny.placed(at(3))) < tiny.ends_before);
}

/// Periods that overlap are compared together, however many; those that touch are not.
#[test]
fn periods_that_overlap_are_compared_together() {
    let all = [
        period(0, 600),
        period(300, 1_200),
        period(1_000, 1_800),
        period(1_800, 2_400),
    ];
    let (span, together) = overlapping(&all[0], &all);
    assert_eq!(together.len(), 3);
    assert_eq!(
        (span.starts_at, span.ends_before),
        (span_of(&all[0]).starts_at, span_of(&all[2]).ends_before)
    );
    assert_eq!(overlapping(&all[3], &all).1.len(), 1);
}
