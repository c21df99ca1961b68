//! The rules themselves: values in, a value out.

pub mod allowance;
pub mod decide;
pub mod funding;
pub mod settle;
