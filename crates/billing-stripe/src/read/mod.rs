//! One function for each fact, wherever the version of the API keeps it.

mod event;
mod invoice;
mod payment;
mod subscription;

pub use event::{About, about, foreign_account, is_thin, mode_of, what_happened};
pub use invoice::{
    LineFact, is_paid, line_fact, line_is_proration, line_price, line_quantity, line_subscription,
    parts_that_paid, subscription_of,
};
pub use payment::is_settled;
pub use subscription::{
    Period, PhaseAhead, end_of, is_over, is_paused_in_collection, item_for, item_price,
    item_quantity, own_period, pending_prices, period_of, phases_ahead, top_period,
};

/// A part of a payment that was made: one of the ids that name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaidPart {
    /// A payment intent.
    Intent(String),
    /// A charge.
    Charge(String),
    /// A record of money that came another way.
    Record(String),
}
