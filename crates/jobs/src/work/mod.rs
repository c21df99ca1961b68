//! The jobs, a file each. A new one is a file here, its module, and a line in `JOBS`.

pub mod audit;
pub mod audit_full;
pub mod close_windows_daily;
pub mod close_windows_monthly;
pub mod dispatch_outbox;
pub mod expire_subscriptions;
pub mod prune;
pub mod sweep_reservations;

use crate::job::Job;

/// All jobs, in the order of the documentation.
pub(crate) static JOBS: [&dyn Job; 8] = [
    &expire_subscriptions::ExpireSubscriptions,
    &close_windows_daily::CloseWindowsDaily,
    &close_windows_monthly::CloseWindowsMonthly,
    &sweep_reservations::SweepReservations,
    &dispatch_outbox::DispatchOutbox,
    &prune::Prune,
    &audit::Audit,
    &audit_full::AuditFull,
];
