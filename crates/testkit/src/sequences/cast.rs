//! Who plays in a script, and what one step is.

use quota_core::catalog::Cadence;
use quota_core::command::{Command, Commit, Extend, Refund, Release};
use quota_core::ids::{AccountId, BoostId, FeatureCode, OrgId, TokenId, UserId};
use quota_core::terms::CapSpan;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use super::looks::Look;

const FEATURES: [&str; 5] = ["req", "art", "tok", "alb", "sto"];
/// What only varied scripts use: what renewals carry, windows that a first use begins, weeks of the calendar; and now and then
/// what no request can use.
const OTHER_FEATURES: [&str; 9] = [
    "les", "les", "ses", "ses", "wek", "wek", "mem", "sso", "file",
];
/// Flags and settings: nothing of them is counted (C2).
const HAD: [&str; 4] = ["sso", "beta", "file", "help"];
const TOKENS: [&str; 2] = ["t0", "t1"];
const BOOSTS: [&str; 6] = ["b0", "b1", "b2", "b3", "b4", "b5"];

/// The accounts of one script.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    pub(crate) org: AccountId,
    pub(crate) org_id: OrgId,
    /// It has no members at first; a plain script does without it.
    pub(crate) other_org: OrgId,
    /// Members of the org at first.
    pub(crate) members: Vec<AccountId>,
    /// In no org at first.
    pub(crate) loner: AccountId,
}

impl Cast {
    pub(crate) fn of(prefix: &str, seed: u64) -> Self {
        let user = |name: &str| {
            let id = UserId::new(&format!("{prefix}{seed}{name}")).expect("a short id");
            AccountId::user(&id)
        };
        let org = |name: &str| OrgId::new(&format!("{prefix}{seed}{name}")).expect("a short id");
        let org_id = org("");
        Self {
            org: AccountId::org(&org_id),
            org_id,
            other_org: org("other"),
            members: vec![user("a"), user("b"), user("c")],
            loner: user("x"),
        }
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &AccountId> {
        self.members.iter().chain([&self.loner])
    }

    /// Wherever the accounts may live.
    pub(crate) fn homes(&self) -> impl Iterator<Item = AccountId> {
        let orgs = [self.org.clone(), AccountId::org(&self.other_org)];
        orgs.into_iter().chain(self.users().cloned())
    }
}

/// One step: who is asked what, and under which key. Ids of earlier steps are filled in when it is run.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) account: AccountId,
    pub(crate) key: Option<u8>,
    pub(crate) deed: Deed,
    /// The step whose id the command is about.
    pub(crate) about: Option<usize>,
}

/// What is done in a step.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// A command.
    Ask(Command),
    /// The user moves into an org, or out of its own.
    Move(Option<OrgId>),
    /// Something is asked that changes nothing.
    Look(Look),
}

pub(crate) fn plain(account: &AccountId, command: Command) -> Step {
    Step {
        account: account.clone(),
        key: None,
        deed: Deed::Ask(command),
        about: None,
    }
}

pub(crate) fn feature(random: &mut StdRng) -> FeatureCode {
    let code = FEATURES.choose(random).expect("not empty");
    FeatureCode::new(code).expect("a literal code")
}

pub(crate) fn other_feature(random: &mut StdRng) -> FeatureCode {
    let code = OTHER_FEATURES.choose(random).expect("not empty");
    FeatureCode::new(code).expect("a literal code")
}

/// A flag or a setting.
pub(crate) fn had(random: &mut StdRng) -> FeatureCode {
    let code = HAD.choose(random).expect("not empty");
    FeatureCode::new(code).expect("a literal code")
}

pub(crate) fn token(random: &mut StdRng) -> TokenId {
    let id = TOKENS.choose(random).expect("not empty");
    TokenId::new(id).expect("a literal id")
}

/// In which time a token's cap counts from now on; mostly nothing is said of it (T3).
pub(crate) fn cap_span(random: &mut StdRng) -> Option<CapSpan> {
    match random.random_range(0..8) {
        0 => Some(CapSpan::Lifetime),
        1 => Some(CapSpan::Each(Cadence::Hourly)),
        2 => Some(CapSpan::Each(Cadence::Daily)),
        _ => None,
    }
}

pub(crate) fn boost(random: &mut StdRng) -> BoostId {
    let id = BOOSTS.choose(random).expect("not empty");
    BoostId::new(id).expect("a literal id")
}

/// The command with the id of what an earlier step came to, where it takes one.
pub(super) fn about_id(command: Command, about: Option<Uuid>) -> Command {
    let Some(id) = about else {
        return command;
    };
    match command {
        Command::Commit(Commit { actual, .. }) => Command::Commit(Commit {
            reservation: id,
            actual,
        }),
        Command::Release(_) => Command::Release(Release { reservation: id }),
        Command::Extend(Extend { ttl_seconds, .. }) => Command::Extend(Extend {
            reservation: id,
            ttl_seconds,
        }),
        Command::Refund(Refund {
            feature, amount, ..
        }) => Command::Refund(Refund {
            operation: id,
            feature,
            amount,
        }),
        Command::Consume(_)
        | Command::Track(_)
        | Command::Reserve(_)
        | Command::ReleaseCapacity(_)
        | Command::Reset(_)
        | Command::PutAccount(_)
        | Command::SetOverride(_)
        | Command::SetGiven(_)
        | Command::ClearOverride(_)
        | Command::PutToken(_)
        | Command::RevokeToken(_)
        | Command::Subscribe(_)
        | Command::Renew(_)
        | Command::ChangePlan(_)
        | Command::SetStatus(_)
        | Command::SetSeats(_)
        | Command::SetAddon(_)
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
        | Command::CloseWindows(_) => command,
    }
}
