//! What of the telling fits nothing, listed for a person.

use std::collections::{BTreeMap, BTreeSet};

use quota_core::meter::{MeterPeriod, MeterPeriodId};
use quota_core::provider::ProblemKind;

use super::super::problems::{BUCKET, Found};
use super::{Billing, BillingError, Meters};

impl Billing {
    /// Lists what is wrong with a period, and settles what is not any more.
    pub(super) async fn list_meter_problems(
        &self,
        meters: &Meters,
        id: &MeterPeriodId,
    ) -> Result<BTreeSet<ProblemKind>, BillingError> {
        let Some(period) = meters.parts.store.meter_period(id).await? else {
            return Ok(BTreeSet::new());
        };
        let now = self.engine().now();
        let mut found = Vec::new();
        if let Some(since) = period.lacks_customer(now) {
            let what =
                "use on demand waits to be told, and the account is no customer of the provider";
            found.push(
                of(&period, ProblemKind::MeterWithoutCustomer, what)
                    .and("since", since.to_rfc3339()),
            );
        }
        if let Some(why) = &period.refused {
            let what = format!("the provider refuses use on demand: {why}");
            found.push(of(&period, ProblemKind::MeterRefused, &what));
        }
        let sums = &period.sums;
        if [sums.late, sums.too_old, sums.unknown] != [0, 0, 0] {
            let what = "use on demand was told after its invoice may have been closed, or was too old to be told, or may not have arrived";
            found.push(
                of(&period, ProblemKind::MeterLate, what)
                    .and("units_late", sums.late.to_string())
                    .and("units_too_old", sums.too_old.to_string())
                    .and("units_unknown", sums.unknown.to_string()),
            );
        }
        if let Some(compared) = period.compared.filter(|compared| !compared.is_equal()) {
            let what = if compared.is_settled_here() {
                "what was given back too late is still counted by the provider, or what could not be told is not"
            } else {
                "the provider counted other use on demand than it was told, or than was booked"
            };
            let books = compared
                .books
                .map_or_else(|| "not known".to_owned(), |units| units.to_string());
            found.push(
                of(&period, ProblemKind::MeterDiffers, what)
                    .and("units_at_provider", compared.theirs.to_string())
                    .and("units_told", compared.told.to_string())
                    .and("units_booked", compared.booked.to_string())
                    .and("units_in_books", books),
            );
        }
        let about = format!("meter {id}");
        Ok(self.tell_problems(&about, Some(&id.account), found).await?)
    }
}

fn of(period: &MeterPeriod, kind: ProblemKind, detail: &str) -> Found {
    let customers: Vec<&str> = period
        .customers
        .iter()
        .map(quota_core::ids::CustomerRef::as_str)
        .collect();
    let evidence = BTreeMap::from([
        (BUCKET.to_owned(), period.id.bucket.to_string()),
        ("meter".to_owned(), period.meter.to_string()),
        ("customers".to_owned(), customers.join(", ")),
    ]);
    Found {
        kind,
        detail: detail.to_owned(),
        evidence,
    }
}
