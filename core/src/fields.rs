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

    /// Ends reading: no field is left.
    pub(crate) fn finish(self) {
        assert!(self.0.is_empty(), "a layout has no more fields");
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

/// A layout of `N` bytes that is being written, field by field. To write beyond its end, or to stop
/// before it, is a fault of this program.
pub(crate) struct FieldWriter<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> FieldWriter<N> {
    /// A layout without any field yet.
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; N],
            at: 0,
        }
    }

    /// Writes the next field.
    pub(crate) fn put(&mut self, field: &[u8]) {
        let end = self.at + field.len();
        let Some(to) = self.bytes.get_mut(self.at..end) else {
            unreachable!("a layout is written beyond its end");
        };
        to.copy_from_slice(field);
        self.at = end;
    }

    /// Leaves zeros up to `at`, where the next field begins.
    pub(crate) fn zeros_to(&mut self, at: usize) {
        assert!((self.at..=N).contains(&at), "fields of a layout overlap");
        self.at = at;
    }

    /// The fields so far.
    pub(crate) fn written(&self) -> &[u8] {
        let (written, _) = self.bytes.split_at(self.at);
        written
    }

    /// The whole layout.
    pub(crate) fn finish(self) -> [u8; N] {
        assert_eq!(self.at, N, "a layout has all its fields");
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_back_as_they_were_written() {
        let mut out = FieldWriter::<16>::new();
        out.put(&7_u32.to_be_bytes());
        out.zeros_to(6);
        assert_eq!(out.written(), [0, 0, 0, 7, 0, 0]);
        out.put(&[1, 2]);
        out.put(&9_u64.to_be_bytes());
        let bytes = out.finish();
        let mut fields = Fields(&bytes);
        assert_eq!((fields.u32(), fields.take()), (7, [0, 0, 1, 2]));
        assert_eq!(fields.u64(), 9);
        fields.finish();
    }

    #[test]
    #[should_panic(expected = "beyond its end")]
    fn no_field_is_written_beyond_the_end_of_a_layout() {
        FieldWriter::<4>::new().put(&[0; 5]);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn no_field_is_placed_before_the_end_of_another() {
        let mut out = FieldWriter::<4>::new();
        out.put(&[0; 3]);
        out.zeros_to(2);
    }

    #[test]
    #[should_panic(expected = "all its fields")]
    fn a_layout_is_not_finished_before_it_is_full() {
        FieldWriter::<4>::new().finish();
    }

    #[test]
    #[should_panic(expected = "no more fields")]
    fn no_bytes_are_left_over_when_a_layout_is_read() {
        Fields(&[0; 4]).finish();
    }
}
