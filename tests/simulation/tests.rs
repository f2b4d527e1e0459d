//! A bounded run of the simulation, every fault that is put in on purpose, and a failure that is made small.

#![allow(clippy::unwrap_used, reason = "tests: a panic says what is wrong")]

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

#[test]
fn a_seed_that_fails_is_made_small_and_its_command_plays_it_again() {
    let bug = ["--bug", "receipt-before-fsync"];
    let (good, said) = simulate(&[bug.as_slice(), &["--seeds", "20"]].concat());
    assert!(!good);
    let command = said.lines().find_map(|line| line.split_once(" -- "));
    let (_, arguments) = command.unwrap_or_else(|| panic!("{said}"));
    let again: Vec<_> = arguments.split(' ').collect();
    let (good, said) = simulate(&again);
    assert!(!good && said.contains("wrong: "), "{said}");
    // An append and a power cut are enough.
    let items = said.lines().filter(|line| line.starts_with("  ")).count();
    assert!(items < 12, "{said}");
}
