//! Whether money came, and whether it went back.

use crate::shapes::{
    CheckoutPaymentStatus, CheckoutSession, CheckoutStatus, Dispute, DisputeStatus, Open, Refund,
    RefundStatus,
};

/// Whether what was bought in a session is to be had: it is complete, and paid or free. Completed alone is not paid.
pub fn is_settled(session: &CheckoutSession) -> bool {
    let is_complete = session.status.as_ref();
    let is_complete = is_complete.is_some_and(|status| status.is(CheckoutStatus::Complete));
    let is_paid = session.payment_status.as_ref().is_some_and(|status| {
        status.is(CheckoutPaymentStatus::Paid)
            || status.is(CheckoutPaymentStatus::NoPaymentRequired)
    });
    is_complete && is_paid
}

/// Whether a refund counts: unless it failed or was canceled. One whose state is new counts.
pub fn refund_counts(refund: &Refund) -> bool {
    match refund.status {
        Some(Open::Known(RefundStatus::Failed | RefundStatus::Canceled)) => false,
        Some(
            Open::Known(
                RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Succeeded,
            )
            | Open::Other(_),
        )
        | None => true,
    }
}

/// What a dispute does to what was bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStanding {
    /// Nothing: a bank asks, or money went back as a refund, which counts as one.
    Nothing,
    /// It is open: the share is frozen.
    Open,
    /// It was won: the share is free again.
    Won,
    /// It was lost, or is appealed after it was: the share is gone.
    Lost,
}

/// What a dispute does. A state that is new counts as open.
pub fn dispute_standing(dispute: &Dispute) -> DisputeStanding {
    match dispute.status {
        Some(Open::Known(status)) => match status {
            DisputeStatus::WarningNeedsResponse
            | DisputeStatus::WarningUnderReview
            | DisputeStatus::WarningClosed
            | DisputeStatus::ChargeRefunded
            | DisputeStatus::Prevented => DisputeStanding::Nothing,
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => DisputeStanding::Open,
            DisputeStatus::Won => DisputeStanding::Won,
            DisputeStatus::Lost
            | DisputeStatus::AppealNeedsResponse
            | DisputeStatus::AppealUnderReview => DisputeStanding::Lost,
        },
        Some(Open::Other(_)) | None => DisputeStanding::Open,
    }
}
