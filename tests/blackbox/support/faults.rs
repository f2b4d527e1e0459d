//! Calls of a server's process that fail when they are told to; see tests/faults/faults.c.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::program::output;

const FIELDS: usize = 6;
const RULES: usize = 4;
const RULE: usize = FIELDS * size_of::<u64>();
const FAILED: usize = 5;
/// How far the clock is wrong stands after the rules.
const SHIFT: usize = size_of::<i64>();

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Read = 1,
    Write = 2,
    Open = 3,
    Sync = 4,
    /// A name is given or taken away.
    Name = 5,
    OpenToWrite = 6,
}

/// How calls fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Half of it is done, without an error.
    Short,
    /// It fails with this errno.
    Error(i32),
    /// Half of it is done, and then it fails with this errno.
    Torn(i32),
}

/// Makes calls on some files fail.
pub(crate) struct Faults {
    control: File,
    dir: TempDir,
    part: String,
}

impl Faults {
    /// Ready for files whose path holds `part`. Nothing fails yet.
    pub(crate) fn on(part: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = File::options();
        let options = options.read(true).write(true).create_new(true);
        let control = options.open(dir.path().join("control")).unwrap();
        control.set_len((RULE * RULES + SHIFT) as u64).unwrap();
        let part = part.to_owned();
        Self { control, dir, part }
    }

    /// Has a process that is started meet them.
    pub(crate) fn meet(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAULTS_PATH", &self.part)
            .env("FAULTS_CONTROL", self.dir.path().join("control"));
    }

    /// Lets `skip` calls through; then as many as `count` fail.
    pub(crate) fn begin(&self, call: Call, fault: Fault, skip: u64, count: u64) {
        self.rule(0, (call, fault), skip, count);
    }

    /// From now on all of these calls fail.
    pub(crate) fn begin_all(&self, rules: &[(Call, Fault)]) {
        assert!(rules.len() <= RULES);
        for (nth, rule) in rules.iter().enumerate() {
            self.rule(nth, *rule, 0, u64::MAX);
        }
    }

    fn rule(&self, nth: usize, (call, fault): (Call, Fault), skip: u64, count: u64) {
        let fault = match fault {
            Fault::Short => 0,
            Fault::Error(errno) => errno as u64,
            Fault::Torn(errno) => 1_000 + errno as u64,
        };
        self.write(nth, &[0, fault, skip, count, 0, 0]);
        // The rule counts once it is whole.
        self.write(nth, &[call as u64]);
    }

    /// From now on nothing fails; gives how many calls did.
    pub(crate) fn end(&self) -> u64 {
        let rules = 0..RULES;
        let failed = rules.map(|nth| {
            self.write(nth, &[0]);
            let mut failed = [0; size_of::<u64>()];
            let at = nth * RULE + FAILED * failed.len();
            self.control.read_exact_at(&mut failed, at as u64).unwrap();
            u64::from_ne_bytes(failed)
        });
        failed.sum()
    }

    /// Sets the clock of the day so many seconds forward, or back.
    pub(crate) fn set_clock(&self, seconds: i64) {
        let at = (RULE * RULES) as u64;
        let bytes = seconds.to_ne_bytes();
        self.control.write_all_at(&bytes, at).unwrap();
    }

    fn write(&self, rule: usize, values: &[u64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|it| it.to_ne_bytes()).collect();
        self.control
            .write_all_at(&bytes, (rule * RULE) as u64)
            .unwrap();
    }
}

/// The library, made once, with the compiler that Rust links with.
fn library() -> &'static Path {
    static MADE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("faults.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/faults.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]);
        let made = output(compiler.arg(&path).arg(source).arg("-ldl"));
        assert!(made.status.success(), "{made:?}");
        (dir, path)
    });
    path
}
