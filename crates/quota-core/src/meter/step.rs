//! What is to be done next for a period: pure, so that whoever comes after a crash goes on where the last one stopped.

use chrono::{DateTime, TimeDelta, Utc};

use super::entry::{MeterEntry, MeterState};
use super::{
    AHEAD_MAX, CHECK_AFTER, INVOICED_AFTER, MeterPeriod, SURE_WITHIN, TOLD_WITHIN, span_of,
};
use crate::ids::CustomerRef;

/// How long use waits for a customer that was not there.
const CUSTOMER_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// What is known of a period.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The period.
    pub period: &'a MeterPeriod,
    /// Its entries that are open, those that were booked first first; of many the first ones.
    pub open: &'a [MeterEntry],
    /// Entries that were told within [`SURE_WITHIN`], the one that was told last first; needed only where something is
    /// [carried](super::MeterSums::carried).
    pub told: &'a [MeterEntry],
    /// The customer that the account is.
    pub customer: Option<&'a CustomerRef>,
    /// When it is looked at.
    pub now: DateTime<Utc>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeterStep {
    /// Both are written, and then the provider is told: nothing was told of it before.
    Tell(Box<(MeterPeriod, MeterEntry)>),
    /// The provider is told again: whether it arrived is not known, and the same identifier counts once.
    TellAgain(Box<MeterEntry>),
    /// Both are written, and then the event is cancelled.
    Cancel(Box<(MeterPeriod, MeterEntry)>),
    /// It is cancelled again.
    CancelAgain(Box<MeterEntry>),
    /// The identifier may count again: the provider is asked for the sum of its minute.
    Ask(Box<MeterEntry>),
    /// Both are written, and that is all.
    Note(Box<(MeterPeriod, MeterEntry)>),
    /// The period is written: something of it waits for a customer.
    NoCustomer(Box<MeterPeriod>),
    /// The period is over: what was told is compared.
    Compare,
    /// There is nothing to do until then; none when there is nothing left.
    Rest(Option<DateTime<Utc>>),
}

/// The next step of a period.
pub fn next_step(place: &Place<'_>) -> MeterStep {
    if let Some(doubtful) = place.open.iter().find(|entry| entry.state.is_in_doubt()) {
        return again(doubtful, place.now);
    }
    if let Some(first) = place.open.first() {
        return tell(place, first);
    }
    let carried = place.period.sums.carried();
    let is_sure = |entry: &&MeterEntry| {
        !entry.is_final && entry.state == MeterState::Told && is_within(entry, place.now)
    };
    if carried != 0
        && let Some(last) = place.told.iter().find(is_sure)
    {
        let mut entry = last.clone();
        entry.state = MeterState::Cancelling;
        return MeterStep::Cancel(Box::new((place.period.clone(), entry)));
    }
    match (place.period.compared, due_at(place.period)) {
        (None, Some(due_at)) if due_at <= place.now => MeterStep::Compare,
        (None, due_at) => MeterStep::Rest(due_at),
        (Some(compared), _) => {
            let next_at = place.period.next_at.filter(|_| !compared.is_settled_here());
            if next_at.is_some_and(|next_at| next_at <= place.now) {
                return MeterStep::Compare;
            }
            MeterStep::Rest(next_at)
        }
    }
}

/// When a period is compared.
fn due_at(period: &MeterPeriod) -> Option<DateTime<Utc>> {
    period.ends_at?.checked_add_signed(CHECK_AFTER)
}

/// Whether it was told so lately that the identifier counts once, and that it can be cancelled.
fn is_within(entry: &MeterEntry, now: DateTime<Utc>) -> bool {
    let until = entry
        .sent_at
        .and_then(|at| at.checked_add_signed(SURE_WITHIN));
    until.is_some_and(|until| now < until)
}

fn again(entry: &MeterEntry, now: DateTime<Utc>) -> MeterStep {
    let entry_again = Box::new(entry.clone());
    match (is_within(entry, now), entry.state == MeterState::Cancelling) {
        (true, true) => MeterStep::CancelAgain(entry_again),
        (true, false) => MeterStep::TellAgain(entry_again),
        (false, _) => MeterStep::Ask(entry_again),
    }
}

fn tell(place: &Place<'_>, first: &MeterEntry) -> MeterStep {
    let (mut period, mut entry, now) = (place.period.clone(), first.clone(), place.now);
    let rest = entry.units.saturating_sub(entry.netted);
    let net = period.sums.carried().min(rest);
    let value = rest.saturating_sub(net);
    period.sums.netted = period.sums.netted.saturating_add(net);
    entry.netted = entry.netted.saturating_add(net);
    if value == 0 {
        entry.state = MeterState::Netted;
        return MeterStep::Note(Box::new((period, entry)));
    }
    let tellable_until = entry.at.checked_add_signed(TOLD_WITHIN);
    if tellable_until.is_none_or(|until| until <= now) {
        entry.state = MeterState::TooOld;
        period.sums.too_old = period.sums.too_old.saturating_add(value);
        return MeterStep::Note(Box::new((period, entry)));
    }
    let tellable_from = entry.at.checked_sub_signed(AHEAD_MAX);
    if let Some(from) = tellable_from.filter(|from| now < *from) {
        return MeterStep::Rest(Some(from));
    }
    let Some(customer) = place.customer else {
        let mut waiting = place.period.clone();
        waiting.waits_since.get_or_insert(entry.booked_at);
        waiting.next_at = now.checked_add_signed(CUSTOMER_PAUSE);
        return MeterStep::NoCustomer(Box::new(waiting));
    };
    entry.state = MeterState::Sending;
    entry.told = value;
    entry.customer = Some(customer.clone());
    entry.sent_at = Some(now);
    period.customers.insert(customer.clone());
    period.waits_since = None;
    MeterStep::Tell(Box::new((period, entry)))
}

impl MeterPeriod {
    /// The provider counts what it was told.
    pub fn counts(&mut self, entry: &mut MeterEntry, now: DateTime<Utc>) {
        if entry.state == MeterState::Sending {
            self.sums.told = self.sums.told.saturating_add(entry.told);
            let closed_at = span_of(self)
                .ends_before
                .and_then(|end| end.checked_add_signed(INVOICED_AFTER));
            if closed_at.is_some_and(|closed_at| closed_at <= now) {
                self.sums.late = self.sums.late.saturating_add(entry.told);
            }
        } else {
            // It was to be cancelled, and cannot be any more.
            entry.is_final = true;
        }
        entry.state = MeterState::Told;
        self.gone_on(now);
    }

    /// The provider does not count it: it is told anew, less what was given back.
    pub fn counts_not(&mut self, entry: &mut MeterEntry, now: DateTime<Utc>) {
        if entry.state == MeterState::Cancelling {
            self.sums.told = self.sums.told.saturating_sub(entry.told);
            entry.generation = entry.generation.saturating_add(1);
        }
        entry.state = MeterState::Waiting;
        entry.told = 0;
        entry.customer = None;
        entry.sent_at = None;
        self.gone_on(now);
    }

    /// Nobody can tell any more whether the provider counts it.
    pub fn is_unknown(&mut self, entry: &mut MeterEntry, now: DateTime<Utc>) {
        self.sums.unknown = self.sums.unknown.saturating_add(entry.told);
        entry.state = MeterState::Unknown;
        self.gone_on(now);
    }

    /// It was gone on with.
    fn gone_on(&mut self, now: DateTime<Utc>) {
        self.refused = None;
        self.tries = 0;
        self.next_at = Some(now);
    }
}
