//! How many files the process may have open.

/// Descriptors that are left for the journal, derived state and connections to others.
const RESERVE: u64 = 256;
/// The most descriptors that are asked for.
const ENOUGH: u64 = 65_536;

/// Raises the limit of open files as far as the process may, and gives how many connections fit
/// beside what the ledger needs.
pub fn make_room() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let present = getrlimit(Resource::Nofile);
        let most = present.maximum.unwrap_or(ENOUGH).min(ENOUGH);
        let now = present.current.unwrap_or(ENOUGH);
        let mut open = now;
        if now < most {
            let wanted = Rlimit {
                current: Some(most),
                maximum: present.maximum,
            };
            if setrlimit(Resource::Nofile, wanted).is_ok() {
                open = most;
            }
        }
        let room = open.saturating_sub(RESERVE).max(16);
        usize::try_from(room).unwrap_or(usize::MAX)
    }
    #[cfg(not(unix))]
    usize::MAX
}
