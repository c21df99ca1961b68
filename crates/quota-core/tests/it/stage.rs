//! A stage: one home in memory, with its catalog and clock; what a store does is played by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::answer::{Answer, Rejection, ScopeBalance};
use quota_core::balance::Bucket;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::command::{
    AccountSpec, Command, Commit, Consume, GrantCredits, Presence, PutAccount, PutToken, Reads,
    Refund, ReleaseCapacity, Request, Reserve, Subscribe, Track,
};
use quota_core::denial::Denial;
use quota_core::draw::Scope;
use quota_core::event::Event;
use quota_core::home::{ClosedBalance, Home, Referred};
use quota_core::ids::{AccountId, FeatureCode, GrantId, IdempotencyKey, OrgId, PlanCode, TokenId};
use quota_core::item::Item;
use quota_core::operation::{Operation, OperationKind};
use quota_core::origin::Origin;
use quota_core::ports::{AuditHome, ClosedKind, ClosedQuery};
use quota_core::reservation::{Reservation, ReservationState};
use quota_core::rules::context::Context;
use quota_core::rules::execute::execute;
use quota_core::rules::former::{Homes, Needs, settle_former};
use quota_core::rules::outcome::Outcome;
use uuid::Uuid;

/// How long a past-due subscription stays in force.
pub const GRACE: TimeDelta = TimeDelta::hours(72);

/// The instant at which every stage begins.
pub fn start() -> DateTime<Utc> {
    "2027-03-10T12:00:00Z".parse().expect("a literal instant")
}

/// One home, everything that its store keeps, and the clock.
pub struct Stage {
    pub now: DateTime<Utc>,
    pub catalog: Catalog,
    pub home: Home,
    pub operations: Vec<Operation>,
    pub reservations: BTreeMap<Uuid, Reservation>,
    pub closed: BTreeMap<(AccountId, Bucket), ClosedBalance>,
    pub events: Vec<Event>,
    /// What `user:a` closed in the homes that it left.
    pub left_closed: Vec<ClosedBalance>,
    ids: u128,
}

impl Stage {
    /// An empty home of that name.
    pub fn new(home: &str) -> Self {
        Self {
            now: start(),
            catalog: catalog(),
            home: Home::empty(id(home)),
            operations: Vec::new(),
            reservations: BTreeMap::new(),
            closed: BTreeMap::new(),
            events: Vec::new(),
            left_closed: Vec::new(),
            // Of two homes no operations have the same id.
            ids: u128::from(home.starts_with("org")) << 64,
        }
    }

    /// A user without an org, subscribed to `plan` unless that is empty.
    pub fn user(plan: &str) -> Self {
        let mut stage = Self::new("user:a");
        stage.done("user:a", put_account(AccountSpec::default()));
        if !plan.is_empty() {
            stage.done("user:a", subscribe(plan));
        }
        stage
    }

    /// An org without members, subscribed to `plan` unless that is empty.
    pub fn org_alone(plan: &str) -> Self {
        let mut stage = Self::new("org:o");
        stage.done("org:o", put_account(AccountSpec::default()));
        if !plan.is_empty() {
            stage.done("org:o", subscribe(plan));
        }
        stage
    }

    /// The same, with an unlimited member `user:a`.
    pub fn org(plan: &str) -> Self {
        let mut stage = Self::org_alone(plan);
        stage.done("user:a", put_account(member()));
        stage
    }

    /// Gives all versions of a plan a trial period.
    pub fn with_trial(&mut self, plan: &str, days: u16) {
        let versions = self.catalog.plans.get_mut(&plan_code(plan));
        for version in versions.expect("a plan of the stage") {
            version.trial_days = Some(days);
        }
    }

