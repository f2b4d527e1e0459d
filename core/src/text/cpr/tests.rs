use std::fmt::Write as _;

use proptest::prelude::*;

use super::cases::CASES;
use super::*;

/// A text as the table writes it, with the characters that cannot be seen.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("<U+");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('>').unwrap();
        whole.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        whole.push_str(rest);
    }
    whole
}

fn in_text(text: &str) -> bool {
    contains_cpr(text, CprContext::PersonText)
}

#[test]
fn every_case_of_the_table_is_judged_as_it_says() {
    let wrong: Vec<_> = CASES
        .iter()
        .filter(|(text, context, refused, _)| contains_cpr(&unescaped(text), *context) != *refused)
        .collect();
    assert_eq!(wrong, Vec::<&(&str, CprContext, bool, &str)>::new());
}

#[test]
fn security_md_prints_the_table() {
    let page = include_str!("../../../../SECURITY.md");
    let mut table = String::from("| Text | Where | | Why |\n|---|---|---|---|\n");
    for (text, context, refused, why) in CASES {
        let place = match context {
            CprContext::PersonText => "text",
            CprContext::OrganisationId => "organisation",
            CprContext::Published => "published",
        };
        let verdict = if *refused { "**refused**" } else { "passes" };
        writeln!(table, "| `{text}` | {place} | {verdict} | {why} |").unwrap();
    }
    assert!(
        page.contains(&table),
        "SECURITY.md has to hold this table:\n{table}"
    );
}

#[test]
fn words_before_a_number_count_up_to_the_third_and_the_nearest_first() {
    assert!(!in_text("Ring til mobil: 0102031234"));
    assert!(!in_text("telefon til mor 0102031234"));
    assert!(in_text("telefon til hans mor 0102031234"));
    assert!(in_text("tlf, cpr 0102031234"));
    assert!(!in_text("intet cpr, tlf 0102031234"));
    assert!(in_text("tlf 010203-1234"));
}

#[test]
fn ten_digits_count_only_for_somebody_who_can_be_in_a_ledger() {
    for (number, refused) in [
        ("0101999999", true),
        ("3112274999", true),
        ("0101284999", true),
        ("1001284999", false),
        ("0101585000", false),
        ("010158-5000", true),
    ] {
        assert_eq!(in_text(number), refused, "{number}");
    }
}

#[test]
fn only_a_whole_word_says_that_a_number_is_another() {
    for word in [
        "konto",
        "Konto:",
        "kontonr.",
        "KONTONUMMER",
        "konto-nr",
        "tlfnr",
        "ordre",
        "EAN-nr.",
        "binære tal",
        "mobiltelefon",
        "fakturanummer",
        "unix-time",
        "cvrnr",
    ] {
        assert!(!in_text(&format!("{word} 0102031234")), "{word}");
    }
    for word in [
        "kontoret",
        "kontor",
        "ordret",
        "ordren",
        "telefonisk",
        "mobilitet",
        "fakturaen",
        "eanne",
        "phones",
        "unixes",
        "binærs",
        "p",
        "ordentlig",
    ] {
        assert!(in_text(&format!("{word} 0102031234")), "{word}");
    }
    assert!(in_text("kontoret cpr-nummeret 0102031234"));
}

#[test]
fn random_uuids_in_a_text_are_no_cpr_numbers_in_their_usual_form() {
    let mut looked_alike = 0;
    for number in 0..200_000u32 {
        let hash = blake3::hash(&number.to_le_bytes());
        let hash = crate::hash::first(hash.as_bytes());
        let uuid = uuid::Builder::from_random_bytes(hash).into_uuid();
        let text = uuid.to_string();
        let first = text.get(2..13).unwrap();
        looked_alike += usize::from(in_text(first));
        let whole = in_text(&format!("Se {text}."));
        assert_eq!(whole, made_of_cpr(&uuid), "{text}");
    }
    assert!(looked_alike > 10, "{looked_alike}");
}

#[test]
fn random_uuids_are_hardly_ever_taken_for_a_cpr_number() {
    let taken = (0..200_000u32).filter(|number| {
        let hash = blake3::hash(&number.to_be_bytes());
        let hash = crate::hash::first(hash.as_bytes());
        made_of_cpr(&uuid::Builder::from_random_bytes(hash).into_uuid())
    });
    // One in 1,110,000 looks so.
    assert!(taken.count() <= 2);
}

