//! Products and prices.

use serde::Serialize;

use super::{Expanded, Nothing};
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Interval, Metadata, Price, Product};

const PRICES: &str = "/v1/prices";
const PRODUCTS: &str = "/v1/products";

/// Which prices are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PriceFilter {
    /// Whether those that can be bought, or those that cannot; else both.
    pub active: Option<bool>,
    /// Those with our own names; at most ten.
    pub lookup_keys: Vec<String>,
    /// Those of a product.
    pub product: Option<String>,
}

/// A thing to sell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewProduct {
    /// What customers see.
    pub name: String,
    /// More of it.
    pub description: Option<String>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// A price of it. Its amount and interval never change.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewPrice {
    /// What is sold.
    pub product: String,
    /// Three letters in lower case.
    pub currency: String,
    /// In the smallest unit of the currency.
    pub unit_amount: i64,
    /// How often; none is once.
    pub recurring: Option<NewRecurring>,
    /// Our own name for it.
    pub lookup_key: Option<String>,
    /// Whether the name is taken from a price that has it.
    pub transfer_lookup_key: Option<bool>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// How often a price is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct NewRecurring {
    /// The unit.
    pub interval: Interval,
    /// How many of it.
    pub interval_count: u32,
    /// The meter that counts what is used.
    pub meter: Option<String>,
    /// `metered` with a meter.
    pub usage_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Active {
    active: bool,
}

impl Client {
    /// One price.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_price(&self, id: &str) -> Result<Price, StripeError> {
        let expand = Expanded {
            expand: &["product"],
        };
        let call = Call::get("retrieve_price", &path(PRICES, id)?, &expand);
        self.call(&call).await
    }

    /// Prices.
    pub fn list_prices(&self, filter: &PriceFilter) -> Pages<Price> {
        Pages::new(self, "list_prices", PRICES, filter)
    }

    /// A new price.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_price(
        &self,
        price: &NewPrice,
        key: &IdempotencyKey,
    ) -> Result<Price, StripeError> {
        let call = Call::post("create_price", PRICES, price, key);
        self.call(&call).await
    }

    /// Makes a price one that can or cannot be bought any more; whoever has it keeps it.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn set_price_active(
        &self,
        id: &str,
        active: bool,
        key: &IdempotencyKey,
    ) -> Result<Price, StripeError> {
        let path = path(PRICES, id)?;
        let call = Call::post("set_price_active", path, &Active { active }, key);
        self.call(&call).await
    }

    /// One product.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_product(&self, id: &str) -> Result<Product, StripeError> {
        let call = Call::get("retrieve_product", &path(PRODUCTS, id)?, &Nothing {});
        self.call(&call).await
    }

    /// All products.
    pub fn list_products(&self) -> Pages<Product> {
        Pages::new(self, "list_products", PRODUCTS, &Nothing {})
    }

    /// A new product.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_product(
        &self,
        product: &NewProduct,
        key: &IdempotencyKey,
    ) -> Result<Product, StripeError> {
        let call = Call::post("create_product", PRODUCTS, product, key);
        self.call(&call).await
    }

    /// Changes a product.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn update_product(
        &self,
        id: &str,
        product: &NewProduct,
        key: &IdempotencyKey,
    ) -> Result<Product, StripeError> {
        let call = Call::post("update_product", path(PRODUCTS, id)?, product, key);
        self.call(&call).await
    }
}
