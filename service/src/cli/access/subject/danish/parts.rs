//! The parts of a copy, and why one is not there.

use super::super::copy::AT_INSTITUTION;

/// The sections of a copy, and what is read of them apart.
const PARTS: &[(&str, &str)] = &[
    ("person", "Personen"),
    ("plans", "Elevplaner"),
    (
        "plans, as staff see them",
        "Elevplaner, som personalet ser dem",
    ),
    ("teams", "Hold"),
    ("owned", "Hvad personen ejer"),
    ("suggestions", "Tegn på at personen er rejst"),
    ("recoveries", "Overdragelser"),
    ("events", "Tidslinje"),
    ("acts", "Hvad personen har gjort, og hvor personen er nævnt"),
    ("grants", "Roller som personen har fået"),
    ("grantsAbout", "Hvem der har fået adgang til personen"),
    ("erasures", "Sletning og redigering"),
    ("readers", "Hvem der har læst planerne"),
    ("readers, by name", "Navne på dem der har læst planerne"),
    (
        "guardians, other ids and departure",
        "Forældre, andre id'er og fratræden",
    ),
];

/// What a part is called.
pub(in super::super) fn part(name: &str) -> String {
    if let Some(institution) = name.strip_prefix(AT_INSTITUTION) {
        return format!("Tegn på at personen er rejst, ved institution {institution}");
    }
    super::find(PARTS, name).unwrap_or(name).to_owned()
}

/// Why a part is not there. The words of the server are in the JSON.
pub(in super::super) fn why(code: &str) -> &'static str {
    match code {
        "ACCESS_DENIED" => "Den der bad om kopien, må ikke se det.",
        "PROTECTED" => "Andres rettigheder beskytter det, så det er ikke for forældre.",
        "NOT_ASKED" => "Der er ikke bedt om det: hele journalen er ikke læst.",
        "PERSON_NOT_FOUND" => "Journalen kender ikke personen.",
        "PERSON_ERASED" => "Personen er slettet.",
        "ACCESS_LOG_DISABLED" => "Serveren fører ikke log over hvem der læser.",
        _ => "Serveren gav det ikke. Koden siger hvorfor.",
    }
}

/// As whom somebody is in an event.
pub(in super::super) fn way(name: &str) -> &str {
    match name {
        "actor" => "den der handlede",
        "onBehalfOf" => "den der blev handlet for",
        "named" => "nævnt i indholdet",
        other => other,
    }
}
