//! Accounts to measure on, written past the engine.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::answer::Answer;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::change::Change;
use quota_core::home::{Account, Books};
use quota_core::ids::{AccountId, OrgId, PlanCode, TokenId, UserId};
use quota_core::operation::{Operation, OperationKind, id_at};
use quota_core::origin::Origin;
use quota_core::ports::{AccountWrite, HomeWrite, Storage, WriteBatch};
use quota_core::terms::{Policy, SpendCap, Subscription, Terms, Token};
use uuid::Uuid;

use crate::error::{BenchError, other};

/// Homes in one write.
const BATCH: usize = 500;

/// Who asks: a user, and the token that it asks with.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub account: AccountId,
    /// Its token, if it uses one.
    pub token: Option<TokenId>,
}

/// Applies the catalog that everything is measured with.
pub async fn catalog(storage: &dyn Storage) -> Result<Catalog, BenchError> {
    apply(storage, &Catalog::default(), include_str!("catalog.toml")).await
}

/// Changes its plan: two windows limit the feature, and something rolls over.
pub async fn windows_catalog(
    storage: &dyn Storage,
    current: &Catalog,
) -> Result<Catalog, BenchError> {
    apply(storage, current, include_str!("catalog_windows.toml")).await
}

/// Plans and a pack that a payment provider sells.
pub async fn money_catalog(storage: &dyn Storage, current: &Catalog) -> Result<(), BenchError> {
    let file = include_str!("catalog_money.toml");
    apply(storage, current, file).await.map(drop)
}

async fn apply(
    storage: &dyn Storage,
    current: &Catalog,
    text: &str,
) -> Result<Catalog, BenchError> {
    let file: CatalogFile = toml::from_str(text).map_err(other)?;
    let catalog = current.applied(&file).map_err(other)?;
    storage
        .put_catalog(&catalog, None, now())
        .await
        .map_err(other)?;
    Ok(catalog)
}

fn now() -> DateTime<Utc> {
    chrono::SubsecRound::trunc_subsecs(Utc::now(), 6)
}

fn account(
    catalog: &Catalog,
    org: Option<&OrgId>,
    token: Option<&TokenId>,
) -> Result<Account, BenchError> {
    let code = PlanCode::new("wide").map_err(other)?;
    let plan = catalog.plan(&code, None);
    let plan = plan.ok_or_else(|| BenchError::Failed("the plan is missing".to_owned()))?;
    let capped = |token: &TokenId| {
        let terms = Token {
            cap: Limit::Of(1_000_000_000_000_000),
            per: None,
            made_at: None,
            expires_at: None,
            revoked_at: None,
        };
        (token.clone(), terms)
    };
    Ok(Account {
        terms: Terms {
            created_at: now(),
            time_zone: chrono_tz::Tz::UTC,
            disabled: false,
            unlimited: false,
            unlimited_by_default: false,
            org: org.cloned(),
            policy: Policy::Enforce,
            subscription: Some(Subscription::start(plan, 1, now())),
            trial_settled_at: None,
            addons: std::collections::BTreeMap::new(),
            overrides: std::collections::BTreeMap::new(),
            given: std::collections::BTreeMap::new(),
            tokens: token.map(capped).into_iter().collect(),
            former_homes: Vec::new(),
            left_members: std::collections::BTreeMap::new(),
            members: 0,
            member_limits: std::collections::BTreeMap::new(),
            spend_cap: SpendCap::default(),
            auto_top_up: None,
            last_event: 0,
        },
        books: Books::default(),
    })
}

fn home(id: &AccountId, accounts: Vec<AccountWrite>) -> HomeWrite {
    let operation = Operation {
        id: id_at(Uuid::now_v7(), 1),
        account: id.clone(),
        sequence: 1,
        at: now(),
        kind: OperationKind::Change,
        key: None,
        body_hash: [0; 32],
        refers_to: None,
        entries: Vec::new(),
        answer: Answer::Changed {
            change: Change::AccountCreated,
            detail: None,
            effect: None,
        },
        origin: Origin::default(),
    };
    HomeWrite {
        home: id.clone(),
        expected_version: 0,
        new_version: 1,
        hold_before: None,
        accounts,
        operations: vec![operation.into()],
        reservations: Vec::new(),
        events: Vec::new(),
        closed: Vec::new(),
        unseen_keys: Vec::new(),
    }
}

fn write_of(id: AccountId, account: Account) -> AccountWrite {
    AccountWrite {
        has_new_terms: true,
        due_at: account.due_at(),
        id,
        account: account.into(),
    }
}

/// Users without an org, named `u0`, `u1` and so on.
pub async fn users(
    storage: &Arc<dyn Storage>,
    catalog: &Catalog,
    count: usize,
) -> Result<Vec<Caller>, BenchError> {
    let mut callers = Vec::with_capacity(count);
    let mut homes = Vec::with_capacity(BATCH);
    for number in 0..count {
        let user = AccountId::user(&UserId::new(&format!("u{number}")).map_err(other)?);
        let write = write_of(user.clone(), account(catalog, None, None)?);
        homes.push(home(&user, vec![write]));
        callers.push(Caller {
            account: user,
            token: None,
        });
        if homes.len() == BATCH {
            store(storage, catalog, std::mem::take(&mut homes)).await?;
        }
    }
    store(storage, catalog, homes).await?;
    Ok(callers)
}

/// `orgs` orgs with `members` users each, every one of them with a token that has a cap.
pub async fn orgs(
    storage: &Arc<dyn Storage>,
    catalog: &Catalog,
    prefix: &str,
    (orgs, members): (usize, usize),
) -> Result<Vec<Caller>, BenchError> {
    let token = TokenId::new("t").map_err(other)?;
    let mut callers = Vec::with_capacity(orgs * members);
    for number in 0..orgs {
        let org = OrgId::new(&format!("{prefix}{number}")).map_err(other)?;
        let id = AccountId::org(&org);
        let mut accounts = vec![write_of(id.clone(), account(catalog, None, None)?)];
        for member in 0..members {
            let user = UserId::new(&format!("{prefix}{number}m{member}")).map_err(other)?;
            let user = AccountId::user(&user);
            storage.claim(&user, &id).await.map_err(other)?;
            let terms = account(catalog, Some(&org), Some(&token))?;
            accounts.push(write_of(user.clone(), terms));
            callers.push(Caller {
                account: user,
                token: Some(token.clone()),
            });
        }
        store(storage, catalog, vec![home(&id, accounts)]).await?;
    }
    Ok(callers)
}

async fn store(
    storage: &Arc<dyn Storage>,
    catalog: &Catalog,
    homes: Vec<HomeWrite>,
) -> Result<(), BenchError> {
    if homes.is_empty() {
        return Ok(());
    }
    let wanted = homes.len();
    let batch = WriteBatch {
        catalog_version: catalog.version,
        keys_since: now(),
        lease: None,
        homes,
    };
    let passed = storage.write(&batch).await.map_err(other)?;
    if passed.len() == wanted {
        return Ok(());
    }
    Err(BenchError::Failed("accounts were there already".to_owned()))
}
