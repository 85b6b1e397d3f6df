//! The conformance suite: what every platform has to do, one ordinary test a check.
//!
//! A platform's tests implement [`Harness`] and [`Server`] and end in one line:
//!
//! ```ignore
//! chaos_testkit::conformance!(MyHarness);
//! ```
//!
//! which makes a `#[tokio::test]` of each check in modules named after its group, so that
//! `cargo nextest run conformance::power` runs what it says. Another test attribute may follow:
//! `conformance!(MyHarness, #[tokio::test(start_paused = true)])` for a platform without any IO.
//!
//! A check that needs an [`Ability`] which the harness declares missing is skipped, or skipped in part, and says so on
//! stderr. What is missing on one platform is an ability of harnesses, never a case in a check: checks know no vendor.
//!
//! [`Wrapped`] runs the same checks through a wrapper of platforms.

mod bench;
mod harness;
mod watched;
mod wrapped;

#[doc(hidden)]
pub mod concurrency;
#[doc(hidden)]
pub mod errors;
#[doc(hidden)]
pub mod inventory;
#[doc(hidden)]
pub mod power;
#[doc(hidden)]
pub mod robustness;
#[doc(hidden)]
pub mod secrets;
#[doc(hidden)]
pub mod session;
#[doc(hidden)]
pub mod undo;
#[doc(hidden)]
pub mod unsupported;

pub use harness::{Ability, Break, Harness, Outage, Server};
pub use watched::Watched;
pub use wrapped::Wrapped;

use std::future::Future;
use std::time::Duration;

/// Runs one check. A check that does not end is a failure, not a test run that hangs.
///
/// # Panics
/// If the check does, or has not ended after two minutes.
#[doc(hidden)]
pub async fn run(check: impl Future<Output = ()>) {
    let limit = Duration::from_mins(2);
    assert!(tokio::time::timeout(limit, check).await.is_ok(), "the check did not end within {limit:?}");
}

