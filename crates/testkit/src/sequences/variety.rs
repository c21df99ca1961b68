//! What a plain script never has: times at which things begin and end, every status, users that join and leave an org, boosts, seats, add-ons,
//! and keys that come twice with the same request. It is put into a script that is written already, so that a seed of a plain one stays what it was.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::command::{
    AccountSpec, ChangePlan, ClearMemberLimit, ClearSpendCap, Command, EndAddon, GiveBoost,
    GrantCredits, Presence, PutAccount, PutToken, Renew, SetAddon, SetMemberLimit, SetOverride,
    SetSeats, SetSpendCap, SetStatus, Subscribe, TakeBackBoost,
};
use quota_core::ids::{AccountId, OrgId, PlanCode};
use quota_core::quantity::Quantity;
use quota_core::terms::Status;
use quota_service::{Engine, Removals};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::cast::{Cast, Deed, Step, boost, cap_span, feature, plain, token};
use super::payments::payment;

/// Steps that make and equip the accounts, at most; none of them is replaced.
const OPENING_STEPS_MAX: usize = 15;
/// Paid for two times of five, so that there is something to spend.
const STATUSES: [Status; 5] = [
    Status::Trialing,
    Status::Trialing,
    Status::PastDue,
    Status::Unpaid,
    Status::Canceled,
];
const STATUSES_SET: [Status; 5] = [
    Status::Active,
    Status::Trialing,
    Status::PastDue,
    Status::Unpaid,
    Status::Canceled,
];

/// The script with all this; step `n` is played at `instants[n]`.
pub(crate) fn varied(
    cast: &Cast,
    seed: u64,
    instants: &[DateTime<Utc>],
    mut script: Vec<Step>,
) -> Vec<Step> {
    let steps = script.len();
    let mut varier = Varier {
        // Another stream than that of the plain script.
        random: StdRng::seed_from_u64(!seed),
        cast,
        instants,
    };
    for step in &mut script {
        step.about = step.about.map(|about| about + 1);
    }
    script.insert(0, varier.other_org());
    script.truncate(steps);
    for number in 0..script.len() {
        let (played, rest) = script.split_at_mut(number);
        match varier.repeated(played) {
            Some(repeated) => rest[0] = repeated,
            None => varier.vary(number, &mut rest[0]),
        }
    }
    script
}

/// A plan that the second catalog brings, and whose subscriptions stay on the version they began with.
fn eco() -> PlanCode {
    PlanCode::new("eco").expect("a literal code")
}

struct Varier<'a> {
    random: StdRng,
    cast: &'a Cast,
    instants: &'a [DateTime<Utc>],
}

