//! Random sequences of every command: after each one everything that is kept still agrees.

use crate::boosts::boost_id;
use crate::stage::{
    Stage, amount, code, commit, grant, id, item, member, plan_code, put_account, put_token,
    token_id,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearOverride, ClearSpendCap, CloseWindows,
    Command, Consume, Extend, GiveBoost, GrantCredits, Refund, Release, ReleaseCapacity, Renew,
    Reserve, Reset, RevokeToken, SetOverride, SetSeats, SetSpendCap, SetStatus, Subscribe,
    TakeBackBoost, TakeBackCredits, Track, UsageAfterChange,
};
use quota_core::ids::{FeatureCode, GrantId};
use quota_core::operation::OperationKind;
use quota_core::quantity::{QUANTITY_MAX, Quantity};
use quota_core::reservation::ReservationState;
use quota_core::rules::allowance::Standing;
use quota_core::terms::{Policy, Status};

const FEATURES: [&str; 8] = [
    "articles", "requests", "try_on", "renders", "lessons", "storage", "albums", "projects",
];
const PLANS: [&str; 5] = ["free", "basic", "pro", "max", "meter"];
const USERS: [&str; 3] = ["user:a", "user:b", "user:c"];

/// One step: which command, and numbers that fill it in.
#[derive(Debug, Clone, Copy)]
struct Step {
    kind: u8,
    who: usize,
    what: usize,
    size: u64,
    extra: u64,
    wait: usize,
}

const WAITS: [i64; 13] = [
    0, 0, 0, 0, 1, 30, 61, 3_600, 90_000, 400_000, 900_000, 2_700_000, 9_000_000,
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0_u8..44,
        0_usize..3,
        0_usize..8,
        1_u64..30,
        0_u64..1_000,
        0..WAITS.len(),
    );
    let step = step.prop_map(|(kind, who, what, size, extra, wait)| Step {
        kind,
        who,
        what,
        size,
        extra,
        wait,
    });
    prop::collection::vec(step, 1..60)
}

fn use_of(stage: &Stage, step: Step) -> Command {
    let token = (step.extra.is_multiple_of(3)).then(|| token_id(["t", "u"][step.what % 2]));
    let feature = FEATURES[step.what];
    let mut items = vec![item(feature, step.size)];
    if step.extra.is_multiple_of(5) {
        items.push(item(FEATURES[(step.what + 1) % 8], step.size / 4 + 1));
        items.push(item(feature, 1));
    }
    match step.kind {
        0..10 => Command::Consume(Consume { token, items }),
        10..12 => {
            let back = TimeDelta::hours(i64::try_from(step.extra % 840).unwrap_or(0));
            let is_late = step.kind == 11 || step.extra.is_multiple_of(2);
            Command::Track(Track {
                token,
                items,
                at: is_late.then(|| stage.now - back),
            })
        }
        _ => Command::Reserve(Reserve {
            token,
            feature: code(feature),
            amount: amount(step.size),
            ttl_seconds: [1, 60, 4_000, 2_000_000][ttl(step)],
        }),
    }
}

fn ttl(step: Step) -> usize {
    let extra = usize::try_from(step.extra).unwrap_or(0);
    step.what.wrapping_add(extra) % 4
}

fn of_a_hold(stage: &Stage, step: Step) -> Option<(String, Command)> {
    let count = stage.reservations.len();
    let picked = usize::try_from(step.extra).unwrap_or(0) % count.max(1);
    let held = stage.reservations.values().nth(picked)?;
    let command = match step.kind {
        16..20 => commit(held.id, [0, step.size, held.amount][step.what % 3]),
        20 => Command::Release(Release {
            reservation: held.id,
        }),
        _ => Command::Extend(Extend {
            reservation: held.id,
            ttl_seconds: 3_000,
        }),
    };
    Some((held.account.to_string(), command))
}

fn refund_of(stage: &Stage, step: Step) -> Option<(String, Command)> {
    let uses: Vec<_> = stage
        .operations
        .iter()
        .filter(|done| !done.entries.is_empty() && done.kind != OperationKind::Change)
        .collect();
    let picked = usize::try_from(step.extra).unwrap_or(0) % uses.len().max(1);
    let found = uses.get(picked)?;
    let command = Command::Refund(Refund {
        operation: found.id,
        feature: found
            .entries
            .first()
            .and_then(|entry| entry.feature.clone()),
        amount: (step.what.is_multiple_of(2)).then(|| amount(step.size / 3 + 1)),
    });
    Some((found.account.to_string(), command))
}

