//! The operating system's clock and randomness, which the service passes to core.

use std::time::{SystemTime, UNIX_EPOCH};

use planledger_core::time::{Clock, Entropy, Timestamp};

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970. The ledger itself keeps its instants increasing.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        Ok(getrandom::fill(bytes)?)
    }
}

/// The time zone in which school days are counted.
pub const COPENHAGEN: &str = "Europe/Copenhagen";

/// Today's date in Copenhagen, because school days are counted there. The server's own time zone
/// does not matter.
pub fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::now();
    match jiff::tz::TimeZone::get(COPENHAGEN) {
        Ok(zone) => now.to_zoned_datetime(zone).date(),
        // The bundled database has the zone; this is for a build that leaves it out.
        Err(_) => now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
    }
}
