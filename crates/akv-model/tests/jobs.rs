//! Paused ASYNC jobs under every schedule that a search of this size reaches.

use akv_model::job_scenarios as scenarios;
use shuttle::{check_dfs, check_pct, check_random};

/// Random orders, orders that favour a few switches at bad moments, and the first of all orders.
fn check(scenario: fn()) {
    check_random(scenario, 2_000);
    check_pct(scenario, 2_000, 3);
    check_dfs(scenario, Some(5_000));
}

#[test]
fn the_descriptor_announces_the_result() {
    check(scenarios::the_descriptor_announces_the_result);
}

#[test]
fn early_resumption_loses_nothing() {
    check(scenarios::early_resumption_loses_nothing);
}

#[test]
fn a_forgotten_job_touches_nothing() {
    check(scenarios::a_forgotten_job_touches_nothing);
}

#[test]
fn a_forgotten_stack_holds_neither_event_nor_result() {
    check(scenarios::a_forgotten_stack_holds_neither_event_nor_result);
}

#[test]
fn a_callback_delays_no_other_operation() {
    check(scenarios::a_callback_delays_no_other_operation);
}

#[test]
fn a_cancelled_operation_keeps_nothing() {
    check(scenarios::a_cancelled_operation_keeps_nothing);
}

#[test]
fn a_lost_task_resumes_the_job() {
    check(scenarios::a_lost_task_resumes_the_job);
}

#[test]
fn a_failure_resumes_the_job() {
    check(scenarios::a_failure_resumes_the_job);
}

#[test]
fn a_callback_may_free_its_context() {
    check(scenarios::a_callback_may_free_its_context);
}

#[test]
fn a_child_frees_its_copy() {
    check_random(scenarios::a_child_frees_its_copy, 2_000);
    check_pct(scenarios::a_child_frees_its_copy, 2_000, 3);
}
