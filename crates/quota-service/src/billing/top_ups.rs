//! Auto top-up: a pack is bought when credits run low, once, whoever looks and however often (P20).
//!
//! A top-up is written before the provider is asked, and an account has one that is open at most. Whoever has begun one looks at the
//! account anew before asking: what was seen before may be from before the last one was credited. What comes of it is told by the
//! provider alone, and credited by [`Billing::sync_payment`] as any other payment.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::catalog::Pack;
use quota_core::ids::{AccountId, Currency, CustomerRef, PackCode};
use quota_core::payment::PaymentStatus;
use quota_core::ports::{AccountRow, TopUpPage};
use quota_core::provider::{TopUp, TopUpState};
use quota_core::rules::top_ups::{due_top_up, top_up_month};
use quota_core::terms::AutoTopUp;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::events::after;
use super::{Billing, BillingError, TopUpLook};
use crate::EngineError;

/// How long one that looks at a top-up may take before another one takes it over.
pub(super) const LEASE: Duration = Duration::from_mins(2);
/// Top-ups of an account that are looked through for money that came back: as many as it may have in a month.
const LOOKED_THROUGH_MAX: u32 = quota_core::terms::TOP_UPS_A_MONTH_MAX;

/// Why auto top-up cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum TopUpRefusal {
    /// The account has nobody at the provider who could pay.
    #[error("the account is no customer of `{0}` yet: let it buy something first")]
    NoCustomer(String),
    /// The pack is not sold at the provider.
    #[error("pack `{pack}` has no price at `{provider}`")]
    NotForSale {
        /// The pack.
        pack: PackCode,
        /// Where.
        provider: String,
    },
    /// Something could not be asked.
    #[error(transparent)]
    Billing(#[from] BillingError),
}

/// How auto top-up of an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUpStanding {
    /// What is bought, and how that went lately.
    pub wanted: AutoTopUp,
    /// How many were bought in this month, with one that is open.
    pub bought_this_month: u64,
    /// When the month ends in which these count.
    pub month_ends_at: Option<DateTime<Utc>>,
    /// The last top-ups, the one that was begun last first.
    pub last: Vec<TopUp>,
}

impl Billing {
    /// Sees to it that an account is looked at from now on, before its auto top-up is set.
    ///
    /// # Errors
    /// [`TopUpRefusal`] when nothing could be bought by it.
    pub async fn prepare_top_ups(
        &self,
        account: &AccountId,
        pack: &PackCode,
    ) -> Result<(), TopUpRefusal> {
        self.engine()
            .account(account)
            .await
            .map_err(BillingError::from)?;
        let customers = self.customers_of(account).await;
        if customers?.is_empty() {
            return Err(TopUpRefusal::NoCustomer(self.code().to_string()));
        }
        let catalog = self.engine().catalog_now();
        if let Some(known) = catalog.packs.get(pack)
            && !self.is_sold(known)
        {
            return Err(TopUpRefusal::NotForSale {
                pack: pack.clone(),
                provider: self.code().to_string(),
            });
        }
        let entered = self.store().enter_top_up_account(account).await;
        entered.map_err(BillingError::from)?;
        Ok(())
    }

    /// How auto top-up of an account stands; none when it is not set.
    ///
    /// # Errors
    /// [`BillingError`] when it cannot be read.
    pub async fn top_up_standing(
        &self,
        account: &AccountId,
        limit: u32,
    ) -> Result<Option<TopUpStanding>, BillingError> {
        // An end is booked before its top-up is closed: whoever is shown the close is shown the booking.
        let last = self.last_top_ups(account, limit).await?;
        let row = self.engine().account(account).await?;
        let Some(wanted) = row.account.terms.auto_top_up.clone() else {
            return Ok(None);
        };
        let month = top_up_month(row.account.terms.time_zone, self.engine().now());
        Ok(Some(TopUpStanding {
            wanted: *wanted,
            bought_this_month: self.bought_this_month(&row).await?,
            month_ends_at: month.ends_at,
            last,
        }))
    }

