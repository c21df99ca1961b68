//! The count of an org's members, against the accounts that live with it.

use super::finding::Finding;
use crate::ids::AccountKind;
use crate::ports::AuditHome;

/// C12: an org counts those who live in its home.
pub(super) fn check(home: &AuditHome, findings: &mut Vec<Finding>) {
    let accounts = || home.accounts.iter();
    let members = accounts().filter(|(id, _)| *id != home.home).count();
    let found = u64::try_from(members).unwrap_or(u64::MAX);
    let own = accounts().find(|(id, _)| *id == home.home);
    let Some((id, org)) = own.filter(|(id, _)| id.kind() == AccountKind::Org) else {
        return;
    };
    let counted = org.terms.members;
    if counted != found {
        let what = format!("it counts {counted} members and has {found}");
        findings.push(Finding::of("C12", id, what));
    }
}
