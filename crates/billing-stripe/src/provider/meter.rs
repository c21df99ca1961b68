//! Use on demand told to a meter, and what the meter counted.

use std::sync::PoisonError;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::catalog::CatalogFile;
use quota_core::ids::{CustomerRef, MeterName};
use quota_core::ports::{Cancelled, MeterProvider, MeterUse, ProviderError};

use super::fault::Fault;
use super::sale_step::SaleStep;
use super::stripe::Stripe;
use crate::client::{self, IdempotencyKey, MeterCancel, MeterSumFilter};
use crate::shapes::Meter;

#[async_trait]
impl MeterProvider for Stripe {
    async fn tell_use(&self, told: &MeterUse) -> Result<(), ProviderError> {
        let asked = client::MeterUse {
            event_name: told.meter.as_str().to_owned(),
            customer: told.customer.as_str().to_owned(),
            value: told.units,
            identifier: told.identifier.clone(),
            timestamp: Some(told.at.timestamp()),
        };
        let key = IdempotencyKey::of(&format!("meter:{}", told.identifier), "");
        let done = self.client.tell_meter(&asked, &key).await;
        done.map(drop)
            .map_err(|error| Fault::from(error).of(&self.code))
    }

    async fn cancel_use(
        &self,
        meter: &MeterName,
        identifier: &str,
    ) -> Result<Cancelled, ProviderError> {
        let key = IdempotencyKey::of(&format!("meter:{identifier}"), "cancel");
        let done = self
            .client
            .cancel_meter(meter.as_str(), identifier, &key)
            .await;
        match done {
            Ok(MeterCancel::Done) => Ok(Cancelled::Done),
            Ok(MeterCancel::Refused) => Ok(Cancelled::TooLate),
            Err(error) => Err(Fault::from(error).of(&self.code)),
        }
    }

    async fn counted(
        &self,
        meter: &MeterName,
        customer: &CustomerRef,
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<u64, ProviderError> {
        let sum = self.sum_of(meter, customer, span).await;
        sum.map_err(|fault| fault.of(&self.code))
    }
}

impl Stripe {
    async fn sum_of(
        &self,
        meter: &MeterName,
        customer: &CustomerRef,
        (from, before): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<u64, Fault> {
        let filter = MeterSumFilter {
            customer: customer.as_str().to_owned(),
            start_time: from.timestamp(),
            end_time: before.timestamp(),
        };
        let id = self.meter_id(meter).await?;
        let mut sum: u64 = 0;
        for part in self.client.list_meter_sums(&id, &filter)?.all().await? {
            let value = part.aggregated_value.unwrap_or_else(|| 0.into());
            let whole = whole(&value)
                .ok_or_else(|| Fault::unreadable(&part.id, "its sum is no whole number"))?;
            sum = sum.saturating_add(whole);
        }
        Ok(sum)
    }

    /// A meter's id. It is looked for once: a meter keeps its name.
    async fn meter_id(&self, meter: &MeterName) -> Result<String, Fault> {
        let known = || self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known().get(meter.as_str()) {
            return Ok(id.clone());
        }
        let all = self.client.list_meters().all().await?;
        let named = |one: &&Meter| one.event_name.as_deref() == Some(meter.as_str());
        let mut found: Vec<&Meter> = all.iter().filter(named).collect();
        // One that was given up may have left its name to another.
        found.sort_by_key(|one| !is_active(one));
        let id = found.first().map(|one| one.id.clone());
        let id = id.ok_or_else(|| Fault::refused(format!("Stripe has no meter `{meter}`")))?;
        known().insert(meter.as_str().to_owned(), id.clone());
        Ok(id)
    }

    /// Meters that plans of a file name, and that are not there.
    pub(super) async fn missing_meters(&self, file: &CatalogFile) -> Result<Vec<SaleStep>, Fault> {
        let named = file.plans.iter().flat_map(|plan| {
            let sold = plan.on_demand.values();
            sold.filter_map(move |sold| Some((plan, sold.meter.clone()?)))
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.client.list_meters().all().await?;
        let is_there = |meter: &MeterName| {
            let mut active = all.iter().filter(|one| is_active(one));
            active.any(|one| one.event_name.as_deref() == Some(meter.as_str()))
        };
        let missing = named.into_iter().filter(|(_, meter)| !is_there(meter));
        let step = missing.map(|(plan, meter)| SaleStep::MissingMeter {
            of: format!("plan {}", plan.code),
            meter,
        });
        Ok(step.collect())
    }
}

fn is_active(meter: &Meter) -> bool {
    meter.status.as_deref() != Some("inactive")
}

/// A number that Stripe writes as a float, where it is a whole one.
fn whole(value: &serde_json::Number) -> Option<u64> {
    if let Some(whole) = value.as_u64() {
        return Some(whole);
    }
    let text = value.to_string();
    let digits = text.strip_suffix(".0")?;
    digits.parse().ok()
}
