//! Payments: one is fetched with all that belongs to it, and its row and the credits follow (P1, P7 to P11, P14).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, PriceId};
use quota_core::payment::{BoughtLine, Paying};
use quota_core::payment_misfit::PaymentMisfit;
use quota_core::provider::{FetchedPayment, ProblemKind, ProviderObject};
use quota_core::rules::fetched_payment::{Bought, FetchedNews, bought};
use quota_core::rules::payment_news::PaymentNews;

use super::customer::{ATTEMPTS_MAX, refused};
use super::problems::Found;
use super::{Billing, BillingError, Parked, Synced};
use crate::{BookPayment, EngineError};

/// What became of a fetched payment.
enum Told {
    /// All of it is told.
    All(Synced),
    /// Meanwhile somebody told otherwise, of a fetch that counts as one that began then: nobody knows who saw it last.
    Otherwise(Option<DateTime<Utc>>),
}

impl Billing {
    /// Fetches the payment that an object belongs to, and books what it comes to: credits for what was bought, less what came back.
    /// Told by whatever object of it, in whatever order and however often, the end is the same (P1, P6).
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; the same may be asked for again.
    pub async fn sync_payment(&self, object: &ProviderObject) -> Result<Synced, BillingError> {
        self.connection().await?;
        let mut told_at = None;
        for _ in 0..ATTEMPTS_MAX {
            let began_at = self.begin(told_at).await?;
            let Some(fetched) = self.provider().payment(object).await? else {
                return Ok(Synced::Gone);
            };
            match self.book_fetched(object, fetched, began_at).await? {
                Told::All(synced) => return Ok(synced),
                Told::Otherwise(at) => told_at = at.max(told_at),
            }
        }
        Err(BillingError::Busy)
    }

    async fn book_fetched(
        &self,
        object: &ProviderObject,
        fetched: FetchedPayment,
        began_at: DateTime<Utc>,
    ) -> Result<Told, BillingError> {
        let connection = self.connection().await?;
        let about = fetched.payment.to_string();
        if fetched.is_on_test_clock {
            self.tell_payment(object, (&about, None), vec![on_test_clock(&about)])
                .await?;
            return Ok(Told::All(Synced::Parked(Parked::TestClock)));
        }
        let (catalog, now) = (self.engine().catalog_now(), self.engine().now());
        let bought = bought(
            self.code(),
            &fetched,
            (&catalog, connection.money_starts_at),
            now,
        );
        let mut found = misfits(&fetched, &bought);
        let Some(account) = self.payer_of(&fetched).await? else {
            return self.park(object, (&fetched, &bought)).await;
        };
        let asked = self.booking(&account, (&fetched, bought), began_at);
        let about = (about.as_str(), Some(&account));
        let booked = match self.engine().book_payment(asked).await {
            Ok(booked) => booked,
            Err(EngineError::Rejected(rejection)) => {
                found.push(misfit(&fetched, &rejection));
                self.tell_payment(object, about, found).await?;
                return Ok(Told::All(Synced::Parked(Parked::Refused)));
            }
            Err(other) => return Err(other.into()),
        };
        let row = &booked.payment;
        let is_same = row.refunds == fetched.refunds && row.disputes == fetched.disputes;
        if row.fetched_at != began_at && !is_same {
            return Ok(Told::Otherwise(Some(row.fetched_at)));
        }
        let problems = self.tell_payment(object, about, found).await?;
        Ok(Told::All(Synced::Applied {
            account,
            is_news: booked.is_news,
            problems,
        }))
    }

    fn booking(
        &self,
        account: &AccountId,
        (fetched, bought): (&FetchedPayment, Bought),
        began_at: DateTime<Utc>,
    ) -> BookPayment {
        BookPayment {
            account: account.clone(),
            id: self.payment_id(&fetched.payment),
            aliases: fetched.aliases.clone(),
            news: PaymentNews::Fetched(FetchedNews {
                paying: fetched.paying,
                amount: fetched.amount,
                currency: fetched.currency.clone(),
                lines: bought.lines,
                refunds: fetched.refunds.clone(),
                disputes: fetched.disputes.clone(),
                paid_at: fetched.paid_at,
                fetched_at: began_at,
            }),
            key: None,
            origin: self.origin(),
        }
    }

    async fn tell_payment(
        &self,
        object: &ProviderObject,
        (about, account): (&str, Option<&AccountId>),
        found: Vec<Found>,
    ) -> Result<BTreeSet<ProblemKind>, BillingError> {
        let found = found.into_iter().map(|one| one.found_by(object)).collect();
        Ok(self.tell_problems(about, account, found).await?)
    }

    /// Whose payment it is: of whoever has one of its ids, else of whose customer paid it (P7). What is written beside it at the
    /// provider decides nothing.
    async fn payer_of(&self, fetched: &FetchedPayment) -> Result<Option<AccountId>, BillingError> {
        let ids = std::iter::once(&fetched.payment).chain(&fetched.aliases);
        for payment in ids {
            let id = self.payment_id(payment);
            let held = self.engine().storage().holder_of(&id).await?;
            if let Some(held) = held {
                return Ok(Some(held.account));
            }
        }
        let Some(customer) = &fetched.customer else {
            return Ok(None);
        };
        let link = self.store().customer(&self.customer_id(customer)).await?;
        Ok(link.map(|link| link.account))
    }

