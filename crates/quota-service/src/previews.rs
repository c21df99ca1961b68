//! What a change would come to, and what would end a denial. Both are tried on the account as the store has it, and nothing
//! is written.

use chrono::TimeDelta;
use quota_core::command::{Command, Consume};
use quota_core::ids::AccountId;
use quota_core::ports::ClosedKind;
use quota_core::reservation::TTL_SECONDS_MAX;
use quota_core::rules::offers::{Offers, offers};
use quota_core::rules::preview::{Preview, preview};

use crate::reads::{Beside, home_of};
use crate::{Engine, EngineError};

impl Engine {
    /// What a change of an account's subscription, seats or add-ons would come to. Nothing is changed or booked, and no key
    /// is bound. [`Engine::preview_change_plan`] takes plain texts.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] as [`Engine::submit`] would be, [`EngineError::Store`] when the account cannot be read.
    pub async fn preview(
        &self,
        account: &AccountId,
        command: Command,
    ) -> Result<Preview, EngineError> {
        let closed = ClosedKind::read_by(command.traits().reads);
        let setting = self.setting_now();
        let beside = Beside {
            closed: &closed,
            // What acts later finds holds ended that are open now (R4).
            due_until: setting.now + TimeDelta::seconds(TTL_SECONDS_MAX.into()),
        };
        let read = self.read_with(account, &setting, beside).await?;
        let mut home = home_of(account, read.as_ref().map(|(known, _)| known));
        if let Some((_, found)) = read {
            (home.closed, home.reservations) = (found.closed, found.reservations);
        }
        // The catalog that the store had: reading may have found another one than was known.
        let setting = self.setting_now();
        Ok(preview(&setting.context(), home, account, command)?)
    }

    /// What of the catalog would end the denial that a user gets for what is asked; none when nothing would, or when it is
    /// allowed by now. [`Engine::offers`] takes plain texts.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the account cannot be read.
    pub async fn offers_for(
        &self,
        account: &AccountId,
        asked: &Consume,
    ) -> Result<Option<Offers>, EngineError> {
        let known = self.read(account, &self.setting_now()).await?;
        let home = home_of(account, known.as_ref());
        let setting = self.setting_now();
        Ok(offers(&setting.context(), &home, account, asked))
    }
}
