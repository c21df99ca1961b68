//! Use on demand on its way to a provider's meter. The ledger is read by time.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::balance::Bucket;
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::meter::{MeterEntry, MeterPeriod, MeterPeriodId, MeterState};
use quota_core::operation::Operation;
use quota_core::payment::PaymentMode;
use quota_core::ports::{LedgerMark, MeterEntries, MeterStore, MeterWrite, SoldPage, StoreError};

use super::MemoryStore;
use super::records::at_most;

fn mark_of(at: DateTime<Utc>) -> LedgerMark {
    LedgerMark(at.timestamp_micros())
}

fn key(entry: &MeterEntry) -> (DateTime<Utc>, String) {
    (entry.booked_at, entry.id.to_string())
}

#[async_trait]
impl MeterStore for MemoryStore {
    fn mark_at(&self, at: DateTime<Utc>) -> LedgerMark {
        mark_of(at)
    }

    fn rewound(&self, mark: LedgerMark, seconds: u32) -> LedgerMark {
        LedgerMark(mark.0 - i64::from(seconds) * 1_000_000)
    }

    async fn sold(
        &self,
        from: LedgerMark,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<SoldPage, StoreError> {
        self.call(|state| {
            let all = state
                .homes
                .values()
                .flat_map(super::state::HomeState::all_operations);
            let is_asked = |one: &&Operation| from <= mark_of(one.at) && one.at < until;
            let mut found: Vec<Operation> = all.filter(is_asked).cloned().collect();
            found.sort_by_key(|operation| operation.at);
            let cut = found.get(at_most(limit)).map(|next| next.at);
            // All of one instant come together.
            let first = found.first().map(|first| first.at);
            let cut = cut.filter(|cut| first.is_some_and(|first| first < *cut));
            if let Some(cut) = cut {
                found.retain(|operation| operation.at < cut);
            }
            Ok(SoldPage {
                operations: found,
                next: mark_of(cut.unwrap_or(until)).max(from),
                is_last: cut.is_none(),
            })
        })
    }

    async fn ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
    ) -> Result<Option<LedgerMark>, StoreError> {
        self.call(|state| Ok(state.meters.marks.get(&(provider.clone(), mode)).copied()))
    }

    async fn put_ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        mark: LedgerMark,
    ) -> Result<(), StoreError> {
        self.call(|state| {
            let known = state.meters.marks.entry((provider.clone(), mode));
            let known = known.or_insert(mark);
            *known = mark.max(*known);
            Ok(())
        })
    }

    async fn meter_period(&self, id: &MeterPeriodId) -> Result<Option<MeterPeriod>, StoreError> {
        self.call(|state| Ok(state.meters.periods.get(id).cloned()))
    }

    async fn meter_periods(&self, account: &AccountId) -> Result<Vec<MeterPeriod>, StoreError> {
        self.call(|state| {
            let all = state.meters.periods.values();
            let mut found: Vec<MeterPeriod> = all
                .filter(|period| period.id.account == *account)
                .cloned()
                .collect();
            found.sort_by_key(|period| {
                let id = &period.id;
                (id.provider.clone(), id.mode.as_str(), id.bucket.to_string())
            });
            Ok(found)
        })
    }

    async fn due_meter_periods(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MeterPeriod>, StoreError> {
        self.call(|state| {
            let all = state.meters.periods.values();
            let is_due = |period: &&MeterPeriod| period.next_at.is_some_and(|at| at <= now);
            let mut due: Vec<MeterPeriod> = all.filter(is_due).cloned().collect();
            due.sort_by_key(|one| {
                (
                    one.next_at,
                    one.id.account.clone(),
                    one.id.bucket.to_string(),
                )
            });
            due.truncate(at_most(limit));
            Ok(due)
        })
    }

    async fn meter_entries(
        &self,
        wanted: &MeterEntries,
    ) -> Result<Vec<(Bucket, MeterEntry)>, StoreError> {
        self.call(|state| {
            let all = || state.meters.entries.iter();
            let found: Vec<(&MeterPeriodId, &MeterEntry)> = match wanted {
                MeterEntries::Open(id, limit) => {
                    let mut found: Vec<_> = all()
                        .filter(|((of, _), entry)| of == id && entry.state.is_open())
                        .map(|((of, _), entry)| (of, entry))
                        .collect();
                    found.sort_by_key(|(_, entry)| key(entry));
                    found.truncate(at_most(*limit));
                    found
                }
                MeterEntries::ToldSince(id, since, limit) => {
                    let is_told = |entry: &MeterEntry| {
                        entry.state == MeterState::Told && entry.sent_at >= Some(*since)
                    };
                    let mut found: Vec<_> = all()
                        .filter(|((of, _), entry)| of == id && is_told(entry))
                        .map(|((of, _), entry)| (of, entry))
                        .collect();
                    found.sort_by_key(|(_, entry)| {
                        std::cmp::Reverse((entry.sent_at, entry.id.to_string()))
                    });
                    found.truncate(at_most(*limit));
                    found
                }
                MeterEntries::Known(id, entries) => all()
                    .filter(|((of, entry), _)| of == id && entries.contains(entry))
                    .map(|((of, _), entry)| (of, entry))
                    .collect(),
                MeterEntries::Within(account, from, before) => all()
                    .filter(|((of, _), _)| of.account == *account)
                    .filter(|(_, entry)| *from <= entry.at && entry.at < *before)
                    .map(|((of, _), entry)| (of, entry))
                    .collect(),
            };
            let found = found.into_iter();
            Ok(found
                .map(|(id, entry)| (id.bucket.clone(), entry.clone()))
                .collect())
        })
    }

    async fn write_meters(&self, write: &MeterWrite) -> Result<bool, StoreError> {
        self.call(|state| {
            let period = &write.period;
            let stored = state.meters.periods.get(&period.id);
            let follows = stored.is_none_or(|stored| stored.version + 1 == period.version);
            if follows {
                let meters = &mut state.meters;
                meters.periods.insert(period.id.clone(), period.clone());
                for entry in &write.entries {
                    let key = (period.id.clone(), entry.id);
                    meters.entries.insert(key, entry.clone());
                }
            }
            Ok(follows)
        })
    }

    async fn prune_meters(&self, before: DateTime<Utc>, _limit: u32) -> Result<u64, StoreError> {
        self.call(|state| {
            let meters = &mut state.meters;
            let kept = meters.entries.len() + meters.periods.len();
            meters
                .entries
                .retain(|_, entry| entry.state.is_open() || before <= entry.booked_at);
            meters.periods.retain(|_, period| {
                let is_over = period.ends_at.is_some_and(|end| end < before);
                period.next_at.is_some() || !is_over
            });
            let left = meters.entries.len() + meters.periods.len();
            Ok(u64::try_from(kept - left).unwrap_or(u64::MAX))
        })
    }
}