    /// With what commands are decided now.
    pub fn context(&self) -> Context<'_> {
        Context {
            now: self.now,
            catalog: &self.catalog,
            grace: GRACE,
        }
    }

    /// Time passes.
    pub fn later(&mut self, by: TimeDelta) {
        self.now += by;
    }

    /// Carries a command out; what changed is kept as a store would.
    pub fn run(&mut self, account: &str, command: Command) -> Result<Outcome, Rejection> {
        let request = self.request(account, command);
        self.ask(&request)
    }

    /// A request with the next id and without a key.
    pub fn request(&mut self, account: &str, command: Command) -> Request {
        // The end of a hold takes the odd id beside it.
        self.ids += 2;
        let text = format!("{account} {command:?}");
        let mut body_hash = [0; 32];
        for (at, byte) in text.bytes().enumerate() {
            body_hash[at % 32] = byte.wrapping_add(31_u8.wrapping_mul(body_hash[at % 32]));
        }
        Request {
            id: Uuid::from_u128(self.ids),
            account: id(account),
            key: None,
            body_hash,
            command,
            origin: Origin::default(),
        }
    }

    /// Carries a request out.
    pub fn ask(&mut self, request: &Request) -> Result<Outcome, Rejection> {
        self.load(&request.command);
        let catalog = self.catalog.clone();
        let context = Context {
            now: self.now,
            catalog: &catalog,
            grace: GRACE,
        };
        let outcome = execute(&mut self.home, request, &context);
        self.keep();
        outcome
    }

    /// Carries several requests out on the home as it was loaded for the first, and keeps what changed once.
    pub fn one_batch(&mut self, requests: &[Request]) {
        let catalog = self.catalog.clone();
        let context = Context {
            now: self.now,
            catalog: &catalog,
            grace: GRACE,
        };
        self.load(&requests[0].command);
        for request in requests {
            execute(&mut self.home, request, &context).expect("it fits");
        }
        self.keep();
    }

    /// Carries out what refers to a home that the account left; both homes are kept as a store would.
    pub fn settle_former(
        &mut self,
        former: &mut Self,
        command: Command,
    ) -> Result<Operation, Rejection> {
        self.settle_over(&mut [former], command)
    }

    /// The same over any number of other homes.
    pub fn settle_over(
        &mut self,
        others: &mut [&mut Self],
        command: Command,
    ) -> Result<Operation, Rejection> {
        let request = self.request("user:a", command);
        self.load(&request.command);
        for other in &mut *others {
            other.load(&request.command);
        }
        let mut homes = std::iter::once(&*self).chain(others.iter().map(|other| &**other));
        let needs = homes.find_map(|stage| {
            let needs = Needs::of(&stage.home, &request);
            (needs != Needs::default()).then_some(needs)
        });
        let needs = needs.unwrap_or_default();
        self.load_needed(&needs);
        for other in &mut *others {
            other.load_needed(&needs);
        }
        let before = self.home.clone();
        let others_before: Vec<Home> = others.iter().map(|other| other.home.clone()).collect();
        let catalog = self.catalog.clone();
        let context = Context {
            now: self.now,
            catalog: &catalog,
            grace: GRACE,
        };
        let left_closed = others.iter().flat_map(|other| other.home.closed.clone());
        let left_closed = left_closed.filter(|closed| closed.account == request.account);
        let homes = Homes {
            left_closed: left_closed.collect(),
            present: &mut self.home,
            others: others.iter_mut().map(|other| &mut other.home).collect(),
        };
        let outcome = settle_former(homes, &request, &context);
        if outcome.is_err() {
            self.home = before;
            for (other, before) in others.iter_mut().zip(others_before) {
                other.home = before;
            }
        }
        self.keep();
        for other in others {
            other.keep();
        }
        outcome.map(|outcome| Arc::unwrap_or_clone(outcome.operation))
    }

    /// As a store loads what a refund over several homes needs beside the operation.
    fn load_needed(&mut self, needs: &Needs) {
        if let Some((home, operation)) = &needs.part
            && *home == self.home.id
            && let Some(referred) = self.referred(*operation)
        {
            self.home.referred.insert(*operation, referred);
        }
        self.load_closed(&needs.closed);
    }

    /// As a store loads these closed balances.
    pub fn load_closed(&mut self, asked: &[ClosedQuery]) {
        let is_asked = |closed: &&ClosedBalance| {
            let mut asked = asked.iter();
            asked.any(|asked| asked.holds(&closed.account, &closed.balance.bucket))
        };
        let found = self.closed.values().filter(is_asked);
        self.home.closed = found.cloned().collect();
    }

    /// As a store loads it: due holds, and what the command refers to.
    fn load(&mut self, command: &Command) {
        let (named, mut referred) = match command.traits().reads {
            Reads::Reservation(reservation) => (Some(reservation), Vec::new()),
            Reads::Operation(operation) => (None, vec![operation]),
            Reads::Account
            | Reads::Stored
            | Reads::Grants
            | Reads::Boosts
            | Reads::Purchases
            | Reads::Counters
            | Reads::TokenCounts
            | Reads::Windows(_) => (None, Vec::new()),
        };
        let is_open = |held: &&Reservation| held.state == ReservationState::Open;
        let is_due = |held: &Reservation| {
            held.state == ReservationState::Open && held.expires_at <= self.now
        };
        let loaded = self
            .reservations
            .values()
            .filter(|held| is_due(held) || named == Some(held.id));
        self.home.reservations = loaded.map(|held| (held.id, held.clone())).collect();
        let open = self
            .reservations
            .values()
            .filter(is_open)
            .map(|held| held.expires_at);
        self.home.hold_before = open.filter(|at| *at > self.now).min();
        if let Some(held) = named.and_then(|named| self.reservations.get(&named)) {
            referred.extend(held.ended_by.iter().chain(&held.late_commit));
        }
        let known = referred
            .into_iter()
            .filter_map(|id| Some((id, self.referred(id)?)));
        self.home.referred = known.collect();
        let asked = ClosedKind::read_by(command.traits().reads);
        let is_asked = |closed: &&ClosedBalance| {
            let (account, bucket) = (&closed.account, &closed.balance.bucket);
            asked.iter().cloned().any(|what| {
                let account = account.clone();
                ClosedQuery { account, what }.holds(&closed.account, bucket)
            })
        };
        let all = self.closed.values().chain(&self.left_closed);
        self.home.closed = all.filter(is_asked).cloned().collect();
    }

    fn referred(&self, id: Uuid) -> Option<Referred> {
        let operation = self.operations.iter().find(|found| found.id == id)?.clone();
        let is_refund =
            |found: &&Operation| found.kind == OperationKind::Refund && found.refers_to == Some(id);
        let of_entry = |entry: &quota_core::operation::Entry| {
            self.closed
                .get(&(entry.account.clone(), entry.bucket.clone()))
                .cloned()
        };
        Some(Referred {
            refunds: self.operations.iter().filter(is_refund).cloned().collect(),
            closed: operation.entries.iter().filter_map(of_entry).collect(),
            operation,
        })
    }

    fn keep(&mut self) {
        let changes = std::mem::take(&mut self.home.changes);
        for id in changes.reservations {
            self.reservations
                .insert(id, self.home.reservations[&id].clone());
        }
        for closed in changes.closed {
            let is_known = closed.balance.was_closed || closed.balance.bucket.is_given();
            let key = (closed.account.clone(), closed.balance.bucket.clone());
            let before = self.closed.insert(key, closed);
            assert!(is_known || before.is_none(), "overwritten: {before:?}");
        }
        let booked = changes.operations.into_iter().map(Arc::unwrap_or_clone);
        self.operations.extend(booked);
        self.events.extend(changes.events);
        self.home.reservations.clear();
        self.home.referred.clear();
        self.home.closed.clear();
    }

    /// Everything that is kept, as the auditor reads it.
    pub fn records(&self) -> AuditHome {
        let open = self
            .reservations
            .values()
            .filter(|held| held.state == ReservationState::Open);
        AuditHome {
            home: self.home.id.clone(),
            version: self.home.version,
            hold_before: open.map(|held| held.expires_at).min(),
            accounts: self
                .home
                .accounts
                .iter()
                .map(|(id, account)| (id.clone(), account.as_ref().clone()))
                .collect(),
            closed: self.closed.values().cloned().collect(),
            reservations: self.reservations.values().cloned().collect(),
            operations: self.operations.clone(),
        }
    }

    /// A command that must be carried out.
    pub fn done(&mut self, account: &str, command: Command) -> Operation {
        let outcome = self.run(account, command).expect("it fits");
        assert!(
            outcome.operation.answer.is_allowed(),
            "{:?}",
            outcome.operation.answer
        );
        Arc::unwrap_or_clone(outcome.operation)
    }

    /// A request that must be denied.
    pub fn denied(&mut self, account: &str, command: Command) -> Denial {
        let outcome = self.run(account, command).expect("a denial is an outcome");
        let Answer::Denied { denial, .. } = &outcome.operation.answer else {
            unreachable!("expected a denial, got {:?}", outcome.operation.answer)
        };
        *denial
    }

    /// Used, held and overage of a scope for a feature, as a check with no effect would say now.
    pub fn standing(&mut self, account: &str, scope: Scope, feature: &str) -> (u64, u64, u64) {
        let balance = self.balance_of(account, scope, feature, None);
        (balance.used, balance.held, balance.overage)
    }

    /// What a new request can still get of the allowance.
    pub fn remaining(&mut self, account: &str, feature: &str) -> Option<u64> {
        let scope = if account.starts_with("org") {
            Scope::Org
        } else {
            Scope::User
        };
        self.balance_of(account, scope, feature, None).remaining
    }

    /// A scope as it stands: the allowance that counts now, or the token's cap.
    pub fn balance_of(
        &mut self,
        account: &str,
        scope: Scope,
        feature: &str,
        token: Option<&str>,
    ) -> ScopeBalance {
        use quota_core::rules::scope_balances::{scope_balance, token_balance};
        let found = &self.home.accounts[&id(account)];
        if let Some(token) = token {
            return token_balance(found, &token_id(token), self.now).expect("the token is known");
        }
        let (feature, context) = (&self.catalog.features[&code(feature)], self.context());
        let own = context.allowance(found, feature);
        scope_balance(&context, scope, found, feature, &own)
    }

    /// Units used in all its life.
    pub fn lifetime(&self, account: &str, feature: &str) -> u64 {
        let books = &self.home.accounts[&id(account)].books;
        books.lifetime.get(&code(feature)).copied().unwrap_or(0)
    }

    /// The live balance of a grant: used and held.
    pub fn grant(&self, account: &str, grant: &str) -> (u64, u64) {
        let bucket = Bucket::Grant(GrantId::new(grant).expect("a literal id"));
        let found = self.home.accounts[&id(account)]
            .books
            .balance(&bucket)
            .expect("it is live");
        (found.used, found.held)
    }
}

