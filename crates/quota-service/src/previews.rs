//! What a change would come to, and what would end a denial. Both are tried on the account as the store has it, and nothing
//! is written.

use quota_core::command::{Command, Consume};
use quota_core::ids::AccountId;
use quota_core::ports::ClosedKind;
use quota_core::rules::offers::{Offers, offers};
use quota_core::rules::preview::{Preview, preview};

use crate::reads::home_of;
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
        let read = self.read_with_closed(account, &setting, &closed).await?;
        let mut home = home_of(account, read.as_ref().map(|(known, _)| known));
        home.closed = read.map_or_else(Vec::new, |(_, closed)| closed);
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
