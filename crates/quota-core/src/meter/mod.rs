//! Use on demand, told to a payment provider's meter as it is booked, and compared with what the provider counted (P21).
//!
//! Every ledger entry that sells is one event of the meter, under the entry's id. What was told is never lowered there but by a
//! cancellation, which a provider takes for a day: so what is given back is netted first with what is yet to be told in the same
//! period, then by cancelling and telling the rest, and what neither reaches is listed.

mod check;
mod collect;
mod doubt;
mod entry;
mod period;
mod span;
mod step;

pub use check::{Compared, MeterSpan};
pub use collect::{Sold, sold};
pub use doubt::{Fate, fate};
pub use entry::{EntryId, MeterEntry, MeterState};
pub use period::{MeterPeriod, MeterPeriodId, MeterSums};
pub use span::{overlapping, span_of};
pub use step::{MeterStep, Place, next_step};

use chrono::TimeDelta;

/// Seconds in a minute: providers add up whole ones.
const MINUTE: i64 = 60;

/// How old use may be when it is told: Stripe takes 35 days, and a day is left for clocks and calls.
pub const TOLD_WITHIN: TimeDelta = TimeDelta::days(34);
/// How long the same identifier is sure to count once: at least 24 h at Stripe. A cancellation is taken for as long.
pub const SURE_WITHIN: TimeDelta = TimeDelta::hours(23);
/// How far ahead of its own clock a provider takes use: 5 minutes at Stripe.
pub const AHEAD_MAX: TimeDelta = TimeDelta::minutes(4);
/// How long after its end a period is compared: the provider adds up behind its answers.
pub const CHECK_AFTER: TimeDelta = TimeDelta::hours(2);
/// How long after the end of a period its invoice is still open at Stripe.
pub const INVOICED_AFTER: TimeDelta = TimeDelta::hours(1);
/// How long use may wait for a customer before that is listed.
pub const CUSTOMER_AFTER: TimeDelta = TimeDelta::hours(24);
