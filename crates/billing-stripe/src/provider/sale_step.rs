//! What is done to put a catalog file on sale.

use std::fmt;

use quota_core::ids::{MeterName, PriceId};

/// A step towards everything of a file being on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaleStep {
    /// A product is made.
    MakeProduct(String),
    /// A price of it is made.
    MakePrice {
        /// The plan or pack.
        of: String,
        /// Our own name of it at Stripe.
        lookup_key: String,
    },
    /// The file names a price that Stripe does not have: nobody can buy it.
    MissingPrice {
        /// The plan or pack.
        of: String,
        /// The price.
        price: PriceId,
    },
    /// The file names a meter that Stripe does not have, or not any more: use cannot be told to it.
    MissingMeter {
        /// The plan.
        of: String,
        /// The meter.
        meter: MeterName,
    },
    /// What the portal lets customers do is set.
    SetPortal,
}

impl fmt::Display for SaleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeProduct(of) => write!(f, "+ product of {of}"),
            Self::MakePrice { of, lookup_key } => write!(f, "+ price of {of}: {lookup_key}"),
            Self::MissingPrice { of, price } => {
                write!(
                    f,
                    "! {of} names the price `{price}`, which Stripe does not have"
                )
            }
            Self::MissingMeter { of, meter } => {
                write!(
                    f,
                    "! {of} names the meter `{meter}`, which is not active at Stripe"
                )
            }
            Self::SetPortal => {
                f.write_str("~ portal: upgrades begin a period, downgrades wait for its end")
            }
        }
    }
}
