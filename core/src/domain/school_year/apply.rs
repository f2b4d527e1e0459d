use super::{SchoolYear, SchoolYearEvent};

impl SchoolYearEvent {
    /// The school year after it.
    pub(in crate::domain) fn year(&self) -> SchoolYear {
        match self {
            Self::Defined(year) => year.clone(),
        }
    }
}
