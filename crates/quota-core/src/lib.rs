//! The rules of the quota engine: pure values and functions, no clock, no randomness, no I/O.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing
    )
)]

pub mod amount;
pub mod answer;
pub mod audit;
pub mod balance;
pub mod catalog;
pub mod command;
pub mod event;
pub mod home;
pub mod ids;
pub mod operation;
pub mod ports;
pub mod reservation;
pub mod rules;
pub mod terms;
pub mod window;