pub fn id(text: &str) -> AccountId {
    AccountId::parse(text).expect("a literal id")
}

pub fn code(text: &str) -> FeatureCode {
    FeatureCode::new(text).expect("a literal code")
}

pub fn plan_code(text: &str) -> PlanCode {
    PlanCode::new(text).expect("a literal code")
}

pub fn token_id(text: &str) -> TokenId {
    TokenId::new(text).expect("a literal id")
}

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a literal key")
}

pub fn amount(value: u64) -> Amount {
    Amount::new(value).expect("a literal amount")
}

pub fn item(feature: &str, value: u64) -> Item {
    Item {
        feature: code(feature),
        amount: amount(value),
    }
}

/// A new member of the org, unlimited as by default.
pub fn member() -> AccountSpec {
    AccountSpec {
        org: Some(OrgId::new("o").expect("a literal id")),
        ..AccountSpec::default()
    }
}

pub fn put_account(spec: AccountSpec) -> Command {
    Command::PutAccount(PutAccount {
        presence: Presence::Any,
        spec,
    })
}

pub fn consume(feature: &str, value: u64) -> Command {
    Command::Consume(Consume {
        token: None,
        items: vec![item(feature, value)],
    })
}

pub fn consume_with(token: &str, feature: &str, value: u64) -> Command {
    Command::Consume(Consume {
        token: Some(token_id(token)),
        items: vec![item(feature, value)],
    })
}

