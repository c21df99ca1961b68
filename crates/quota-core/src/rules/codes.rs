//! Codes: what may be made, what may be redeemed when, and the command that gives it (P15).

use chrono::{DateTime, TimeDelta, Utc};

use super::context::Context;
use crate::answer::Rejection;
use crate::catalog::{Kind, PlanKind};
use crate::code::{
    BoostGift, CODES_MAX, Code, CodeFailures, CodeGift, CodeState, CodeUse, CodeWindow,
    CreditsGift, GIFT_DAYS_MAX, GiftEnd, PlanGift, USES_MAX,
};
use crate::code_misfit::CodeMisfit;
use crate::command::{Command, GiveBoost, GivePlan, GrantCredits};
use crate::ids::{BoostId, GrantId, PlanCode};

/// Most texts that are no code that an account may try within [`FAILURES_SPAN`].
pub const FAILURES_MAX: u32 = 10;
/// The span that failures are counted in, from the first of them on.
pub const FAILURES_SPAN: TimeDelta = TimeDelta::minutes(1);

/// Refuses a batch of more codes than one may have, or of none, and uses likewise.
///
/// # Errors
/// [`Rejection::OutOfRange`] with the field.
pub fn must_be_numbers(count: u32, uses_max: u32) -> Result<(), Rejection> {
    must_be_within("count", count, CODES_MAX)?;
    must_be_within("uses_max", uses_max, USES_MAX)
}

/// When codes may be redeemed that were asked for with this window: no longer than what they give can be given.
///
/// # Errors
/// [`Rejection`] when that is never, or over already.
pub fn window_of(
    asked: CodeWindow,
    gift: &CodeGift,
    now: DateTime<Utc>,
) -> Result<CodeWindow, Rejection> {
    let is_over = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
    for (field, at) in [("until", asked.until), ("ends", gift.over_at())] {
        if is_over(at) {
            return Err(Rejection::NotInFuture { field });
        }
    }
    let ends = [asked.until, gift.over_at()];
    let until = ends.into_iter().flatten().min();
    let begins_in_time = |from| until.is_none_or(|until| from < until);
    if asked.from.is_some_and(|from| !begins_in_time(from)) {
        return Err(CodeMisfit::EmptyWindow.into());
    }
    Ok(CodeWindow { until, ..asked })
}

/// Refuses a gift that nobody could be given by the catalog as it is.
///
/// # Errors
/// The [`Rejection`] that says why.
pub fn must_be_givable(gift: &CodeGift, context: &Context<'_>) -> Result<(), Rejection> {
    match gift {
        CodeGift::Credits(gift) => gift.days.map_or(Ok(()), must_be_days),
        CodeGift::Boost(gift) => {
            let feature = context.counted(&gift.feature)?;
            if feature.kind != Kind::Consumable {
                return Err(Rejection::NotConsumable(feature.code.clone()));
            }
            match gift.ends {
                GiftEnd::Days(days) => must_be_days(days),
                GiftEnd::At(_) | GiftEnd::Period => Ok(()),
            }
        }
        CodeGift::Plan(gift) => {
            must_be_days(gift.days)?;
            must_be_base_plan(&gift.plan, context)
        }
    }
}

fn must_be_base_plan(code: &PlanCode, context: &Context<'_>) -> Result<(), Rejection> {
    let plan = context.catalog.plan(code, None);
    let plan = plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))?;
    match plan.kind {
        PlanKind::Base => Ok(()),
        PlanKind::Addon => Err(Rejection::IsAddon(code.clone())),
    }
}

/// Refuses a time that no gift lasts.
pub(super) fn must_be_days(days: u32) -> Result<(), Rejection> {
    must_be_within("days", days, GIFT_DAYS_MAX)
}

fn must_be_within(field: &'static str, number: u32, most: u32) -> Result<(), Rejection> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(Rejection::OutOfRange {
        field,
        least: 1,
        most: most.into(),
    })
}

impl Code {
    /// What can be done with it.
    pub fn state(&self, now: DateTime<Utc>) -> CodeState {
        let CodeWindow { from, until } = self.window;
        if self.revoked_at.is_some() {
            CodeState::Revoked
        } else if from.is_some_and(|from| now < from) {
            CodeState::NotBegun
        } else if until.is_some_and(|until| until <= now) {
            CodeState::Expired
        } else if self.uses < self.uses_max {
            CodeState::Open
        } else {
            CodeState::UsedUp
        }
    }

    /// Why an account that has not redeemed it cannot, if that is so.
    pub fn refusal(&self, now: DateTime<Utc>) -> Option<CodeMisfit> {
        let (from, until) = (self.window.from, self.window.until);
        match self.state(now) {
            CodeState::Open => None,
            CodeState::UsedUp => Some(CodeMisfit::Used),
            CodeState::Revoked => Some(CodeMisfit::Revoked),
            CodeState::NotBegun => from.map(|from| CodeMisfit::NotBegun { from }),
            CodeState::Expired => until.map(|until| CodeMisfit::Expired { until }),
        }
    }

