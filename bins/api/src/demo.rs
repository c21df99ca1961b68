//! Demo data: the four example catalogs, and accounts that show what the engine can do. Filling twice changes nothing.

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
use quota_core::terms::Policy;
use quota_service::{Ask, Engine, EngineError, EngineSettings};
use runtime::CacheArgs;

use crate::args::StoreArgs;
use crate::command_error::CommandError;
use crate::wiring::wire;

/// Name of the demo's admin key, and actor of its data.
const NAME: &str = "demo";

/// The example catalogs (C8).
const CATALOGS: [&str; 4] = [
    include_str!("../../../crates/quota-core/catalogs/article-platform.toml"),
    include_str!("../../../crates/quota-core/catalogs/image-platform.toml"),
    include_str!("../../../crates/quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../crates/quota-core/catalogs/try-on-shop.toml"),
];

/// One account of the demo. Everything that is not given is as a new account has it.
#[derive(Default)]
struct Sample {
    /// `user:alice`, `org:acme`.
    id: &'static str,
    org: Option<&'static str>,
    policy: Option<Policy>,
    time_zone: Option<chrono_tz::Tz>,
    plan: Option<&'static str>,
    /// Feature and limit in shown units.
    own_limit: Option<(&'static str, u64)>,
    /// Id and cap.
    token: Option<(&'static str, u64)>,
    credits: Option<u64>,
}

/// The accounts; orgs stand before their members.
fn samples() -> Vec<Sample> {
    let blank = Sample::default;
    vec![
        // A small plan: five articles a month, then denied.
        Sample {
            id: "user:alice",
            plan: Some("article_free"),
            ..blank()
        },
        // More than the plan gives, by an override.
        Sample {
            id: "user:bob",
            plan: Some("article_pro"),
            own_limit: Some(("articles_per_month", 150)),
            ..blank()
        },
        // Calendar days and months of its own zone.
        Sample {
            id: "user:erin",
            plan: Some("image_free"),
            time_zone: Some(chrono_tz::Tz::Europe__Berlin),
            ..blank()
        },
        // No plan: credits first, then three free tries.
        Sample {
            id: "user:carol",
            credits: Some(2),
            ..blank()
        },
        // Allowance first, then credits.
        Sample {
            id: "user:dave",
            plan: Some("shop_premium"),
            credits: Some(5),
            ..blank()
        },
        // The org pays and limits; its members are unlimited, a token is capped.
        Sample {
            id: "org:acme",
            plan: Some("llm_team"),
            ..blank()
        },
        Sample {
            id: "user:ada",
            org: Some("acme"),
            token: Some(("ada-ci", 100_000)),
            ..blank()
        },
        Sample {
            id: "user:linus",
            org: Some("acme"),
            ..blank()
        },
        // An org that is only counted.
        Sample {
            id: "org:globex",
            plan: Some("llm_free"),
            policy: Some(Policy::Track),
            ..blank()
        },
        Sample {
            id: "user:grace",
            org: Some("globex"),
            ..blank()
        },
    ]
}

/// `api demo data`.
pub(crate) async fn fill_only(store: &StoreArgs, cache: &CacheArgs) -> Result<(), CommandError> {
    let wired = wire(&store.database, cache, EngineSettings::default()).await?;
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
    }
    let plan = engine.plan_catalog(&file).await?;
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
