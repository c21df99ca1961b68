//! What codes give, and the command that only they give.

use quota_core::code::{BoostGift, CodeGift, CreditsGift, GiftEnd, PlanGift};
use quota_core::command::{Command, GivePlan};
use quota_core::quantity::Quantity;

use super::{amount, at, feature, of, plan};
use crate::Documents;

pub fn code_gifts() -> Documents<CodeGift> {
    let credits = |priority, days| {
        let credits = amount(50);
        CodeGift::Credits(CreditsGift {
            credits,
            priority,
            days,
        })
    };
    let boost = |ends| {
        CodeGift::Boost(BoostGift {
            feature: feature("articles"),
            amount: amount(5),
            ends,
        })
    };
    let given = |seats| {
        CodeGift::Plan(PlanGift {
            plan: plan("pro"),
            days: 30,
            seats,
        })
    };
    vec![
        ("credits", credits(0, None)),
        ("full_credits", credits(7, Some(30))),
        ("boost", boost(GiftEnd::Period)),
        ("boost_for_days", boost(GiftEnd::Days(30))),
        ("boost_until", boost(GiftEnd::At(at(90)))),
        ("plan", given(Quantity::ONE)),
        ("full_plan", given(of(Quantity::new(5)))),
    ]
}

pub fn give_plan(seats: Quantity) -> Command {
    Command::GivePlan(GivePlan {
        plan: plan("pro"),
        days: 30,
        seats,
    })
}
