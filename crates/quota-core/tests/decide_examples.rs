//! The worked examples of section 14 that one decision answers, and the rules beside them.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first literal that does not parse"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::denial::{Denial, Reason};
use quota_core::draw::{Scope, Source};
use quota_core::home::AccountView;
use quota_core::ids::{FeatureCode, GrantId, PlanCode, TokenId};
use quota_core::rules::allowance::{Asked, allowance};
use quota_core::rules::decide::{Decision, Question, decide};
use quota_core::share::Share;
use quota_core::terms::{Override, Policy, Subscription, Terms, Token};

const GRACE: TimeDelta = TimeDelta::hours(72);

fn now() -> DateTime<Utc> {
    "2027-03-10T12:00:00Z".parse().expect("a literal instant")
}

fn code(text: &str) -> FeatureCode {
    FeatureCode::new(text).expect("a literal code")
}

/// The try-on shop of C8, with a second feature that only a plan can pay for.
fn catalog() -> Catalog {
    let file: CatalogFile = serde_json::from_value(serde_json::json!({
        "feature": [
            {"code": "try_on", "name": "Try-on", "unit": "try", "kind": "consumable",
             "cadence": "monthly", "credit_cost": 1, "trial_limit": 3},
            {"code": "articles", "name": "Articles", "unit": "article", "kind": "consumable",
             "cadence": "monthly"},
        ],
        "plan": [
            {"code": "premium", "name": "Premium", "price": 900, "limits": {"try_on": 10, "articles": 100}},
            {"code": "yearly", "name": "Yearly", "price": 9000, "interval": "year", "limits": {"articles": 10}},
        ],
    }))
    .expect("a literal catalog");
    Catalog::default().applied(&file).expect("a valid catalog")
}

#[derive(Clone)]
struct Account {
    terms: Terms,
    balances: Vec<Balance>,
    shares: BTreeMap<Bucket, Share>,
}

fn asked(catalog: &Catalog, now: DateTime<Utc>) -> Asked<'_> {
    Asked {
        catalog,
        grace: GRACE,
        now,
    }
}

impl Account {
    fn new() -> Self {
        let terms = Terms {
            created_at: now() - TimeDelta::days(90),
            time_zone: chrono_tz::Tz::UTC,
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
            spend_cap: quota_core::terms::SpendCap::default(),
            auto_top_up: None,
            last_event: 0,
        };
        Self {
            terms,
            balances: Vec::new(),
            shares: BTreeMap::new(),
        }
    }

    fn unlimited() -> Self {
        let mut account = Self::new();
        account.terms.unlimited = true;
        account
    }

    fn subscribed(mut self, plan: &str, days_ago: i64) -> Self {
        let catalog = catalog();
        let plan = catalog.plan(&PlanCode::new(plan).expect("a literal code"), None);
        let plan = plan.expect("in the catalog");
        self.terms.subscription = Some(Subscription::start(
            plan,
            1,
            now() - TimeDelta::days(days_ago),
        ));
        self
    }

    fn with(mut self, bucket: Bucket, granted: Limit, used: u64) -> Self {
        let starts_at = self.terms.created_at;
        self.balances.push(Balance {
            used,
            ..Balance::new(bucket, granted, starts_at)
        });
        self
    }

    fn credits(self, left: u64) -> Self {
        let bucket = Bucket::Grant(GrantId::new("pack").expect("a literal id"));
        self.with(bucket, Limit::Of(left), 0)
    }

    fn used(self, feature: &str, used: u64) -> Self {
        let catalog = catalog();
        let own = allowance(
            (&self.terms, &self.balances),
            &catalog.features[&code(feature)],
            asked(&catalog, now()),
        );
        self.with(own.bucket, Limit::Unlimited, used)
    }

    fn token(mut self, cap: Limit, used: u64) -> Self {
        let id = token();
        self.terms.tokens.insert(
            id.clone(),
            Token {
                cap,
                per: None,
                made_at: None,
                expires_at: None,
                revoked_at: None,
            },
        );
        self.with(Bucket::Token(id), cap, used)
    }

    fn view(&self) -> AccountView<'_> {
        AccountView {
            terms: &self.terms,
            balances: &self.balances,
            shares: &self.shares,
        }
    }
}

fn token() -> TokenId {
    TokenId::new("t").expect("a literal id")
}

fn ask_at(
    at: DateTime<Utc>,
    user: &Account,
    org: Option<&Account>,
    with_token: bool,
    feature: &str,
    amount: u64,
) -> Decision {
    let (catalog, feature, token) = (catalog(), code(feature), token());
    decide(&Question {
        now: at,
        catalog: &catalog,
        grace: GRACE,
        user: Some(user.view()),
        org: org.map(Account::view),
        token: with_token.then_some(&token),
        feature: &feature,
        amount: Amount::new(amount).expect("a literal amount"),
        mode: quota_core::rules::decide::Mode::Ask,
    })
}