    /// Listens for credits that run low by what this process commits, and looks at these accounts at once.
    pub fn keep_topping_up(&self) -> JoinHandle<()> {
        let (billing, mut low) = (self.clone(), self.engine().credits_low());
        tokio::spawn(async move {
            loop {
                match low.recv().await {
                    Ok(account) => billing.look_soon(account),
                    Err(RecvError::Lagged(lost)) => {
                        tracing::warn!(
                            lost,
                            "credits run low faster than is looked; the job finds them"
                        );
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        })
    }

    /// Looks at an account behind the answer, if this process has room for it; else the job does.
    pub fn look_soon(&self, account: AccountId) {
        let Ok(room) = Arc::clone(&self.inner.at_top_ups).try_acquire_owned() else {
            return;
        };
        let billing = self.clone();
        tokio::spawn(async move {
            if let Err(error) = billing.top_up(&account).await {
                tracing::warn!(%account, %error, "a top-up is not known to have ended; it is looked at again");
            }
            drop(room);
        });
    }

    /// Looks whether a pack is to be bought for an account, and buys it; one that is open is carried on.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked: the job looks again.
    pub async fn top_up(&self, account: &AccountId) -> Result<TopUpLook, BillingError> {
        self.connection().await?;
        if let Some(open) = self.store().open_top_up(account).await? {
            return self.carry_on(open).await;
        }
        let row = self.engine().account(account).await?;
        let now = self.engine().now();
        let Some(wanted) = due_top_up(&row.account, now) else {
            return Ok(TopUpLook::NotDue);
        };
        if u64::from(wanted.most_per_month) <= self.bought_this_month(&row).await? {
            return Ok(TopUpLook::MonthFull);
        }
        let Some(new) = self.new_top_up(account, wanted).await? else {
            return Ok(TopUpLook::NotDue);
        };
        if !self.store().begin_top_up(&new).await? {
            return Ok(TopUpLook::UnderWay);
        }
        self.work_on_top_up(new).await
    }

    /// Takes an open top-up over whose time has come.
    pub(super) async fn carry_on(&self, open: TopUp) -> Result<TopUpLook, BillingError> {
        if self.engine().now() < open.next_look_at {
            return Ok(TopUpLook::UnderWay);
        }
        let mut taken = open;
        taken.next_look_at = after(self.engine().now(), LEASE);
        if !self.changed(&mut taken).await? {
            return Ok(TopUpLook::UnderWay);
        }
        self.work_on_top_up(taken).await
    }

    /// Writes a top-up that was changed; `false` when another one did meanwhile.
    pub(super) async fn changed(&self, top_up: &mut TopUp) -> Result<bool, BillingError> {
        top_up.version = top_up.version.saturating_add(1);
        Ok(self.store().put_top_up(top_up).await?)
    }

    /// A top-up of what is wanted, if there ever was such a pack.
    async fn new_top_up(
        &self,
        account: &AccountId,
        wanted: &AutoTopUp,
    ) -> Result<Option<TopUp>, BillingError> {
        let catalog = self.engine().catalog_now();
        let pack = catalog.packs.get(&wanted.pack);
        let pack = pack.or_else(|| catalog.former_packs.get(&wanted.pack));
        let Some((pack, currency)) =
            pack.and_then(|pack| Some((pack, Currency::new(&pack.currency).ok()?)))
        else {
            return Ok(None);
        };
        let customers = self.customers_of(account).await?;
        let customer: Option<CustomerRef> = customers.into_iter().next().map(|one| one.customer);
        let now = self.engine().now();
        Ok(Some(TopUp {
            account: account.clone(),
            id: self.engine().next_id(),
            provider: self.code().clone(),
            mode: self.mode(),
            customer,
            pack: pack.code.clone(),
            amount: pack.price,
            currency,
            state: TopUpState::Open,
            opened_at: now,
            tries: 0,
            next_look_at: after(now, LEASE),
            payment: None,
            ended_at: None,
            failure: None,
            error: None,
            version: 1,
        }))
    }

    /// Whether a pack is sold at the provider, for money.
    pub(super) fn is_sold(&self, pack: &Pack) -> bool {
        let prices = pack.provider_prices.get(self.code());
        pack.price != 0 && prices.is_some_and(|prices| !prices.is_empty())
    }

    /// Whether the account still wants just this top-up: as it stands now, and by what is sold now. Money that came back of an
    /// earlier one switches it off.
    pub(super) async fn look_again(&self, top_up: &TopUp) -> Result<TopUpLook, BillingError> {
        let row = match self.engine().account(&top_up.account).await {
            Ok(row) => row,
            Err(EngineError::Rejected(Rejection::UnknownAccount)) => return Ok(TopUpLook::NotDue),
            Err(error) => return Err(error.into()),
        };
        let now = self.engine().now();
        let wanted = due_top_up(&row.account, now).filter(|wanted| {
            // What was set since is for the next one.
            wanted.pack == top_up.pack && wanted.set_at <= top_up.opened_at
        });
        let Some(wanted) = wanted else {
            return Ok(TopUpLook::NotDue);
        };
        let catalog = self.engine().catalog_now();
        let costs_otherwise = catalog.packs.get(&top_up.pack).is_some_and(|pack| {
            pack.price != top_up.amount || pack.currency != top_up.currency.as_str()
        });
        if costs_otherwise {
            return Ok(TopUpLook::NotDue);
        }
        // This one is counted too, if it was begun in this month.
        let month = top_up_month(row.account.terms.time_zone, now);
        let counts_itself = u64::from(month.contains(top_up.opened_at));
        let others = self.bought_this_month(&row).await?;
        if u64::from(wanted.most_per_month) <= others.saturating_sub(counts_itself) {
            return Ok(TopUpLook::MonthFull);
        }
        if let Some(back) = self.came_back(wanted, top_up).await? {
            self.end_for_money_back(&back).await?;
            return Ok(TopUpLook::SwitchedOff);
        }
        Ok(TopUpLook::Open)
    }

    pub(super) async fn bought_this_month(&self, row: &AccountRow) -> Result<u64, BillingError> {
        let now = self.engine().now();
        let month = top_up_month(row.account.terms.time_zone, now);
        let until = month.ends_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let counted = self
            .store()
            .count_top_ups(&row.id, month.starts_at, until)
            .await?;
        Ok(counted)
    }

    async fn last_top_ups(
        &self,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<TopUp>, BillingError> {
        let page = TopUpPage {
            account: account.clone(),
            after: None,
            limit,
        };
        Ok(self.store().top_ups(&page).await?)
    }

    /// A top-up since it was set of which money came back, or is wanted back.
    async fn came_back(
        &self,
        wanted: &AutoTopUp,
        now: &TopUp,
    ) -> Result<Option<TopUp>, BillingError> {
        for earlier in self.last_top_ups(&now.account, LOOKED_THROUGH_MAX).await? {
            let counts = earlier.state == TopUpState::Paid && wanted.set_at <= earlier.opened_at;
            let Some(payment) = earlier.payment.as_ref().filter(|_| counts) else {
                continue;
            };
            let id = self.payment_id(payment);
            let payment = self.engine().storage().payment(&now.account, &id).await?;
            let is_back = payment.is_some_and(|payment| match payment.status() {
                PaymentStatus::PartlyRefunded
                | PaymentStatus::Refunded
                | PaymentStatus::Disputed
                | PaymentStatus::Lost => true,
                PaymentStatus::Pending | PaymentStatus::Paid | PaymentStatus::Failed => false,
            });
            if is_back {
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }
}
