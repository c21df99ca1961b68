//! What a line asks of the engine, and the key under which it is done once.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::command::{
    AccountSpec, Cancel, ChangeWhen, Command, GrantCredits, Presence, PutAccount, PutToken,
    SetGiven, SetOverride, Subscribe, Track,
};
use quota_core::ids::{AccountId, GrantId, IdempotencyKey, InvalidId, PaymentRef};
use quota_core::instant;
use quota_core::item::Item;
use quota_core::payment::PaymentId;
use quota_core::provider::CustomerId;
use quota_core::rules::payment_news::PaidNews;
use sha2::{Digest, Sha256};

use super::kind::Kind;
use super::line::{
    CreditsLine, Line, OrgLine, OverrideLine, PaymentLine, SubscriptionLine, TokenLine, UsageLine,
    UserLine,
};
use super::refusal::Refusal;

/// The grant of a line of credits that names none.
const GRANT: &str = "import";
/// Most other ids of one payment, as the API has it.
const IDS_MAX: usize = 20;

/// What a line asks.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) kind: Kind,
    /// Whom it is about.
    pub(crate) account: AccountId,
    /// The org of a user: its lines are done before.
    pub(crate) org: Option<AccountId>,
    pub(crate) deed: Deed,
}

/// What is done for a line.
#[derive(Debug)]
pub(crate) enum Deed {
    /// Commands, one after another, each under its key.
    Commands(Vec<(IdempotencyKey, Command)>),
    /// A payment that was paid, and its other ids: once by these.
    Payment(PaymentId, Vec<PaymentRef>, PaidNews),
    /// A customer of a provider: linked once.
    Customer(CustomerId),
}

impl Work {
    /// What a line asks.
    pub(crate) fn of(kind: Kind, line: Line, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let account = account_of(&line);
        let org = org_of(&line);
        let deed = match line {
            Line::Org(line) => put(&account, line.key.clone(), of_org(&line))?,
            Line::User(line) => put(&account, line.key.clone(), of_user(line))?,
            Line::Token(line) => token(&account, line)?,
            Line::Usage(line) => usage(&account, line)?,
            Line::Override(line) => own(&account, line)?,
            Line::Credits(line) => credits(&account, line)?,
            Line::Subscription(line) => subscription(&account, line)?,
            Line::Payment(line) => paid(line, now)?,
            Line::Customer(line) => Deed::Customer(CustomerId {
                provider: line.provider,
                mode: line.mode,
                customer: line.customer,
            }),
        };
        Ok(Self {
            kind,
            account,
            org,
            deed,
        })
    }
}

fn org_of(line: &Line) -> Option<AccountId> {
    if let Line::User(user) = line {
        return user.org.as_ref().map(AccountId::org);
    }
    None
}

fn account_of(line: &Line) -> AccountId {
    match line {
        Line::Org(org) => AccountId::org(&org.id),
        Line::User(user) => AccountId::user(&user.id),
        Line::Token(token) => AccountId::user(&token.user),
        Line::Usage(usage) => AccountId::user(&usage.user),
        Line::Customer(customer) => customer.account.clone(),
        Line::Subscription(subscription) => subscription.account.clone(),
        Line::Override(own) => own.account.clone(),
        Line::Credits(credits) => credits.account.clone(),
        Line::Payment(payment) => payment.account.clone(),
    }
}

/// The key of a line that has none of its own: the same for the same matter of the same account.
fn key_of(kind: Kind, account: &AccountId, ids: &[&str]) -> Result<IdempotencyKey, InvalidId> {
    let mut hasher = Sha256::new();
    for part in [account.as_str(), kind.as_str()].iter().chain(ids) {
        hasher.update(part);
        hasher.update([0]);
    }
    IdempotencyKey::new(&format!("import:{}", hex::encode(hasher.finalize())))
}

/// What is asked of whom, in short: equal for lines that ask the same.
pub(crate) fn digest(account: &AccountId, command: &Command) -> String {
    let mut hasher = Sha256::new();
    hasher.update(account.as_str());
    hasher.update([0]);
    // A command is plain data: its text is always the same, and there is always one.
    hasher.update(serde_json::to_vec(command).unwrap_or_default());
    hex::encode(hasher.finalize())
}

fn text(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| instant::text(&at)).unwrap_or_default()
}

fn invalid(error: &InvalidId) -> Refusal {
    Refusal::of("key", error.why.to_string())
}

/// One command under the line's own key, or under that of its matter.
fn once(
    own: Option<IdempotencyKey>,
    derived: Result<IdempotencyKey, InvalidId>,
    command: Command,
) -> Result<Deed, Refusal> {
    let key = own.map_or(derived, Ok).map_err(|error| invalid(&error))?;
    Ok(Deed::Commands(vec![(key, command)]))
}

fn put(
    account: &AccountId,
    own: Option<IdempotencyKey>,
    spec: AccountSpec,
) -> Result<Deed, Refusal> {
    let presence = Presence::Any;
    let command = Command::PutAccount(PutAccount { presence, spec });
    // The id says whether it is a user or an org.
    once(own, key_of(Kind::User, account, &[]), command)
}

fn of_org(line: &OrgLine) -> AccountSpec {
    AccountSpec {
        time_zone: line.time_zone.map(|zone| zone.0),
        disabled: line.disabled,
        policy: line.policy,
        ..AccountSpec::default()
    }
}