impl Varier<'_> {
    fn other_org(&self) -> Step {
        let (presence, spec) = (Presence::New, AccountSpec::default());
        let org = AccountId::org(&self.cast.other_org);
        plain(&org, Command::PutAccount(PutAccount { presence, spec }))
    }

    /// A step with a key, asked once more: whatever came between, it is answered as at first (X1).
    fn repeated(&mut self, played: &[Step]) -> Option<Step> {
        let is_due = OPENING_STEPS_MAX <= played.len() && self.random.random_bool(0.06);
        let with_keys: Vec<_> = played.iter().filter(|step| step.key.is_some()).collect();
        let step = with_keys.choose(&mut self.random).filter(|_| is_due)?;
        Some(Step::clone(step))
    }

    /// Puts something else in the place of a step, now and then.
    fn replace(&mut self, number: usize, step: &mut Step) {
        if OPENING_STEPS_MAX <= number && self.random.random_bool(0.16) {
            let key = step.key;
            *step = self.replacement(number);
            step.key = key;
        }
    }

    fn vary(&mut self, number: usize, step: &mut Step) {
        self.replace(number, step);
        let Deed::Ask(command) = &mut step.deed else {
            return;
        };
        match command {
            Command::SetOverride(SetOverride { expires_at, .. })
            | Command::PutToken(PutToken { expires_at, .. })
            | Command::GrantCredits(GrantCredits { expires_at, .. })
            | Command::SetMemberLimit(SetMemberLimit { expires_at, .. })
                if self.random.random_bool(0.4) =>
            {
                *expires_at = Some(self.time(number));
            }
            Command::GiveBoost(GiveBoost { ends_at, .. }) if self.random.random_bool(0.6) => {
                *ends_at = Some(self.time(number));
            }
            Command::SetAddon(SetAddon { ends_at, .. }) if self.random.random_bool(0.4) => {
                *ends_at = Some(self.time(number));
            }
            Command::Renew(Renew { ends_at }) if self.random.random_bool(0.5) => {
                *ends_at = Some(self.time(number) + TimeDelta::days(30));
            }
            Command::Subscribe(start) => self.vary_start(number, start),
            Command::ChangePlan(ChangePlan { plan, .. }) if self.random.random_bool(0.2) => {
                *plan = eco();
            }
            Command::SetStatus(SetStatus { status }) => {
                let set = STATUSES_SET.choose(&mut self.random);
                *status = *set.expect("not empty");
            }
            Command::Track(track) => track.at = self.told_late(number),
            Command::Consume(_)
            | Command::Reserve(_)
            | Command::Commit(_)
            | Command::Release(_)
            | Command::Extend(_)
            | Command::Refund(_)
            | Command::ReleaseCapacity(_)
            | Command::Reset(_)
            | Command::PutAccount(_)
            | Command::SetOverride(_)
            | Command::SetGiven(_)
            | Command::ClearOverride(_)
            | Command::PutToken(_)
            | Command::RevokeToken(_)
            | Command::SetAddon(_)
            | Command::Renew(_)
            | Command::ChangePlan(_)
            | Command::SetSeats(_)
            | Command::EndAddon(_)
            | Command::Cancel(_)
            | Command::Resume
            | Command::GrantCredits(_)
            | Command::TakeBackCredits(_)
            | Command::SyncSubscription(_)
            | Command::CreditPurchase(_)
            | Command::SetPaymentFacts(_)
            | Command::ForgiveDebt(_)
            | Command::GiveBoost(_)
            | Command::TakeBackBoost(_)
            | Command::SetSpendCap(_)
            | Command::ClearSpendCap(_)
            | Command::SetMemberLimit(_)
            | Command::ClearMemberLimit(_)
            | Command::Sweep
            | Command::ExpireSubscription
            | Command::CloseWindows(_) => {}
        }
    }

    fn vary_start(&mut self, number: usize, start: &mut Subscribe) {
        if self.random.random_bool(0.15) {
            start.plan = eco();
        }
        start.starts_at = self.random.random_bool(0.2).then(|| self.time(number));
        start.ends_at = self.random.random_bool(0.25).then(|| self.time(number));
        let is_set = self.random.random_bool(0.25);
        let status = STATUSES.choose(&mut self.random);
        start.status = status.filter(|_| is_set).copied();
        let is_said = self.random.random_bool(0.2);
        start.trial = is_said.then(|| self.random.random());
        let has_seats = self.random.random_bool(0.3);
        start.seats = has_seats.then(|| self.quantity());
    }

    /// When a step's use happened: now, or up to a little longer ago than may be told.
    fn told_late(&mut self, number: usize) -> Option<DateTime<Utc>> {
        let is_late = self.random.random_bool(0.5);
        let back = TimeDelta::hours(self.random.random_range(0..900));
        is_late.then(|| self.instants[number] - back)
    }

    /// A time before, at or after that of a step. What ends does so at the very instant of a step that comes, as often
    /// as not: ends are exclusive.
    fn time(&mut self, number: usize) -> DateTime<Utc> {
        let now = self.instants[number];
        match self.random.random_range(0..10) {
            0..5 => {
                let instant = self.instants[number..].choose(&mut self.random);
                *instant.expect("that of the step itself")
            }
            5 => now + TimeDelta::seconds(self.random.random_range(1..100)),
            6 => now + TimeDelta::hours(self.random.random_range(1..72)),
            7 | 8 => now + TimeDelta::days(self.random.random_range(1..60)),
            _ => now - TimeDelta::hours(self.random.random_range(1..500)),
        }
    }

    fn replacement(&mut self, number: usize) -> Step {
        let account = self.anyone();
        let command = match self.random.random_range(0..32) {
            26..32 => payment(&mut self.random, self.instants[number]),
            0..6 => return self.move_of_a_user(),
            21..26 => return self.member_limit(),
            6 => Command::Renew(Renew { ends_at: None }),
            7 => Command::SetStatus(SetStatus {
                status: Status::Active,
            }),
            8 => Command::PutToken(PutToken {
                token: token(&mut self.random),
                presence: Presence::Existing,
                cap: None,
                per: cap_span(&mut self.random),
                expires_at: None,
            }),
            9..12 => Command::GiveBoost(GiveBoost {
                boost: boost(&mut self.random),
                feature: feature(&mut self.random),
                amount: Amount::new(self.random.random_range(1..12)).expect("in range"),
                ends_at: None,
            }),
            12 => Command::TakeBackBoost(TakeBackBoost {
                boost: boost(&mut self.random),
            }),
            13 | 14 => Command::SetSeats(SetSeats {
                seats: self.quantity(),
            }),
            15 | 16 => Command::SetAddon(SetAddon {
                plan: self.addon(),
                quantity: self.quantity(),
                ends_at: None,
            }),
            17 => Command::EndAddon(EndAddon { plan: self.addon() }),
            18 | 19 => Command::SetSpendCap(SetSpendCap {
                amount: self.random.random_range(0..60),
                by_owner: self.random.random_bool(0.3),
            }),
            20 => Command::ClearSpendCap(ClearSpendCap {
                by_owner: self.random.random_bool(0.3),
            }),
            _ => Command::SetOverride(SetOverride {
                feature: feature(&mut self.random),
                limit: Limit::Of(7),
                expires_at: None,
            }),
        };
        plain(&account, command)
    }

    /// What members may use: all of an org, or one of them.
    fn member_limit(&mut self) -> Step {
        let account = self.anyone();
        let member_of = (account != self.cast.org).then(|| self.cast.org_id.clone());
        let feature = feature(&mut self.random);
        let command = if self.random.random_bool(0.2) {
            Command::ClearMemberLimit(ClearMemberLimit { feature, member_of })
        } else {
            Command::SetMemberLimit(SetMemberLimit {
                feature,
                limit: Limit::Of(self.random.random_range(0..12)),
                expires_at: None,
                member_of,
            })
        };
        plain(&account, command)
    }

    fn addon(&mut self) -> PlanCode {
        let code = ["more", "extra", "pro"].choose(&mut self.random);
        PlanCode::new(code.expect("not empty")).expect("a literal code")
    }

    fn quantity(&mut self) -> Quantity {
        Quantity::new(self.random.random_range(1..4)).expect("in range")
    }

    fn move_of_a_user(&mut self) -> Step {
        let orgs: [Option<&OrgId>; 5] = [
            None,
            None,
            Some(&self.cast.org_id),
            Some(&self.cast.org_id),
            Some(&self.cast.other_org),
        ];
        let to = orgs.choose(&mut self.random).copied().flatten().cloned();
        Step {
            account: self.user(),
            key: None,
            deed: Deed::Move(to),
            about: None,
        }
    }

    fn anyone(&mut self) -> AccountId {
        if self.random.random_bool(0.2) {
            return self.cast.org.clone();
        }
        self.user()
    }

    fn user(&mut self) -> AccountId {
        let users: Vec<_> = self.cast.users().collect();
        let user = users.choose(&mut self.random);
        (*user.expect("there are users")).clone()
    }
}

/// All features and plans of the catalog in force, for a file that leaves out some of them.
///
/// # Panics
/// When the store does not answer.
pub(super) async fn everything(engine: &Engine) -> Removals {
    let known = engine.catalog().await.expect("a catalog");
    Removals {
        features: known.features.keys().cloned().collect(),
        plans: known.plans.keys().cloned().collect(),
    }
}
