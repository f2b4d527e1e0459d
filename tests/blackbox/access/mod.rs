//! Systems and grants over the API and the command line.

mod cli;
mod reads;
