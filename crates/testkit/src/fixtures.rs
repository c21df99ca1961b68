//! Small values for tests, each plain and valid; a test changes what it is about.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "literals of tests: a wrong one is a bug"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{AMOUNT_MAX, COUNT_MAX, Limit};
use quota_core::answer::{Answer, OnDemandBalance};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Catalog, Interval, Per};
use quota_core::change::Change;
use quota_core::draw::{Draw, Scope, Source};
use quota_core::event::{Event, EventKind};
use quota_core::home::{Account, Books};
use quota_core::ids::{
    AccountId, FeatureCode, GrantId, IdempotencyKey, MeterName, OrgId, PlanCode, ProviderCode,
    SubscriptionRef, UserId,
};
use quota_core::operation::{Entry, Operation, OperationKind, id_at};
use quota_core::origin::Origin;
use quota_core::ports::{AccountWrite, HomeQuery, HomeWrite, KeyQuery, LoadQuery, WriteBatch};
use quota_core::provider::Provided;
use quota_core::purchase::Backing;
use quota_core::quantity::{QUANTITY_MAX, Quantity};
use quota_core::reservation::{Reservation, ReservationState};
use quota_core::sale::Sale;
use quota_core::terms::{Addon, PlanChange, Policy, SpendCap, Status, Subscription, Terms};
use uuid::Uuid;

/// So many seconds after the first instant of 2026.
pub fn instant(seconds: i64) -> DateTime<Utc> {
    const YEAR_2026: i64 = 1_767_225_600;
    DateTime::from_timestamp(YEAR_2026, 0).expect("in range") + TimeDelta::seconds(seconds)
}

/// An id that no other call got; grows.
pub fn next_id() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(1);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128((0x019b_0000 << 96) | u128::from(number) << 40)
}

/// The account of a user.
pub fn user(id: &str) -> AccountId {
    AccountId::user(&UserId::new(id).expect("a user id"))
}

/// The account of an org.
pub fn org(id: &str) -> AccountId {
    AccountId::org(&OrgId::new(id).expect("an org id"))
}

/// The code of a feature, from a literal.
pub fn feature(code: &str) -> FeatureCode {
    FeatureCode::new(code).expect("a feature code")
}

/// The code of a plan, from a literal.
pub fn plan(code: &str) -> PlanCode {
    PlanCode::new(code).expect("a plan code")
}

/// A subscription of which everything is said that can be.
pub fn subscription(anchor_at: DateTime<Utc>) -> Subscription {
    Subscription {
        plan: plan("pro.v-1_a"),
        plan_version: Some(u32::MAX),
        seats: Quantity::new(QUANTITY_MAX).expect("the most there may be"),
        status: Status::PastDue,
        past_due_at: Some(instant(1)),
        anchor_at,
        starts_at: instant(2),
        ends_at: instant(3),
        runs_since: Some(instant(-7)),
        plan_since: Some(instant(-6)),
        interval: Interval::Year,
        renews: true,
        renews_until: Some(instant(9)),
        cancel_at: Some(instant(4)),
        scheduled: Some(PlanChange {
            plan: plan("free"),
            at: instant(5),
        }),
        upcoming: None,
        end_recorded_at: Some(instant(6)),
        fell_back_at: Some(instant(8)),
        provided: Some(Box::new(provided())),
    }
}

/// What a provider has, under an odd name.
pub fn provided() -> Provided {
    Provided {
        provider: ProviderCode::new("stripe").expect("a provider's code"),
        subscription: SubscriptionRef::new("sub'1\"¤").expect("a reference"),
        fetched_at: instant(7),
    }
}

/// Add-ons with as much as may be said of one, and with as little.
pub fn addons(starts_at: DateTime<Utc>) -> BTreeMap<PlanCode, Addon> {
    let least = Addon {
        plan_version: None,
        quantity: Quantity::ONE,
        starts_at,
        ends_at: None,
        provided: None,
    };
    let full = Addon {
        plan_version: Some(u32::MAX),
        quantity: Quantity::new(QUANTITY_MAX).expect("the most there may be"),
        starts_at,
        ends_at: Some(instant(8)),
        provided: Some(Box::new(provided())),
    };
    BTreeMap::from([(plan("more"), least), (plan("most.v-1_a"), full)])
}

/// An idempotency key, from a literal.
pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}

/// A key of an account.
pub fn key_of(account: &AccountId, text: &str) -> KeyQuery {
    KeyQuery {
        account: account.clone(),
        key: key(text),
    }
}

/// A credit grant's bucket.
pub fn grant(id: &str) -> Bucket {
    Bucket::Grant(GrantId::new(id).expect("a grant id"))
}

/// Terms that say nothing.
pub fn terms() -> Terms {
    Terms {
        created_at: instant(0),
        time_zone: "UTC".parse().expect("a zone"),
        disabled: false,
        unlimited: false,
        unlimited_by_default: false,
        org: None,
        policy: Policy::Enforce,
        subscription: None,
        trial_settled_at: None,
        addons: BTreeMap::new(),
        overrides: BTreeMap::new(),
        given: BTreeMap::new(),
        tokens: BTreeMap::new(),
        former_homes: Vec::new(),
        left_members: BTreeMap::new(),
        members: 0,
        member_limits: BTreeMap::new(),
        spend_cap: SpendCap::default(),
        auto_top_up: None,
        last_event: 0,
    }
}