fn of_user(line: UserLine) -> AccountSpec {
    AccountSpec {
        org: line.org,
        time_zone: line.time_zone.map(|zone| zone.0),
        disabled: line.disabled,
        unlimited: line.unlimited,
        policy: None,
    }
}

fn token(account: &AccountId, line: TokenLine) -> Result<Deed, Refusal> {
    let derived = key_of(Kind::Token, account, &[line.id.as_str()]);
    let command = Command::PutToken(PutToken {
        token: line.id,
        presence: Presence::Any,
        cap: line.cap,
        per: line.per,
        expires_at: line.expires_at,
    });
    once(line.key, derived, command)
}

fn usage(account: &AccountId, line: UsageLine) -> Result<Deed, Refusal> {
    let token = line.token.as_ref().map_or("", |token| token.as_str());
    let ids = [line.feature.as_str(), token, &text(line.at)];
    let derived = key_of(Kind::Usage, account, &ids);
    let (feature, amount) = (line.feature, line.amount);
    let command = Command::Track(Track {
        token: line.token,
        items: vec![Item { feature, amount }],
        at: line.at,
    });
    once(line.key, derived, command)
}

fn own(account: &AccountId, line: OverrideLine) -> Result<Deed, Refusal> {
    let derived = key_of(Kind::Override, account, &[line.feature.as_str()]);
    once(line.key.clone(), derived, set_override(line)?)
}

fn credits(account: &AccountId, line: CreditsLine) -> Result<Deed, Refusal> {
    let key = line.key.clone();
    let granted = grant(line)?;
    let derived = key_of(Kind::Credits, account, &[granted.grant.as_str()]);
    once(key, derived, Command::GrantCredits(granted))
}

/// The start of a subscription, and its cancellation under a key of its own.
fn subscription(account: &AccountId, line: SubscriptionLine) -> Result<Deed, Refusal> {
    let starts_at = text(line.starts_at);
    let derived = key_of(Kind::Subscription, account, &[&starts_at]);
    let key = line
        .key
        .map_or(derived, Ok)
        .map_err(|error| invalid(&error))?;
    let start = Command::Subscribe(Subscribe {
        plan: line.plan,
        starts_at: line.starts_at,
        ends_at: line.ends_at,
        status: line.status,
        trial: line.trial,
        seats: line.seats,
    });
    let canceled = line.cancel.map(|when| {
        let at_once = when == ChangeWhen::Now;
        let key = IdempotencyKey::new(&format!("{key}:cancel"))?;
        Ok((key, Command::Cancel(Cancel { at_once })))
    });
    let canceled = canceled
        .transpose()
        .map_err(|error: InvalidId| invalid(&error))?;
    let started = std::iter::once((key, start));
    Ok(Deed::Commands(started.chain(canceled).collect()))
}

fn set_override(own: OverrideLine) -> Result<Command, Refusal> {
    let (feature, expires_at) = (own.feature, own.expires_at);
    match (own.limit, own.value) {
        (Some(limit), None) => Ok(Command::SetOverride(SetOverride {
            feature,
            limit,
            expires_at,
        })),
        (None, Some(value)) => Ok(Command::SetGiven(SetGiven {
            feature,
            value,
            expires_at,
        })),
        (None, None) => Err(Refusal::of(
            "limit",
            "is required, or `value` of a flag or a setting",
        )),
        (Some(_), Some(_)) => Err(Refusal::of(
            "value",
            "is of a flag or a setting, which has no `limit`",
        )),
    }
}

fn grant(line: CreditsLine) -> Result<GrantCredits, Refusal> {
    if line.amount < 0 {
        let why = "is a debt, and a debt is not brought over: it is what is missing of credits that were granted and spent here. Leave \
                   the line out, and take it off what you grant next";
        return Err(Refusal::of("amount", why));
    }
    let credits = u64::try_from(line.amount).ok().map(Amount::new);
    let Some(Ok(credits)) = credits else {
        let why = "must be a whole number from 1 to 10^15; leave out who has none";
        return Err(Refusal::of("amount", why));
    };
    let unnamed = || GrantId::new(GRANT).map_err(|error| invalid(&error));
    Ok(GrantCredits {
        grant: line.id.map_or_else(unnamed, Ok)?,
        credits,
        priority: line.priority,
        expires_at: line.expires_at,
    })
}

/// A payment of the past. What is paid from now on is told by its provider.
fn paid(line: PaymentLine, now: DateTime<Utc>) -> Result<Deed, Refusal> {
    let Some(paid_at) = line.paid_at else {
        let why = "is required: a payment is brought over as history";
        return Err(Refusal::of("paid_at", why));
    };
    if now < paid_at {
        return Err(Refusal::of("paid_at", "must not be in the future"));
    }
    if IDS_MAX < line.ids.len() {
        let why = format!("must have at most {IDS_MAX} ids");
        return Err(Refusal::of("ids", why));
    }
    let id = PaymentId {
        provider: line.provider,
        mode: line.mode,
        payment: line.payment,
    };
    let news = PaidNews {
        amount: line.amount,
        currency: line.currency,
        lines: Vec::new(),
        paid_at: Some(paid_at),
    };
    Ok(Deed::Payment(id, line.ids, news))
}
