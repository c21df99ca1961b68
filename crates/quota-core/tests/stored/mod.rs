//! One value of each form in which something is stored: with as little in it as can be, and with everything.

mod catalogs;
mod commands;
mod events;
mod gifts;
mod meters;
mod payments;
mod providers;
mod purchases;
mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use quota_core::amount::{Amount, Limit};
use quota_core::answer::{
    Answer, MemberBalance, OnDemandBalance, Released, RoomBalance, ScopeBalance, WindowBalance,
};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Given, Interval, Per};
use quota_core::change::{Change, Effect};
use quota_core::denial::{Denial, Reason};
use quota_core::draw::{Draw, Scope, Source};
use quota_core::home::Books;
use quota_core::ids::{
    AccountId, BoostId, FeatureCode, GrantId, MeterName, OrgId, PackCode, PlanCode, TokenId,
};
use quota_core::item::Item;
use quota_core::occupancy::Occupancy;
use quota_core::operation::{Elsewhere, Entry, Operation, OperationKind};
use quota_core::origin::Origin;
use quota_core::quantity::Quantity;
use quota_core::reservation::{Reservation, ReservationState};
use quota_core::sale::Sale;
use quota_core::share::Share;
use quota_core::terms::{
    Addon, AutoTopUp, FormerHome, GivenOverride, Lapse, LeftMember, Override, PlanChange, Policy,
    SpendCap, Status, Subscription, Terms, Token, TopUpFailure, TopUpOff, TopUpOffReason,
};
use uuid::Uuid;

use crate::Documents;

pub use catalogs::catalogs;
pub use commands::{commands, least_commands};
pub use events::events;
pub use gifts::code_gifts;
pub use meters::{meter_entries, meter_periods, meter_states};
pub use payments::{payment_disputes, payment_lines, payment_refunds};
pub use providers::{event_states, problem_kinds, provider_objects, sync_progress};
pub use terms::terms;

/// A value from its text.
fn of<T, E: Debug>(made: Result<T, E>) -> T {
    made.expect("a literal")
}

fn at(days: i64) -> DateTime<Utc> {
    let began: DateTime<Utc> = of("2027-03-01T00:00:00.000001Z".parse());
    began + TimeDelta::days(days)
}

fn feature(code: &str) -> FeatureCode {
    of(FeatureCode::new(code))
}

fn plan(code: &str) -> PlanCode {
    of(PlanCode::new(code))
}

fn account(id: &str) -> AccountId {
    of(AccountId::parse(id))
}

fn token() -> TokenId {
    of(TokenId::new("t1"))
}

fn grant() -> GrantId {
    of(GrantId::new("pack-1"))
}

fn boost() -> BoostId {
    of(BoostId::new("sale:1"))
}

