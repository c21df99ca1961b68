//! What came back of a payment, as the sums of what its provider says (P9, P11).

use crate::purchase::PaymentFacts;

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundFact {
    /// How much, in minor units of the payment's currency.
    pub amount: u64,
    /// Its status, in the provider's word.
    pub status: String,
}

/// A dispute about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeFact {
    /// About how much, in minor units of the payment's currency.
    pub amount: u64,
    /// Its status, in the provider's word.
    pub status: String,
}

/// What a dispute comes to.
enum Standing {
    Nothing,
    Open,
    Lost,
}

/// Adds up what came back of a payment. A refund counts unless it failed or was canceled. Of a dispute an inquiry counts nothing,
/// and neither does one that was won or prevented; one that was lost counts as lost, and so does one in appeal; any other, of a
/// status that nobody knows yet too, is open (P11).
///
/// ```
/// use quota_core::provider::{DisputeFact, RefundFact, payment_facts};
///
/// let refund = |amount, status: &str| RefundFact { amount, status: status.to_owned() };
/// let dispute = |amount, status: &str| DisputeFact { amount, status: status.to_owned() };
/// let facts = payment_facts(
///     &[refund(250, "succeeded"), refund(250, "pending"), refund(500, "failed")],
///     &[dispute(100, "warning_needs_response"), dispute(40, "lost"), dispute(7, "of_tomorrow")],
/// );
/// assert_eq!((facts.refunded, facts.lost, facts.disputed), (500, 40, 7));
/// ```
pub fn payment_facts(refunds: &[RefundFact], disputes: &[DisputeFact]) -> PaymentFacts {
    let mut facts = PaymentFacts::default();
    for refund in refunds {
        if !matches!(refund.status.as_str(), "failed" | "canceled") {
            facts.refunded = facts.refunded.saturating_add(refund.amount);
        }
    }
    for dispute in disputes {
        match standing(&dispute.status) {
            Standing::Nothing => {}
            Standing::Open => facts.disputed = facts.disputed.saturating_add(dispute.amount),
            Standing::Lost => facts.lost = facts.lost.saturating_add(dispute.amount),
        }
    }
    facts
}

fn standing(status: &str) -> Standing {
    match status {
        "won" | "prevented" => Standing::Nothing,
        inquiry if inquiry.starts_with("warning_") => Standing::Nothing,
        "lost" | "charge_refunded" => Standing::Lost,
        appeal if appeal.starts_with("appeal_") => Standing::Lost,
        _open_or_unknown => Standing::Open,
    }
}
