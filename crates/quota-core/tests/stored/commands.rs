//! Every command, with as little in it as can be and with everything.

use chrono::{DateTime, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::catalog::{Cadence, Given};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearMemberLimit, ClearOverride, ClearSpendCap,
    CloseWindows, Command, Commit, Consume, EndAddon, EndTopUp, Extend, GiveBoost, GrantCredits,
    Presence, PutAccount, PutToken, Refund, Release, ReleaseCapacity, Renew, Reserve, Reset,
    RevokeToken, SetAddon, SetGiven, SetMemberLimit, SetOverride, SetSeats, SetSpendCap, SetStatus,
    SetTopUp, Subscribe, TakeBackBoost, TakeBackCredits, TellExpiry, TopUpEnd, Track,
    UsageAfterChange,
};
use quota_core::ids::{OrgId, PackCode};
use quota_core::quantity::Quantity;
use quota_core::terms::{CapSpan, Policy, Status, TopUpFailure};

use super::gifts::give_plan;
use super::purchases::{full_of_purchases, least_of_purchases};
use super::{amount, at, boost, feature, grant, id, item, of, plan, token};
use crate::Documents;

/// Commands that say no more than they must.
pub fn least_commands() -> Documents<Command> {
    let items = vec![item()];
    let (articles, three) = (feature("articles"), amount(3));
    let mut commands = vec![
        (
            "consume",
            Command::Consume(Consume {
                token: None,
                items: items.clone(),
            }),
        ),
        (
            "track",
            Command::Track(Track {
                token: None,
                items,
                at: None,
            }),
        ),
        ("reserve", least_reserve()),
        (
            "commit",
            Command::Commit(Commit {
                reservation: id(7),
                actual: 0,
            }),
        ),
        ("release", Command::Release(Release { reservation: id(7) })),
        (
            "extend",
            Command::Extend(Extend {
                reservation: id(7),
                ttl_seconds: 60,
            }),
        ),
        (
            "refund",
            Command::Refund(Refund {
                operation: id(7),
                feature: None,
                amount: None,
            }),
        ),
        (
            "release_capacity",
            Command::ReleaseCapacity(ReleaseCapacity {
                feature: articles,
                amount: three,
            }),
        ),
        ("reset", Command::Reset(Reset::default())),
    ];
    commands.extend(least_of_operators());
    commands.extend(of_boosts());
    commands.extend(of_plans());
    commands.push(("set_spend_cap", set_spend_cap(false)));
    let clear = ClearSpendCap::default();
    commands.push(("clear_spend_cap", Command::ClearSpendCap(clear)));
    let names = ["set_member_limit", "clear_member_limit"];
    commands.extend(of_member_limits(None, names));
    commands.extend(least_of_purchases());
    commands.push(("give_plan", give_plan(Quantity::ONE)));
    commands.extend(of_top_ups());
    commands
}

fn least_reserve() -> Command {
    Command::Reserve(Reserve {
        token: None,
        feature: feature("articles"),
        amount: amount(3),
        ttl_seconds: 60,
    })
}

fn least_of_operators() -> Documents<Command> {
    let articles = feature("articles");
    let put_account = PutAccount {
        presence: Presence::New,
        spec: AccountSpec::default(),
    };
    let set_given = SetGiven {
        feature: feature("sso"),
        value: Given::Flag(true),
        expires_at: None,
    };
    let set_override = SetOverride {
        feature: articles.clone(),
        limit: Limit::Of(5),
        expires_at: None,
    };
    let put_token = PutToken {
        token: token(),
        presence: Presence::Any,
        cap: None,
        per: None,
        expires_at: None,
    };
    let subscribe = Subscribe::to(plan("pro"));
    let change_plan = ChangePlan {
        plan: plan("pro"),
        when: None,
        usage: UsageAfterChange::Restart,
    };
    let grant_credits = GrantCredits {
        grant: grant(),
        credits: amount(50),
        priority: 0,
        expires_at: None,
    };
    let set_status = SetStatus {
        status: Status::PastDue,
    };
    vec![
        ("put_account", Command::PutAccount(put_account)),
        ("set_override", Command::SetOverride(set_override)),
        ("set_given", Command::SetGiven(set_given)),
        (
            "clear_override",
            Command::ClearOverride(ClearOverride { feature: articles }),
        ),
        ("put_token", Command::PutToken(put_token)),
        (
            "revoke_token",
            Command::RevokeToken(RevokeToken { token: token() }),
        ),
        ("subscribe", Command::Subscribe(subscribe)),
        ("renew", Command::Renew(Renew::default())),
        ("change_plan", Command::ChangePlan(change_plan)),
        ("set_status", Command::SetStatus(set_status)),
        ("cancel", Command::Cancel(Cancel::default())),
        ("resume", Command::Resume),
        ("grant_credits", Command::GrantCredits(grant_credits)),
        ("take_back_credits", take_back_credits(None)),
        ("sweep", Command::Sweep),
        ("expire_subscription", Command::ExpireSubscription),
        (
            "close_windows",
            Command::CloseWindows(CloseWindows::default()),
        ),
    ]
}