fn quantity(step: Step) -> Quantity {
    Quantity::new([1, 2, 5, QUANTITY_MAX][step.what % 4]).expect("in range")
}

/// When a start is to begin: in a week; where one of the home's accounts has its period now; some days ago; or now.
fn starts_at(stage: &Stage, step: Step) -> Option<DateTime<Utc>> {
    let accounts = stage.home.accounts.values();
    let held = accounts.filter_map(|account| account.terms.subscription.as_ref());
    let mut starts = held.map(|held| held.starts_at);
    let days = i64::try_from(step.size).unwrap_or(0);
    match step.size % 8 {
        0 | 4 => Some(stage.now + TimeDelta::days(7)),
        1 | 2 => starts.nth(step.what % 2),
        3 => Some(stage.now - TimeDelta::days(days)),
        _ => None,
    }
}

fn of_a_subscription(stage: &Stage, step: Step) -> Command {
    let plan = plan_code(PLANS[step.what % 5]);
    match step.extra % 10 {
        0..3 => Command::Subscribe(Subscribe {
            starts_at: starts_at(stage, step),
            ends_at: (step.size.is_multiple_of(3)).then(|| stage.now + TimeDelta::days(10)),
            seats: (step.size.is_multiple_of(5)).then(|| quantity(step)),
            ..Subscribe::to(plan)
        }),
        3 if step.size.is_multiple_of(3) => Command::Resume,
        3 => Command::Renew(Renew { ends_at: None }),
        4 | 5 => Command::ChangePlan(ChangePlan {
            plan,
            when: [None, Some(ChangeWhen::Now), Some(ChangeWhen::PeriodEnd)]
                [usize::try_from(step.size).unwrap_or(0) % 3],
            usage: if step.size.is_multiple_of(2) {
                UsageAfterChange::Keep
            } else {
                UsageAfterChange::Restart
            },
        }),
        6 => Command::Cancel(Cancel {
            at_once: step.size.is_multiple_of(2),
        }),
        7 => Command::ExpireSubscription,
        8 => Command::SetSeats(SetSeats {
            seats: quantity(step),
        }),
        _ => Command::SetStatus(SetStatus {
            status: [
                Status::Active,
                Status::PastDue,
                Status::Unpaid,
                Status::Canceled,
            ][step.what % 4],
        }),
    }
}

fn of_an_account(step: Step, who: &str) -> Command {
    let is_user = who.starts_with("user");
    put_account(AccountSpec {
        org: None,
        time_zone: Some([chrono_tz::Tz::UTC, chrono_tz::Asia::Tokyo][step.what % 2]),
        disabled: Some(step.extra.is_multiple_of(7)),
        unlimited: is_user.then_some(step.extra.is_multiple_of(2)),
        policy: (!is_user).then_some([Policy::Enforce, Policy::Track][step.what % 2]),
    })
}

fn command(stage: &Stage, step: Step, users: &[&str]) -> Option<(String, Command)> {
    let user = users[step.who % users.len()].to_owned();
    let any = if step.size.is_multiple_of(3) {
        stage.home.id.to_string()
    } else {
        user.clone()
    };
    let feature = code(FEATURES[step.what]);
    let features = if step.extra.is_multiple_of(2) {
        vec![feature.clone()]
    } else {
        Vec::new()
    };
    let (who, command) = match step.kind {
        0..16 => (user, use_of(stage, step)),
        16..22 => return of_a_hold(stage, step),
        22..26 => return refund_of(stage, step),
        26..30 => (any, of_a_subscription(stage, step)),
        30 => {
            let amount = amount(step.size);
            (
                user,
                Command::ReleaseCapacity(ReleaseCapacity { feature, amount }),
            )
        }
        31 => (
            any,
            Command::Reset(Reset {
                features,
                token: (step.size.is_multiple_of(2)).then(|| token_id("t")),
            }),
        ),
        32 => {
            let spec = of_an_account(step, &any);
            (any, spec)
        }
        33 | 34 => (any, of_an_override(stage, step, feature)),
        35 => (user, of_a_token(step)),
        36 if step.extra.is_multiple_of(3) => {
            let name = format!("g{}", step.extra % 12);
            let grant = GrantId::new(&name).expect("a literal id");
            let credits = step.size.is_multiple_of(4).then(|| amount(step.size));
            (
                any,
                Command::TakeBackCredits(TakeBackCredits { grant, credits }),
            )
        }
        36 => {
            let name = format!("g{}", step.extra % 12);
            (any, with_terms(grant(&name, step.size), stage, step))
        }
        37 | 38 => {
            let cadence = None;
            (
                any,
                Command::CloseWindows(CloseWindows { cadence, features }),
            )
        }
        40 => (any, of_a_boost(stage, step, feature)),
        41 => {
            let boost = boost_id(&format!("b{}", step.extra % 12));
            (any, Command::TakeBackBoost(TakeBackBoost { boost }))
        }
        42 | 43 => (any, of_a_spend_cap(step)),
        _ if step.extra.is_multiple_of(2) => {
            let token = token_id("u");
            (user, Command::RevokeToken(RevokeToken { token }))
        }
        _ => (user, Command::Sweep),
    };
    Some((who, command))
}

