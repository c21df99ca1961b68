//! The jobs, a file each. A new one is a file here, its module, and a line in `JOBS`.

pub mod audit;
pub mod audit_full;
pub mod close_windows_daily;
pub mod close_windows_monthly;
pub mod dispatch_outbox;
pub mod expire_subscriptions;
pub mod prune;
pub mod sweep_reservations;
pub mod sync_provider;
pub mod tell_meters;
pub mod top_up_credits;
pub mod warn_of_expiry;
pub mod work_on_events;

use crate::job::Job;

/// All jobs, in the order of the documentation.
pub(crate) static JOBS: [&dyn Job; 13] = [
    &expire_subscriptions::ExpireSubscriptions,
    &close_windows_daily::CloseWindowsDaily,
    &close_windows_monthly::CloseWindowsMonthly,
    &sweep_reservations::SweepReservations,
    &warn_of_expiry::WarnOfExpiry,
    &dispatch_outbox::DispatchOutbox,
    &work_on_events::WorkOnEvents,
    &sync_provider::SyncProvider,
    &top_up_credits::TopUpCredits,
    &tell_meters::TellMeters,
    &prune::Prune,
    &audit::Audit,
    &audit_full::AuditFull,
];
