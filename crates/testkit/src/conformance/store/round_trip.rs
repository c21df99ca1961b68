//! Every field comes back as it was written, odd values too.

use super::{Store, all, put};
use crate::fixtures::{
    account, addons, balance, feature, first_write, instant, key, next_id, odd_backing,
    odd_on_demand, odd_sale, operation, org, reservation, shared, subscription, user, weekly,
};
use chrono::TimeDelta;
use quota_core::amount::{AMOUNT_MAX, Amount, COUNT_MAX, Limit};
use quota_core::answer::{Answer, MemberBalance, RoomBalance, ScopeBalance, WindowBalance};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence};
use quota_core::change::{Change, Effect};
use quota_core::denial::{Denial, Reason};
use quota_core::draw::{Draw, Scope, Source};
use quota_core::home::Account;
use quota_core::ids::{BoostId, GrantId, TokenId};
use quota_core::item::Item;
use quota_core::operation::{Elsewhere, Entry, Operation, OperationKind};
use quota_core::origin::Origin;
use quota_core::reservation::ReservationState;
use quota_core::share::Share;
use quota_core::terms::{Lapse, Override, Policy, Token};

/// Quotes, a backslash, a line break, a percent sign, an emoji and a combining mark.
pub(super) const ODD: &str = "it's \"odd\" \\ \n % _ ; -- 🦀 e\u{301} 数";

fn token(id: &str) -> TokenId {
    TokenId::new(id).expect("a token id")
}

pub(super) fn odd_instant() -> chrono::DateTime<chrono::Utc> {
    instant(-3_000_000_000) + TimeDelta::microseconds(123_457)
}

fn full_account() -> Account {
    let mut full = account(0);
    full.terms.created_at = odd_instant();
    full.terms.time_zone = "America/Argentina/Buenos_Aires".parse().expect("a zone");
    full.terms.disabled = true;
    full.terms.unlimited = true;
    full.terms.org = Some(quota_core::ids::OrgId::new("o'r\"g:1 ü").expect("an org id"));
    full.terms.policy = Policy::Track;
    full.terms.subscription = Some(subscription(odd_instant()));
    full.terms.members = u64::MAX >> 1;
    full.terms.addons = addons(odd_instant());
    let limits = [Limit::Unlimited, Limit::Of(0), Limit::Of(AMOUNT_MAX)];
    for (number, limit) in limits.into_iter().enumerate() {
        let given = Override {
            limit,
            expires_at: (number > 0).then(odd_instant),
            reason: (number > 0).then(|| ODD.to_owned()),
            actor: (number > 1).then(|| ODD.to_owned()),
        };
        let code = feature(&format!("f{number}"));
        full.terms.overrides.insert(code, given);
        let held = Token {
            expires_at: (number > 0).then(odd_instant),
            revoked_at: (number > 1).then(odd_instant),
            ..Token::new(limit, odd_instant())
        };
        let id = token(&format!("t'{number}\""));
        full.terms.tokens.insert(id, held);
    }
    full.books.lifetime = [(feature("f0"), COUNT_MAX), (feature("f1"), 1)].into();
    full.books.closed_boosts = [BoostId::new("o'ld:2\"").expect("a boost id")].into();
    full.books.closed_grants = [GrantId::new("o'ld\"").expect("a grant id")].into();
    full.books.balances = full_balances();
    let counted = Share {
        units: COUNT_MAX,
        reset_sequence: COUNT_MAX,
        held: COUNT_MAX,
    };
    let name = Bucket::Member(feature("f0"), -1);
    full.books.shares = [(name, counted)].into();
    full
}

