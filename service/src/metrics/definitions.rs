//! Every metric that the program has: its name, kind, labels and meaning. Names have their unit at the
//! end, and do not change: dashboards and alerts rest on them. `service/OPERATING.md` lists them, and
//! a test compares.

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process starts again.
    Counter,
    /// It may grow and shrink.
    Gauge,
    /// Counts of values in steps.
    Histogram,
}

impl Kind {
    /// What this kind is called in both formats.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The names of its labels. Their values are words of the program or of its settings, so there
    /// are never many.
    pub labels: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
}

macro_rules! definitions {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Definition = Definition {
                name: $name,
                kind: Kind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// Every metric, in the order in which they are shown.
        pub const ALL: &[Definition] = &[$($constant),*];
    };
}

definitions! {
    BUILD_INFO = Gauge "planledger_build_info" ["version"] "Always 1; the label says which version runs.";
    TAKES_COMMANDS = Gauge "planledger_takes_commands" [] "1 if commands are accepted, 0 if not.";
    WAITS_FOR_ROOM = Gauge "planledger_waits_for_room" [] "1 while the disk has no room for the next file of the journal or of the access log; the server goes on by itself.";
    SHOWS_PLANS = Gauge "planledger_shows_plans" [] "1 if plans are shown, 0 if reads of them cannot be recorded.";
    EVENTS = Counter "planledger_events_total" [] "Events in the journal, which is the position of the last one.";
    COMMITS = Counter "planledger_commits_total" [] "Commits in the journal.";
    RECEIPTS = Counter "planledger_receipts_total" ["kind"] "Receipts given since the start: new ones, and repeated ones of commands sent again.";
    GROUP_COMMANDS = Histogram "planledger_commit_group_commands" [] "Commands that were written and synced together.";
    SYNC_SECONDS = Histogram "planledger_journal_sync_seconds" [] "Time of a write to the journal with its sync.";
    QUEUE_REQUESTS = Gauge "planledger_queue_requests" [] "Requests with commands that wait for the writer.";
    QUEUE_BYTES = Gauge "planledger_queue_bytes" [] "Bytes of the requests that wait for the writer.";
    REFUSED = Counter "planledger_refused_total" ["reason"] "Requests and commands that were refused since the start, by reason.";
    REQUESTS = Counter "planledger_requests_total" ["method", "code"] "Requests that were answered since the start, by method and gRPC code.";
    REQUEST_SECONDS = Histogram "planledger_request_seconds" ["method"] "Time until a single answer was handed over, by method; without streams.";
    REQUESTS_IN_PROGRESS = Gauge "planledger_requests_in_progress" [] "Requests that are being answered now, streams included.";
    CONNECTIONS = Gauge "planledger_connections" [] "Connections of clients.";
    FOLLOWERS = Gauge "planledger_followers" [] "Clients that follow events.";
    FOLLOWER_LAG = Gauge "planledger_follower_lag_events" [] "Events that the follower lacks that is furthest behind.";
    DERIVED_LAG = Gauge "planledger_derived_lag_events" [] "Events that derived state on disk does not have yet.";
    DERIVED_REBUILDS = Counter "planledger_derived_rebuilds_total" [] "How often derived state was found faulty and rebuilt since the start.";
    DERIVED_REBUILDING = Gauge "planledger_derived_rebuilding" [] "1 while derived state is being rebuilt, else 0.";
    FORKS = Gauge "planledger_forks" [] "Forks of streams that nobody has settled.";
    KEYS = Gauge "planledger_keys" [] "Keys in the key store.";
    DISK_FREE = Gauge "planledger_disk_free_bytes" ["folder"] "Bytes that the server may still write on the disk of a folder.";
    DISK_SIZE = Gauge "planledger_disk_size_bytes" ["folder"] "Size of the disk of a folder.";
    CHECKPOINT_AGE = Gauge "planledger_checkpoint_age_seconds" [] "Age of the newest checkpoint; absent if there is none.";
    CHECKPOINT_LAG = Gauge "planledger_checkpoint_lag_events" [] "Events that no checkpoint covers yet.";
    CHECKPOINT_FAILURES = Counter "planledger_checkpoint_failures_total" ["log"] "How often a checkpoint was due since the start and could not be made, of the ledger and of its access log.";
    COSIGNED = Counter "planledger_cosigned_total" ["name"] "How often a witness or monitor has cosigned since the start.";
    COSIGN_FAILURES = Counter "planledger_cosign_failures_total" ["name"] "How often a witness or monitor was asked since the start and has not cosigned.";
    PROCESS_CPU = Counter "process_cpu_seconds_total" [] "Processor time of the process.";
    PROCESS_RESIDENT = Gauge "process_resident_memory_bytes" [] "Memory of the process that is in RAM.";
    PROCESS_VIRTUAL = Gauge "process_virtual_memory_bytes" [] "Address space of the process.";
    PROCESS_THREADS = Gauge "process_threads" [] "Threads of the process.";
    PROCESS_OPEN_FDS = Gauge "process_open_fds" [] "Files and sockets that the process has open.";
    PROCESS_MAX_FDS = Gauge "process_max_fds" [] "Files and sockets that the process may have open.";
    PROCESS_START = Gauge "process_start_time_seconds" [] "When the process started, in seconds since 1970.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them_and_none_stands_twice() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let ours =
                metric.name.starts_with("planledger_") || metric.name.starts_with("process_");
            assert!(ours, "{}", metric.name);
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(metric.name.chars().all(plain), "{}", metric.name);
            let counts = metric.name.ends_with("_total");
            assert_eq!(counts, metric.kind == Kind::Counter, "{}", metric.name);
            assert!(!metric.labels.contains(&"le"), "{}", metric.name);
            assert!(metric.help.ends_with('.') && !metric.help.contains('\n'));
        }
    }
}
