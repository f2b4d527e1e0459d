//! The server itself: health, reflection, limits, and how it stops.

mod disk;
mod health;
mod limits;
mod reflection;
mod rude;
mod stopping;
