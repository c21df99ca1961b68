//! The rules themselves: values in, a value out.

mod administer;
pub mod allowance;
pub mod booking;
mod capacity;
pub mod check;
mod close;
mod commit;
pub mod context;
pub mod decide;
pub mod execute;
mod expire;
pub mod funding;
mod hold;
mod moves;
mod opening;
pub mod outcome;
mod relocate;
mod reverse;
pub mod settle;
mod spend;
pub mod standing;
mod subscribe;

pub use expire::expiry_id;
pub use relocate::relocate;
