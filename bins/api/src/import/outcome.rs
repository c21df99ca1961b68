//! What became of a line.

use quota_core::answer::Answer;
use quota_core::change::Change;
use quota_core::ids::AccountId;
use quota_core::provider::CustomerLink;
use quota_service::Reply;

use super::refusal::Refusal;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It made something.
    New,
    /// It changed what was there.
    Changed,
    /// It was carried out before, or there was nothing to do.
    Unchanged,
    /// Nothing of it was booked.
    Refused(Refusal),
}

/// What a link that is there says of a line.
pub(crate) fn linked(account: &AccountId, link: &CustomerLink, is_new: bool) -> Outcome {
    if link.account == *account {
        return new_or_not(is_new);
    }
    let why = format!("is linked to `{}` already", link.account);
    Outcome::Refused(Refusal::of("customer", why))
}

/// Two lines that ask different things of one matter.
pub(crate) fn other_line(before: &str) -> Refusal {
    let why = format!(
        "was used for another line ({before}): the same matter of the same account is told once; if both are meant, give each \
         line a `key` of its own"
    );
    Refusal::of("key", why)
}

pub(crate) fn new_or_not(is_new: bool) -> Outcome {
    if is_new {
        Outcome::New
    } else {
        Outcome::Unchanged
    }
}

/// What an answer of the engine says of a line.
pub(crate) fn outcome_of(reply: &Reply) -> Outcome {
    if reply.is_replay {
        return Outcome::Unchanged;
    }
    match &reply.operation.answer {
        Answer::Unchanged => Outcome::Unchanged,
        Answer::Changed {
            change: Change::AccountChanged | Change::TokenChanged,
            ..
        } => Outcome::Changed,
        Answer::Denied { .. } => Outcome::Refused(Refusal::of("feature", "was denied")),
        Answer::Changed { .. }
        | Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. } => Outcome::New,
    }
}
