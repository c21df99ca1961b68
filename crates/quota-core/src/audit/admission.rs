//! What an operation was allowed, by its own answer and entries.

use super::finding::Finding;
use crate::amount::Limit;
use crate::answer::{Answer, ScopeBalance};
use crate::draw::{Scope, Source};
use crate::operation::{Entry, Operation, OperationKind};

/// I5: what drew on an allowance or a cap left it within its limit, as the answer says. A limit that was lowered later
/// is another matter (S6).
pub(super) fn check_admission(operation: &Operation, findings: &mut Vec<Finding>) {
    let (Answer::Allowed { balances } | Answer::Reserved { balances, .. }) = &operation.answer
    else {
        return;
    };
    for after in balances {
        let drew = operation.entries.iter().any(|entry| {
            let is_of = after.feature.is_none() || after.feature == entry.feature;
            let took = entry.used > 0 || entry.held > 0;
            entry.scope == after.scope && is_of && took && entry.source == Source::Allowance
        });
        let taken = after.used.saturating_add(after.held);
        if let Some(Limit::Of(limit)) = after.granted
            && drew
            && limit < taken
        {
            let id = operation.id;
            let what = format!("{id} was allowed, and then {taken} of {limit} were taken");
            findings.push(Finding::of("I5", &operation.account, what));
        }
        check_member(operation, after, findings);
        for window in after.windows.iter().filter(|_| drew) {
            let taken = window.used.saturating_add(window.held);
            if let Limit::Of(limit) = window.granted
                && limit < taken
            {
                let (id, per) = (operation.id, window.per);
                let what =
                    format!("{id} was allowed, and then {taken} of {limit} `{per}` were taken");
                findings.push(Finding::of("I5", &operation.account, what));
            }
        }
    }
}

/// O7: a member was allowed no more than its org lets it use. What is told after the fact is never denied.
fn check_member(operation: &Operation, after: &ScopeBalance, findings: &mut Vec<Finding>) {
    let Some(member) = &after.member else {
        return;
    };
    let drew = operation.entries.iter().any(|entry| {
        let took = entry.used > 0 || entry.held > 0;
        entry.scope == Scope::Org && entry.feature == after.feature && took
    });
    let taken = member.used.saturating_add(member.held);
    if let Limit::Of(limit) = member.limit
        && limit < taken
        && drew
        && operation.kind != OperationKind::Track
    {
        let id = operation.id;
        let what = format!("{id} was allowed, and then the member had taken {taken} of {limit}");
        findings.push(Finding::of("O7", &operation.account, what));
    }
}

/// C9: the window of a further limit is charged what the feature's own window is, entry by entry. A refund gives back only
/// what a window still counts.
pub(super) fn check_further(operation: &Operation, findings: &mut Vec<Finding>) {
    let traits = operation.kind.traits();
    if !traits.is_use && !traits.holds {
        return;
    }
    let change = |entry: &Entry| (entry.scope, entry.used, entry.held, entry.overage);
    let mut own = None;
    for entry in &operation.entries {
        if entry.bucket.is_member() {
            continue;
        }
        if !entry.bucket.is_further() {
            own = Some(change(entry));
        } else if own != Some(change(entry)) {
            let what = format!(
                "{}: it is not charged what the feature's own window is",
                operation.id
            );
            findings.push(Finding::of("C9", &entry.account, what).at(&entry.bucket));
        }
    }
}
