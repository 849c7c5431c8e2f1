//! `Circuit` under every schedule that a search of this size reaches.

use akv_model::circuit_scenarios as scenarios;
use shuttle::{check_pct, check_random};

fn check(scenario: fn()) {
    check_random(scenario, 2_000);
    check_pct(scenario, 2_000, 3);
}

#[test]
fn three_concurrent_timeouts_open_it_once() {
    check(scenarios::three_concurrent_timeouts_open_it_once);
}

#[test]
fn responses_to_later_operations_keep_it_closed() {
    check(scenarios::responses_to_later_operations_keep_it_closed);
}

#[test]
fn two_do_not_open_it() {
    check(scenarios::two_do_not_open_it);
}

#[test]
fn one_probe_runs_a_second() {
    check(scenarios::one_probe_runs_a_second);
}

#[test]
fn only_a_probe_closes_it() {
    check(scenarios::only_a_probe_closes_it);
}
