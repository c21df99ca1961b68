//! What the ports promise, written once and run on every implementation.

pub mod cache;
pub mod races;
pub mod store;

/// Runs every promise of the stores as a test of its own.
///
/// `$open` is an async function that gives an empty `Arc<dyn Storage>` and something that is kept until the test has
/// ended, such as a temporary folder:
///
/// ```ignore
/// async fn open() -> (Arc<dyn Storage>, ()) { .. }
/// testkit::conformance_store!(open);
/// ```
#[macro_export]
macro_rules! conformance_store {
    ($open:path) => {
        $crate::conformance_store! { $open:
            a_new_home_is_found_as_it_was_written
            an_absent_home_has_version_zero_and_no_accounts
            a_stale_version_is_refused_and_changes_nothing
            a_home_that_exists_is_not_created_again
            a_home_is_written_whole_or_not_at_all
            an_overdrawn_grant_is_refused
            other_homes_of_the_batch_still_pass
            hundreds_of_homes_pass_in_one_batch
            a_members_operation_moves_the_home_on
            a_write_may_hold_several_operations
            an_unseen_key_that_exists_stops_its_home
            a_stale_catalog_stops_every_home
            a_gap_in_the_history_is_refused
            an_id_that_names_another_place_is_refused
            a_lost_lease_stops_every_home
            a_lease_that_nobody_took_over_still_writes
            a_lease_that_is_not_held_stops_every_home
            of_concurrent_writers_on_one_home_exactly_one_passes
            homes_written_together_are_written_all_or_none
            of_concurrent_writers_of_two_homes_exactly_one_passes_whole
            of_concurrent_creators_of_one_home_exactly_one_passes
            every_writer_under_the_lock_passes
            a_home_can_be_created_under_the_lock
            under_the_lock_nothing_is_written_in_vain
            a_repeated_key_is_found_again
            a_key_belongs_to_its_account
            homes_come_in_the_order_asked_for
            only_the_accounts_asked_for_come
            an_operation_comes_with_its_refunds_and_closed_balances
            closed_balances_come_when_they_are_asked_for
            closed_boosts_come_by_feature_and_id
            closed_balances_come_by_kind
            a_closed_balance_that_changes_is_replaced
            what_belongs_to_another_home_is_not_found
            expired_holds_come_and_hold_before_moves_on
            ended_holds_do_not_come_unasked
            the_accounts_of_expired_holds_come_too
            an_ended_hold_comes_with_what_ended_it
            a_hold_that_was_extended_is_due_later
            homes_with_due_holds_are_found
            every_field_of_an_account_comes_back
            every_answer_comes_back
            every_kind_of_operation_comes_back
            every_state_of_a_reservation_comes_back
            every_kind_of_event_comes_back
            a_whole_catalog_comes_back
            the_first_claim_counts
            a_user_that_is_a_home_stays_one
            a_home_is_not_created_for_an_account_that_lives_elsewhere
            a_user_joins_an_org
            the_home_that_was_left_still_knows_its_keys
            a_user_leaves_its_org
            a_user_may_join_and_leave_again
            operations_of_earlier_lives_are_found
            a_stale_move_changes_nothing
            accounts_are_listed_by_id_with_their_home
            pages_of_accounts_follow_one_another
            accounts_are_listed_by_kind_org_and_due
            what_is_due_moves_with_the_account
            the_ledger_comes_newest_first_by_pages
            each_consumer_of_events_has_a_cursor_of_its_own
            a_cursor_never_goes_back
            an_accounts_events_come_after_a_number
            no_number_of_an_event_is_given_twice
            an_event_is_kept_until_every_consumer_has_passed_it
            events_go_along_with_their_account
            no_event_is_lost_to_a_consumer_that_reads_while_others_write
            only_what_nobody_needs_is_pruned
            homes_come_by_id_and_by_what_happened
            the_auditor_finds_no_home_that_is_not_there
            a_long_ledger_is_shown_bit_by_bit
            a_key_is_found_by_its_hash
            a_key_is_stored_once
            a_revocation_keeps_its_first_instant
            a_catalog_follows_the_one_before_it
            a_lease_has_one_holder_and_a_growing_epoch
            a_lease_is_given_back_only_by_its_holder
            runs_are_listed_newest_first
            a_run_is_found_by_its_id
            a_run_that_begins_finds_earlier_ones_lost
            a_run_ends_together_with_its_lease
            batches_come_by_number
            old_runs_are_pruned_with_their_batches
            of_sixty_four_claims_of_one_id_the_first_counts
            an_id_of_a_payment_never_moves
            every_field_of_a_payment_comes_back
            a_payment_follows_the_version_before_it
            of_writers_of_one_payment_none_is_lost
            payments_come_newest_first_by_pages
        }
    };
    ($open:path: $($name:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _kept) = $open().await;
                $crate::conformance::store::$name(store).await;
            }
        )+
    };
}

