//! Commands and their receipts: alone, as one, and over a stream.

mod batches;
mod races;
mod receipts;
mod repetition;
mod reserved;
mod streams;
