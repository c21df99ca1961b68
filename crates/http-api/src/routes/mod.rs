//! The routes, one file for each area.

pub(crate) mod accounts;
pub(crate) mod addons;
pub(crate) mod batch;
pub(crate) mod boosts;
pub(crate) mod catalog;
pub(crate) mod check;
pub(crate) mod consume;
pub(crate) mod credits;
pub(crate) mod entitlements;
pub(crate) mod give_back;
mod held_subscription;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod member_limits;
pub(crate) mod members;
pub(crate) mod moves;
pub(crate) mod operate;
pub(crate) mod overrides;
pub(crate) mod overview;
pub(crate) mod payments;
pub(crate) mod preview;
pub(crate) mod reservations;
pub(crate) mod spend_cap;
pub(crate) mod spending;
pub(crate) mod subscription;
pub(crate) mod tokens;
