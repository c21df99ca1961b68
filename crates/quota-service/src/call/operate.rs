//! One call for each write of an operator.

use quota_core::command::Command;

use super::{
    Cancel, ChangePlan, ClearOverride, ClearSpendCap, EndAddon, GiveBoost, GrantCredits,
    PutAccount, PutToken, Renew, Resume, RevokeToken, SetAddon, SetGiven, SetOverride, SetSeats,
    SetSpendCap, SetStatus, Subscribe, TakeBackBoost, TakeBackCredits,
};
use crate::decide::Reply;
use crate::{Engine, EngineError};

impl Engine {
    /// Creates or changes a user or an org.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn put_account(
        &self,
        account: &str,
        asked: PutAccount,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::PutAccount).await
    }

    /// Sets an account's own limit for a feature.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_override(
        &self,
        account: &str,
        asked: SetOverride,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetOverride).await
    }

    /// Sets what an account has of a flag or a setting by itself.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_given(&self, account: &str, asked: SetGiven) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetGiven).await
    }

    /// Takes an account's own limit away, or what it has of a flag or a setting by itself.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn clear_override(
        &self,
        account: &str,
        asked: ClearOverride,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::ClearOverride).await
    }

    /// Creates or changes a token of a user.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn put_token(&self, account: &str, asked: PutToken) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::PutToken).await
    }

    /// Revokes a token of a user.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn revoke_token(
        &self,
        account: &str,
        asked: RevokeToken,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::RevokeToken).await
    }

    /// Starts a subscription by hand.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn subscribe(&self, account: &str, asked: Subscribe) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::Subscribe).await
    }

    /// Adds a period behind the last that is paid for.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn renew(&self, account: &str, asked: Renew) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::Renew).await
    }

    /// Changes the plan of the subscription.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn change_plan(
        &self,
        account: &str,
        asked: ChangePlan,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::ChangePlan).await
    }

    /// Sets the status of the subscription.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_status(&self, account: &str, asked: SetStatus) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetStatus).await
    }

    /// Sets the seats of the subscription.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_seats(&self, account: &str, asked: SetSeats) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetSeats).await
    }

    /// Gives the account so many of an add-on.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_addon(&self, account: &str, asked: SetAddon) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetAddon).await
    }

    /// Ends an add-on.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn end_addon(&self, account: &str, asked: EndAddon) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::EndAddon).await
    }

    /// Cancels the subscription.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn cancel(&self, account: &str, asked: Cancel) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::Cancel).await
    }

    /// Takes a cancellation back that has not acted yet.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn resume(&self, account: &str, asked: Resume) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, |()| Command::Resume).await
    }

    /// Adds prepaid credits.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn grant_credits(
        &self,
        account: &str,
        asked: GrantCredits,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::GrantCredits).await
    }

    /// Takes credits back that are left of a grant.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn take_back_credits(
        &self,
        account: &str,
        asked: TakeBackCredits,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::TakeBackCredits)
            .await
    }

    /// Gives units of a feature until an instant.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn give_boost(&self, account: &str, asked: GiveBoost) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::GiveBoost).await
    }

    /// Takes back what is left of a boost.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn take_back_boost(
        &self,
        account: &str,
        asked: TakeBackBoost,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::TakeBackBoost).await
    }

    /// Sets an account's own cap on what it spends on demand.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_spend_cap(
        &self,
        account: &str,
        asked: SetSpendCap,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::SetSpendCap).await
    }

    /// Takes an account's own cap on what it spends on demand away.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn clear_spend_cap(
        &self,
        account: &str,
        asked: ClearSpendCap,
    ) -> Result<Reply, EngineError> {
        self.carry_out(account, asked, Command::ClearSpendCap).await
    }
}
