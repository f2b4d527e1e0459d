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

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Read = 1,
    Write = 2,
    Open = 3,
    Sync = 4,
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
    part: &'static str,
}

impl Faults {
    /// Ready for files whose path holds `part`. Nothing fails yet.
    pub(crate) fn on(part: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = File::options();
        let options = options.read(true).write(true).create_new(true);
        let control = options.open(dir.path().join("control")).unwrap();
        control.set_len((RULE * RULES) as u64).unwrap();
        Self { control, dir, part }
    }

    /// Has a process that is started meet them.
    pub(crate) fn meet(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAULTS_PATH", self.part)
            .env("FAULTS_CONTROL", self.dir.path().join("control"));
    }

    /// Lets `skip` calls through; then as many as `count` fail.
    pub(crate) fn begin(&self, call: Call, fault: Fault, skip: u64, count: u64) {
        let fault = match fault {
            Fault::Short => 0,
            Fault::Error(errno) => errno as u64,
            Fault::Torn(errno) => 1_000 + errno as u64,
        };
        self.write(0, &[0, fault, skip, count, 0, 0]);
        // The rule counts once it is whole.
        self.write(0, &[call as u64]);
    }

    /// From now on nothing fails; gives how many calls did.
    pub(crate) fn end(&self) -> u64 {
        self.write(0, &[0]);
        let mut failed = [0; size_of::<u64>()];
        let at = FAILED * failed.len();
        self.control.read_exact_at(&mut failed, at as u64).unwrap();
        u64::from_ne_bytes(failed)
    }

    fn write(&self, field: u64, values: &[u64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|it| it.to_ne_bytes()).collect();
        let at = field * size_of::<u64>() as u64;
        self.control.write_all_at(&bytes, at).unwrap();
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
