//! `Tokens` under every schedule that a search of this size reaches.

use akv_model::token_scenarios as scenarios;
use shuttle::{check_pct, check_random};

fn check(scenario: fn()) {
    check_random(scenario, 1_500);
    check_pct(scenario, 1_500, 3);
}

#[test]
fn one_request_serves_all() {
    check(scenarios::one_request_serves_all);
}

#[test]
fn a_failure_is_shared_and_not_kept() {
    check(scenarios::a_failure_is_shared_and_not_kept);
}

#[test]
fn a_timeout_is_not_shared() {
    check(scenarios::a_timeout_is_not_shared);
}

#[test]
fn without_a_thread_callers_renew() {
    check(scenarios::without_a_thread_callers_renew);
}

#[test]
fn a_failed_renewal_keeps_the_old_token() {
    check(scenarios::a_failed_renewal_keeps_the_old_token);
}

#[test]
fn a_refusal_makes_one_request() {
    check(scenarios::a_refusal_makes_one_request);
}

#[test]
fn a_refusal_during_a_renewal_makes_one_request() {
    check(scenarios::a_refusal_during_a_renewal_makes_one_request);
}

#[test]
fn a_cancelled_caller_does_not_block_others() {
    check(scenarios::a_cancelled_caller_does_not_block_others);
}

#[test]
fn a_used_token_is_renewed_once() {
    check(scenarios::a_used_token_is_renewed_once);
}
