//! Demo data: the five example catalogs, and accounts that show what the engine can do. Filling twice changes nothing.

mod samples;
mod steps;

use http_api::read_catalog_toml;
use quota_core::amount::{Amount, Limit};
use quota_core::answer::Rejection;
use quota_core::catalog::CatalogFile;
use quota_core::command::{
    AccountSpec, Command, GrantCredits, Presence, PutAccount, PutToken, SetOverride, Subscribe,
};
use quota_core::ids::{AccountId, FeatureCode, GrantId, InvalidId, OrgId, PlanCode, TokenId};
use quota_core::origin::Origin;
use quota_core::ports::KeyScope;
use quota_service::{Ask, Engine, EngineError, EngineSettings};
use runtime::CacheArgs;

use crate::args::StoreArgs;
use crate::command_error::CommandError;
use crate::demo::samples::{Sample, samples};
use crate::wiring::wire;

/// Name of the demo's admin key, and actor of its data.
const NAME: &str = "demo";

/// The example catalogs (C8).
const CATALOGS: [&str; 5] = [
    include_str!("../../../../crates/quota-core/catalogs/article-platform.toml"),
    include_str!("../../../../crates/quota-core/catalogs/image-platform.toml"),
    include_str!("../../../../crates/quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../../crates/quota-core/catalogs/try-on-shop.toml"),
    include_str!("../../../../crates/quota-core/catalogs/ai-workspace.toml"),
];

/// `api demo data`.
pub(crate) async fn fill_only(store: &StoreArgs, cache: &CacheArgs) -> Result<(), CommandError> {
    let wired = wire(&store.database, cache, EngineSettings::default(), None).await?;
    let outcome = fill(&wired.engine).await;
    wired.stop().await;
    outcome?;
    Ok(runtime::print("the demo data is there\n")?)
}

/// Fills, and makes a fresh admin key in place of earlier ones of the demo.
pub(crate) async fn fill_with_key(engine: &Engine) -> Result<String, CommandError> {
    fill(engine).await?;
    for key in engine.keys().await? {
        if key.name == NAME && key.revoked_at.is_none() {
            engine.revoke_key(key.id).await?;
        }
    }
    Ok(engine.create_key(NAME, KeyScope::Admin).await?.secret)
}

async fn fill(engine: &Engine) -> Result<(), CommandError> {
    let mut file = CatalogFile::default();
    for text in CATALOGS {
        let part = read_catalog_toml(text).map_err(|fault| CommandError::Catalog {
            file: "the demo's catalog".into(),
            fault,
        })?;
        file.features.extend(part.features);
        file.plans.extend(part.plans);
        file.default_plan = file.default_plan.or(part.default_plan);
    }
    // All that may clash is looked at before anything is written.
    for sample in samples() {
        must_fit(engine, &sample).await?;
    }
    let plan = match engine.plan_catalog(&file).await {
        // A feature of the same code that is counted another way is another catalog's.
        Err(EngineError::Catalog(_)) if engine.catalog().await?.version != 0 => {
            return Err(CommandError::OtherCatalog);
        }
        plan => plan?,
    };
    if !plan.is_empty() {
        if engine.catalog().await?.version != 0 {
            return Err(CommandError::OtherCatalog);
        }
        engine.apply_catalog(&file, Some(NAME)).await?;
    }
    for sample in samples() {
        put(engine, &sample).await?;
    }
    Ok(())
}

/// An account that is there already must live where the demo's does, or its members could not be made.
async fn must_fit(engine: &Engine, sample: &Sample) -> Result<(), CommandError> {
    let account = AccountId::parse(sample.id)?;
    let known = match engine.account(&account).await {
        Ok(row) => row.account.terms,
        Err(EngineError::Rejected(Rejection::UnknownAccount)) => return Ok(()),
        Err(other) => return Err(other.into()),
    };
    if known.org == sample.org.map(OrgId::new).transpose()? {
        return Ok(());
    }
    Err(CommandError::OtherAccount(account))
}

