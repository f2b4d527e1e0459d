//! The program, as a process: what it prints where, and its exit codes.

mod carried;
mod catalogue;
mod changes;
mod cores;
mod damaged;
mod demo;
mod doctor;
#[cfg(target_os = "linux")]
mod drills;
mod exported;
mod forks;
mod keys;
mod ledger;
mod plans;
mod rest;
mod roster;
mod serve;
mod settings;
mod upgraded;
mod usage;
