//! Spans of periods, and which of them are compared together.

use super::check::MeterSpan;
use super::period::MeterPeriod;

/// The whole minutes of a period.
pub fn span_of(period: &MeterPeriod) -> MeterSpan {
    MeterSpan::of(period.starts_at, period.ends_at)
}

/// The periods of the same meter that overlap with the first one, itself included, and the span of all: a change of plan begins a period
/// before the other was to end, and the provider's sums know instants alone.
pub fn overlapping<'a>(
    first: &'a MeterPeriod,
    all: &'a [MeterPeriod],
) -> (MeterSpan, Vec<&'a MeterPeriod>) {
    let is_other = |other: &&MeterPeriod| other.id != first.id && other.meter == first.meter;
    let mut rest: Vec<&MeterPeriod> = all.iter().filter(is_other).collect();
    let (mut span, mut found) = (span_of(first), vec![first]);
    loop {
        let (touching, apart): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|other| span.overlaps(&span_of(other)));
        if touching.is_empty() {
            return (span, found);
        }
        for other in &touching {
            span = span.with(&span_of(other));
        }
        found.extend(touching);
        rest = apart;
    }
}