/// A balance with so much granted and used.
pub fn balance(bucket: Bucket, granted: u64, used: u64) -> Balance {
    Balance {
        used,
        ..Balance::new(bucket, Limit::Of(granted), instant(0))
    }
}

/// An account that has used so much of `articles`.
pub fn account(used: u64) -> Account {
    let bucket = Bucket::Standing(feature("articles"));
    Account {
        terms: terms(),
        books: Books {
            balances: vec![balance(bucket, 1_000_000, used)],
            ..Books::default()
        },
    }
}

/// An account in a write.
pub fn account_write(id: &AccountId, account: Account) -> AccountWrite {
    AccountWrite {
        has_new_terms: true,
        id: id.clone(),
        account: account.into(),
        due_at: None,
    }
}

/// An entry that uses one unit of a balance.
pub fn entry(account: &AccountId, bucket: Bucket) -> Entry {
    Entry {
        scope: Scope::User,
        account: account.clone(),
        bucket,
        feature: Some(feature("articles")),
        source: Source::Allowance,
        used: 1,
        held: 0,
        overage: 0,
        granted: 0,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    }
}

/// A consumption of one article, at `sequence` seconds.
pub fn operation(account: &AccountId, sequence: u64) -> Operation {
    Operation {
        id: id_at(next_id(), sequence),
        account: account.clone(),
        sequence,
        at: instant(i64::try_from(sequence).unwrap_or(0)),
        kind: OperationKind::Consume,
        key: None,
        body_hash: [7; 32],
        refers_to: None,
        entries: vec![entry(account, Bucket::Standing(feature("articles")))],
        answer: Answer::Allowed {
            balances: Vec::new(),
        },
        origin: Origin::default(),
    }
}

/// An open hold of three articles.
pub fn reservation(account: &AccountId, expires_at: DateTime<Utc>) -> Reservation {
    Reservation {
        id: next_id(),
        account: account.clone(),
        token: None,
        feature: feature("articles"),
        amount: 3,
        draws: vec![Draw {
            scope: Scope::User,
            bucket: Bucket::Standing(feature("articles")),
            further: Vec::new(),
            source: Source::Allowance,
            amount: 3,
            unit_cost: 1,
        }],
        expires_at,
        state: ReservationState::Open,
        ended_by: None,
        late_commit: None,
    }
}

/// An event of an account in its home; its number is that of the operation's place.
pub fn event(home: &AccountId, account: &AccountId, sequence: u64) -> Event {
    Event {
        number: sequence,
        id: next_id(),
        home: home.clone(),
        account: account.clone(),
        sequence,
        at: instant(i64::try_from(sequence).unwrap_or(0)),
        kind: EventKind::QuotaUpdated {
            reason: Change::OverrideSet,
        },
    }
}

/// The operations as a write has them.
pub fn shared(operations: &[Operation]) -> Vec<Arc<Operation>> {
    operations.iter().cloned().map(Arc::new).collect()
}

/// Creates a home with its own account, by one operation.
pub fn first_write(home: &AccountId) -> HomeWrite {
    next_write(home, 0)
}

/// One operation on a home at `version`: its own account has used as many as there are operations.
pub fn next_write(home: &AccountId, version: u64) -> HomeWrite {
    let sequence = version + 1;
    HomeWrite {
        home: home.clone(),
        expected_version: version,
        new_version: sequence,
        hold_before: None,
        accounts: vec![account_write(home, account(sequence))],
        operations: vec![operation(home, sequence).into()],
        reservations: Vec::new(),
        events: Vec::new(),
        closed: Vec::new(),
        unseen_keys: Vec::new(),
    }
}

/// One write for homes, with no catalog and no lease.
pub fn batch(homes: Vec<HomeWrite>) -> WriteBatch {
    WriteBatch {
        catalog_version: 0,
        keys_since: instant(-604_800),
        lease: None,
        homes,
    }
}

/// A home's own account and nothing else.
pub fn home_query(home: &AccountId) -> HomeQuery {
    HomeQuery::of(home.clone())
}

/// What is wanted of homes at second 0.
pub fn load_query(homes: Vec<HomeQuery>) -> LoadQuery {
    LoadQuery {
        now: instant(0),
        keys_since: instant(-604_800),
        homes,
    }
}

/// An empty catalog of that version.
pub fn catalog(version: u64) -> Catalog {
    Catalog {
        version,
        ..Catalog::default()
    }
}

/// A price with the largest numbers.
pub fn odd_sale() -> Sale {
    Sale {
        price: AMOUNT_MAX,
        per: COUNT_MAX,
        currency: "¤'\"".to_owned(),
        meter: MeterName::new("¤'\"").ok(),
    }
}

/// All that a grant may be worth less, at its largest.
pub fn odd_backing() -> Backing {
    Backing {
        revoked: AMOUNT_MAX,
        frozen: COUNT_MAX,
        purchase: None,
    }
}

/// How a feature stands that is sold at that.
pub fn odd_on_demand() -> OnDemandBalance {
    OnDemandBalance {
        used: COUNT_MAX,
        held: 1,
        sale: odd_sale(),
        owed: u64::MAX,
        cap: AMOUNT_MAX,
        remaining: 2,
        starts_at: instant(-1),
        ends_at: Some(instant(9)),
    }
}

/// What a limit of the calendar week is counted by.
pub fn weekly() -> Per {
    Per {
        cadence: Cadence::Weekly,
        anchor: Anchor::Calendar,
    }
}
