//! The rules of the quota engine: pure values and functions, no clock, no randomness, no I/O.
//!
//! One request, decided over what is known of an account (example E1 of docs/RULES.md): the plan grants 10, 9 are
//! used, 5 credits are left, and 3 are asked for. [`rules::execute::execute`] does the same and books it.
//!
//! ```
//! use chrono::{DateTime, TimeDelta, Utc};
//! use quota_core::amount::{Amount, Limit};
//! use quota_core::balance::{Balance, Bucket};
//! use quota_core::catalog::{Catalog, CatalogFile};
//! use quota_core::ids::{FeatureCode, GrantId, PlanCode};
//! use quota_core::rules::decide::{Decision, Mode, Question, decide};
//! use quota_core::home::AccountView;
//! use quota_core::draw::Source;
//! use std::collections::BTreeMap;
//! use quota_core::terms::{Subscription, Terms};
//! use serde_json::json;
//!
//! let file: CatalogFile = toml::from_str(include_str!("../catalogs/try-on-shop.toml"))?;
//! let catalog = Catalog::default().applied(&file)?;
//! let premium = catalog.plan(&PlanCode::new("shop_premium")?, None).ok_or("no such plan")?;
//! let began: DateTime<Utc> = "2027-03-01T00:00:00Z".parse()?;
//! let (try_on, start) = (FeatureCode::new("try_on")?, began.timestamp_micros());
//!
//! // Terms as a store keeps them: what is absent is as a new account has it. And live balances.
//! let terms: Terms = serde_json::from_value(json!({
//!     "created_at": began, "time_zone": "UTC", "subscription": Subscription::start(premium, 1, began),
//! }))?;
//! let mut window = Balance::new(Bucket::Window(try_on.clone(), start), Limit::Of(10), began);
//! window.used = 9;
//! let pack = Balance::new(Bucket::Grant(GrantId::new("pack-1")?), Limit::Of(5), began);
//! let balances = [window, pack];
//!
//! let decision = decide(&Question {
//!     now: began + TimeDelta::days(9),
//!     catalog: &catalog,
//!     grace: TimeDelta::hours(72),
//!     user: Some(AccountView { terms: &terms, balances: &balances, shares: &BTreeMap::new() }),
//!     org: None,
//!     token: None,
//!     feature: &try_on,
//!     amount: Amount::new(3)?,
//!     mode: Mode::Ask,
//! });
//!
//! let Decision::Allowed(draws) = decision else { panic!("{decision:?}") };
//! let drawn: Vec<_> = draws.iter().map(|draw| (draw.source, draw.amount)).collect();
//! assert_eq!(drawn, [(Source::Allowance, 1), (Source::Credits, 2)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing
    )
)]

mod absent;
pub mod amount;
pub mod answer;
pub mod audit;
pub mod balance;
mod bucket;
mod came_back;
pub mod catalog;
pub mod change;
pub mod code;
pub mod code_misfit;
pub mod command;
mod cover;
pub mod denial;
pub mod draw;
pub mod emptied;
mod entry;
mod entry_row;
pub mod event;
pub mod home;
pub mod ids;
pub mod instant;
pub mod item;
pub mod meter;
pub mod occupancy;
#[cfg(feature = "openapi")]
mod openapi;
pub mod operation;
pub mod origin;
pub mod payment;
pub mod payment_misfit;
pub mod ports;
pub mod provider;
pub mod purchase;
pub mod quantity;
mod rejection;
mod rejection_class;
mod rejection_field;
mod rejection_words;
pub mod relocation;
pub mod reservation;
pub mod rules;
pub mod sale;
mod scope_balance;
pub mod share;
pub mod terms;
pub mod unrefundable;
pub mod window;