/// Makes an account and what belongs to it, as far as it is not there.
async fn put(engine: &Engine, sample: &Sample) -> Result<(), CommandError> {
    let account = AccountId::parse(sample.id)?;
    let spec = AccountSpec {
        org: sample.org.map(OrgId::new).transpose()?,
        time_zone: sample.time_zone,
        policy: sample.policy,
        ..AccountSpec::default()
    };
    let known = match engine.account(&account).await {
        Ok(row) => Some(row.account.terms),
        Err(EngineError::Rejected(Rejection::UnknownAccount)) => None,
        Err(other) => return Err(other.into()),
    };
    let presence = Presence::New;
    if known.is_none() {
        submit(
            engine,
            &account,
            Command::PutAccount(PutAccount { presence, spec }),
        )
        .await?;
    }
    let has_subscription = known
        .as_ref()
        .is_some_and(|terms| terms.subscription.is_some());
    for command in belongings(sample, has_subscription)? {
        let is_there = if let Command::PutToken(PutToken { token, .. }) = &command {
            let terms = known.as_ref();
            terms.is_some_and(|terms| terms.tokens.contains_key(token))
        } else {
            false
        };
        if !is_there {
            submit(engine, &account, command).await?;
        }
    }
    if known.is_none() {
        let now = engine.now();
        for step in sample.steps {
            submit(engine, &account, step.command(now)?).await?;
        }
    }
    Ok(())
}

fn belongings(sample: &Sample, has_subscription: bool) -> Result<Vec<Command>, InvalidId> {
    let mut commands = Vec::new();
    if let Some(plan) = sample.plan.filter(|_| !has_subscription) {
        commands.push(Command::Subscribe(Subscribe::to(PlanCode::new(plan)?)));
    }
    if let Some((feature, limit)) = sample.own_limit {
        commands.push(Command::SetOverride(SetOverride {
            feature: FeatureCode::new(feature)?,
            limit: Limit::Of(limit),
            expires_at: None,
        }));
    }
    if let Some((token, cap)) = sample.token {
        commands.push(Command::PutToken(PutToken {
            token: TokenId::new(token)?,
            presence: Presence::Any,
            cap: Some(Limit::Of(cap)),
            per: None,
            expires_at: None,
        }));
    }
    if let Some(credits) = sample.credits.and_then(|credits| Amount::new(credits).ok()) {
        commands.push(Command::GrantCredits(GrantCredits {
            grant: GrantId::new("welcome-pack")?,
            credits,
            priority: 0,
            expires_at: None,
        }));
    }
    Ok(commands)
}

async fn submit(
    engine: &Engine,
    account: &AccountId,
    command: Command,
) -> Result<(), CommandError> {
    let ask = Ask {
        account: account.clone(),
        key: None,
        command,
        origin: Origin {
            actor: Some(NAME.to_owned()),
            ..Origin::default()
        },
    };
    match engine.submit(ask).await {
        Ok(_) | Err(EngineError::Rejected(Rejection::GrantExists)) => Ok(()),
        Err(EngineError::Rejected(cause)) => Err(CommandError::Demo(cause)),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use testkit::memory::MemoryStore;

    use super::*;

    /// An account that is there and lives elsewhere is named before anything is written.
    #[tokio::test]
    async fn an_account_that_clashes_is_named_and_nothing_is_written() {
        let engine = Engine::over(Arc::new(MemoryStore::new())).open().await;
        let engine = engine.expect("it starts");
        let ada = AccountId::parse("user:ada").expect("a literal id");
        let presence = Presence::New;
        let spec = AccountSpec::default();
        let made = Command::PutAccount(PutAccount { presence, spec });
        submit(&engine, &ada, made).await.expect("it is made");
        let refused = fill(&engine).await.expect_err("it clashes");
        assert!(matches!(&refused, CommandError::OtherAccount(id) if *id == ada));
        assert_eq!(engine.catalog().await.expect("it is read").version, 0);
        let alice = AccountId::parse("user:alice").expect("a literal id");
        let unknown = engine.account(&alice).await;
        assert!(unknown.is_err(), "nothing was written");
    }
}
