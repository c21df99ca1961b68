//! The rules of the quota engine: pure values and functions, no clock, no randomness, no I/O.

pub mod amount;
pub mod balance;
pub mod catalog;
pub mod ids;
pub mod rules;
pub mod window;
