//! Commands: everything that may change an account, by callers, operators and jobs alike.

mod gifts;
mod member_limits;
mod overrides;
mod payload;
mod purchases;
mod sync;
mod top_ups;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, IdempotencyKey};
use crate::operation::OperationKind;
use crate::origin::Origin;

pub use gifts::GivePlan;
pub use member_limits::{ClearMemberLimit, SetMemberLimit};
pub use overrides::{ClearOverride, SetGiven, SetOverride};
pub use payload::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearSpendCap, CloseWindows, Commit, Consume,
    EndAddon, Extend, GiveBoost, GrantCredits, Presence, PutAccount, PutToken, Refund, Release,
    ReleaseCapacity, Renew, Reserve, Reset, RevokeToken, SetAddon, SetSeats, SetSpendCap,
    SetStatus, Subscribe, TakeBackBoost, TakeBackCredits, TellExpiry, Track, UsageAfterChange,
};
pub use purchases::{CreditPurchase, ForgiveDebt, SetPaymentFacts};
pub use sync::SyncSubscription;
pub use top_ups::{EndTopUp, SetTopUp, TopUpEnd};

/// Most items in one request, which is carried out whole or not at all (X2).
pub const ITEMS_MAX: usize = 100;
/// Most days after which use may still be told (X5).
pub const TOLD_LATE_DAYS_MAX: u32 = 35;
/// Most tokens that a user may have that are neither revoked nor expired; they share the user's row.
pub const TOKENS_MAX: usize = 100;
/// Most grants with something left that an account may have; they share its row.
pub const GRANTS_MAX: usize = 200;
/// Most grants with something left that an account may have when it buys another; one that it buys then waits (P18).
pub const PURCHASES_MAX: usize = 1_000;
/// Most boosts with something left that an account may have; they share its row, and each request looks through them.
pub const BOOSTS_MAX: usize = 50;

/// One request to change something: decided and booked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Id of the operation that it becomes; grows with time.
    pub id: Uuid,
    /// The account that it is about; scope of its key.
    pub account: AccountId,
    /// The caller's key (X1).
    pub key: Option<IdempotencyKey>,
    /// Hash of what is asked, to tell a repeated request from another one under the same key.
    pub body_hash: [u8; 32],
    /// What is asked of the account.
    pub command: Command,
    /// Who asks, and about what.
    pub origin: Origin,
}

impl Request {
    /// A request that nobody sends: what it comes to is looked at on a copy of the home and thrown away.
    pub fn rehearsal(account: &AccountId, command: Command) -> Self {
        Self {
            id: Uuid::nil(),
            account: account.clone(),
            key: None,
            body_hash: [0; 32],
            command,
            origin: Origin::default(),
        }
    }
}

/// What is asked. What each of them says is in the value of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described where its payload is")]
pub enum Command {
    Consume(Consume),
    Track(Track),
    Reserve(Reserve),
    Commit(Commit),
    Release(Release),
    Extend(Extend),
    Refund(Refund),
    ReleaseCapacity(ReleaseCapacity),
    Reset(Reset),
    PutAccount(PutAccount),
    SetOverride(SetOverride),
    SetGiven(SetGiven),
    ClearOverride(ClearOverride),
    PutToken(PutToken),
    RevokeToken(RevokeToken),
    Subscribe(Subscribe),
    Renew(Renew),
    ChangePlan(ChangePlan),
    SetStatus(SetStatus),
    SetSeats(SetSeats),
    SetAddon(SetAddon),
    EndAddon(EndAddon),
    Cancel(Cancel),
    /// Takes a cancellation back that has not acted yet (S8).
    Resume,
    GivePlan(GivePlan),
    SyncSubscription(SyncSubscription),
    GrantCredits(GrantCredits),
    TakeBackCredits(TakeBackCredits),
    CreditPurchase(CreditPurchase),
    SetPaymentFacts(SetPaymentFacts),
    ForgiveDebt(ForgiveDebt),
    GiveBoost(GiveBoost),
    TakeBackBoost(TakeBackBoost),
    SetSpendCap(SetSpendCap),
    ClearSpendCap(ClearSpendCap),
    SetTopUp(SetTopUp),
    /// Has nothing bought any more when credits run low (P20).
    ClearTopUp,
    EndTopUp(EndTopUp),
    SetMemberLimit(SetMemberLimit),
    ClearMemberLimit(ClearMemberLimit),
    /// Ends the holds of the home that are past their deadline. Asked by the sweeper.
    Sweep,
    /// Records the end of the account's subscription, if it has ended (S9). Asked by the daily job.
    ExpireSubscription,
    CloseWindows(CloseWindows),
    TellExpiry(TellExpiry),
}