#[test]
fn a_uuid_is_refused_that_is_a_cpr_number_behind_zeros_or_no_uuid_at_all() {
    for (uuid, refused) in [
        ("00000000-0000-0000-0000-000102031234", true),
        ("00000000-0000-4000-8000-000102031234", true),
        ("12345678-1234-1234-1234-120102031234", true),
        ("11111111-1111-4111-8111-111111111111", false),
        ("00000000-0000-4000-8000-000000000123", false),
        ("7f9c0102-0304-4506-8708-000102031234", true),
        ("550e8400-e29b-41d4-a716-000102031234", true),
        // No day, a replacement number, somebody who is not born, other digits before it.
        ("550e8400-e29b-41d4-a716-003202031234", false),
        ("550e8400-e29b-41d4-a716-006102031234", false),
        ("550e8400-e29b-41d4-a716-001103284125", false),
        ("550e8400-e29b-41d4-a716-010102031234", false),
        ("550e8400-e29b-41d4-a716-0a0102031234", false),
        // Of a network card, a hash, a clock.
        ("550e8400-e29b-11d4-a716-000102031234", false),
        ("550e8400-e29b-51d4-a716-000102031234", false),
        ("550e8400-e29b-71d4-a716-000102031234", false),
    ] {
        assert_eq!(made_of_cpr(&uuid.parse().unwrap()), refused, "{uuid}");
        assert_eq!(in_text(&format!("Id {uuid} her")), refused, "{uuid}");
    }
}

fn numbers() -> impl Strategy<Value = String> {
    (1..=28u8, 1..=12u8, 0..=99u8, 0..=9999u16)
        .prop_map(|(day, month, year, serial)| format!("{day:02}{month:02}{year:02}{serial:04}"))
        .prop_filter("somebody who can be in a ledger", |number| {
            let digits: Vec<u8> = number.bytes().map(|byte| byte - b'0').collect();
            Birth::read(&digits).is_some_and(|birth| birth.may_be_in_ledger(&digits))
        })
}

/// What may stand between two digits: nothing, what is not seen, or a separator.
fn between() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "", "", "", "", "\u{200b}", "\u{ad}", "\u{2060}", "-", " ", "\u{2013}", "_", "/", "\n",
        "\u{3000}", " - ",
    ])
}

fn digits_of_any_script() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![
        0x30, 0x30, 0x660, 0x966, 0xff10, 0x1d7ce, 0x1d7ec, 0x1fbf0,
    ])
}

proptest! {
    #[test]
    fn a_cpr_number_is_found_however_it_is_divided_and_in_whatever_digits(
        number in numbers(),
        between in prop::collection::vec(between(), 9),
        zero in digits_of_any_script(),
        before in "[a-zæøå ]{0,20}",
        after in "[a-zæøå ]{0,20}",
    ) {
        let mut text = format!("{before} ");
        for (index, byte) in number.bytes().enumerate() {
            if let Some(between) = index.checked_sub(1).and_then(|index| between.get(index)) {
                text.push_str(between);
            }
            text.push(char::from_u32(zero + u32::from(byte - b'0')).unwrap());
        }
        text.push(' ');
        text.push_str(&after);
        prop_assume!(Said::by_words_before(&before) == Said::Nothing);
        // Days with a year or a time behind them are told from CPR numbers only by these marks.
        prop_assume!(!(text.contains(['-', '/', '_', '\u{2013}']) && text.contains([' ', '\n', '\u{3000}']))
            || number[6..].parse::<u32>().unwrap() > 2359);
        prop_assert!(in_text(&text), "{text:?}");
    }

    #[test]
    fn fewer_than_ten_digits_always_pass(text in "([a-z ,.-]{0,4}[0-9]){0,9}[a-z ]{0,5}") {
        prop_assert!(!in_text(&text));
    }

    #[test]
    fn what_stands_far_before_a_number_changes_nothing(
        before in "[aå,\u{301}\u{200b}“]{0,80}",
        number in numbers(),
    ) {
        let text = format!("{before}, {number}");
        prop_assert!(in_text(&text));
    }

    #[test]
    fn the_quick_verdict_is_that_of_the_whole_reading(
        text in "[0-9]{0,3}([0-9]{6}[-. /]{0,2}[0-9]{4}|[0-9]{1,7}|[- a-f+:]){0,6}",
        start in "[0-9a-f]{8}-[0-9]{4}-[0-9a-f]{4}-[0-9a-f]{4}-",
        last in "0{2}[0-3][0-9][01][0-9]{7}|[0-9]{12}|[0-9a-f]{2}[0-9]{10}|[0-9a-fA-F]{12}",
        dashed in "0{8}-0{4}-[14]0{3}-[08]0{3}-0{2}(0[1-9]){2}[0-9]{6}",
    ) {
        let uuid = format!("{start}{last}");
        for context in [CprContext::PersonText, CprContext::OrganisationId, CprContext::Published] {
            for text in [&text, &uuid, &dashed, &uuid.to_uppercase(), &format!("{uuid} {text}")] {
                let whole = has_digits_enough(text.as_bytes()) && Scan::new(text, context).finds();
                prop_assert_eq!(contains_cpr(text, context), whole, "{} {:?}", text, context);
            }
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,60}", digits in "[0-9\u{200b}\u{660}-\u{669}. \u{2013}-]{0,60}") {
        for context in [CprContext::PersonText, CprContext::OrganisationId, CprContext::Published] {
            contains_cpr(&format!("{text}{digits}"), context);
        }
    }
}
