//! The comparison at the end of a period: what the provider counted, what it was told, what the ledger and the books say.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ids::CustomerRef;
use quota_core::meter::{CHECK_AFTER, Compared, MeterPeriod, overlapping};
use quota_core::ports::MeterEntries;

use super::{Billing, BillingError, Meters};

/// How soon a sum that differs is asked for again: the provider adds up behind its answers.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);
/// How long that is done.
const AGAIN_WITHIN: TimeDelta = TimeDelta::days(35);
/// How soon it is looked again whether all is told of a period beside it.
const BESIDE_AFTER: TimeDelta = TimeDelta::minutes(5);

impl Billing {
    /// Compares a period, together with those of its meter that overlap with it; gives it as it is to be written then.
    pub(super) async fn compare(
        &self,
        meters: &Meters,
        period: &MeterPeriod,
    ) -> Result<MeterPeriod, BillingError> {
        let (store, now) = (&meters.parts.store, self.engine().now());
        let all = store.meter_periods(&period.id.account).await?;
        let is_ours =
            |one: &MeterPeriod| one.id.provider == *self.code() && one.id.mode == self.mode();
        let all: Vec<MeterPeriod> = all.into_iter().filter(is_ours).collect();
        let (span, together) = overlapping(period, &all);
        let mut next = period.clone();
        let due_at = span
            .ends_before
            .and_then(|end| end.checked_add_signed(CHECK_AFTER));
        let Some((end, due_at)) = span.ends_before.zip(due_at) else {
            next.next_at = None;
            return Ok(next);
        };
        if now < due_at {
            next.next_at = Some(due_at);
            return Ok(next);
        }
        for other in &together {
            let open = MeterEntries::Open(other.id.clone(), 1);
            if !store.meter_entries(&open).await?.is_empty() {
                next.next_at = now.checked_add_signed(BESIDE_AFTER);
                return Ok(next);
            }
        }
        let customers: BTreeSet<&CustomerRef> =
            together.iter().flat_map(|one| &one.customers).collect();
        let mut theirs: u64 = 0;
        for customer in customers {
            let span = (span.starts_at, end);
            let counted = meters
                .parts
                .provider
                .counted(&period.meter, customer, span)
                .await?;
            theirs = theirs.saturating_add(counted);
        }
        let sum = |units: fn(&MeterPeriod) -> u64| {
            let all = together.iter().map(|one| units(one));
            all.fold(0, u64::saturating_add)
        };
        let compared = Compared {
            at: now,
            theirs,
            told: sum(|one| one.sums.told),
            booked: sum(|one| one.sums.owed()),
            books: self.in_the_books(&together).await?,
        };
        Ok(ended(next, compared, end, now))
    }

    /// What the books say of these periods, if they know of all of them.
    async fn in_the_books(&self, periods: &[&MeterPeriod]) -> Result<Option<u64>, BillingError> {
        let mut sum: u64 = 0;
        for period in periods {
            let sales = self.sales_of(&period.id.account).await?;
            let Some(balance) = sales.iter().find(|sold| sold.bucket == period.id.bucket) else {
                return Ok(None);
            };
            sum = sum.saturating_add(balance.used);
        }
        Ok(Some(sum))
    }
}

/// A period that was compared: it is over if nothing differs that may come right by itself.
fn ended(
    mut period: MeterPeriod,
    compared: Compared,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> MeterPeriod {
    let until = end.checked_add_signed(AGAIN_WITHIN);
    let is_given_up = until.is_none_or(|until| until <= now);
    period.compared = Some(compared);
    period.refused = None;
    period.next_at = if compared.is_settled_here() || is_given_up {
        None
    } else {
        now.checked_add_signed(AGAIN_AFTER)
    };
    period
}
