//! A Stripe that stands on this machine: it keeps state, derives events from changes, signs and delivers them as a test says, and
//! fails by script. It speaks today's shape and the old one.
//!
//! ```no_run
//! use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Pay};
//!
//! # async fn doc() {
//! let fake = FakeStripe::start().await;
//! fake.endpoint(Endpoint::new("http://127.0.0.1:8080/v1/webhooks/stripe", "whsec_test1"));
//! let pack = fake.pack("pack_small", 900);
//! let session = fake.payment_link(&pack, 1); // or through the API at `fake.url()`
//! fake.pay(&session, &Pay::by(Card::Good));
//! fake.deliver_pending().await;
//! # }
//! ```
//!
//! By hand, at `/_fake/`: pages on which a person pays and ends subscriptions, and with `curl -X POST`: `advance?days=31`,
//! `refund/PI?amount=900`, `dispute/PI`, `becomes/DP/won`, `payment/PI/paid`, `card/CUS/declined`,
//! `endpoints?url=…&secret=…&thin=true&shape=old`, `deliver`. What happened is delivered with each of them.

mod acts;
mod asked;
mod billing;
mod changes;
mod checkout;
mod clock;
mod control;
mod deliver;
mod direct;
mod endpoint;
mod faults;
mod form;
mod handle;
mod invoices;
mod meter_acts;
mod meters;
mod objects;
mod page;
mod payments;
mod reads;
mod reply;
mod schedules;
mod server;
mod shape;
mod state;
mod store;
mod write_billing;
mod write_payments;
mod writes;

pub use acts::{SetPrice, Subscribe};
pub use billing::EndBy;
pub use checkout::Pay;
pub use deliver::{EventNote, Webhook, sign};
pub use direct::{DirectAnswer, DirectCall};
pub use endpoint::{Endpoint, SignedBy};
pub use faults::{Fault, FaultKind, When};
pub use handle::FakeStripe;
pub use payments::{Card, RefundAs};
pub use shape::Shape;
pub use state::CallCounts;
