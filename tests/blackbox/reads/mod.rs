//! Reading: one's own writes, and long lists page by page.

mod paging;
mod positions;
