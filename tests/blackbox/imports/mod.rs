//! What an import does to people whom it should leave alone (P8). Each test is a case that went wrong
//! for somebody who does this work.

mod by_hand;
mod export;
mod leaving;
