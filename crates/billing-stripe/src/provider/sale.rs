//! The plans and packs of a catalog file put on sale at Stripe: products, prices, and what the portal lets customers do.
//!
//! A price is found again by its `lookup_key`, a product and the portal's configuration by our metadata. So the same file twice makes
//! nothing twice. A price never changes at Stripe: another amount is another price, and the old one still stands for its plan as long as
//! the file names it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use quota_core::catalog::{
    CatalogFile, Interval as PlanInterval, PRICES_MAX, PlanKind, ProviderPrices,
};
use quota_core::ids::PriceId;
use quota_core::ports::ProviderError;
use serde_json::{Value, json};

use super::fault::{Fault, there};
use super::make::{OURS, PORTAL, is_portal};
use super::sale_step::SaleStep;
use super::stripe::Stripe;
use crate::client::{
    IdempotencyKey, NewPrice, NewProduct, NewRecurring, PortalFeatures, PriceFilter,
};
use crate::shapes::{Interval, Metadata, OneOf, Price, Product};

/// Most lookup keys of one call.
const KEYS_MAX: usize = 10;

/// What putting a file on sale came to.
#[derive(Debug, Clone)]
pub struct OnSale {
    /// The file with the prices that its plans and packs have at Stripe.
    pub file: CatalogFile,
    /// What was done for that, or would be.
    pub steps: Vec<SaleStep>,
}

/// Something of the file that is sold.
struct Ware {
    /// `plan pro`, `pack small`.
    of: String,
    name: String,
    lookup_key: String,
    currency: String,
    amount: u64,
    recurring: Option<PlanInterval>,
}

impl Stripe {
    /// Puts everything of a file on sale that has a price and none at Stripe yet, and looks whether the prices are there that it names.
    /// Dry, nothing is made, and the file stays as it is.
    ///
    /// # Errors
    /// [`ProviderError`] when something cannot be asked or made; the same again goes on from there.
    pub async fn put_on_sale(
        &self,
        file: &CatalogFile,
        is_dry: bool,
    ) -> Result<OnSale, ProviderError> {
        let sale = self.sale_of(file, is_dry).await;
        sale.map_err(|fault| fault.of(&self.code))
    }

    async fn sale_of(&self, file: &CatalogFile, is_dry: bool) -> Result<OnSale, Fault> {
        let mut sale = OnSale {
            file: file.clone(),
            steps: Vec::new(),
        };
        let wares = wares_of(file);
        let known = self.known_prices(&wares).await?;
        let mut products: Option<BTreeMap<String, Product>> = None;
        let mut prices: BTreeMap<String, Vec<PriceId>> = BTreeMap::new();
        for ware in &wares {
            if let Some(price) = known.get(&ware.lookup_key) {
                let all = self.with_former(price).await?;
                prices.insert(ware.of.clone(), all);
                continue;
            }
            if products.is_none() {
                products = Some(self.our_products().await?);
            }
            let product = products
                .as_ref()
                .and_then(|products| products.get(&ware.of));
            if product.is_none() {
                sale.steps.push(SaleStep::MakeProduct(ware.of.clone()));
            }
            sale.steps.push(SaleStep::MakePrice {
                of: ware.of.clone(),
                lookup_key: ware.lookup_key.clone(),
            });
            if !is_dry {
                let price = self.make_price(ware, product).await?;
                let all = self.with_former(&price).await?;
                prices.insert(ware.of.clone(), all);
            }
        }
        self.look_for_named(&mut sale).await?;
        sale.steps.extend(self.missing_meters(file).await?);
        fill_in(&mut sale.file, &self.code, &prices);
        self.set_portal(&mut sale, is_dry).await?;
        Ok(sale)
    }

    /// The prices that were made before, by our own names.
    async fn known_prices(&self, wares: &[Ware]) -> Result<BTreeMap<String, Price>, Fault> {
        let mut known = BTreeMap::new();
        for some in wares.chunks(KEYS_MAX) {
            let filter = PriceFilter {
                active: Some(true),
                lookup_keys: some.iter().map(|ware| ware.lookup_key.clone()).collect(),
                product: None,
            };
            for price in self.client.list_prices(&filter).all().await? {
                if let Some(key) = price.lookup_key.clone() {
                    known.insert(key, price);
                }
            }
        }
        Ok(known)
    }

