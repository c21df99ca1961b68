//! The accounts of the demo.

use quota_core::terms::Policy;

use crate::demo::steps::Step;

/// One account of the demo. Everything that is not given is as a new account has it.
#[derive(Default)]
pub(super) struct Sample {
    /// `user:alice`, `org:acme`.
    pub(super) id: &'static str,
    pub(super) org: Option<&'static str>,
    pub(super) policy: Option<Policy>,
    pub(super) time_zone: Option<chrono_tz::Tz>,
    pub(super) plan: Option<&'static str>,
    /// Feature and limit in shown units.
    pub(super) own_limit: Option<(&'static str, u64)>,
    /// Id and cap.
    pub(super) token: Option<(&'static str, u64)>,
    pub(super) credits: Option<u64>,
    /// What is done with it, once, when it is made.
    pub(super) steps: &'static [Step],
}

/// The accounts; orgs stand before their members.
pub(super) fn samples() -> Vec<Sample> {
    let mut all = of_four_catalogs();
    all.extend(of_the_workspace());
    all
}

fn of_four_catalogs() -> Vec<Sample> {
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
        // The org pays and limits; its members are unlimited, a token is capped. How many they may be is agreed with it alone.
        Sample {
            id: "org:acme",
            plan: Some("llm_team"),
            own_limit: Some(("members", 20)),
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

/// An account of the AI workspace for each state that one can be in.
fn of_the_workspace() -> Vec<Sample> {
    let states: [(&str, &[Step]); 8] = [
        // All that five hours allow is used.
        ("user:fiona", &[PRO, Step::Use("ai_messages", 45)]),
        // All that a week allows is used: with the add-on the five hours have room.
        (
            "user:walter",
            &[PRO, Step::Addon(SPRINT, 1), Step::Use("ai_messages", 200)],
        ),
        // In the second week of a month: of the first one something went over.
        ("user:rosa", &[Step::Subscribed(PLAN, 10)]),
        // The next image but ten is one too many: the cap is near.
        ("user:oscar", &[PRO, Step::Use("ai_images", 290)]),
        // Two of the add-on.
        ("user:ava", &[PRO, Step::Addon(SPRINT, 2)]),
        // Support gave some messages more until the period ends, and some of them are used.
        (
            "user:boris",
            &[
                PRO,
                Step::Use("ai_messages", 45),
                Step::Boost("ai_messages", 20),
                Step::Use("ai_messages", 5),
            ],
        ),
        // On trial.
        ("user:tess", &[Step::Tries(PLAN)]),
        // A month of the plan, which ended some days ago.
        ("user:leo", &[Step::Subscribed(PLAN, 40)]),
    ];
    let one = |(id, steps)| Sample {
        id,
        steps,
        ..Sample::default()
    };
    let mut all: Vec<Sample> = states.into_iter().map(one).collect();
    // Three seats, and three members.
    all.push(one(("org:initech", &[Step::Seats("workspace_team", 3)])));
    all.extend(
        ["user:milton", "user:samir", "user:joanna"].map(|id| Sample {
            id,
            org: Some("initech"),
            ..Sample::default()
        }),
    );
    all
}

const PLAN: &str = "workspace_pro";
const SPRINT: &str = "workspace_sprint";
/// Paid for, from a day ago on.
const PRO: Step = Step::Subscribed(PLAN, 1);