fn full_balances() -> Vec<Balance> {
    let buckets = [
        Bucket::Window(feature("f0"), -1_700_000_000_000_001),
        Bucket::Further(feature("f0"), weekly(), 7),
        Bucket::Standing(feature("f0")),
        Bucket::Tracked(feature("f0"), i64::MAX),
        Bucket::Trial(feature("f0")),
        Bucket::Room(feature("f0")),
        Bucket::Token(token("t'0\"")),
        Bucket::OnDemand(feature("f0"), -1),
    ];
    let largest = |bucket| Balance {
        bucket,
        granted: Limit::Unlimited,
        used: COUNT_MAX,
        held: COUNT_MAX - 1,
        overage: COUNT_MAX - 2,
        starts_at: odd_instant(),
        ends_at: Some(instant(9)),
        priority: u32::MAX,
        rolled_over: COUNT_MAX - 3,
        reset_sequence: COUNT_MAX,
        reset_at: Some(odd_instant()),
        began_as: Some(Bucket::Window(feature("f0"), -4)),
        moved_to: Some(Bucket::Window(feature("f0"), -3)),
        was_closed: true,
        reopenings: u32::MAX,
        sale: Some(Box::new(odd_sale())),
        backing: None,
        told_days: 366,
    };
    let mut balances: Vec<Balance> = buckets.map(largest).into();
    let grant = Bucket::Grant(GrantId::new("pack:1 — \"x\"").expect("a grant id"));
    let mut pack = balance(grant, AMOUNT_MAX, AMOUNT_MAX - 1);
    pack.held = 1;
    pack.backing = Some(Box::new(odd_backing()));
    let boost = BoostId::new("sale:1 — \"x\"").expect("a boost id");
    balances.extend([pack, balance(Bucket::Boost(feature("f0"), boost), 9, 9)]);
    balances
}

/// Every field of terms and books comes back, and so do ids with odd characters.
pub async fn every_field_of_an_account_comes_back(store: Store) {
    let home = user("o'brien \"ob\" 🦀:x%_\\");
    let mut write = first_write(&home);
    write.accounts[0].account = full_account().into();
    write.accounts[0].due_at = Some(odd_instant());
    let hold_before = Some(instant(7) + TimeDelta::microseconds(1));
    write.hold_before = hold_before;
    put(&store, vec![write]).await;
    let stored = super::get(&store, &home).await;
    assert_eq!(*stored.accounts[&home], full_account());
    assert_eq!(stored.hold_before, hold_before);
    let audited = all(&store, &home).await.expect("exists");
    assert_eq!(audited.accounts, [(home, full_account())]);
}

fn full_scope_balance() -> ScopeBalance {
    ScopeBalance {
        scope: Scope::Org,
        feature: Some(feature("f0")),
        granted: Some(Limit::Unlimited),
        used: COUNT_MAX,
        held: 1,
        overage: 2,
        remaining: Some(COUNT_MAX),
        plan_value: Some(Limit::Of(AMOUNT_MAX)),
        override_value: Some(Limit::Of(0)),
        added: Some(Limit::Of(COUNT_MAX)),
        credits: Some(COUNT_MAX),
        boosts: COUNT_MAX,
        room: Some(RoomBalance {
            granted: COUNT_MAX,
            used: 1,
            held: 2,
            remaining: 3,
        }),
        trial: Some(0),
        resets_at: Some(odd_instant()),
        windows: vec![WindowBalance {
            per: Cadence::Weekly,
            anchor: Anchor::FirstUse,
            granted: Limit::Of(AMOUNT_MAX),
            added: Some(Limit::Unlimited),
            used: COUNT_MAX,
            held: 1,
            overage: 2,
            remaining: Some(COUNT_MAX),
            rolled_over: 3,
            starts_at: Some(odd_instant()),
            resets_at: Some(odd_instant()),
        }],
        on_demand: Some(Box::new(odd_on_demand())),
        member: Some(Box::new(MemberBalance {
            limit: Limit::Of(COUNT_MAX),
            used: COUNT_MAX,
            held: 1,
            remaining: Some(0),
            plan_value: Some(Limit::Of(AMOUNT_MAX)),
            all_value: Some(Limit::Unlimited),
            override_value: Some(Limit::Of(0)),
            resets_at: Some(odd_instant()),
        })),
    }
}

fn answers() -> Vec<Answer> {
    let balances = vec![full_scope_balance()];
    let denial = Denial {
        reason: Reason::OrgSubscriptionExpired,
        scope: Scope::Org,
        available: COUNT_MAX,
        of_scope: None,
        resets_at: Some(odd_instant()),
        window: Some(Cadence::Weekly),
        lapse: Some(Lapse::PlanRemoved),
    };
    let denied = |balances, denial| Answer::Denied {
        feature: feature("f0"),
        requested: AMOUNT_MAX,
        denial,
        balances,
    };
    let mut flat = denial;
    (flat.resets_at, flat.lapse) = (None, None);
    vec![
        Answer::Allowed {
            balances: balances.clone(),
        },
        Answer::Reserved {
            expires_at: odd_instant(),
            balances: balances.clone(),
        },
        Answer::Settled {
            state: ReservationState::Expired,
            late: true,
            balances: balances.clone(),
            elsewhere: None,
        },
        denied(balances, denial),
        denied(Vec::new(), flat),
        Answer::Refunded {
            items: vec![Item {
                feature: feature("f0"),
                amount: Amount::new(AMOUNT_MAX).expect("an amount"),
            }],
            balances: vec![full_scope_balance()],
            elsewhere: Some(Box::new(Elsewhere {
                home: org("acme"),
                operation: next_id(),
                entries: vec![full_entry((Source::Overage, Bucket::Trial(feature("f0"))))],
            })),
        },
        Answer::Changed {
            change: Change::OverrideSet,
            detail: Some(ODD.to_owned()),
            effect: Some(Effect::IdleForSubscription),
        },
        Answer::Unchanged,
    ]
}

