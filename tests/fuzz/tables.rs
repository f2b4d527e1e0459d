//! The tables of an export in one input, with a line of `---` between them.

pub(super) fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut tables = vec![Vec::new()];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line == b"---\n" {
            tables.push(Vec::new());
        } else if let Some(table) = tables.last_mut() {
            table.extend_from_slice(line);
        }
    }
    tables
}
