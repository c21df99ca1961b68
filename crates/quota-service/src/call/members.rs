//! What an org lets its members use: drafts, and the calls that take them.

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::command::{self as payload, Command};
use quota_core::ids::OrgId;

use super::changes::checked;
use super::draft::{Draft, feature, parsed};
use crate::decide::Reply;
use crate::{Engine, EngineError};

/// A draft of [`payload::SetMemberLimit`].
pub type SetMemberLimit = Draft<payload::SetMemberLimit>;
/// A draft of [`payload::ClearMemberLimit`].
pub type ClearMemberLimit = Draft<payload::ClearMemberLimit>;

impl Draft<payload::SetMemberLimit> {
    /// What each member of an org may use of a feature, in shown units.
    pub fn of(code: &str, limit: Limit) -> Self {
        let payload = feature(code).and_then(|feature| {
            Ok(payload::SetMemberLimit {
                feature,
                limit: checked("limit", limit)?,
                expires_at: None,
                member_of: None,
            })
        });
        Self::new(payload)
    }

    /// It is that of one member of this org, which is the account that is asked for.
    pub fn member_of(self, org: &str) -> Self {
        let org = parsed("org", OrgId::new(org));
        self.with(org, |set, org| set.member_of = Some(org))
    }

    /// First instant at which it counts no more.
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |set, at| set.expires_at = Some(at))
    }
}

impl Draft<payload::ClearMemberLimit> {
    /// The feature for which nothing is set any more.
    pub fn of(code: &str) -> Self {
        Self::new(feature(code).map(|feature| payload::ClearMemberLimit {
            feature,
            member_of: None,
        }))
    }

    /// It was that of one member of this org, which is the account that is asked for.
    pub fn member_of(self, org: &str) -> Self {
        let org = parsed("org", OrgId::new(org));
        self.with(org, |clear, org| clear.member_of = Some(org))
    }
}

impl Engine {
    /// Sets what each member of an org may use of a feature, or what one member may.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn set_member_limit(
        &self,
        account: &str,
        asked: SetMemberLimit,
    ) -> Result<Reply, EngineError> {
        let command = Command::SetMemberLimit;
        self.carry_out(account, asked, command).await
    }

    /// Takes that limit away: what would count without it does.
    ///
    /// # Errors
    /// Those of [`Engine::consume`].
    pub async fn clear_member_limit(
        &self,
        account: &str,
        asked: ClearMemberLimit,
    ) -> Result<Reply, EngineError> {
        let command = Command::ClearMemberLimit;
        self.carry_out(account, asked, command).await
    }
}
