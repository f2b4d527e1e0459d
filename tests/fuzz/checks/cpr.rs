//! No text brings the search for CPR numbers down, what counts as one in ids and published texts counts
//! as one in every text, and no text before or after hides one.

use planledger_core::text::{CprContext, contains_cpr};

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let in_text = contains_cpr(text, CprContext::PersonText);
    let in_id = contains_cpr(text, CprContext::OrganisationId);
    assert_eq!(in_id, contains_cpr(text, CprContext::Published));
    assert!(in_text || !in_id);
    // Nobody's: a day, and four digits that are made up.
    let around = format!("{text} 010190-1234, {text}");
    for context in [
        CprContext::PersonText,
        CprContext::OrganisationId,
        CprContext::Published,
    ] {
        assert!(contains_cpr(&around, context), "{context:?}");
    }
}