fn cap(step: Step, most: u64) -> Limit {
    if step.extra.is_multiple_of(4) {
        Limit::Unlimited
    } else {
        Limit::Of(most)
    }
}

fn of_a_token(step: Step) -> Command {
    put_token(["t", "u"][step.what % 2], cap(step, step.extra))
}

fn of_an_override(stage: &Stage, step: Step, feature: FeatureCode) -> Command {
    if step.kind == 34 {
        return Command::ClearOverride(ClearOverride { feature });
    }
    let ends = step.extra.is_multiple_of(3);
    Command::SetOverride(SetOverride {
        feature,
        limit: cap(step, step.size),
        expires_at: ends.then(|| stage.now + TimeDelta::hours(5)),
    })
}

fn of_a_spend_cap(step: Step) -> Command {
    let by_owner = step.size.is_multiple_of(2);
    if step.kind == 43 {
        return Command::ClearSpendCap(ClearSpendCap { by_owner });
    }
    Command::SetSpendCap(SetSpendCap {
        amount: step.extra % 160,
        by_owner,
    })
}

fn of_a_boost(stage: &Stage, step: Step, feature: FeatureCode) -> Command {
    let ends = step.what.is_multiple_of(2);
    Command::GiveBoost(GiveBoost {
        boost: boost_id(&format!("b{}", step.extra % 12)),
        feature,
        amount: amount(step.size),
        ends_at: ends.then(|| stage.now + TimeDelta::days(3)),
    })
}

fn with_terms(command: Command, stage: &Stage, step: Step) -> Command {
    let Command::GrantCredits(GrantCredits { grant, credits, .. }) = command else {
        return command;
    };
    Command::GrantCredits(GrantCredits {
        grant,
        credits,
        priority: u32::try_from(step.extra % 3).unwrap_or(0),
        expires_at: (step.extra.is_multiple_of(2)).then(|| stage.now + TimeDelta::days(3)),
    })
}

/// The terms with which a scope admits: never more used and held than its limit.
fn admits_within_limits(stage: &Stage, operation: &quota_core::operation::Operation) -> bool {
    operation.entries.iter().all(|entry| {
        let account = &stage.home.accounts[&entry.account];
        let Some(code) = &entry.feature else {
            return true;
        };
        let own = stage
            .context()
            .allowance(account, &stage.catalog.features[code]);
        let is_counted = entry.source == quota_core::draw::Source::Allowance
            && own.bucket == entry.bucket
            && own.standing == Standing::InForce;
        let ceiling = own.limit().and_then(Limit::ceiling);
        let balance = account
            .books
            .balance(&entry.bucket)
            .expect("it was drawn on");
        !is_counted || ceiling.is_none_or(|most| balance.used + balance.held <= most)
    })
}

