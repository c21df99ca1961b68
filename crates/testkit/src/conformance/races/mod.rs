//! Races with exact counts, on every store: whoever comes at the same instant, nothing is spent twice.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failed call is a failed test, and says which"
)]

mod fairness;
mod holds;
mod keys;
mod limits;
mod members;
mod plans;

use std::sync::Arc;

use quota_core::ports::Storage;

pub use fairness::*;
pub use holds::*;
pub use keys::*;
pub use limits::*;
pub use members::*;
pub use plans::*;

type Store = Arc<dyn Storage>;

/// Runs every race as a test of its own; `$open` is as for [`crate::conformance_store`].
#[macro_export]
macro_rules! conformance_races {
    ($open:path) => {
        $crate::conformance_races! { $open:
            of_seventy_at_once_exactly_the_fifty_that_are_left_pass
            of_thousands_of_tries_exactly_as_many_pass_as_there_are_credits
            the_last_unit_of_a_boost_is_used_once
            the_spend_cap_over_two_features_is_never_passed
            a_member_limit_is_never_passed
            the_last_units_of_five_hours_and_of_a_week_are_used_once
            a_boost_that_ends_while_it_is_drawn_gives_nothing_afterwards
            three_members_share_one_limit_to_the_last_unit
            token_user_and_org_run_dry_together_and_never_in_part
            of_sixty_four_joins_at_once_no_more_pass_than_there_are_places
            commit_release_and_expiry_at_once_end_each_hold_in_one_way
            one_key_from_eight_engines_has_one_effect_and_one_answer
            a_key_with_two_bodies_belongs_to_the_first_that_came
            two_engines_on_one_org_both_make_progress
            neighbours_of_a_hot_org_are_not_starved
        }
    };
    ($open:path: $($name:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _kept) = $open().await;
                $crate::conformance::races::$name(store).await;
            }
        )+
    };
}
