//! Reading layouts of fixed-length fields.

/// What is left of a layout. Whoever reads one has checked its length first: to read beyond the end is
/// a fault of this program.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else {
            unreachable!("a layout is read beyond its end");
        };
        self.0 = rest;
        *field
    }

    /// The next four bytes as a number.
    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    /// The next eight bytes as a number.
    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }
}
