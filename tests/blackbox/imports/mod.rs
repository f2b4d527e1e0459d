//! What an import does to people whom it should leave alone (P8). Each test is a case that went wrong
//! for somebody who does this work.

mod absent;
mod before_writing;
mod by_hand;
mod cases;
mod export;
mod leaving;
mod merger;
mod mutated;
mod ownerless;
mod profiles;
mod saying;
mod sources;
mod stil;
mod suggested;
