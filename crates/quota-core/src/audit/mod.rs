//! The auditor: whether everything that is kept of a home agrees with itself. It changes nothing.

mod admission;
mod balances;
mod counters;
mod finding;
mod keys;
mod ledger;
mod members;
mod numbered;
mod numbers;
mod refunds;
mod replay;
mod reservations;
mod rollovers;
mod units;
mod window_ends;
mod windows;

use uuid::Uuid;

use crate::operation::{Operation, OperationKind};
use crate::ports::{AuditHome, AuditReader};

pub use self::finding::Finding;

use self::balances::Balances;
use self::ledger::Ledger;
use self::reservations::Ends;

/// Checks one home while it is read. It adds up what it sees and does not keep the operations: it needs room for the
/// home's balances, reservations and refunds, and about 50 bytes for each key of seven days.
///
/// I2 balances (what grants, boosts and bought room are worth included) and I6 lifetime totals are the sums of their entries; I3 what is held is what open reservations
/// hold; I5 nothing was allowed beyond the limit that was in force; I7 a key acts once in seven days and a denial not
/// at all; I10 and I11 reservations; I13 windows; I14 grants; I22 ranges; I23 sequences and times; O1 what a member
/// uses its org is charged for; O8 what an org was charged for its members is within what it counts; X3 refunds stay
/// within what was taken; X4 the numbers of a capacity's units are what its draws and refunds come to; X5 what is told late is in a window
/// of its instant; C10 what came over into a window is what was told of it, and no more than the window before left; C11 what is sold on
/// demand stays within its cap, at one price in a period; C12 an org counts the members that it has; P9 what was taken back of a bought
/// grant is what came back of its payment; O7 what a
/// member limit counts is what the ledger says, and no member was allowed more. A user that came from another home began there: its sums are checked from what it brought
/// along, its lifetime totals are not.
///
/// ```
/// use quota_core::audit::Auditor;
///
/// // A store shows it a home: `store.read_home(&home, &mut auditor).await?`
/// let auditor = Auditor::default();
/// assert_eq!(auditor.findings(), None, "it has seen none");
/// ```
#[derive(Debug, Default)]
pub struct Auditor {
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    home: AuditHome,
    ledger: Ledger,
    ends: Ends,
    findings: Vec<Finding>,
}

impl AuditReader for Auditor {
    fn begin(&mut self, home: AuditHome, refunded: Vec<Uuid>) {
        self.begun = Some(Begun {
            ledger: Ledger::new(&home, refunded),
            ends: Ends::of(&home.reservations),
            home,
            findings: Vec::new(),
        });
    }

    fn operations(&mut self, next: Vec<Operation>) {
        for operation in &next {
            self.see(operation);
        }
    }
}

impl Auditor {
    fn see(&mut self, operation: &Operation) {
        if let Some(begun) = &mut self.begun {
            begun.ledger.see(operation, &mut begun.findings);
            begun.ends.see(operation);
        }
    }

    /// What is wrong with the home that it was shown, in full; `None` when there was none. An empty list means that
    /// balances, holds and ledger agree.
    pub fn findings(self) -> Option<Vec<Finding>> {
        self.begun.map(Begun::findings)
    }
}

impl Begun {
    fn findings(self) -> Vec<Finding> {
        let (home, mut findings) = (&self.home, self.findings);
        self.ledger.check(home.version, &mut findings);
        let base = self.ledger.base();
        self.ends.check(&home.reservations, base, &mut findings);
        let balances = Balances::of(home);
        balances.check_shares(home, &mut findings);
        reservations::check_deadline(home, &mut findings);
        reservations::check_held(home, &balances, &mut findings);
        members::check(home, &mut findings);
        members::check_counts(home, &self.ledger, &mut findings);
        for (id, account) in &home.accounts {
            balances.check_ranges(id, &mut findings);
            balances.check_backing(id, &mut findings);
            balances.check_windows(id, self.ledger.changed_at(id), &mut findings);
            balances.check_prices(id, self.ledger.sold(id), &mut findings);
            let Some(has_moved_in) = self.ledger.has_moved_in(id) else {
                continue;
            };
            balances.check_sums(id, (self.ledger.sums(id), has_moved_in), &mut findings);
            let kept = (&balances, has_moved_in);
            self.ledger.rollovers.check(id, kept, &mut findings);
            self.ledger.numbers.check(id, &account.books, &mut findings);
            if !has_moved_in {
                balances.check_late(id, self.ledger.late(id), &mut findings);
                let kept = &account.books.lifetime;
                self.ledger.check_lifetime(id, kept, &mut findings);
            }
        }
        findings
    }
}

/// Checks the complete records of one home, as an [`Auditor`] does.
pub fn audit(home: &AuditHome) -> Vec<Finding> {
    let is_refund = |operation: &&Operation| operation.kind == OperationKind::Refund;
    let refunds = home.operations.iter().filter(is_refund);
    let refunded = refunds.filter_map(|refund| refund.refers_to).collect();
    let mut auditor = Auditor::default();
    let kept = AuditHome {
        operations: Vec::new(),
        ..home.clone()
    };
    auditor.begin(kept, refunded);
    for operation in &home.operations {
        auditor.see(operation);
    }
    auditor.findings().unwrap_or_default()
}
