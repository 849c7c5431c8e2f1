//! `Helm` under every schedule that a search of this size reaches.

use akv_model::helm_scenarios as scenarios;
use shuttle::{check_pct, check_random};

fn check(scenario: fn()) {
    check_random(scenario, 2_000);
    check_pct(scenario, 2_000, 3);
}

#[test]
fn a_lone_caller_leads() {
    check(scenarios::a_lone_caller_leads);
}

#[test]
fn a_task_does_not_wait_for_the_leader() {
    check(scenarios::a_task_does_not_wait_for_the_leader);
}

#[test]
fn callers_and_tasks_take_turns() {
    check(scenarios::callers_and_tasks_take_turns);
}
