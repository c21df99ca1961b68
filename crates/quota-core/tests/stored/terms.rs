//! Terms, as they are stored.

use super::*;

fn addons() -> BTreeMap<PlanCode, Addon> {
    let least = Addon {
        plan_version: None,
        quantity: Quantity::ONE,
        starts_at: at(1),
        ends_at: None,
        provided: None,
    };
    let full = Addon {
        plan_version: Some(2),
        quantity: of(Quantity::new(3)),
        starts_at: at(1),
        ends_at: Some(at(9)),
        provided: Some(Box::new(purchases::provided())),
    };
    BTreeMap::from([(plan("more"), least), (plan("most"), full)])
}

fn new_terms() -> Terms {
    Terms {
        created_at: at(0),
        time_zone: Tz::UTC,
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

fn full_subscription() -> Subscription {
    Subscription {
        plan_version: Some(2),
        seats: of(Quantity::new(5)),
        status: Status::PastDue,
        past_due_at: Some(at(2)),
        runs_since: Some(at(-3)),
        plan_since: Some(at(-2)),
        interval: Interval::Year,
        renews: true,
        renews_until: Some(at(25)),
        cancel_at: Some(at(20)),
        scheduled: Some(PlanChange {
            plan: plan("free"),
            at: at(31),
        }),
        upcoming: Some(Box::new(subscription())),
        fell_back_at: Some(at(-1)),
        end_recorded_at: Some(at(32)),
        provided: Some(Box::new(purchases::provided())),
        ..subscription()
    }
}

pub fn terms() -> Documents<Terms> {
    let new = new_terms();
    let full_token = Token {
        cap: Limit::Of(100),
        per: Some(Cadence::Monthly),
        made_at: Some(at(1)),
        expires_at: Some(at(90)),
        revoked_at: Some(at(3)),
    };
    let left = LeftMember {
        left_at: at(2),
        shares: BTreeMap::from([(window(), share())]),
    };
    let full = Terms {
        time_zone: Tz::Europe__Berlin,
        disabled: true,
        unlimited: true,
        unlimited_by_default: true,
        org: Some(of(OrgId::new("acme"))),
        policy: Policy::Track,
        subscription: Some(full_subscription()),
        trial_settled_at: Some(at(-40)),
        addons: addons(),
        overrides: overrides(),
        given: given(),
        tokens: BTreeMap::from([(token(), full_token)]),
        former_homes: vec![FormerHome {
            home: account("user:alice"),
            left_at: at(1),
            arrived: 6,
        }],
        left_members: BTreeMap::from([(account("user:bob"), left)]),
        members: 4,
        member_limits: overrides(),
        spend_cap: spend_cap(),
        auto_top_up: Some(Box::new(auto_top_up())),
        last_event: 8,
        ..new.clone()
    };
    let subscribed = Terms {
        subscription: Some(subscription()),
        ..new.clone()
    };
    vec![("new", new), ("subscribed", subscribed), ("full", full)]
}

fn auto_top_up() -> AutoTopUp {
    AutoTopUp {
        pack: of(PackCode::new("small")),
        below: amount(10),
        most_per_month: 5,
        set_at: at(1),
        failures: 3,
        failed_at: Some(at(2)),
        failure: Some(TopUpFailure::Declined),
        off: Some(TopUpOff {
            at: at(2),
            why: TopUpOffReason::Failed,
        }),
    }
}

fn overrides() -> BTreeMap<FeatureCode, Override> {
    let own = Override {
        limit: Limit::Of(5),
        expires_at: Some(at(9)),
        reason: Some("a gift".to_owned()),
        actor: Some("ops".to_owned()),
    };
    let least = Override {
        limit: Limit::Unlimited,
        expires_at: None,
        reason: None,
        actor: None,
    };
    BTreeMap::from([(feature("albums"), least), (feature("articles"), own)])
}

fn given() -> BTreeMap<FeatureCode, GivenOverride> {
    let own = |value| GivenOverride {
        value,
        expires_at: None,
        reason: None,
        actor: None,
    };
    let full = GivenOverride {
        expires_at: Some(at(9)),
        reason: Some("a gift".to_owned()),
        actor: Some("ops".to_owned()),
        ..own(Given::Number(50))
    };
    BTreeMap::from([
        (feature("max_file_mb"), full),
        (feature("sso"), own(Given::Flag(false))),
        (feature("support"), own(Given::Text("phone".to_owned()))),
    ])
}
