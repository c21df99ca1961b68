//! What a plain script never has: times at which things begin and end, every status, users that join and leave an org, boosts, seats, add-ons,
//! features of other kinds, looks, and keys that come twice with the same request. It is put into a script that is written already, so that a seed of a plain one stays what it was.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::{
    AccountSpec, ChangePlan, ClearMemberLimit, ClearOverride, Command, Consume, CreditPurchase,
    GiveBoost, GrantCredits, Presence, PutAccount, PutToken, ReleaseCapacity, Renew, Reserve,
    SetAddon, SetGiven, SetMemberLimit, SetOverride, Subscribe, Track,
};
use quota_core::ids::{AccountId, FeatureCode, PlanCode};
use quota_core::terms::Status;
use quota_service::{Engine, Removals};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::cast::{Cast, Deed, Step, other_feature, plain};
use super::replacement::{quantity, replacement};

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
            None => varier.vary(played, &mut rest[0]),
        }
    }
    script
}

/// A plan that the second catalog brings, and whose subscriptions stay on the version they began with.
fn eco() -> PlanCode {
    PlanCode::new("eco").expect("a literal code")
}

/// The feature that a command uses, or says something of.
fn feature_of(command: &mut Command) -> Option<&mut FeatureCode> {
    if let Command::Consume(Consume { items, .. }) | Command::Track(Track { items, .. }) = command {
        return items.first_mut().map(|item| &mut item.feature);
    }
    if let Command::Reserve(Reserve { feature, .. })
    | Command::ReleaseCapacity(ReleaseCapacity { feature, .. })
    | Command::SetOverride(SetOverride { feature, .. })
    | Command::ClearOverride(ClearOverride { feature })
    | Command::SetMemberLimit(SetMemberLimit { feature, .. })
    | Command::ClearMemberLimit(ClearMemberLimit { feature, .. })
    | Command::GiveBoost(GiveBoost { feature, .. }) = command
    {
        return Some(feature);
    }
    None
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
    fn replace(&mut self, played: &[Step], step: &mut Step) {
        if OPENING_STEPS_MAX <= played.len() && self.random.random_bool(0.24) {
            let key = step.key;
            let now = self.instants[played.len()];
            *step = replacement(&mut self.random, self.cast, (played, now));
            step.key = key;
        }
    }

    fn vary(&mut self, played: &[Step], step: &mut Step) {
        self.replace(played, step);
        let Deed::Ask(command) = &mut step.deed else {
            return;
        };
        if let Some(feature) = feature_of(command)
            && self.random.random_bool(0.2)
        {
            *feature = other_feature(&mut self.random);
        }
        self.vary_command(played.len(), command);
    }

    fn vary_command(&mut self, number: usize, command: &mut Command) {
        match command {
            Command::SetOverride(SetOverride { expires_at, .. })
            | Command::SetGiven(SetGiven { expires_at, .. })
            | Command::PutToken(PutToken { expires_at, .. })
            | Command::GrantCredits(GrantCredits { expires_at, .. })
            | Command::CreditPurchase(CreditPurchase { expires_at, .. })
            | Command::SetMemberLimit(SetMemberLimit { expires_at, .. })
                if self.random.random_bool(0.4) =>
            {
                *expires_at = Some(self.time(number));
            }
            Command::GiveBoost(GiveBoost { ends_at, .. })
            | Command::SetAddon(SetAddon { ends_at, .. })
                if self.random.random_bool(0.5) =>
            {
                *ends_at = Some(self.time(number));
            }
            Command::Renew(Renew { ends_at }) if self.random.random_bool(0.5) => {
                *ends_at = Some(self.time(number) + TimeDelta::days(30));
            }
            Command::Subscribe(start) => self.vary_start(number, start),
            Command::ChangePlan(ChangePlan { plan, .. }) if self.random.random_bool(0.2) => {
                *plan = eco();
            }
            Command::SetStatus(asked) => asked.status = self.status_to_set(),
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
            | Command::GivePlan(_)
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
            | Command::SetTopUp(_)
            | Command::ClearTopUp
            | Command::EndTopUp(_)
            | Command::TellExpiry(_)
            | Command::SetMemberLimit(_)
            | Command::ClearMemberLimit(_)
            | Command::Sweep
            | Command::ExpireSubscription
            | Command::CloseWindows(_) => {}
        }
    }

    fn status_to_set(&mut self) -> Status {
        let set = STATUSES_SET.choose(&mut self.random);
        *set.expect("not empty")
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
        start.seats = has_seats.then(|| quantity(&mut self.random));
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