    /// A payment of nobody that is known: listed if it bought something here, until it is claimed (P14).
    async fn park(
        &self,
        object: &ProviderObject,
        (fetched, bought): (&FetchedPayment, &Bought),
    ) -> Result<Told, BillingError> {
        let about = fetched.payment.to_string();
        if bought.lines.is_empty() || fetched.paying != Paying::Paid {
            return Ok(Told::All(Synced::NotOurs));
        }
        let gifts: Vec<String> = bought.lines.iter().map(in_words).collect();
        let gifts = gifts.join(" and ");
        let customer = fetched.customer.as_ref();
        let found = Found::new(
            ProblemKind::UnknownPayer,
            format!("payment `{about}` bought {gifts}, and for which account is not known"),
            [
                ("payment", about.clone()),
                ("bought", gifts),
                ("amount", fetched.amount.to_string()),
                ("currency", fetched.currency.to_string()),
                (
                    "customer",
                    customer.map(ToString::to_string).unwrap_or_default(),
                ),
            ],
        );
        self.tell_payment(object, (&about, None), vec![found])
            .await?;
        // Whoever was linked meanwhile did not see it in the list.
        if self.payer_of(fetched).await?.is_some() {
            return Ok(Told::Otherwise(None));
        }
        Ok(Told::All(Synced::Parked(Parked::UnknownPayer)))
    }

    /// Claims a payment that was parked for an account, by any of its objects (P14). One that another account has stays there.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked, or another account has it.
    pub async fn claim_payment(
        &self,
        object: &ProviderObject,
        account: &AccountId,
    ) -> Result<Synced, BillingError> {
        let Some(fetched) = self.provider().payment(object).await? else {
            return Ok(Synced::Gone);
        };
        if let Some(payer) = self.payer_of(&fetched).await?
            && payer != *account
        {
            let other = PaymentMisfit::OfAnotherAccount(fetched.payment);
            return Err(EngineError::Rejected(other.into()).into());
        }
        if !self.engine().exists(account).await? {
            return Err(EngineError::Rejected(Rejection::UnknownAccount).into());
        }
        let holder = quota_core::payment::PaymentHolder {
            account: account.clone(),
            payment: fetched.payment.clone(),
        };
        let id = self.payment_id(&fetched.payment);
        let held = self.engine().storage().claim_payment(&id, &holder).await?;
        if held.account != *account {
            let other = PaymentMisfit::OfAnotherAccount(fetched.payment);
            return Err(EngineError::Rejected(other.into()).into());
        }
        self.sync_payment(object).await
    }
}

/// What a line buys: `100 credits`, or `20 of articles`.
fn in_words(line: &BoughtLine) -> String {
    let amount = line.credits.get();
    match &line.boost {
        Some(feature) => format!("{amount} of {feature}"),
        None => format!("{amount} credits"),
    }
}

fn on_test_clock(payment: &str) -> Found {
    Found::new(
        ProblemKind::TestClock,
        format!("payment `{payment}` was made on a test clock: it is not credited"),
        [("payment", payment.to_owned())],
    )
}

/// What of a payment fits nothing here.
fn misfits(fetched: &FetchedPayment, bought: &Bought) -> Vec<Found> {
    let mut found = Vec::new();
    let prices: BTreeSet<&str> = bought.unknown_prices.iter().map(PriceId::as_str).collect();
    if !prices.is_empty() && fetched.paying == Paying::Paid {
        let prices: Vec<&str> = prices.into_iter().collect();
        found.push(Found::new(
            ProblemKind::UnknownPrice,
            format!(
                "payment `{}` is for prices that stand for nothing in the catalog",
                fetched.payment
            ),
            [
                ("payment", fetched.payment.to_string()),
                ("prices", prices.join(", ")),
            ],
        ));
    }
    if let Some(pack) = &bought.mismatched {
        found.push(Found::new(
            ProblemKind::AmountMismatch,
            format!(
                "payment `{}` is for pack `{pack}`, with another amount or currency than that pack's",
                fetched.payment
            ),
            [
                ("payment", fetched.payment.to_string()),
                ("pack", pack.to_string()),
                ("amount", fetched.amount.to_string()),
                ("currency", fetched.currency.to_string()),
            ],
        ));
    }
    found
}

/// Why a payment was not booked, as a problem.
fn misfit(fetched: &FetchedPayment, rejection: &Rejection) -> Found {
    let payment = &fetched.payment;
    let Rejection::Payment(misfit) = rejection else {
        return refused(rejection);
    };
    let is_of_another = matches!(misfit, PaymentMisfit::OfAnotherAccount(_));
    let kind = if is_of_another {
        ProblemKind::OfAnotherAccount
    } else {
        ProblemKind::PaymentChanged
    };
    Found::new(
        kind,
        format!("payment `{payment}`: {rejection}"),
        [
            ("payment", payment.to_string()),
            ("amount", fetched.amount.to_string()),
            ("currency", fetched.currency.to_string()),
        ],
    )
}