/// Commands that say all they can; those that have nothing optional are among the others.
fn full_commands() -> Documents<Command> {
    let items = vec![item(), item()];
    let token = Some(token());
    let reserve = Reserve {
        token: token.clone(),
        feature: feature("articles"),
        amount: amount(3),
        ttl_seconds: 60,
    };
    let refund = Refund {
        operation: id(7),
        feature: Some(feature("articles")),
        amount: Some(amount(1)),
    };
    let reset = Reset {
        features: vec![feature("articles")],
        token: None,
    };
    let reset_of_token = Reset {
        features: Vec::new(),
        token: token.clone(),
    };
    let mut commands = vec![
        (
            "full_consume",
            Command::Consume(Consume {
                token: token.clone(),
                items: items.clone(),
            }),
        ),
        (
            "full_track",
            Command::Track(Track {
                token: token.clone(),
                items: items.clone(),
                at: None,
            }),
        ),
        (
            "full_track_told_late",
            Command::Track(Track {
                token,
                items,
                at: Some(at(2)),
            }),
        ),
        ("full_reserve", Command::Reserve(reserve)),
        ("full_refund", Command::Refund(refund)),
        ("full_reset", Command::Reset(reset)),
        ("full_reset_of_token", Command::Reset(reset_of_token)),
    ];
    commands.extend(full_of_operators());
    commands.push(("full_give_boost", give_boost(Some(at(90)))));
    commands.push(("full_set_addon", set_addon(Some(at(90)))));
    commands.push(("full_set_spend_cap", set_spend_cap(true)));
    let clear = ClearSpendCap { by_owner: true };
    commands.push(("full_clear_spend_cap", Command::ClearSpendCap(clear)));
    let names = ["full_set_member_limit", "full_clear_member_limit"];
    commands.extend(of_member_limits(Some(of(OrgId::new("acme"))), names));
    commands.extend(full_of_purchases());
    let seats = of(Quantity::new(5));
    commands.push(("full_give_plan", give_plan(seats)));
    commands
}

fn full_set_given() -> Command {
    Command::SetGiven(SetGiven {
        feature: feature("support"),
        value: Given::Text("phone".to_owned()),
        expires_at: Some(at(9)),
    })
}

