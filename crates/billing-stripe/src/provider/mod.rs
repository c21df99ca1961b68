//! The port `PaymentProvider` over Stripe: facts are fetched and handed on as they are, and what is wanted of Stripe is asked for.
//! Which plan, how many credits, whose account: all that is decided in quota-core.
//!
//! A payment is found from any of its objects, and each leads to the same root: a charge to its intent, an intent to the session in
//! which it was paid, or to the invoice that it pays, and to itself where it is an order of ours; a session in which a subscription
//! began to its invoice.

mod act;
mod charge;
mod customer;
mod event;
mod facts;
mod fault;
mod list;
mod make;
mod meter;
mod missed;
mod money;
mod payment;
mod port;
mod root;
mod sale;
mod sale_step;
mod stripe;
mod subscription;
mod webhook;

pub use event::event_of;
pub use facts::PACK_KEY;
pub use sale::OnSale;
pub use sale_step::SaleStep;
pub use stripe::{Stripe, code};
pub use webhook::StripeWebhooks;
