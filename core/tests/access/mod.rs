//! Who may do what: the table, cell by cell, and what decides which cells somebody is in.

mod deciding;
mod granted;
mod histories;
mod naming;
mod needs;
mod table;