/// Runs every promise of [`quota_core::ports::BillingStore`] as a test of its own. `$open` is as for [`conformance_store`], and gives
/// an empty `Arc<dyn BillingStore>`, or an `Arc` of what carries it out.
#[macro_export]
macro_rules! conformance_billing {
    ($open:path) => {
        $crate::conformance_store! { $open:
            the_first_connection_of_a_provider_and_mode_stays
            sync_progress_is_kept_of_what_is_connected
            the_first_link_of_a_customer_stays
            a_link_that_was_taken_away_is_gone_on_both_sides
            of_sixty_four_links_of_one_customer_the_first_counts
            links_that_come_and_go_at_once_are_the_same_on_both_sides
            a_sync_is_taken_only_if_it_began_last
            of_sixty_four_syncs_at_once_the_latest_counts
            an_event_is_kept_once_as_it_came_first
            of_sixty_four_deliveries_of_one_event_one_is_kept
            every_field_of_an_event_comes_back
            events_come_newest_first_by_pages
            events_are_counted
            only_events_that_wait_for_nothing_are_pruned
            the_oldest_events_that_wait_are_taken_first
            an_event_that_was_taken_is_taken_again_when_its_time_is_over
            takers_at_once_share_no_event
            a_try_is_ended_by_its_own_number_only
            an_event_that_was_given_up_may_be_tried_again
            every_field_of_a_problem_comes_back
            a_problem_that_is_met_again_counts_once_more
            a_problem_is_settled_once_and_open_when_it_is_met_again
            of_sixty_four_that_meet_a_problem_each_counts_and_one_settles_it
            open_problems_are_found_by_what_they_are_about
            problems_come_last_met_first_by_pages
            accounts_that_want_top_ups_are_entered_once
            every_field_of_a_top_up_comes_back
            of_sixty_four_that_begin_a_top_up_one_does
            a_top_up_follows_the_version_before_it_and_ends_once
            a_top_up_is_dropped_while_it_is_open_and_as_it_was
            open_top_ups_are_due_when_their_time_has_come
            top_ups_come_newest_first_by_pages
            top_ups_of_a_span_are_counted_unless_they_failed
        }
    };
}

/// Runs every promise of [`quota_core::ports::CodeStore`] as a test of its own. `$open` is as for [`conformance_billing`].
#[macro_export]
macro_rules! conformance_codes {
    ($open:path) => {
        $crate::conformance_store! { $open:
            codes_come_back_as_they_were_made
            batches_of_codes_come_newest_first_by_pages
            codes_come_by_id_by_pages
            e31_of_fifty_accounts_at_once_three_get_a_code_of_three_uses
            one_account_many_times_at_once_has_one_use
            a_code_is_claimed_in_its_window_and_until_it_is_revoked
            a_revocation_of_codes_keeps_its_first_instant
            a_use_is_given_back_once_every_try_was_refused
            a_use_that_is_done_is_never_given_back
            uses_are_counted_however_claims_and_refusals_meet
            uses_of_a_code_come_by_account
            failures_count_up_to_their_bound_however_many_at_once
        }
    };
}

/// Runs every promise of [`quota_core::ports::MeterStore`] as a test of its own. `$open` is as for [`conformance_billing`].
#[macro_export]
macro_rules! conformance_meters {
    ($open:path) => {
        $crate::conformance_store! { $open:
            every_field_of_a_meters_period_comes_back
            entries_of_a_period_come_as_they_are_asked_for
            a_meters_period_follows_the_version_before_it
            periods_come_when_they_are_due
            the_mark_of_the_ledger_only_grows
            only_what_is_over_is_pruned_of_meters
        }
    };
}
