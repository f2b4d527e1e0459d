//! What the threads of a story did on the disk, one after the other, so that two stories can be compared.

use std::fmt;
use std::thread;

/// The operations so far: the name of the thread, what it did, and what came of it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Trace {
    /// A number that differs if anything of it does.
    pub(crate) digest: u64,
    /// The operations themselves, if they are wanted.
    pub(crate) lines: Option<Vec<String>>,
    line: String,
}

impl Trace {
    /// A trace that keeps what it notes.
    pub(crate) fn kept() -> Self {
        Self {
            lines: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Notes something that this thread did.
    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        let thread = thread::current();
        self.line.clear();
        // Writing to a text cannot fail.
        let _ = fmt::write(
            &mut self.line,
            format_args!("{}: {what}", thread.name().unwrap_or_default()),
        );
        self.digest = digest(self.digest, self.line.as_bytes());
        if let Some(lines) = &mut self.lines {
            lines.push(self.line.clone());
        }
    }
}

/// A number that differs if a number before it or the bytes do (FNV-1a).
fn digest(before: u64, bytes: &[u8]) -> u64 {
    let start = before ^ 0xcbf2_9ce4_8422_2325;
    bytes.iter().fold(start, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