/// Makes one test of each check of the suite. See [`conformance`](mod@crate::conformance).
#[macro_export]
macro_rules! conformance {
    ($harness:expr) => {
        $crate::conformance!($harness, #[tokio::test]);
    };
    ($harness:expr, #[$test:meta]) => {
        $crate::conformance_group! { $harness, #[$test], inventory:
            every_vm_is_found_once_and_in_order
            an_estate_of_many_pages_is_found_whole
            an_empty_estate_is_an_empty_answer
            fields_are_filled
            power_states_are_told_apart
            paths_lead_through_folders_to_the_name
            a_standalone_host_has_no_cluster
            templates_are_flagged_and_never_meant_by_a_pattern
            a_name_is_case_sensitive_and_whole
            globs_and_expressions_select_by_name
            an_id_and_a_path_find_exactly_their_vm
            odd_names_come_decoded_and_can_be_named
            a_full_name_wins_over_the_glob_that_it_also_is
            duplicates_are_refused_by_name_and_told_apart_by_path
            filters_select_by_place_and_state
            a_vm_that_is_off_is_found_by_its_host
            a_selector_that_fits_nothing_gives_nothing
            get_answers_in_the_order_asked
            a_reference_survives_json_and_a_second_client
            a_reference_to_another_server_is_not_found
            a_vm_deleted_since_is_not_found
        }
        $crate::conformance_group! { $harness, #[$test], power:
            power_on_of_a_vm_that_is_off
            power_on_of_a_suspended_vm_resumes_it
            power_on_of_a_running_vm_does_nothing
            hard_power_off_of_a_running_vm
            power_off_of_a_vm_that_is_off_does_nothing
            power_off_of_a_suspended_vm_is_refused
            power_off_of_a_suspended_vm_whose_memory_may_go
            reset_of_a_running_vm
            reboot_of_a_vm_that_is_off_is_refused
            reboot_of_a_suspended_vm_is_refused
            suspend_of_a_running_vm
            suspend_of_a_vm_that_is_off_is_refused
            suspend_of_a_suspended_vm_does_nothing
            a_guest_shuts_itself_down
            a_guest_that_hangs_is_powered_off_hard
            a_guest_without_agent_is_powered_off_hard
            graceful_only_never_becomes_hard
            graceful_only_without_agent_is_refused
            a_guest_reboot_is_over_after_down_and_up
            a_guest_that_hangs_is_reset
            a_guest_without_agent_is_reset
            a_guest_without_agent_is_asked_where_none_is_needed
            a_template_is_refused
            a_batch_gives_one_report_each_in_order
            a_batch_with_an_unknown_name_touches_nothing
            every_operation_is_a_capability
        }
        $crate::conformance_group! { $harness, #[$test], undo:
            prepare_changes_nothing_and_answers_in_order
            prepare_refuses_what_apply_refuses
            a_record_says_what_was_found
            power_off_is_undone_by_a_second_client
            power_on_is_undone_by_a_second_client
            resume_is_undone_by_a_second_client
            suspend_is_undone_by_a_second_client
            a_reboot_leaves_nothing_to_undo
            the_found_state_is_reached_from_every_other
            undo_of_an_untouched_vm_does_nothing
            undo_twice_does_it_once
            lost_memory_cannot_be_put_back
            a_record_of_a_newer_format_is_refused
            a_record_of_another_server_is_refused
        }
        $crate::conformance_group! { $harness, #[$test], unsupported:
            an_operation_that_is_no_capability_is_unsupported
            a_batch_of_an_unsupported_operation_touches_nothing
            an_undo_that_needs_an_unsupported_operation_touches_nothing
            without_guest_operations_no_guest_is_asked
        }
        $crate::conformance_group! { $harness, #[$test], errors:
            an_unknown_name_is_named
            an_ambiguous_name_lists_its_candidates
            a_refusal_names_vm_operation_and_platform
            a_deadline_in_the_past_sends_nothing
            a_cancelled_call_sends_nothing
            messages_are_one_line_that_fits_into_another
        }
        $crate::conformance_group! { $harness, #[$test], session:
            one_login_serves_all_calls
            a_wrong_password_is_tried_once
            a_session_that_died_between_calls_is_renewed_once
            a_session_that_dies_in_mid_wait_is_renewed_once
            concurrent_calls_share_one_new_login
            disconnect_leaves_no_session_open
            disconnect_is_repeatable_and_survives_a_dead_session
            a_disconnected_client_stays_out
            clients_do_not_share_their_sessions
        }
        $crate::conformance_group! { $harness, #[$test], concurrency:
            a_batch_keeps_to_its_limit
            a_batch_of_many_reaches_all
            one_that_fails_does_not_stop_the_others
            concurrent_callers_share_one_client
            two_callers_may_want_the_same
            cancellation_ends_a_wait
            the_deadline_ends_a_wait
            a_cancelled_batch_leaves_the_rest_alone
        }
        $crate::conformance_group! { $harness, #[$test], secrets:
            the_password_is_in_no_log
            the_password_is_in_no_debug_output_and_no_record
            the_password_is_in_no_error
        }
        $crate::conformance_group! { $harness, #[$test], robustness:
            a_server_that_refuses_connections_is_unavailable
            a_server_that_never_answers_costs_no_more_than_the_deadline
            a_call_in_an_outage_ends_in_time_and_the_next_one_works
            a_power_call_cut_before_its_effect_is_not_repeated
            a_power_call_cut_after_its_effect_succeeds_without_another
            a_read_that_is_cut_harms_nobody
            a_busy_server_is_asked_again_or_reported
            an_answer_without_sense_is_an_error
            a_vm_deleted_in_mid_wait_ends_the_wait
            a_vm_that_someone_else_powers_off_is_off
        }
    };
}

/// One group of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_group {
    ($harness:expr, #[$test:meta], $group:ident: $($check:ident)+) => {
        mod $group {
            use super::*;

            $(
                #[$test]
                async fn $check() {
                    $crate::conformance::run($crate::conformance::$group::$check(&$harness)).await;
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    /// A check that is written and not listed would never run.
    #[test]
    fn every_check_is_in_the_macro() {
        let listed = include_str!("mod.rs");
        for (group, source) in [
            ("inventory", include_str!("inventory.rs")),
            ("power", include_str!("power.rs")),
            ("undo", include_str!("undo.rs")),
            ("unsupported", include_str!("unsupported.rs")),
            ("errors", include_str!("errors.rs")),
            ("session", include_str!("session.rs")),
            ("concurrency", include_str!("concurrency.rs")),
            ("secrets", include_str!("secrets.rs")),
            ("robustness", include_str!("robustness.rs")),
        ] {
            let written: Vec<&str> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn "))
                .filter_map(|line| line.split_once('(').map(|(name, _)| name))
                .collect();
            let start = listed.find(&format!(", {group}:\n")).unwrap();
            let names = listed[start..].lines().skip(1).map(str::trim).take_while(|line| *line != "}");
            assert_eq!(names.collect::<Vec<_>>(), written, "{group}: same checks in the same order");
        }
    }
}