fn ask(user: &Account, feature: &str, amount: u64) -> Decision {
    ask_at(now(), user, None, false, feature, amount)
}

fn drawn(decision: &Decision) -> Vec<(Scope, Source, u64)> {
    let Decision::Allowed(draws) = decision else {
        return Vec::new();
    };
    draws
        .iter()
        .map(|draw| (draw.scope, draw.source, draw.amount))
        .collect()
}

fn denial(decision: &Decision) -> Denial {
    let Decision::Denied(denial) = decision else {
        unreachable!("expected a denial, got {decision:?}")
    };
    *denial
}

/// E1: the allowance pays 1 and credits pay 2.
#[test]
fn e1_the_rest_of_the_allowance_then_credits() {
    let user = Account::new()
        .subscribed("premium", 3)
        .used("try_on", 9)
        .credits(5);
    let wanted = [
        (Scope::User, Source::Allowance, 1),
        (Scope::User, Source::Credits, 2),
    ];
    assert_eq!(drawn(&ask(&user, "try_on", 3)), wanted);
}

/// E2 and E3: without a subscription credits pay 2 and the trial 2; 6 is denied, and 5 would have been enough.
#[test]
fn e2_and_e3_credits_then_the_trial_then_a_denial() {
    let user = Account::new().credits(2);
    let wanted = [
        (Scope::User, Source::Credits, 2),
        (Scope::User, Source::Trial, 2),
    ];
    assert_eq!(drawn(&ask(&user, "try_on", 4)), wanted);
    let denied = denial(&ask(&user, "try_on", 6));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::CreditsExhausted, 5)
    );
}

/// E4 and S3: a subscription that ended yesterday grants nothing at once, an override neither.
#[test]
fn e4_an_ended_subscription_grants_nothing_and_its_override_neither() {
    let mut user = Account::new().subscribed("premium", 29).with(
        Bucket::Trial(code("try_on")),
        Limit::Of(3),
        3,
    );
    let own = Override {
        limit: Limit::Of(500),
        expires_at: None,
        reason: None,
        actor: None,
    };
    user.terms.overrides.insert(code("try_on"), own);
    let denied = denial(&ask(&user, "try_on", 1));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::SubscriptionExpired, 0)
    );
}

/// E5 and F6: an override of 150 beats the plan's 100 until it ends; then the plan's value is back by itself,
/// and S6 what was used beyond it leaves 0.
#[test]
fn e5_an_override_counts_until_it_ends() {
    let mut user = Account::new()
        .subscribed("premium", 3)
        .used("articles", 120);
    let expires_at = Some(now() + TimeDelta::days(1));
    let own = Override {
        limit: Limit::Of(150),
        expires_at,
        reason: None,
        actor: None,
    };
    user.terms.overrides.insert(code("articles"), own);
    assert_eq!(
        drawn(&ask(&user, "articles", 1)),
        [(Scope::User, Source::Allowance, 1)]
    );
    let denied = denial(&ask_at(
        now() + TimeDelta::days(1),
        &user,
        None,
        false,
        "articles",
        1,
    ));
    assert_eq!((denied.reason, denied.available), (Reason::LimitReached, 0));
}

/// E6, E7, O4 and U3: an exhausted org denies an unlimited member under `enforce`; under `track` it books
/// overage, and the user's use is counted all the same.
#[test]
fn e6_and_e7_an_exhausted_org_denies_or_books_overage() {
    let mut org = Account::new().subscribed("premium", 3).used("try_on", 10);
    let denied = denial(&ask_at(
        now(),
        &Account::unlimited(),
        Some(&org),
        false,
        "try_on",
        1,
    ));
    assert_eq!(
        (denied.reason, denied.scope),
        (Reason::OrgLimitReached, Scope::Org)
    );
    org.terms.policy = Policy::Track;
    let wanted = [
        (Scope::User, Source::Unlimited, 1),
        (Scope::Org, Source::Overage, 1),
    ];
    assert_eq!(
        drawn(&ask_at(
            now(),
            &Account::unlimited(),
            Some(&org),
            false,
            "try_on",
            1
        )),
        wanted
    );
}