fn full_of_operators() -> Documents<Command> {
    let put_account = PutAccount {
        presence: Presence::Existing,
        spec: AccountSpec {
            org: Some(of(OrgId::new("acme"))),
            time_zone: Some(chrono_tz::Europe::Berlin),
            disabled: Some(false),
            unlimited: Some(false),
            policy: Some(Policy::Enforce),
        },
    };
    let set_override = SetOverride {
        feature: feature("articles"),
        limit: Limit::Unlimited,
        expires_at: Some(at(9)),
    };
    let put_token = PutToken {
        token: token(),
        presence: Presence::New,
        cap: Some(Limit::Of(100)),
        per: Some(CapSpan::Each(Cadence::Monthly)),
        expires_at: Some(at(90)),
    };
    let subscribe = Subscribe {
        starts_at: Some(at(0)),
        ends_at: Some(at(31)),
        trial: Some(true),
        status: Some(Status::Trialing),
        seats: Some(of(Quantity::new(5))),
        ..Subscribe::to(plan("pro"))
    };
    let change_plan = ChangePlan {
        plan: plan("pro"),
        when: Some(ChangeWhen::PeriodEnd),
        usage: UsageAfterChange::Keep,
    };
    let grant_credits = GrantCredits {
        grant: grant(),
        credits: amount(50),
        priority: 7,
        expires_at: Some(at(90)),
    };
    let close_windows = CloseWindows {
        cadence: Some(Cadence::Daily),
        features: vec![feature("articles")],
    };
    vec![
        ("full_put_account", Command::PutAccount(put_account)),
        ("full_set_override", Command::SetOverride(set_override)),
        ("full_set_given", full_set_given()),
        ("full_put_token", Command::PutToken(put_token)),
        ("full_subscribe", Command::Subscribe(subscribe)),
        (
            "full_renew",
            Command::Renew(Renew {
                ends_at: Some(at(62)),
            }),
        ),
        ("full_change_plan", Command::ChangePlan(change_plan)),
        ("full_cancel", Command::Cancel(Cancel { at_once: true })),
        ("full_grant_credits", Command::GrantCredits(grant_credits)),
        (
            "full_take_back_credits",
            take_back_credits(Some(amount(20))),
        ),
        ("full_close_windows", Command::CloseWindows(close_windows)),
    ]
}

fn give_boost(ends_at: Option<DateTime<Utc>>) -> Command {
    Command::GiveBoost(GiveBoost {
        boost: boost(),
        feature: feature("articles"),
        amount: amount(50),
        ends_at,
    })
}

fn take_back_credits(credits: Option<Amount>) -> Command {
    let grant = grant();
    Command::TakeBackCredits(TakeBackCredits { grant, credits })
}

fn set_addon(ends_at: Option<DateTime<Utc>>) -> Command {
    Command::SetAddon(SetAddon {
        plan: plan("more"),
        quantity: of(Quantity::new(2)),
        ends_at,
    })
}

fn of_plans() -> Documents<Command> {
    let seats = of(Quantity::new(5));
    let end = EndAddon { plan: plan("more") };
    vec![
        ("set_seats", Command::SetSeats(SetSeats { seats })),
        ("set_addon", set_addon(None)),
        ("end_addon", Command::EndAddon(end)),
    ]
}

fn set_spend_cap(by_owner: bool) -> Command {
    Command::SetSpendCap(SetSpendCap {
        amount: 5_000,
        by_owner,
    })
}

fn of_top_ups() -> Documents<Command> {
    let pack = of(PackCode::new("small"));
    let set = SetTopUp {
        pack: pack.clone(),
        below: amount(10),
        most_per_month: 5,
    };
    let end = |end| {
        Command::EndTopUp(EndTopUp {
            top_up: id(7),
            pack: pack.clone(),
            opened_at: at(1),
            end,
        })
    };
    let declined = TopUpEnd::Failed(TopUpFailure::Declined);
    let tell = TellExpiry { days: vec![7, 1] };
    vec![
        ("set_top_up", Command::SetTopUp(set)),
        ("clear_top_up", Command::ClearTopUp),
        ("end_top_up_paid", end(TopUpEnd::Paid)),
        ("end_top_up_failed", end(declined)),
        ("end_top_up_came_back", end(TopUpEnd::CameBack)),
        ("tell_expiry", Command::TellExpiry(tell)),
    ]
}

fn of_member_limits(
    member_of: Option<OrgId>,
    [set, clear]: [&'static str; 2],
) -> Documents<Command> {
    let feature = feature("articles");
    let limit = SetMemberLimit {
        feature: feature.clone(),
        limit: Limit::Of(5),
        expires_at: member_of.as_ref().map(|_| at(9)),
        member_of: member_of.clone(),
    };
    let none = ClearMemberLimit { feature, member_of };
    vec![
        (set, Command::SetMemberLimit(limit)),
        (clear, Command::ClearMemberLimit(none)),
    ]
}

fn of_boosts() -> Documents<Command> {
    let take_back = TakeBackBoost { boost: boost() };
    vec![
        ("give_boost", give_boost(None)),
        ("take_back_boost", Command::TakeBackBoost(take_back)),
    ]
}

/// Every command in both forms.
pub fn commands() -> Documents<Command> {
    let mut commands = least_commands();
    commands.extend(full_commands());
    commands
}
