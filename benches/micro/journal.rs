//! The journal on the disk that temporary files are on: one write and one sync for each group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use planledger_core::ids::{CommitSeq, LedgerId};
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog, SegmentOptions};
use planledger_core::time::Timestamp;

use crate::event;

fn create(dir: &tempfile::TempDir) -> SegmentLog {
    let disk = Arc::new(OsDisk::new(dir.path().join("journal")).unwrap());
    let created_at = Timestamp::from_nanos(event::STARTED);
    let id = LedgerId::from_bytes([9; 16]);
    SegmentLog::create(disk, id, created_at, SegmentOptions::default()).unwrap()
}

pub(crate) fn append(criterion: &mut Criterion) {
    let key = event::key();
    let plain = event::event().to_json().unwrap();
    let mut group = criterion.benchmark_group("journal");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(4));
    for size in [1, 16, 256] {
        let dir = tempfile::tempdir().unwrap();
        let log = create(&dir);
        let mut next = 1;
        group.throughput(Throughput::Elements(size));
        group.bench_function(format!("append groups of {size}"), |bencher| {
            bencher.iter_custom(|groups| {
                let mut took = Duration::ZERO;
                for _ in 0..groups {
                    let commits: Vec<_> = (next..next + size)
                        .map(|number| event::commit(&key, number, &plain))
                        .collect();
                    next += size;
                    let start = Instant::now();
                    log.append(&log.tail(), &commits).unwrap();
                    took += start.elapsed();
                }
                took
            });
        });
    }
    group.finish();
}

pub(crate) fn read(criterion: &mut Criterion) {
    const EVENTS: u64 = 32_768;
    let key = event::key();
    let plain = event::event().to_json().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = create(&dir);
    for first in (1..=EVENTS).step_by(1_024) {
        let commits: Vec<_> = (first..first + 1_024)
            .map(|number| event::commit(&key, number, &plain))
            .collect();
        log.append(&log.tail(), &commits).unwrap();
    }
    let mut group = criterion.benchmark_group("journal");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(EVENTS));
    group.bench_function("read frames of one event, checked", |bencher| {
        bencher.iter_batched(
            || log.read_commits(CommitSeq::ZERO.next()),
            |frames| assert_eq!(frames.map(Result::unwrap).count() as u64, EVENTS),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