    /// A price, and behind it the others of its product: whoever has one of them keeps the plan.
    async fn with_former(&self, price: &Price) -> Result<Vec<PriceId>, Fault> {
        let filter = PriceFilter {
            product: product_of(price).map(str::to_owned),
            ..PriceFilter::default()
        };
        let mut all = vec![PriceId::new(&price.id)?];
        if filter.product.is_some() {
            for former in self.client.list_prices(&filter).all().await? {
                let former = PriceId::new(&former.id)?;
                if !all.contains(&former) {
                    all.push(former);
                }
            }
        }
        all.truncate(PRICES_MAX);
        Ok(all)
    }

    async fn our_products(&self) -> Result<BTreeMap<String, Product>, Fault> {
        let all = self.client.list_products().all().await?;
        let ours = all.into_iter().filter_map(|product| {
            let of = product.metadata.get(OURS)?.clone();
            Some((of, product))
        });
        Ok(ours.collect())
    }

    async fn make_price(&self, ware: &Ware, product: Option<&Product>) -> Result<Price, Fault> {
        let product = if let Some(product) = product {
            product.id.clone()
        } else {
            let new = NewProduct {
                name: ware.name.clone(),
                description: None,
                metadata: Metadata::from([(OURS.to_owned(), ware.of.clone())]),
            };
            let key = IdempotencyKey::of(&format!("product:{}", ware.of), &ware.name);
            self.client.create_product(&new, &key).await?.id
        };
        let amount = i64::try_from(ware.amount)
            .map_err(|_| Fault::refused(format!("{} costs more than Stripe takes", ware.of)))?;
        let new = NewPrice {
            product,
            currency: ware.currency.clone(),
            unit_amount: amount,
            recurring: ware.recurring.map(|interval| NewRecurring {
                interval: match interval {
                    PlanInterval::Month => Interval::Month,
                    PlanInterval::Year => Interval::Year,
                },
                interval_count: 1,
                meter: None,
                usage_type: None,
            }),
            lookup_key: Some(ware.lookup_key.clone()),
            transfer_lookup_key: Some(true),
            metadata: Metadata::from([(OURS.to_owned(), ware.of.clone())]),
        };
        let key = IdempotencyKey::of(&format!("price:{}", ware.lookup_key), &new.product);
        Ok(self.client.create_price(&new, &key).await?)
    }

    /// Tells of prices that the file names and Stripe does not have.
    async fn look_for_named(&self, sale: &mut OnSale) -> Result<(), Fault> {
        let code = &self.code;
        let of = |what: &str, name: &dyn fmt::Display, prices: &ProviderPrices| {
            let named = prices.get(code).cloned().unwrap_or_default();
            let of = format!("{what} {name}");
            named
                .into_iter()
                .map(move |price| (of.clone(), price))
                .collect::<Vec<_>>()
        };
        let plans = sale.file.plans.iter();
        let packs = sale.file.packs.iter();
        let named: Vec<(String, PriceId)> = plans
            .flat_map(|plan| of("plan", &plan.code, &plan.provider_prices))
            .chain(packs.flat_map(|pack| of("pack", &pack.code, &pack.provider_prices)))
            .collect();
        for (of, price) in named {
            if there(self.client.retrieve_price(price.as_str()).await)?.is_none() {
                sale.steps.push(SaleStep::MissingPrice { of, price });
            }
        }
        Ok(())
    }

    /// Sets what the portal lets customers do: as the rules say of our own changes (S5, S11).
    async fn set_portal(&self, sale: &mut OnSale, is_dry: bool) -> Result<(), Fault> {
        let features = self.portal_features(&sale.file).await?;
        let all = self.client.list_portal_configurations().all().await?;
        let ours = all.into_iter().find(|one| is_portal(&one.metadata));
        let known = ours.as_ref().and_then(|one| one.features.as_ref());
        if known.is_some_and(|known| has_all(known, &features)) {
            return Ok(());
        }
        sale.steps.push(SaleStep::SetPortal);
        if is_dry {
            return Ok(());
        }
        let asked = PortalFeatures {
            features,
            default_return_url: None,
            metadata: Metadata::from([(OURS.to_owned(), PORTAL.to_owned())]),
        };
        let key = IdempotencyKey::of("portal", &asked.features.to_string());
        match ours {
            Some(ours) => {
                self.client
                    .update_portal_configuration(&ours.id, &asked, &key)
                    .await?
            }
            None => {
                self.client
                    .create_portal_configuration(&asked, &key)
                    .await?
            }
        };
        Ok(())
    }

