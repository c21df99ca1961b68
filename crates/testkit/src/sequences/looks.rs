//! Looks: what is asked in a script and changes nothing. What is seen is the same on every store too.

use quota_core::answer::Answer;
use quota_core::command::{Command, Consume};
use quota_core::ids::AccountId;
use quota_core::rules::check::Checked;
use quota_core::rules::entitlements::Entitlements;
use quota_core::rules::offers::Offers;
use quota_core::rules::preview::Preview;
use quota_core::rules::scope_balances::Overview;
use quota_service::{Engine, EngineError, Reply};

/// What is looked at.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// What a consume would be answered; flags and settings are told by this (C2).
    Check(Consume),
    Overview,
    Entitlements,
    /// What a change would come to.
    Preview(Command),
    /// What would end a denial (F8).
    Offers(Consume),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "each is what the engine's read of that name gives"
)]
pub enum Looked {
    Checked(Checked),
    Overview(Box<Overview>),
    Entitlements(Entitlements),
    Preview(Box<Preview>),
    Offers(Option<Offers>),
}

impl Look {
    pub(crate) async fn at(
        &self,
        engine: &Engine,
        account: &AccountId,
    ) -> Result<Looked, EngineError> {
        Ok(match self {
            Self::Check(asked) => {
                Looked::Checked(engine.check_items(account, asked.clone()).await?)
            }
            Self::Overview => Looked::Overview(Box::new(engine.overview(account).await?)),
            Self::Entitlements => Looked::Entitlements(engine.entitlements(account).await?),
            Self::Preview(command) => {
                Looked::Preview(Box::new(engine.preview(account, command.clone()).await?))
            }
            Self::Offers(asked) => Looked::Offers(engine.offers_for(account, asked).await?),
        })
    }
}

/// What a change that may be previewed would come to (S5, S6, S8); none for another command.
pub(crate) async fn foretold(
    engine: &Engine,
    account: &AccountId,
    command: &Command,
) -> Option<Result<Preview, EngineError>> {
    let is_foretold = matches!(
        command,
        Command::Subscribe(_)
            | Command::Renew(_)
            | Command::ChangePlan(_)
            | Command::SetStatus(_)
            | Command::SetSeats(_)
            | Command::SetAddon(_)
            | Command::EndAddon(_)
            | Command::Cancel(_)
            | Command::Resume
            | Command::GivePlan(_)
    );
    if !is_foretold {
        return None;
    }
    Some(engine.preview(account, command.clone()).await)
}

/// A change is refused as its preview was, or comes to what that said.
///
/// # Panics
/// When it does not.
pub(crate) async fn assert_as_foretold(
    (engine, account): (&Engine, &AccountId),
    said: &Result<Preview, EngineError>,
    done: &Result<Reply, EngineError>,
) {
    let (said, done) = match (said, done) {
        (Ok(said), Ok(done)) => (said, done),
        (said, done) => {
            let refused = |error: &EngineError| error.to_string();
            let (said, done) = (said.as_ref().err(), done.as_ref().err());
            assert_eq!(said.map(refused), done.map(refused), "{account}");
            return;
        }
    };
    let mut change = None;
    if let Answer::Changed {
        change: what,
        detail,
        ..
    } = &done.operation.answer
    {
        change = Some((*what, detail.clone()));
    }
    assert_eq!(said.change, change, "{account}");
    let overview = engine.overview(account).await.expect("it is there");
    if said.acts_at <= overview.at {
        assert_eq!(
            said.after.features, overview.features,
            "{account}: {change:?}"
        );
        assert_eq!(said.after.had, overview.had, "{account}: {change:?}");
    }
}