/// Every answer comes back as it was given, a denial of a reserve as well as one of a consume.
pub async fn every_answer_comes_back(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    let numbered = (1..).zip(answers());
    let written: Vec<Operation> = numbered
        .map(|(sequence, answer)| {
            let mut operation = operation(&alice, sequence);
            operation.answer = answer;
            if sequence % 2 == 0 {
                operation.kind = OperationKind::Reserve;
            }
            operation
        })
        .collect();
    write.operations = shared(&written);
    write.new_version = 8;
    put(&store, vec![write]).await;
    let stored = all(&store, &alice).await.expect("exists");
    assert_eq!(stored.operations, written);
}

const KINDS: [OperationKind; 12] = [
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

fn full_entry((source, bucket): (Source, Bucket)) -> Entry {
    Entry {
        scope: Scope::Token,
        account: org("o'r\"g:1 ü"),
        bucket,
        feature: None,
        source,
        used: i64::MIN + 1,
        held: i64::MAX,
        overage: -1,
        granted: 9_000_000_000_000_000_000,
        unit_cost: COUNT_MAX,
        used_at: None,
        first_unit: Some(COUNT_MAX),
    }
}

/// Every kind of operation comes back with every field.
pub async fn every_kind_of_operation_comes_back(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    let mut written = Vec::new();
    let sources = [
        Source::Allowance,
        Source::Room,
        Source::Boost,
        Source::Credits,
        Source::Trial,
        Source::OnDemand,
        Source::Unlimited,
        Source::Overage,
    ];
    for (sequence, kind) in (1..).zip(KINDS) {
        let mut odd = operation(&alice, sequence);
        odd.kind = kind;
        odd.at = odd_instant();
        odd.key = Some(key(&format!("k'{sequence}\" — 🦀")));
        odd.body_hash = [u8::try_from(sequence).expect("small"); 32];
        odd.refers_to = Some(next_id());
        let buckets = full_balances().into_iter().map(|balance| balance.bucket);
        let entries = sources.into_iter().zip(buckets);
        odd.entries = entries.map(full_entry).collect();
        let text = || Some(ODD.to_owned());
        odd.origin = Origin {
            actor: Some("a bad pen\u{0}".to_owned()),
            request_id: text(),
            resource_type: text(),
            resource_id: text(),
            reason: text(),
        };
        written.push(odd);
    }
    write.operations = shared(&written);
    write.new_version = 12;
    put(&store, vec![write]).await;
    let stored = all(&store, &alice).await.expect("exists");
    assert_eq!(stored.operations, written);
}

/// Every state of a reservation comes back with every field.
pub async fn every_state_of_a_reservation_comes_back(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    let states = [
        ReservationState::Open,
        ReservationState::Committed,
        ReservationState::Released,
        ReservationState::Expired,
    ];
    for state in states {
        let mut odd = reservation(&user("b'ob"), odd_instant());
        odd.state = state;
        odd.amount = COUNT_MAX;
        odd.token = Some(token(" t'\"🦀".trim()));
        odd.draws = vec![
            Draw {
                scope: Scope::Token,
                bucket: Bucket::Token(token("t'\"🦀")),
                further: vec![Bucket::Further(feature("f0"), weekly(), 7)],
                source: Source::Unlimited,
                amount: COUNT_MAX,
                unit_cost: 7,
            };
            2
        ];
        if state != ReservationState::Open {
            odd.ended_by = Some(next_id());
            odd.late_commit = Some(next_id());
        }
        write.reservations.push(odd);
    }
    write.reservations.push(reservation(&alice, instant(60)));
    let written = write.reservations.clone();
    put(&store, vec![write]).await;
    let stored = all(&store, &alice).await.expect("exists");
    assert_eq!(stored.reservations, written);
}
