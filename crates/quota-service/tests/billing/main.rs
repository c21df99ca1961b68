//! Payments and subscriptions of a fake Stripe, as the engine books them: each situation of the list of 67 that a payment sync can
//! come into, all orders of a few events, faults at every call, races, and random histories beside a small model.
//!
//! A situation is quoted by its number in the test that holds it. These are about HTTP, signatures or the client alone, and are held
//! elsewhere:
//!
//! - 52, a key that was used for another body: `billing-stripe/tests/calls/retries.rs`;
//! - 53, the permission that a key lacks is named: `billing-stripe/tests/provider/lists.rs`;
//! - 54, a webhook secret that is empty: `billing-stripe/src/secret.rs`, and `tests/provider/webhooks.rs` there;
//! - 56, a live event where tests are served: `billing-stripe/tests/provider/webhooks.rs`;
//! - 58 and 60, a body that was encoded anew and a secret that was changed: `billing-stripe/tests/signatures.rs`;
//! - 61, an event of 2 MB: `api/tests/it/billing.rs`; that what it told is found all the same is 48 here.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod addons;
mod bought_boosts;
mod faults;
mod histories;
mod history;
mod history_acts;
mod history_top_ups;
mod model;
mod orders;
mod outages;
mod owners;
mod purchases;
mod races;
mod recording;
mod returns;
mod sessions;
mod shop;
mod standing;
mod stories;
mod subscriptions;
mod top_up_races;
mod top_ups;
mod transport;
mod upgrades;

/// `cases` of something, and as many times more as `QUOTA_SEQUENCES` is above its own 250: `just test-long` tries ten times as many.
fn longer(cases: usize) -> usize {
    let said = std::env::var("QUOTA_SEQUENCES").ok();
    let said = said.map_or(250, |said| {
        said.parse().expect("QUOTA_SEQUENCES is a number")
    });
    cases * said / 250
}
