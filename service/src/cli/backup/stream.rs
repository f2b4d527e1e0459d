//! A backup as a tar file on standard output. What `tar -x` makes of it is a folder with the backup.

use std::io::{self, Write};

use planledger_core::backup::Place;

use super::super::error::CliError;

const BLOCK: usize = 512;

/// Standard output, to which every object is written once, in the order in which it comes.
#[derive(Debug, Default)]
pub(super) struct Stream;

impl Stream {
    /// Writes the end of the tar file.
    pub(super) fn finish(&self) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        out.write_all(&[0; 2 * BLOCK])?;
        Ok(out.flush()?)
    }
}

impl Place for Stream {
    fn describe(&self) -> String {
        "standard output".to_owned()
    }

    fn list(&self, _: &str) -> io::Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let header = header(name, bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
        let mut out = io::stdout().lock();
        out.write_all(&header)?;
        out.write_all(bytes)?;
        out.write_all(&vec![0; bytes.len().next_multiple_of(BLOCK) - bytes.len()])
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(name, bytes)
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The header of a file in a tar file (POSIX ustar); `None` if the name is too long. Only the owner may read
/// what is unpacked.
fn header(name: &str, len: usize) -> Option<[u8; BLOCK]> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, field: &[u8]| {
        let to = header.get_mut(at..at + field.len())?;
        to.copy_from_slice(field);
        Some(())
    };
    (name.len() < 100).then_some(())?;
    put(0, name.as_bytes())?;
    put(100, b"0000600\0")?;
    put(108, b"0000000\0")?;
    put(116, b"0000000\0")?;
    put(124, format!("{len:011o}\0").as_bytes())?;
    put(136, b"00000000000\0")?;
    // The sum counts these as blanks.
    put(148, b"        ")?;
    put(156, b"0")?;
    put(257, b"ustar\x0000")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    header.get_mut(148..156)?.copy_from_slice(sum.as_bytes());
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_fields_where_posix_puts_them() {
        let header = header("objects/ab", 700).unwrap();
        assert!(header.starts_with(b"objects/ab\0"));
        assert_eq!(&header[124..136], b"00000001274\0");
        assert_eq!(
            (header[156], &header[257..265]),
            (b'0', b"ustar\x0000".as_slice())
        );
        let sum: u32 = header
            .iter()
            .enumerate()
            .map(|(at, byte)| match at {
                148..156 => 32,
                _ => u32::from(*byte),
            })
            .sum();
        assert_eq!(&header[148..156], format!("{sum:06o}\0 ").as_bytes());
        assert!(super::header(&"a".repeat(100), 1).is_none());
    }
}
