//! Backups: what is in one, what is not copied again, what a crash leaves, and putting one back.

mod crash;
mod damage;
mod incremental;
mod restoring;
mod round;
mod support;