    /// The command that gives an account what the code gives. Its grant or boost has the code's name: none is given twice.
    pub fn gift_command(&self, now: DateTime<Utc>) -> Command {
        match &self.gift {
            CodeGift::Credits(CreditsGift {
                credits,
                priority,
                days,
            }) => Command::GrantCredits(GrantCredits {
                grant: GrantId::of_code(self.id),
                credits: *credits,
                priority: *priority,
                expires_at: days.map(|days| in_days(now, days)),
            }),
            CodeGift::Boost(BoostGift {
                feature,
                amount,
                ends,
            }) => Command::GiveBoost(GiveBoost {
                boost: BoostId::of_code(self.id),
                feature: feature.clone(),
                amount: *amount,
                ends_at: match ends {
                    GiftEnd::Period => None,
                    GiftEnd::At(at) => Some(*at),
                    GiftEnd::Days(days) => Some(in_days(now, *days)),
                },
            }),
            CodeGift::Plan(PlanGift { plan, days, seats }) => Command::GivePlan(GivePlan {
                plan: plan.clone(),
                days: *days,
                seats: *seats,
            }),
        }
    }

    /// Whether a use that was claimed and not ended may be ended now. A grant or a boost is known by its name for ever; a plan
    /// only by the key that it was given under, which is kept for `keys_kept`.
    pub fn may_be_ended(
        &self,
        claimed: &CodeUse,
        now: DateTime<Utc>,
        keys_kept: TimeDelta,
    ) -> bool {
        match self.gift {
            CodeGift::Credits(_) | CodeGift::Boost(_) => true,
            CodeGift::Plan(_) => now.signed_duration_since(claimed.claimed_at) < keys_kept,
        }
    }
}

/// The instant so many days of 24 hours later.
pub(super) fn in_days(from: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    let at = from.checked_add_signed(TimeDelta::days(i64::from(days)));
    at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl CodeFailures {
    /// Until when nothing more is looked at of an account that tried so often; none when it may try.
    pub fn stop_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = self.began_at.checked_add_signed(FAILURES_SPAN)?;
        (FAILURES_MAX <= self.failures && now < until).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::amount::Amount;
    use crate::code::CodeHash;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    fn code(uses: u32) -> Code {
        Code {
            id: Uuid::from_u128(7),
            batch: Uuid::nil(),
            number: 1,
            hash: CodeHash([0; 32]),
            prefix: String::new(),
            gift: CodeGift::Credits(CreditsGift {
                credits: Amount::new(5).expect("an amount"),
                priority: 0,
                days: Some(1),
            }),
            uses_max: 3,
            window: CodeWindow {
                from: Some(at(10)),
                until: Some(at(20)),
            },
            uses,
            created_at: at(0),
            revoked_at: None,
        }
    }

    /// P15: a window is half-open, a code is used up by its last use, and a revoked one is that first of all.
    #[test]
    fn a_code_can_be_redeemed_in_its_window_while_uses_are_left() {
        let misfit = |second, uses| code(uses).refusal(at(second));
        assert_eq!(misfit(9, 0), Some(CodeMisfit::NotBegun { from: at(10) }));
        assert_eq!(misfit(10, 0), None);
        assert_eq!(misfit(19, 2), None);
        assert_eq!(misfit(19, 3), Some(CodeMisfit::Used));
        assert_eq!(misfit(20, 3), Some(CodeMisfit::Expired { until: at(20) }));
        let revoked = Code {
            revoked_at: Some(at(1)),
            ..code(3)
        };
        assert_eq!(revoked.refusal(at(9)), Some(CodeMisfit::Revoked));
    }

    #[test]
    fn a_window_that_holds_no_instant_to_come_is_refused() {
        let now = at(15);
        let gift = code(0).gift;
        let window = |from: Option<i64>, until: Option<i64>| {
            let asked = CodeWindow {
                from: from.map(at),
                until: until.map(at),
            };
            window_of(asked, &gift, now)
        };
        assert!(window(None, None).is_ok() && window(Some(1), Some(16)).is_ok());
        let past = Err(Rejection::NotInFuture { field: "until" });
        assert_eq!(window(None, Some(15)), past);
        let empty = Err(CodeMisfit::EmptyWindow.into());
        assert_eq!(window(Some(20), Some(20)), empty);
    }

    /// A boost until an instant cannot be given from then on, so its codes end then.
    #[test]
    fn a_code_ends_with_what_it_gives() {
        let boost = |second| {
            CodeGift::Boost(BoostGift {
                feature: crate::ids::FeatureCode::new("f").expect("a code"),
                amount: Amount::new(1).expect("an amount"),
                ends: GiftEnd::At(at(second)),
            })
        };
        let long = CodeWindow {
            from: None,
            until: Some(at(90)),
        };
        let window = window_of(long, &boost(50), at(15)).expect("is possible");
        assert_eq!(window.until, Some(at(50)));
        let over = window_of(long, &boost(15), at(15));
        assert_eq!(over, Err(Rejection::NotInFuture { field: "ends" }));
    }

    /// Ten failures in a minute stop an account until the minute is over.
    #[test]
    fn ten_failures_stop_until_their_minute_is_over() {
        let failed = |failures| CodeFailures {
            began_at: at(100),
            failures,
        };
        assert_eq!(failed(9).stop_until(at(101)), None);
        assert_eq!(failed(10).stop_until(at(101)), Some(at(160)));
        assert_eq!(failed(10).stop_until(at(159)), Some(at(160)));
        assert_eq!(failed(10).stop_until(at(160)), None);
    }
}
