//! Everything that is recorded, read and followed.

mod follow;
mod read;