fn amount(units: u64) -> Amount {
    of(Amount::new(units))
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn item() -> Item {
    Item {
        feature: feature("articles"),
        amount: amount(3),
    }
}

fn window() -> Bucket {
    Bucket::Window(feature("articles"), at(0).timestamp_micros())
}

fn tracked() -> Bucket {
    Bucket::Tracked(feature("articles"), at(0).timestamp_micros())
}

fn further() -> Bucket {
    let per = of(Per::parse("first_use-5h").ok_or("no limit"));
    Bucket::Further(feature("articles"), per, at(0).timestamp_micros())
}

fn on_demand() -> Bucket {
    Bucket::OnDemand(feature("articles"), at(0).timestamp_micros())
}

fn sale(per: u64) -> Sale {
    Sale {
        price: 4,
        per,
        currency: "eur".to_owned(),
        meter: (per != 1).then(|| of(MeterName::new("articles_used"))),
    }
}

pub fn books() -> Documents<Books> {
    let new = |bucket| Balance::new(bucket, Limit::Of(10), at(0));
    let full = Balance {
        bucket: window(),
        granted: Limit::Unlimited,
        used: 9,
        held: 2,
        overage: 1,
        starts_at: at(0),
        ends_at: Some(at(31)),
        priority: 7,
        rolled_over: 3,
        reset_sequence: 4,
        reset_at: Some(at(3)),
        began_as: Some(Bucket::Standing(feature("articles"))),
        moved_to: Some(tracked()),
        was_closed: true,
        reopenings: 2,
        sale: Some(Box::new(sale(1_000))),
        backing: Some(Box::new(purchases::backing())),
        told_days: 7,
    };
    let full = Books {
        balances: vec![
            full,
            new(tracked()),
            new(further()),
            new(Bucket::Standing(feature("albums"))),
            new(Bucket::Trial(feature("try_on"))),
            new(Bucket::Grant(grant())),
            new(Bucket::Boost(feature("articles"), boost())),
            new(Bucket::Room(feature("albums"))),
            new(Bucket::Token(token())),
            new(Bucket::TokenWindow(token(), at(1).timestamp_micros())),
            Balance {
                sale: Some(Box::new(sale(1))),
                ..new(on_demand())
            },
            Balance {
                backing: Some(Box::default()),
                ..new(Bucket::Grant(of(GrantId::new("pack-2"))))
            },
        ],
        lifetime: BTreeMap::from([(feature("articles"), 12)]),
        closed_grants: BTreeSet::from([of(GrantId::new("pack-0"))]),
        closed_boosts: BTreeSet::from([of(BoostId::new("sale:0"))]),
        waiting: vec![Balance {
            backing: Some(Box::new(purchases::least_backing())),
            ..new(Bucket::Grant(of(GrantId::new("stripe:cs_1:li_1"))))
        }],
        shares: BTreeMap::from([(window(), share()), (counted(), held_share())]),
        refunded: BTreeMap::from([(id(5), BTreeMap::from([(feature("articles"), 2)]))]),
        occupancy: BTreeMap::from([(feature("albums"), occupancy())]),
        org_occupancy: BTreeMap::from([(feature("albums"), Occupancy::default())]),
    };
    vec![("new", Books::default()), ("full", full)]
}

fn occupancy() -> Occupancy {
    Occupancy {
        drawn: 9,
        released: 2,
        gaps: vec![(4, 6)],
    }
}

fn share() -> Share {
    Share {
        units: 4,
        reset_sequence: 3,
        held: 0,
    }
}

/// What a member limit counts, and what of it is held.
fn counted() -> Bucket {
    Bucket::Member(feature("articles"), 1_800_000_000_000_000)
}

fn held_share() -> Share {
    Share { held: 2, ..share() }
}

fn subscription() -> Subscription {
    Subscription {
        plan: plan("pro"),
        plan_version: None,
        seats: Quantity::ONE,
        status: Status::Active,
        past_due_at: None,
        anchor_at: at(0),
        starts_at: at(0),
        ends_at: at(31),
        runs_since: None,
        plan_since: None,
        interval: Interval::Month,
        renews: false,
        renews_until: None,
        cancel_at: None,
        scheduled: None,
        upcoming: None,
        fell_back_at: None,
        end_recorded_at: None,
        provided: None,
    }
}

fn spend_cap() -> SpendCap {
    SpendCap {
        operator: Some(500),
        owner: Some(50),
    }
}

/// An operation of a member, whose row knows whose most of the balances are.
pub fn booked() -> (Operation, AccountId) {
    let of_others = ["org:left", "user:alice"].map(|owner| Entry {
        scope: Scope::Org,
        account: account(owner),
        ..entries()[0].1.clone()
    });
    let all = entries().into_iter().map(|(_, entry)| entry);
    let operation = Operation {
        id: id(7),
        account: account("user:alice"),
        sequence: 7,
        at: at(0),
        kind: OperationKind::Consume,
        key: None,
        body_hash: [0; 32],
        refers_to: None,
        entries: all.chain(of_others).collect(),
        answer: Answer::Unchanged,
        origin: Origin::default(),
    };
    (operation, account("org:acme"))
}

pub fn entries() -> Documents<Entry> {
    let least = Entry {
        scope: Scope::User,
        account: account("user:alice"),
        bucket: window(),
        feature: None,
        source: Source::Allowance,
        used: 0,
        held: 0,
        overage: 0,
        granted: 0,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    };
    let full = Entry {
        scope: Scope::Org,
        account: account("org:acme"),
        bucket: Bucket::Grant(grant()),
        feature: Some(feature("articles")),
        source: Source::Credits,
        used: 6,
        held: -6,
        overage: 2,
        granted: -1,
        unit_cost: 3,
        used_at: None,
        first_unit: None,
    };
    let of_source = |scope, source| Entry {
        scope,
        source,
        ..least.clone()
    };
    vec![
        ("least", least.clone()),
        ("full", full),
        ("room", of_source(Scope::User, Source::Room)),
        ("boost", of_source(Scope::User, Source::Boost)),
        ("on_demand", of_source(Scope::User, Source::OnDemand)),
        ("trial", of_source(Scope::Token, Source::Trial)),
        ("unlimited", of_source(Scope::User, Source::Unlimited)),
        ("overage", of_source(Scope::User, Source::Overage)),
        (
            "told_late",
            Entry {
                used_at: Some(at(5)),
                ..least.clone()
            },
        ),
        (
            "numbered",
            Entry {
                first_unit: Some(7),
                ..least
            },
        ),
    ]
}

fn window_balances() -> Vec<WindowBalance> {
    vec![
        WindowBalance {
            per: Cadence::Weekly,
            anchor: Anchor::Subscription,
            granted: Limit::Unlimited,
            added: None,
            used: 0,
            held: 0,
            overage: 0,
            remaining: None,
            rolled_over: 0,
            starts_at: None,
            resets_at: None,
        },
        WindowBalance {
            per: Cadence::Daily,
            anchor: Anchor::FirstUse,
            granted: Limit::Of(10),
            added: Some(Limit::Unlimited),
            used: 4,
            held: 3,
            overage: 2,
            remaining: Some(1),
            rolled_over: 5,
            starts_at: Some(at(0)),
            resets_at: Some(at(1)),
        },
    ]
}

fn scope_balances() -> Vec<ScopeBalance> {
    let least = ScopeBalance {
        scope: Scope::Token,
        feature: None,
        granted: None,
        used: 0,
        held: 0,
        overage: 0,
        remaining: None,
        plan_value: None,
        override_value: None,
        added: None,
        credits: None,
        boosts: 0,
        room: None,
        trial: None,
        resets_at: None,
        windows: Vec::new(),
        on_demand: None,
        member: None,
    };
    let full = ScopeBalance {
        scope: Scope::User,
        feature: Some(feature("articles")),
        granted: Some(Limit::Of(10)),
        used: 4,
        held: 3,
        overage: 2,
        remaining: Some(3),
        plan_value: Some(Limit::Of(5)),
        override_value: Some(Limit::Unlimited),
        added: Some(Limit::Of(6)),
        credits: Some(7),
        boosts: 6,
        room: Some(RoomBalance {
            granted: 5,
            used: 2,
            held: 1,
            remaining: 2,
        }),
        trial: Some(1),
        resets_at: Some(at(31)),
        windows: window_balances(),
        on_demand: Some(Box::new(OnDemandBalance {
            used: 5,
            held: 1,
            sale: sale(1),
            owed: 20,
            cap: 100,
            remaining: 19,
            starts_at: at(0),
            ends_at: Some(at(31)),
        })),
        member: Some(Box::new(MemberBalance {
            limit: Limit::Of(8),
            used: 4,
            held: 2,
            remaining: Some(2),
            plan_value: Some(Limit::Of(6)),
            all_value: Some(Limit::Unlimited),
            override_value: Some(Limit::Of(8)),
            resets_at: Some(at(31)),
        })),
    };
    vec![least, full]
}

pub fn answers() -> Documents<Answer> {
    let balances = scope_balances;
    let settled = |late| Answer::Settled {
        state: ReservationState::Committed,
        late,
        balances: Vec::new(),
        elsewhere: None,
    };
    let denied = |resets_at| Answer::Denied {
        feature: feature("articles"),
        requested: 3,
        denial: Denial {
            reason: Reason::LimitReached,
            scope: Scope::User,
            available: 1,
            of_scope: None,
            resets_at,
            window: resets_at.map(|_| Cadence::Weekly),
            lapse: resets_at.map(|_| Lapse::PastDue),
        },
        balances: balances(),
    };
    let changed = |detail: Option<&str>| Answer::Changed {
        change: Change::OverrideSet,
        detail: detail.map(str::to_owned),
        effect: detail.map(|_| Effect::IdleForUnlimited),
    };
    let reserved = Answer::Reserved {
        expires_at: at(1),
        balances: balances(),
    };
    let refunded = |elsewhere| Answer::Refunded {
        items: vec![item()],
        balances: balances(),
        elsewhere,
    };
    let elsewhere = Elsewhere {
        home: account("org:acme"),
        operation: id(7),
        entries: entries()
            .into_iter()
            .map(|(_, entry)| entry)
            .take(1)
            .collect(),
    };
    let part = |scope, amount| Released { scope, amount };
    let released = Answer::Released {
        released: vec![part(Scope::User, 0), part(Scope::Org, 2)],
        balances: balances(),
    };
    vec![
        (
            "allowed",
            Answer::Allowed {
                balances: balances(),
            },
        ),
        ("reserved", reserved),
        ("settled", settled(false)),
        ("settled_late", settled(true)),
        ("denied", denied(Some(at(31)))),
        ("denied_for_good", denied(None)),
        ("refunded", refunded(None)),
        ("refunded_in_two_homes", refunded(Some(Box::new(elsewhere)))),
        ("released", released),
        ("changed", changed(Some("articles: 5"))),
        ("changed_without_detail", changed(None)),
        ("unchanged", Answer::Unchanged),
    ]
}

pub fn reservations() -> Documents<Reservation> {
    let least = Reservation {
        id: id(7),
        account: account("user:alice"),
        token: None,
        feature: feature("articles"),
        amount: 3,
        draws: Vec::new(),
        expires_at: at(1),
        state: ReservationState::Open,
        ended_by: None,
        late_commit: None,
    };
    let draw = |source, unit_cost| Draw {
        scope: Scope::User,
        bucket: window(),
        further: if unit_cost == 1 {
            Vec::new()
        } else {
            vec![further()]
        },
        source,
        amount: 3,
        unit_cost,
    };
    let full = Reservation {
        token: Some(token()),
        draws: vec![draw(Source::Allowance, 1), draw(Source::Credits, 3)],
        state: ReservationState::Expired,
        ended_by: Some(id(8)),
        late_commit: Some(id(9)),
        ..least.clone()
    };
    let in_state = |state| Reservation {
        state,
        ..least.clone()
    };
    vec![
        ("open", least.clone()),
        ("full", full),
        ("committed", in_state(ReservationState::Committed)),
        ("released", in_state(ReservationState::Released)),
    ]
}

pub fn origins() -> Documents<Origin> {
    let said = |word: &str| Some(word.to_owned());
    let full = Origin {
        actor: said("ops"),
        request_id: said("req-1"),
        resource_type: said("article"),
        resource_id: said("42"),
        reason: said("a gift"),
    };
    vec![("unknown", Origin::default()), ("full", full)]
}

pub fn reasons() -> Documents<Reason> {
    vec![
        ("unknown_user", Reason::UnknownUser),
        ("unknown_feature", Reason::UnknownFeature),
        ("account_disabled", Reason::AccountDisabled),
        ("token_revoked", Reason::TokenRevoked),
        ("token_expired", Reason::TokenExpired),
        ("token_exhausted", Reason::TokenExhausted),
        ("subscription_expired", Reason::SubscriptionExpired),
        ("no_subscription", Reason::NoSubscription),
        ("not_in_plan", Reason::NotInPlan),
        ("spend_cap_reached", Reason::SpendCapReached),
        ("limit_reached", Reason::LimitReached),
        ("credits_exhausted", Reason::CreditsExhausted),
        ("member_limit_reached", Reason::MemberLimitReached),
        ("org_disabled", Reason::OrgDisabled),
        ("org_subscription_expired", Reason::OrgSubscriptionExpired),
        ("org_not_in_plan", Reason::OrgNotInPlan),
        ("org_limit_reached", Reason::OrgLimitReached),
        ("payment_overdue", Reason::PaymentOverdue),
    ]
}

/// The kinds of operations, a word in a column of their own.
pub fn kinds() -> Documents<OperationKind> {
    let kinds = [
        OperationKind::Consume,
        OperationKind::Track,
        OperationKind::Reserve,
        OperationKind::Commit,
        OperationKind::Release,
        OperationKind::Extend,
        OperationKind::Expire,
        OperationKind::Refund,
        OperationKind::ReleaseCapacity,
        OperationKind::Reset,
        OperationKind::Change,
        OperationKind::Close,
    ];
    kinds.map(|kind| (kind.as_str(), kind)).into()
}
