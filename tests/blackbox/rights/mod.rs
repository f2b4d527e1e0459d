//! What the server shows and does is what grants, roster and plans give a right to.

mod lists;
mod methods;
mod naming;
mod purpose;
mod recoveries;
mod streams;
mod telling;
mod world;

use self::world::{Place, World};