/// Carries the steps out, and checks after each.
fn run(mut stage: Stage, users: &[&str], steps: &[Step]) -> Result<Stage, TestCaseError> {
    for step in steps {
        stage.later(TimeDelta::seconds(WAITS[step.wait]));
        let Some((who, command)) = command(&stage, *step, users) else {
            continue;
        };
        stage.done(&who, Command::Sweep);
        let before = stage.home.clone();
        let records = stage.records();
        let is_request = matches!(command, Command::Consume(_) | Command::Reserve(_));
        let never_denied = !is_request;
        let said = format!("{who}: {command:?}");
        match stage.run(&who, command) {
            Ok(outcome) => {
                let answer = &outcome.operation.answer;
                let is_denied = matches!(answer, Answer::Denied { .. });
                prop_assert!(!(never_denied && is_denied), "{said}: {answer:?}");
                if is_denied || !outcome.is_booked {
                    prop_assert_eq!(&stage.home.accounts, &before.accounts, "{}", said);
                    prop_assert_eq!(stage.operations.len(), records.operations.len());
                } else if is_request {
                    prop_assert!(admits_within_limits(&stage, &outcome.operation), "{said}");
                }
            }
            Err(rejection) => {
                prop_assert_eq!(stage.records(), records, "{}: {}", said, rejection);
                let is_short = rejection == quota_core::answer::Rejection::CounterFull;
                prop_assert!(!is_short, "{}: nothing here is that large", said);
            }
        }
        prop_assert_eq!(
            stage.home.version,
            u64::try_from(stage.operations.len()).unwrap_or(0)
        );
        let findings = audit(&stage.records());
        prop_assert!(findings.is_empty(), "{}: {:#?}", said, findings);
    }
    Ok(stage)
}

/// The same step with a command that leaves a window or comes back to it, uses it, or settles a hold.
fn there_and_back(step: Step) -> Step {
    let (active, unpaid) = (0, 2);
    let (kind, what) = match step.kind % 8 {
        0 | 1 => (26, [active, unpaid][step.what % 2]),
        2 => (10, step.what % 3),
        3 | 4 => (12, step.what % 3),
        5 => (16, step.what),
        6 => (20, step.what),
        _ => (37, step.what),
    };
    // 8 makes a change of the subscription one of its status.
    let extra = if kind == 26 { 8 } else { step.extra };
    // A day, five, or ten: windows roll over, and holds outlast that.
    let wait = [0, 0, 8, 9, 10][step.wait % 5];
    Step {
        kind,
        what,
        extra,
        wait,
        ..step
    }
}

/// A home after a fixed mix of commands, for whoever wants a full one.
pub fn busy_org() -> Stage {
    let mut stage = Stage::org("pro");
    stage.done(
        "user:b",
        put_account(AccountSpec {
            unlimited: Some(false),
            ..member()
        }),
    );
    stage.done("user:b", crate::stage::subscribe("basic"));
    stage.done("user:a", put_token("t", Limit::Of(50)));
    stage
}

proptest! {
    #![proptest_config(crate::cases::at_least(384))]

    /// O1, O5, R3 and X3: whatever an org and its members do, balances, holds and ledger agree after every command.
    #[test]
    fn an_org_keeps_its_books_in_order(steps in steps()) {
        run(busy_org(), &USERS[..2], &steps)?;
    }

    /// F4, U2, X4 and X6: the same for a user without an org.
    #[test]
    fn a_user_keeps_its_books_in_order(steps in steps()) {
        let mut stage = Stage::new("user:c");
        stage.done("user:c", put_account(AccountSpec::default()));
        stage.done("user:c", put_token("t", Limit::Of(50)));
        stage.done("user:c", crate::stage::subscribe("pro"));
        let stage = run(stage, &USERS[2..], &steps)?;
        let open = stage.reservations.values().filter(|held| held.state == ReservationState::Open);
        prop_assert!(open.count() <= steps.len());
        prop_assert!(stage.home.accounts.contains_key(&id("user:c")));
    }
    /// S2, R3 and R4: windows that are left and come back to, at whatever distance, keep their use and their holds.
    #[test]
    fn windows_left_and_come_back_to_keep_their_books_in_order(steps in steps()) {
        let mut stage = Stage::new("user:c");
        stage.done("user:c", put_account(AccountSpec::default()));
        stage.later(TimeDelta::days(11));
        let yearly = Command::Subscribe(Subscribe {
            ends_at: Some(stage.now + TimeDelta::days(700)),
            ..Subscribe::to(plan_code("pro"))
        });
        stage.done("user:c", yearly);
        let steps: Vec<Step> = steps.into_iter().map(there_and_back).collect();
        run(stage, &USERS[2..], &steps)?;
    }
}
