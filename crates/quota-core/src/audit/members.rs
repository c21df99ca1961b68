//! The count of an org's members, against the accounts that live with it; and what the org counts of each of them.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::ledger::Ledger;
use super::windows::org_windows;
use crate::balance::Bucket;
use crate::home::Account;
use crate::ids::{AccountId, AccountKind};
use crate::ports::AuditHome;
use crate::reservation::ReservationState;
use crate::share::SHARES_MAX;

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

/// O7, O8: what an org counts of a member is what the ledger says, and what open reservations hold. A share of which less is
/// kept would give the member more than its limit. The members of another life of the home are left out, and so is what was
/// forgotten since its window is long over.
pub(super) fn check_counts(home: &AuditHome, ledger: &Ledger, findings: &mut Vec<Finding>) {
    let held = held(home);
    for (id, member) in home.accounts.iter().filter(|(id, _)| *id != home.home) {
        let Some(has_moved_in) = ledger.has_moved_in(id) else {
            continue;
        };
        check_count(id, member, (ledger, &held), findings);
        if !has_moved_in {
            check_shares(home, (id, member), ledger, findings);
        }
    }
}

/// What open reservations hold of members that a limit bound.
type Held = BTreeMap<(AccountId, Bucket), i128>;

fn held(home: &AuditHome) -> Held {
    let mut held = Held::new();
    let open = home.reservations.iter();
    for reservation in open.filter(|held| held.state == ReservationState::Open) {
        if let Some(counted) = reservation.counted() {
            let place = (reservation.account.clone(), counted.bucket.clone());
            let sum = held.entry(place).or_insert(0);
            *sum = sum.saturating_add(counted.amount.into());
        }
    }
    held
}

/// O7: what is counted beside a share is the sum of its entries, and what is held of it is what open reservations hold. Of more
/// windows than are remembered only the newest is certain.
fn check_count(
    id: &AccountId,
    member: &Account,
    (ledger, held): (&Ledger, &Held),
    findings: &mut Vec<Finding>,
) {
    let mut booked: BTreeMap<&Bucket, (i128, i128)> = BTreeMap::new();
    let sums = ledger.sums(id).into_iter().flatten();
    for (bucket, sum) in sums.filter(|(bucket, _)| bucket.is_member()) {
        booked.insert(bucket, (sum.0, sum.1));
    }
    let shares = &member.books.shares;
    for bucket in shares.keys().filter(|bucket| bucket.is_member()) {
        booked.entry(bucket).or_insert((0, 0));
    }
    for (bucket, sum) in &booked {
        let share = shares.get(*bucket).copied().unwrap_or_default();
        let kept = (i128::from(share.units), i128::from(share.held));
        let place = (id.clone(), Bucket::clone(bucket));
        let open = held.get(&place).copied().unwrap_or(0);
        let has_all = !may_be_forgotten(bucket, booked.keys().copied());
        if kept.1 != sum.1 || (has_all && kept.0 != sum.0) {
            let what = format!("(used, held) is {kept:?}, its entries sum up to {sum:?}");
            findings.push(Finding::of("O7", id, what).at(bucket));
        }
        if kept.1 != open {
            let what = format!("{} is held, open reservations hold {open}", kept.1);
            findings.push(Finding::of("O7", id, what).at(bucket));
        }
    }
}

/// Whether this one of all that were counted may have been forgotten since: it is not the newest of its feature, and there are more
/// than are remembered.
fn may_be_forgotten<'a>(bucket: &Bucket, all: impl Iterator<Item = &'a Bucket>) -> bool {
    let starts = all.filter(|other| other.feature() == bucket.feature());
    let starts: Vec<i64> = starts.map(Bucket::starts_at_micros).collect();
    let is_newest = starts
        .iter()
        .all(|start| *start <= bucket.starts_at_micros());
    SHARES_MAX < starts.len() && !is_newest
}

/// O8: what a member was charged in the newest live window of its org, unless that was reset, or moved from another.
fn check_shares(
    home: &AuditHome,
    (id, member): (&AccountId, &Account),
    ledger: &Ledger,
    findings: &mut Vec<Finding>,
) {
    for balance in org_windows(home) {
        let share = member.books.shares.get(&balance.bucket);
        let kept = share.map_or(0, |share| i128::from(share.units));
        let booked = ledger.charged(id, &balance.bucket);
        if kept != booked {
            let what = format!("the org was charged {kept} for it, the ledger says {booked}");
            findings.push(Finding::of("O8", id, what).at(&balance.bucket));
        }
    }
}