/// What has to be read of a home before a command can be decided on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads<'a> {
    /// The home and the account that asks: a copy kept in memory will do.
    Account,
    /// The same, from the store.
    Stored,
    /// This reservation too, from the store.
    Reservation(Uuid),
    /// This operation with its refunds too, from the store.
    Operation(Uuid),
    /// The grants of the account that were closed too, from the store.
    Grants,
    /// The boosts of the account that were closed too, from the store.
    Boosts,
    /// Both: a payment may have bought either.
    Purchases,
    /// The windows of its features that were closed too, of the account and of its home, and those of its token's cap, from the
    /// store.
    Windows(&'a Track),
    /// All windows and sales of the account that were closed too, from the store: one may count again.
    Counters,
    /// What was counted for its tokens and was closed too, from the store.
    TokenCounts,
}

/// What is known of a command before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandTraits<'a> {
    /// What it is booked as; [`OperationKind::traits`] says whether that is urgent, and whether it counts as use.
    pub kind: OperationKind,
    /// What has to be read for it.
    pub reads: Reads<'a>,
    /// Whether nothing has changed yet when it is refused, so that nothing needs to be undone.
    pub decides_first: bool,
    /// Whether its account may be new.
    pub may_create: bool,
}

impl CommandTraits<'_> {
    /// Those of a change that needs no more than the account.
    const CHANGE: Self = Self {
        kind: OperationKind::Change,
        reads: Reads::Account,
        decides_first: false,
        may_create: false,
    };
}

impl Subscribe {
    /// What was closed may count again for a start in the past.
    fn reads(&self) -> Reads<'static> {
        match self.starts_at {
            Some(_) => Reads::Counters,
            None => Reads::Account,
        }
    }
}

impl PutAccount {
    /// What was closed may count again in another zone.
    fn reads(&self) -> Reads<'static> {
        match (self.presence, self.spec.time_zone) {
            (Presence::Any | Presence::Existing, Some(_)) => Reads::Counters,
            (Presence::New, _) | (_, None) => Reads::Stored,
        }
    }
}

impl Command {
    /// What is known of it before it is carried out: the one place where a new command says so.
    pub fn traits(&self) -> CommandTraits<'_> {
        let change = CommandTraits::CHANGE;
        let of_kind = |kind| CommandTraits { kind, ..change };
        let reading = |reads| CommandTraits { reads, ..change };
        let decided = |kind| CommandTraits {
            decides_first: true,
            ..of_kind(kind)
        };
        let of_hold = |kind, reservation| CommandTraits {
            reads: Reads::Reservation(reservation),
            ..of_kind(kind)
        };
        match self {
            Self::Consume(_) => decided(OperationKind::Consume),
            Self::Track(track) if track.at.is_some() => CommandTraits {
                reads: Reads::Windows(track),
                ..of_kind(OperationKind::Track)
            },
            Self::Track(_) => decided(OperationKind::Track),
            Self::Reserve(_) => decided(OperationKind::Reserve),
            Self::Commit(commit) => of_hold(OperationKind::Commit, commit.reservation),
            Self::Release(release) => of_hold(OperationKind::Release, release.reservation),
            Self::Extend(extend) => of_hold(OperationKind::Extend, extend.reservation),
            Self::Refund(refund) => CommandTraits {
                reads: Reads::Operation(refund.operation),
                ..of_kind(OperationKind::Refund)
            },
            Self::ReleaseCapacity(_) => of_kind(OperationKind::ReleaseCapacity),
            Self::Reset(_) => of_kind(OperationKind::Reset),
            Self::Subscribe(subscribe) => reading(subscribe.reads()),
            // A late renewal begins where the last period ended, and what was closed since may count again.
            Self::Renew(_) | Self::SyncSubscription(_) => reading(Reads::Counters),
            Self::PutAccount(put) => CommandTraits {
                reads: put.reads(),
                may_create: put.presence != Presence::Existing,
                ..change
            },
            Self::TakeBackCredits(_) => reading(Reads::Grants),
            Self::CreditPurchase(_) | Self::SetPaymentFacts(_) => reading(Reads::Purchases),
            Self::TakeBackBoost(_) => reading(Reads::Boosts),
            Self::PutToken(_) => reading(Reads::TokenCounts),
            Self::SetOverride(_)
            | Self::SetGiven(_)
            | Self::ClearOverride(_)
            | Self::RevokeToken(_)
            | Self::ChangePlan(_)
            | Self::SetStatus(_)
            | Self::SetSeats(_)
            | Self::SetAddon(_)
            | Self::EndAddon(_)
            | Self::Cancel(_)
            | Self::Resume
            | Self::GivePlan(_)
            | Self::GrantCredits(_)
            | Self::ForgiveDebt(_)
            | Self::GiveBoost(_)
            | Self::SetSpendCap(_)
            | Self::ClearSpendCap(_)
            | Self::SetTopUp(_)
            | Self::ClearTopUp
            | Self::EndTopUp(_)
            | Self::TellExpiry(_)
            | Self::SetMemberLimit(_)
            | Self::ClearMemberLimit(_) => change,
            Self::Sweep => CommandTraits {
                reads: Reads::Stored,
                ..of_kind(OperationKind::Expire)
            },
            Self::ExpireSubscription | Self::CloseWindows(_) => of_kind(OperationKind::Close),
        }
    }
}
