//! Every rule that `execute` carries out, on one home in memory.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it was set up"
)]

mod addon_alone;
mod addons;
mod auditing;
mod bills;
mod boosts;
mod bought;
mod bounds;
mod cases;
mod changes;
mod consuming;
mod credits;
mod defaults;
mod ending_windows;
mod ends;
mod execute_properties;
mod fallen_back;
mod flags;
mod former;
mod given;
mod given_plans;
mod holds;
mod lapses;
mod late;
mod late_further;
mod late_windows;
mod leaving;
mod member_limits;
mod members;
mod mistakes;
mod moving;
mod offers;
mod on_demand;
mod on_demand_properties;
mod orgs;
mod overdue;
mod periods;
mod plans;
mod previews;
mod prices;
mod purchases;
mod purchases_model;
mod purchases_properties;
mod queue;
mod reasons;
mod refunds;
mod released;
mod relocated;
mod reopened;
mod reopened_elsewhere;
mod rollover;
mod room;
mod seats;
mod several_limits;
mod shares;
mod stage;
mod synced;
mod tokens;
mod two_homes;
mod unbroken;
mod unrecorded;
mod with_catalog;
mod zones;