pub fn track(feature: &str, value: u64) -> Command {
    Command::Track(Track {
        token: None,
        items: vec![item(feature, value)],
        at: None,
    })
}

/// Use that is told late.
pub fn track_at(at: DateTime<Utc>, items: Vec<Item>) -> Command {
    Command::Track(Track {
        token: None,
        items,
        at: Some(at),
    })
}

pub fn release_capacity(feature: &str, value: u64) -> Command {
    Command::ReleaseCapacity(ReleaseCapacity {
        feature: code(feature),
        amount: amount(value),
    })
}

pub fn reserve(feature: &str, value: u64, ttl_seconds: u32) -> Command {
    Command::Reserve(Reserve {
        token: None,
        feature: code(feature),
        amount: amount(value),
        ttl_seconds,
    })
}

pub fn commit(reservation: Uuid, actual: u64) -> Command {
    Command::Commit(Commit {
        reservation,
        actual,
    })
}

pub fn refund(operation: Uuid, value: Option<u64>) -> Command {
    Command::Refund(Refund {
        operation,
        feature: None,
        amount: value.map(amount),
    })
}

pub fn put_token(token: &str, cap: Limit) -> Command {
    Command::PutToken(PutToken {
        token: token_id(token),
        presence: Presence::Any,
        cap: Some(cap),
        per: None,
        expires_at: None,
    })
}

