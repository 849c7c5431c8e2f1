//! `PerProcess` under every schedule that a search of this size reaches.

use akv_model::per_process_scenarios as scenarios;
use shuttle::{check_dfs, check_pct, check_random};

/// Random orders, and orders that favour a few switches at bad moments.
fn check(scenario: fn()) {
    check_random(scenario, 3_000);
    check_pct(scenario, 3_000, 3);
}

#[test]
fn a_race_makes_one_value() {
    check(scenarios::a_race_makes_one_value);
    // In order, from the first schedule on; all of them are too many.
    check_dfs(scenarios::a_race_makes_one_value, Some(10_000));
}

#[test]
fn a_failure_is_not_kept() {
    check(scenarios::a_failure_is_not_kept);
}

#[test]
fn a_child_has_its_own() {
    check(scenarios::a_child_has_its_own);
}

#[test]
fn a_child_drops_nothing_of_its_parents() {
    check(scenarios::a_child_drops_nothing_of_its_parents);
}

#[test]
fn two_processes_at_once() {
    check(scenarios::two_processes_at_once);
}
