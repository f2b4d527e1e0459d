//! The bytes of states and counts before they are sealed: MessagePack with the names of fields, as LZ4
//! packs it. Ids are sixteen bytes in it and not 36 characters, and names that occur in every document
//! cost next to nothing, because the packer knows them before it begins.
//!
//! Formats that leave the names out cannot read what serde skips, and most optional fields are skipped.

use std::sync::LazyLock;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// LZ4 makes no more bytes than this of one byte, so a longer text is none that was packed.
const MOST_OF_ONE: usize = 255;
/// In front of the packed bytes stands how many there are when unpacked.
const SIZE_LEN: usize = 4;

/// What documents are made of, as MessagePack has it: the packer looks here as if it stood before every
/// document. Another text here is another format; then raise the version in the register's header.
static COMMON: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let parts: [&[u8]; 29] = [
        b"\x82\xa6places\xa5teams\xa5plans\x81\xc4\x10\x88\xa9year_plan\xc4\x10\xa4team\xc4\x10",
        b"\xabschool_year\xc4\x10\xa8subjects\x91\xa5Dansk\xa7visible\xc2\xa9evaluated\xc3\xa5talks\x81",
        b"\xa9ownerless\xc3\xa9worked_on\xcd\x5f\x04\x83\xa3day\xce\x01\x35\xa6before\xce\x01\x35",
        b"\xa6grades\x81\xa17\x84\xa8students\x19\xa3any\x84\xa4plan\x19\xa7visible\x19\xa9evaluated\x19",
        b"\xa4talk\x19\xa8subjects\x81\xaareflection\xacfeedback_talk\xaclearning_talk\xacstudent_talk",
        b"\x81\xabinstitution\x82\xa7details\x82\xa4name\xa6closed\xc2\xb2survey_discussions",
        b"\x81\xabschool_year\x83\xa5title\xa72026/27\xa9first_day\xaa2026-08-01\xa8last_day\xaa2027-07-31",
        b"\x81\xa9catalogue\x82\xa5items\xa7retired\x80\xa7details\x84\xa9publisher\xa7version",
        b"\xa8language\xa2da\xa7licence\x82\xa3uri\xadrights_holder\xa7parents\xa8sequence\xa6orders",
        b"\x81\xa4team\x85\xa7details\x85\xabinstitution\xc4\x10\xabschool_year\xc4\x10\xa5title",
        b"\xa7subject\xa4code\xa5owner\xc4\x10\xa7members\xdc\x00\x19\xc4\x10\xa5staff\x81\xc4\x10",
        b"\xa7teacher\xa6closed\xc2\xa7sources\x91\xa6absent\x81\xaeroster_details\xa7deleted\xa6reason",
        b"\x81\xa9year_plan\x84\xa7details\x86\xa4kind\xa7subject\xabinstitution\xc4\x10\xa4team\xc4\x10",
        b"\xabschool_year\xc4\x10\xa5title\xa8subjects\x91\xa5owner\xc4\x10\xa5units\x91\x83\xa2id\xc4\x10",
        b"\xa7details\x82\xa5title\xa7subject\xabdescription\xa5goals\x91\xc4\x10\xa4unit\xc4\x10\xa4kind",
        b"\xaareflection\xa4area\xa8academic\xb5all_round_development\xa9wellbeing\xa9revisions\x91\x82",
        b"\xa7wording\x81\xa3own\x81\xa4text\xd9\xa9catalogue\x83\xa4item\xa5scale\x82\xa5title\xa6levels\x93",
        b"\xa7retired\xc2\x81\xa6person\x83\xa4name\xacaffiliations\x91\x83\xabinstitution\xc4\x10\xa4role",
        b"\xa7student\xa5grade\xa17\xa9guardians\x81\xc4\x10\xc0\xa7records\x91\x92\xa6source\xaasourced_id",
        b"\xa8user_ids\x91\x82\xa4kind\xa2id\xa7enabled\xc3\xa8enrolled\xc3\xa8profiles\xa9user_name",
        b"\xa8guardian\xa9pedagogue\xa6leader\xa8departed\x82\xa2on\xaalast_place\xaaunenrolled",
        b"\xa7by_hand\xabroster_name\xaddismissed\xa9confirmed\xadformer_owners\xaccorrected_at\xcf\x18",
        b"\x81\xa4plan\xde\x00\x10\xa7student\xc4\x10\xa4kind\xa7subject\xa9year_plan\xc4\x10\xa5owner\xc4\x10",
        b"\xa9opened_at\xcf\x18\xaachanged_at\xcf\x18\xb0worked_on_before\xcf\x18\xa5units\x91\x82",
        b"\xa9year_plan\xc4\x10\xa4unit\xc4\x10\xa8sections\x93\xa6status\xa5goals\xa9follow_up\xa5items\x90",
        b"\xa6status\x83\xa4text\xd9\xa2by\x81\xa6person\xc4\x10\xa2at\xcf\x18\xa9follow_up\x83\xa4text\xd9",
        b"\xacfollow_up_on\xaa2026-11-\xabevaluations\x91\x88\xa2id\xc4\x10\xa4unit\x82\xa9year_plan\xc4\x10",
        b"\xa4goal\xc4\x10\xadgoal_revision\x01\xa2by\xa5staff\xa5actor\x81\xa6person\xc4\x10\xa2at\xcf\x18\
          \xaaassessment\x82\xa5level\x01\xa7comment\xd9\xa5talks\x81\xc4\x10\x83\xa7details\x83\xa4kind",
        b"\xb0school_home_talk\xa7held_on\xaa2026-11-\xa5notes\xd9\xa7held_by\x91\xc4\x10\xa2by\x81\xa6person\
          \xc4\x10\xa2at\xcf\x18\xa6shared\xc3\xaavisible_to\x92\xa7student\xa9guardians\xa9withdrawn\xc2",
    ];
    parts.concat()
});

/// The packed bytes of a value; `None` if it cannot be written.
pub(super) fn pack(value: &impl Serialize) -> Option<Vec<u8>> {
    Some(compress(&rmp_serde::to_vec_named(value).ok()?))
}

/// Packs what stands in MessagePack.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    compress_prepend_size_with_dict(plain, &COMMON)
}

/// What the packer knows before it begins.
#[cfg(any(test, feature = "testing"))]
pub(super) fn common() -> &'static [u8] {
    &COMMON
}

/// Reads what [`pack`] made; `None` if it is something else.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    let size = u32::from_le_bytes(*packed.first_chunk::<SIZE_LEN>()?);
    // Whoever could make a value that lies here has the keys. The memory is not taken all the same.
    if usize::try_from(size).ok()? > packed.len().saturating_mul(MOST_OF_ONE) {
        return None;
    }
    let plain = decompress_size_prepended_with_dict(packed, &COMMON).ok()?;
    rmp_serde::from_slice(&plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_packed_is_not_read_and_takes_no_memory() {
        let text = "ord ".repeat(100);
        let packed = pack(&text).unwrap();
        assert!(packed.len() < 40);
        assert_eq!(unpack::<String>(&packed), Some(text));
        for cut in 0..packed.len() {
            assert_eq!(unpack::<String>(&packed[..cut]), None, "{cut}");
        }
        let huge = [u32::MAX.to_le_bytes().as_slice(), &packed[4..]].concat();
        assert_eq!(unpack::<String>(&huge), None);
        let too_short = [3_u32.to_le_bytes().as_slice(), &packed[4..]].concat();
        assert_eq!(unpack::<String>(&too_short), None);
    }
}