pub fn subscribe(plan: &str) -> Command {
    Command::Subscribe(Subscribe::to(plan_code(plan)))
}

pub fn grant(grant: &str, credits: u64) -> Command {
    Command::GrantCredits(GrantCredits {
        grant: GrantId::new(grant).expect("a literal id"),
        credits: amount(credits),
        priority: 0,
        expires_at: None,
    })
}

/// Every kind of feature, and plans that differ in each.
pub fn catalog() -> Catalog {
    let file: CatalogFile = serde_json::from_value(serde_json::json!({
        "feature": [
            {"code": "articles", "name": "Articles", "unit": "article", "kind": "consumable", "cadence": "monthly"},
            {"code": "requests", "name": "Requests", "unit": "request", "kind": "consumable", "cadence": "daily",
             "anchor": "calendar"},
            {"code": "try_on", "name": "Try-on", "unit": "try", "kind": "consumable", "cadence": "monthly",
             "credit_cost": 1, "trial_limit": 3},
            {"code": "renders", "name": "Renders", "unit": "render", "kind": "consumable",
             "cadence": "subscription", "credit_cost": 2},
            {"code": "lessons", "name": "Lessons", "unit": "lesson", "kind": "consumable",
             "cadence": "subscription", "on_renewal": "carry"},
            {"code": "storage", "name": "Storage", "unit": "kB", "kind": "capacity", "cadence": "subscription",
             "scale": 10},
            {"code": "albums", "name": "Albums", "unit": "album", "kind": "capacity", "cadence": "subscription",
             "on_renewal": "reset"},
            {"code": "projects", "name": "Projects", "unit": "project", "kind": "capacity", "cadence": "subscription",
             "credit_cost": 1, "trial_limit": 2},
        ],
        "plan": [
            {"code": "free", "name": "Free", "limits": {"articles": 5, "requests": 3, "storage": 1}},
            {"code": "basic", "name": "Basic", "price": 500,
             "limits": {"articles": {"limit": 50, "per_seat": true}, "requests": 5, "albums": 2, "storage": 5}},
            {"code": "pro", "name": "Pro", "price": 900,
             "limits": {"articles": 100, "requests": 10, "try_on": 10, "renders": 5, "lessons": 20,
                        "storage": 10, "albums": 5, "projects": 3}},
            {"code": "max", "name": "Max", "price": 90000, "interval": "year",
             "limits": {"articles": "unlimited", "requests": 100, "storage": "unlimited"}},
            {"code": "meter", "name": "Meter", "price": 500, "currency": "eur",
             "limits": {"articles": 10, "requests": 5, "try_on": 10},
             "on_demand": {"articles": {"price": 4, "cap": 100}, "try_on": {"price": 3, "per": 2, "cap": 50}}},
        ],
    }))
    .expect("a literal catalog");
    Catalog::default().applied(&file).expect("a valid catalog")
}
