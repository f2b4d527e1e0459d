//! The public formats, checked against what others made of the same specifications, against
//! published vectors, and with input that is none. Where each of them comes from: `README.md`.

mod cosignatures;
mod leaves;
mod malformed;
mod notes;
mod probes;
mod tiles;
mod trees;
mod witness;