/// E8 and U4: a finite token of an unlimited user is still a cap, and still charged.
#[test]
fn e8_a_finite_token_caps_an_unlimited_user() {
    let user = Account::unlimited().token(Limit::Of(5), 5);
    let denied = denial(&ask_at(now(), &user, None, true, "articles", 1));
    assert_eq!(
        (denied.reason, denied.scope),
        (Reason::TokenExhausted, Scope::Token)
    );
    let user = Account::unlimited().token(Limit::Of(5), 4);
    let wanted = [
        (Scope::Token, Source::Allowance, 1),
        (Scope::User, Source::Unlimited, 1),
    ];
    assert_eq!(
        drawn(&ask_at(now(), &user, None, true, "articles", 1)),
        wanted
    );
}

/// E14 and W4: a yearly plan has 12 monthly windows of 10; from its end all is denied.
#[test]
fn e14_a_yearly_plan_has_twelve_monthly_windows() {
    let user = Account::new().subscribed("yearly", 0);
    let held = user.terms.subscription.clone().expect("subscribed");
    let catalog = catalog();
    let (mut at, mut windows) = (held.starts_at, 0);
    while at < held.ends_at {
        let own = allowance(
            (&user.terms, &user.balances),
            &catalog.features[&code("articles")],
            asked(&catalog, at),
        );
        assert_eq!(own.room(Scope::User, &user.balances), Some(10));
        assert_eq!(own.window.starts_at, at);
        at = own.window.ends_at.expect("a window ends");
        windows += 1;
    }
    assert_eq!((windows, at), (12, held.ends_at));
    let denied = denial(&ask_at(held.ends_at, &user, None, false, "articles", 1));
    assert_eq!(denied.reason, Reason::SubscriptionExpired);
}

/// U1: an unlimited user is denied nothing at user scope, with or without a subscription, unless disabled.
#[test]
fn an_unlimited_user_is_denied_only_when_disabled() {
    let mut user = Account::unlimited().subscribed("premium", 60).credits(5);
    assert_eq!(
        drawn(&ask(&user, "articles", 1_000_000)),
        [(Scope::User, Source::Unlimited, 1_000_000)]
    );
    user.terms.disabled = true;
    assert_eq!(
        denial(&ask(&user, "articles", 1)).reason,
        Reason::AccountDisabled
    );
}

/// O3: an org without a limit for the feature is tracked; O2: with one, its wallet pays after it.
#[test]
fn an_org_is_tracked_without_a_limit_and_pays_from_its_wallet_with_one() {
    let member = Account::unlimited();
    let tracked = ask_at(now(), &member, Some(&Account::new()), false, "try_on", 7);
    assert_eq!(drawn(&tracked)[1], (Scope::Org, Source::Unlimited, 7));
    let org = Account::new()
        .subscribed("premium", 3)
        .used("try_on", 8)
        .credits(5);
    let paid = ask_at(now(), &member, Some(&org), false, "try_on", 4);
    assert_eq!(
        drawn(&paid)[1..],
        [
            (Scope::Org, Source::Allowance, 2),
            (Scope::Org, Source::Credits, 2)
        ]
    );
}

/// O2: the trial of a feature is its users': an org whose limit pays for nothing, because its subscription ended or its plan
/// does not name the feature, has its wallet and nothing else.
#[test]
fn an_org_has_no_trial() {
    let ended = Account::new().subscribed("premium", 60);
    let unnamed = Account::new().subscribed("yearly", 0);
    let orgs = [
        (ended, Reason::OrgSubscriptionExpired),
        (unnamed, Reason::OrgNotInPlan),
    ];
    let member = Account::unlimited();
    for (org, reason) in orgs {
        let ask =
            |org: &Account, amount| ask_at(now(), &member, Some(org), false, "try_on", amount);
        let denied = denial(&ask(&org, 1));
        assert_eq!((denied.reason, denied.available), (reason, 0));
        let mut org = org.credits(2);
        assert_eq!(
            drawn(&ask(&org, 2))[1..],
            [(Scope::Org, Source::Credits, 2)]
        );
        let denied = denial(&ask(&org, 3));
        assert_eq!((denied.reason, denied.available), (reason, 2));
        org.terms.policy = Policy::Track;
        let wanted = [
            (Scope::Org, Source::Credits, 2),
            (Scope::Org, Source::Overage, 1),
        ];
        assert_eq!(drawn(&ask(&org, 3))[1..], wanted);
    }
}

/// W6: `resets_at` is the end of the allowance window, or of the subscription if that is sooner.
#[test]
fn a_denial_says_when_the_allowance_is_whole_again() {
    let user = Account::new()
        .subscribed("premium", 3)
        .used("articles", 100);
    let ends_at = user.terms.subscription.as_ref().map(|held| held.ends_at);
    assert_eq!(denial(&ask(&user, "articles", 1)).resets_at, ends_at);
}