    async fn portal_features(&self, file: &CatalogFile) -> Result<Value, Fault> {
        let mut by_product: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for plan in file.plans.iter().filter(|plan| plan.kind == PlanKind::Base) {
            for price in plan.provider_prices.get(&self.code).into_iter().flatten() {
                let Some(price) = there(self.client.retrieve_price(price.as_str()).await)? else {
                    continue;
                };
                if let Some(product) = product_of(&price) {
                    let prices = by_product.entry(product.to_owned()).or_default();
                    prices.insert(price.id.clone());
                }
            }
        }
        let products: Vec<Value> = by_product
            .into_iter()
            .map(|(product, prices)| json!({"product": product, "prices": prices}))
            .collect();
        let mut features = json!({
            "invoice_history": {"enabled": true},
            "payment_method_update": {"enabled": true},
            "subscription_cancel": {"enabled": true, "mode": "at_period_end"},
        });
        if !products.is_empty() {
            features["subscription_update"] = json!({
                "enabled": true,
                "default_allowed_updates": ["price"],
                "billing_cycle_anchor": "now",
                "proration_behavior": "always_invoice",
                "schedule_at_period_end": {"conditions": [
                    {"type": "decreasing_item_amount"}, {"type": "shortening_interval"},
                ]},
                "products": products,
            });
        }
        Ok(features)
    }
}

fn product_of(price: &Price) -> Option<&str> {
    price.product.as_ref().map(OneOf::id)
}

/// Whether a value has all that is wanted, whatever else it has.
fn has_all(known: &Value, wanted: &Value) -> bool {
    match (known, wanted) {
        (Value::Object(known), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| known.get(name).is_some_and(|known| has_all(known, wanted))),
        (Value::Array(known), Value::Array(wanted)) => {
            known.len() == wanted.len() && known.iter().zip(wanted).all(|(a, b)| has_all(a, b))
        }
        (known, wanted) => known == wanted,
    }
}

/// What of a file is sold and has no price at Stripe yet.
fn wares_of(file: &CatalogFile) -> Vec<Ware> {
    let code = super::stripe::code();
    let plans = file
        .plans
        .iter()
        .filter(|plan| plan.price > 0 && !plan.provider_prices.contains_key(&code));
    let plans = plans.map(|plan| {
        let interval = match plan.interval {
            PlanInterval::Month => "month",
            PlanInterval::Year => "year",
        };
        let (amount, currency) = (plan.price, plan.currency.clone());
        Ware {
            of: format!("plan {}", plan.code),
            name: plan.name.clone(),
            lookup_key: format!("quota:plan:{}:{currency}:{amount}:{interval}", plan.code),
            currency,
            amount,
            recurring: Some(plan.interval),
        }
    });
    let packs = file
        .packs
        .iter()
        .filter(|pack| pack.price > 0 && !pack.provider_prices.contains_key(&code));
    let packs = packs.map(|pack| {
        let (amount, currency) = (pack.price, pack.currency.clone());
        Ware {
            of: format!("pack {}", pack.code),
            name: pack.name.clone(),
            lookup_key: format!("quota:pack:{}:{currency}:{amount}", pack.code),
            currency,
            amount,
            recurring: None,
        }
    });
    plans.chain(packs).collect()
}

/// Names the prices in the file.
fn fill_in(
    file: &mut CatalogFile,
    code: &quota_core::ids::ProviderCode,
    prices: &BTreeMap<String, Vec<PriceId>>,
) {
    for plan in &mut file.plans {
        if let Some(price) = prices.get(&format!("plan {}", plan.code)) {
            plan.provider_prices.insert(code.clone(), price.clone());
        }
    }
    for pack in &mut file.packs {
        if let Some(price) = prices.get(&format!("pack {}", pack.code)) {
            pack.provider_prices.insert(code.clone(), price.clone());
        }
    }
}
