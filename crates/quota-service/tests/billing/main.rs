//! Billing over a fake Stripe.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod owners;
mod purchases;
mod returns;
mod subscriptions;
mod sessions;
mod shop;
mod standing;
mod transport;
