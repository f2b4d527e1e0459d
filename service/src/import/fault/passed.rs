//! Rows that an import does not use.

use super::report::ImportFault;

/// Why something of a row was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassedOverKind {
    /// The row says that what it describes is gone, and lacks what would be needed to use it.
    Gone,
    /// The row is bad. Nothing of it is used, and what the ledger has of its subject is left alone.
    Bad,
    /// One value of the row cannot be used. The rest of the row is used.
    Part,
}

impl PassedOverKind {
    /// The kind as programs see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Bad => "bad",
            Self::Part => "part",
        }
    }
}

/// Something that an import does not use, with its place in the files. It never repeats what the
/// file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Why, in one word.
    pub kind: PassedOverKind,
    /// The place and the reason.
    pub fault: ImportFault,
}

impl PassedOver {
    /// The columns of [`PassedOver::record`].
    pub const COLUMNS: [&str; 6] = ["kind", "file", "line", "column", "code", "text"];

    /// One row of a report.
    pub fn record(&self) -> [String; 6] {
        let fault = &self.fault;
        [
            self.kind.as_str().to_owned(),
            fault.file.clone().into_owned(),
            fault.row.map_or_else(String::new, |row| row.to_string()),
            fault.field.clone().unwrap_or_default(),
            fault.code.as_str().to_owned(),
            fault.message.clone().into_owned(),
        ]
    }
}
