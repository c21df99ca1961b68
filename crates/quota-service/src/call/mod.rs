//! One call for one verb, for those who embed the engine: who is asked for, and a draft of what is asked.
//!
//! A draft makes the command of the same name from plain texts and numbers. The rules are those of [`Engine::submit`].

mod changes;
mod decision;
mod draft;
mod members;
mod operate;
mod overrides;
mod plans;
mod uses;

use quota_core::command::Command;
use quota_core::ids::{AccountId, AccountKind};
use quota_core::rules::check::Checked;
use quota_core::rules::offers::Offers;
use quota_core::rules::preview::Preview;

pub use changes::{
    Cancel, ChangePlan, ClearSpendCap, GiveBoost, GrantCredits, PutAccount, PutToken, Renew,
    Resume, RevokeToken, SetSpendCap, SetStatus, Subscribe, TakeBackBoost, TakeBackCredits,
};
pub use decision::{Decision, Denied, OperationRef};
pub use draft::Draft;
use draft::{invalid, parsed};
pub use members::{ClearMemberLimit, SetMemberLimit};
pub use overrides::{ClearOverride, SetGiven, SetOverride};
pub use plans::{EndAddon, SetAddon, SetSeats};
pub use uses::{
    Commit, Consume, Extend, OfOperation, Refund, Release, ReleaseCapacity, Reserve, Reset, Track,
};

use crate::decide::Reply;
use crate::invalid_field::InvalidField;
use crate::{Engine, EngineError};

/// The account of a text such as `user:alice` or `org:acme`.
fn account(text: &str) -> Result<AccountId, InvalidField> {
    parsed("account", AccountId::parse(text))
}

/// The account of a text such as `user:alice`: only users consume.
fn user(text: &str) -> Result<AccountId, InvalidField> {
    let account = account(text)?;
    match account.kind() {
        AccountKind::User => Ok(account),
        AccountKind::Org => Err(invalid("account", "must be a user, `user:` and its id")),
    }
}

impl Engine {
    /// Spends what is asked for, all of it or nothing; a denial is a value.
    ///
    /// # Errors
    /// [`EngineError::InvalidField`] names what cannot be right; the others are those of [`Engine::submit`].
    pub async fn consume(&self, account: &str, asked: Consume) -> Result<Decision, EngineError> {
        let ask = asked.ask(user(account)?, Command::Consume)?;
        Ok(self.submit(ask).await?.into())
    }

    /// What [`Engine::consume`] would answer now, with nothing spent; a key says nothing here.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn check(&self, account: &str, asked: Consume) -> Result<Checked, EngineError> {
        let (account, asked) = (user(account)?, asked.payload()?);
        match asked.items.as_slice() {
            [one] => {
                let token = asked.token.as_ref();
                self.check_item(&account, token, &one.feature, one.amount)
                    .await
            }
            [] | [_, ..] => self.check_items(&account, asked).await,
        }
    }

    /// What of the catalog would end the denial that [`Engine::consume`] would answer now; none when nothing would, or when
    /// it would not be denied (F8). A key says nothing here.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn offers(
        &self,
        account: &str,
        asked: Consume,
    ) -> Result<Option<Offers>, EngineError> {
        let (account, asked) = (user(account)?, asked.payload()?);
        self.offers_for(&account, &asked).await
    }

    /// What [`Engine::change_plan`] would come to, with nothing changed; a key says nothing here. For other changes of the
    /// subscription there is [`Engine::preview`].
    ///
    /// # Errors
    /// Those of [`Engine::change_plan`].
    pub async fn preview_change_plan(
        &self,
        text: &str,
        asked: ChangePlan,
    ) -> Result<Preview, EngineError> {
        let (account, asked) = (account(text)?, asked.payload()?);
        self.preview(&account, Command::ChangePlan(asked)).await
    }

    /// Records use that already happened; never denied.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn track(&self, account: &str, asked: Track) -> Result<Reply, EngineError> {
        let ask = asked.ask(user(account)?, Command::Track)?;
        self.submit(ask).await
    }

    /// Holds what is asked for until it is committed, released or past its deadline; a denial is a value. The reservation
    /// is named by [`Reply::reference`].
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn reserve(&self, account: &str, asked: Reserve) -> Result<Decision, EngineError> {
        let ask = asked.ask(user(account)?, Command::Reserve)?;
        Ok(self.submit(ask).await?.into())
    }

    /// Settles a reservation with what was used; never denied for lack of quota.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn commit(&self, asked: Commit) -> Result<Reply, EngineError> {
        self.submit(asked.ask_of_operation(Command::Commit)?).await
    }

    /// Gives a reservation back, all of it.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn release(&self, asked: Release) -> Result<Reply, EngineError> {
        self.submit(asked.ask_of_operation(Command::Release)?).await
    }

    /// Moves the deadline of a reservation.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn extend(&self, asked: Extend) -> Result<Reply, EngineError> {
        self.submit(asked.ask_of_operation(Command::Extend)?).await
    }

    /// Gives back what an operation spent, to the sources that it came from.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn refund(&self, asked: Refund) -> Result<Reply, EngineError> {
        self.submit(asked.ask_of_operation(Command::Refund)?).await
    }

    /// Gives occupied capacity back. [`Answer::Unchanged`](quota_core::answer::Answer::Unchanged) when none was occupied.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn release_capacity(
        &self,
        account: &str,
        asked: ReleaseCapacity,
    ) -> Result<Reply, EngineError> {
        let ask = asked.ask(user(account)?, Command::ReleaseCapacity)?;
        self.submit(ask).await
    }

    /// Sets use to 0, in the current windows or of a token.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn reset(&self, account: &str, asked: Reset) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::Reset).await
    }

    /// Submits what may be asked of users and orgs alike.
    async fn carry_out<P>(
        &self,
        text: &str,
        asked: Draft<P>,
        command: fn(P) -> Command,
    ) -> Result<Reply, EngineError> {
        let ask = asked.ask(account(text)?, command)?;
        self.submit(ask).await
    }
}
