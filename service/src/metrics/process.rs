//! What the operating system says of this process, under the names that all exporters use. Only Linux
//! says it in files; elsewhere there is only the time of the start.

use planledger_core::time::Timestamp;

use super::definitions as of;
use super::{Gathered, Value};

pub(super) fn gather(started_at: Timestamp, all: &mut Gathered) {
    #[cfg(target_os = "linux")]
    linux::gather(all);
    let start = started_at.nanos() as f64 / 1e9;
    all.one(of::PROCESS_START, Value::Real(start));
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::param::{clock_ticks_per_second, page_size};
    use rustix::process::{Resource, getrlimit};

    use super::super::{Gathered, Value};
    use super::of;

    /// What stands in `/proc/self/stat` after the name of the program.
    #[derive(Debug, PartialEq, Eq)]
    struct Stat {
        /// Processor time of the user and of the system, in ticks.
        ticks: u64,
        threads: u64,
        virtual_bytes: u64,
        resident_pages: u64,
    }

    pub(super) fn gather(all: &mut Gathered) {
        let stat = std::fs::read_to_string("/proc/self/stat");
        if let Some(stat) = stat.ok().and_then(|text| read(&text)) {
            let seconds = stat.ticks as f64 / clock_ticks_per_second() as f64;
            all.one(of::PROCESS_CPU, Value::Real(seconds));
            let resident = stat.resident_pages * page_size() as u64;
            all.whole(of::PROCESS_RESIDENT, resident);
            all.whole(of::PROCESS_VIRTUAL, stat.virtual_bytes);
            all.whole(of::PROCESS_THREADS, stat.threads);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // The folder itself is open while it is read.
            let count = open.count().saturating_sub(1);
            all.whole(of::PROCESS_OPEN_FDS, count as u64);
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            all.whole(of::PROCESS_MAX_FDS, most);
        }
    }

    /// Fields 14, 15, 20, 23 and 24 of proc(5). The name of the program, field 2, may hold anything,
    /// also parentheses, so counting begins after the last one.
    fn read(text: &str) -> Option<Stat> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat {
            ticks: field(14)? + field(15)?,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_line_of_the_system_is_read_field_by_field() {
            let line = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 7 0 999 1000 50 18446744073709551615";
            let expected = Stat {
                ticks: 23,
                threads: 7,
                virtual_bytes: 1_000,
                resident_pages: 50,
            };
            assert_eq!(read(line), Some(expected));
            assert_eq!(read("42 (a"), None);
        }
    }
}
