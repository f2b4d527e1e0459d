//! A bounded run of the simulation, every fault that is put in on purpose, and a failure that is made small.

#![allow(clippy::unwrap_used, reason = "tests: a panic says what is wrong")]

use std::collections::BTreeSet;
use std::process::{Command, Output};

fn simulate(arguments: &[&str]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_simulate"));
    let Output {
        status,
        stdout,
        stderr,
    } = program.args(arguments).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn whatever_the_disk_does_nothing_that_was_receipted_is_lost() {
    let (good, said) = simulate(&["--seconds", "8"]);
    assert!(good, "{said}");
}

#[test]
fn the_whole_ledger_loses_nothing_and_reads_as_it_was() {
    let (good, said) = simulate(&["--ledger", "--seconds", "8"]);
    assert!(good, "{said}");
}

#[test]
fn a_seed_gives_the_same_trace_each_time() {
    let (good, said) = simulate(&["--ledger", "--twice", "--seeds", "16"]);
    assert!(good, "{said}");
}

#[test]
fn threads_take_turns_in_another_order_for_another_number() {
    let mut traces = BTreeSet::new();
    for order in ["1", "2", "3", "4"] {
        let (good, said) = simulate(&["--ledger", "--seed", "3", "--order", order]);
        assert!(good, "{said}");
        let trace = said.lines().find(|line| line.starts_with("trace "));
        traces.insert(trace.unwrap().to_owned());
    }
    assert_eq!(traces.len(), 4);
}

#[test]
fn a_process_that_is_killed_at_any_operation_loses_nothing() {
    let (good, said) = simulate(&["--sweep"]);
    assert!(good, "{said}");
}

#[test]
fn every_fault_that_is_put_in_is_found() {
    let (good, said) = simulate(&["--bugs", "--seeds", "200"]);
    assert!(good, "{said}");
    let found = said.lines().filter(|line| line.contains(": seed ")).count();
    assert!(found >= 20, "{found} of twenty:\n{said}");
}

/// Plays seeds with a fault, and gives what is enough for the first failure and the command that plays it again.
fn made_small(bug: &str) -> (String, Vec<String>) {
    let (good, said) = simulate(&["--bug", bug, "--seeds", "20"]);
    assert!(!good);
    let enough = said
        .lines()
        .find_map(|line| line.split_once(" are enough: "));
    let command = said.lines().find_map(|line| line.split_once(" -- "));
    let ((_, wrong), (_, arguments)) = enough.zip(command).unwrap_or_else(|| panic!("{said}"));
    let arguments = arguments.split(' ').map(str::to_owned).collect();
    (wrong.to_owned(), arguments)
}

#[test]
fn a_seed_that_fails_is_made_small_and_its_command_plays_it_again() {
    let (wrong, again) = made_small("receipt-before-fsync");
    let again: Vec<_> = again.iter().map(String::as_str).collect();
    let (good, said) = simulate(&again);
    assert!(!good && said.contains(&format!("wrong: {wrong}")), "{said}");
    // An append and a power cut are enough.
    let items = said.lines().filter(|line| line.starts_with("  ")).count();
    assert!(items < 12, "{said}");
}

#[test]
fn a_fault_that_only_an_order_of_threads_shows_is_played_again_as_well() {
    let (wrong, again) = made_small("waits-late");
    assert!(wrong.starts_with("no thread can go on"), "{wrong}");
    let again: Vec<_> = again.iter().map(String::as_str).collect();
    let (_, first) = simulate(&again);
    let (good, said) = simulate(&again);
    assert!(!good && said.contains(&format!("wrong: {wrong}")), "{said}");
    assert_eq!(said, first);
}
