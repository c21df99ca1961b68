//! What a denial says would have been enough (F7): at every scope, not only at the one that bound first.

use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::command::{AccountSpec, Command, Consume, SetMemberLimit};
use quota_core::denial::Reason;
use quota_core::ids::OrgId;
use quota_core::item::Item;
use quota_core::rules::check::{Checked, check_items};

use crate::stage::{
    Stage, code, consume, consume_with, grant, id, item, put_account, put_token, subscribe,
    token_id,
};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
credit_cost = 2

[[plan]]
code = "five"
name = "Five"
price = 500
limits = { messages = 5 }

[[plan]]
code = "three"
name = "Three"
price = 300
limits = { messages = 3 }
"#;

/// A member with a plan of its own and a token, and a limit that its org sets it.
fn member((own, of_org): (&str, &str), cap: u64, of_member: u64) -> Stage {
    let mut stage = with_catalog(Stage::org_alone(""), CATALOG);
    stage.done("org:o", subscribe(of_org));
    let spec = AccountSpec {
        unlimited: Some(false),
        org: Some(OrgId::new("o").expect("a literal id")),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(spec));
    stage.done("user:a", subscribe(own));
    stage.done("user:a", put_token("t", Limit::Of(cap)));
    let limit = Command::SetMemberLimit(SetMemberLimit {
        feature: code("messages"),
        limit: Limit::Of(of_member),
        member_of: None,
        expires_at: None,
    });
    stage.done("org:o", limit);
    stage
}

fn asked(stage: &Stage, items: Vec<Item>) -> Checked {
    let asked = Consume {
        token: Some(token_id("t")),
        items,
    };
    let checked = check_items(&stage.context(), stage.home.clone(), &id("user:a"), &asked);
    checked.expect("an answer")
}

/// F7: the scope that binds first is told with what every scope would have granted.
#[test]
fn f7_available_is_the_least_over_all_scopes() {
    let mut stage = member(("five", "three"), 8, 2);
    let denial = |stage: &mut Stage, value| {
        let denied = stage.denied("user:a", consume_with("t", "messages", value));
        (denied.reason, denied.available, denied.of_scope)
    };
    assert_eq!(denial(&mut stage, 9), (Reason::TokenExhausted, 2, Some(8)));
    assert_eq!(denial(&mut stage, 6), (Reason::LimitReached, 2, Some(5)));
    assert_eq!(denial(&mut stage, 3), (Reason::MemberLimitReached, 2, None));
    stage.done("user:a", consume_with("t", "messages", 2));
    assert_eq!(denial(&mut stage, 9), (Reason::TokenExhausted, 0, Some(6)));
    let mut wide = member(("five", "three"), 8, 9);
    assert_eq!(denial(&mut wide, 6), (Reason::LimitReached, 3, Some(5)));
    assert_eq!(denial(&mut wide, 4), (Reason::OrgLimitReached, 3, None));
}

proptest! {
    /// F7: what is said to be available is allowed, and one more is not.
    #[test]
    fn f7_what_is_available_can_be_had_and_no_more(
        own in prop::sample::select(vec!["five", "three"]),
        of_org in prop::sample::select(vec!["five", "three"]),
        cap in 1_u64..9,
        of_member in 0_u64..9,
        credits in 0_u64..12,
        used in 0_u64..4,
        value in 1_u64..20,
        others in any::<bool>(),
    ) {
        let mut stage = member((own, of_org), cap, of_member);
        if credits != 0 {
            stage.done("user:a", grant("g", credits));
        }
        if used != 0 {
            // What does not fit is not used.
            let _ = stage.run("user:a", consume("messages", used));
        }
        let items = |value: u64| {
            if others && value > 1 {
                vec![item("messages", 1), item("messages", value - 1)]
            } else {
                vec![item("messages", value)]
            }
        };
        let is_allowed = |value: u64| asked(&stage, items(value)).denial.is_none();
        let Some((_, denial)) = asked(&stage, items(value)).denial else {
            return Ok(());
        };
        prop_assert!(denial.available < value);
        prop_assert!(denial.available == 0 || is_allowed(denial.available));
        prop_assert!(!is_allowed(denial.available + 1));
    }
}
