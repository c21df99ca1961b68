//! The rules themselves: values in, a value out.

pub mod funding;
