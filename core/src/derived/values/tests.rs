use super::*;
use crate::disk::FaultyDisk;

fn opened(disk: &FaultyDisk, usage: BTreeMap<u32, Usage>) -> Values {
    Values::open(Arc::new(disk.clone()), usage).unwrap()
}

/// Writes documents, and gives where they lie and how much is in use.
fn write(values: &Values, documents: &[(&[u8], &[u8])]) -> (Vec<Place>, BTreeMap<u32, Usage>) {
    let mut writer = values.writer();
    let places = documents
        .iter()
        .map(|(name, bytes)| writer.put(name, bytes));
    let places = places.map(Result::unwrap).collect();
    let finished = writer.finish().unwrap();
    let noted = finished.usage.clone();
    values.done(finished);
    (places, noted)
}

fn records_of(values: &Values, number: u32) -> Vec<(Vec<u8>, Place)> {
    let contents = values.contents(number).unwrap();
    for (name, place, document) in contents.records() {
        assert_eq!(values.read(name, place).unwrap().unwrap(), document);
    }
    let records = contents.records();
    records
        .map(|(name, place, _)| (name.to_vec(), place))
        .collect()
}

#[test]
fn a_document_is_read_at_its_place_and_at_no_other() {
    let disk = FaultyDisk::new();
    let values = opened(&disk, BTreeMap::new());
    let long = vec![7; FILE_LEN as usize];
    let (places, noted) = write(&values, &[(b"plan", b"one"), (b"team", &long), (b"x", b"")]);
    let read = |name: &[u8], place| values.read(name, place).unwrap();
    assert_eq!(read(b"plan", places[0]).unwrap(), b"one");
    assert_eq!(read(b"team", places[1]).unwrap(), long);
    assert_eq!(read(b"x", places[2]).unwrap(), b"");
    assert_eq!(places[2].file, 2, "the first file is full");
    for place in &places {
        assert_eq!(Place::from_bytes(place.to_bytes()), *place);
    }
    let beyond = Place {
        len: 1,
        ..places[2]
    };
    assert_eq!(read(b"x", beyond), None);
    let elsewhere = Place {
        file: 3,
        ..places[2]
    };
    assert_eq!(read(b"x", elsewhere), None);
    // What is there after the last start is never appended to.
    let values = opened(&disk, noted.clone());
    let (later, _) = write(&values, &[(b"plan", b"two")]);
    assert_eq!(later[0].file, 3);
    assert_eq!(values.read(b"plan", places[0]).unwrap().unwrap(), b"one");
    // The register came up as it was before: it knows nothing of the third file, whose number is not used
    // again.
    let values = opened(&disk, noted);
    assert_eq!(disk.list().unwrap().len(), 2);
    assert_eq!(write(&values, &[(b"plan", b"three")]).0[0].file, 4);
}

#[test]
fn a_file_is_worth_emptying_when_more_is_out_of_date_than_a_third_of_what_is_in_use() {
    let disk = FaultyDisk::new();
    let values = opened(&disk, BTreeMap::new());
    let bytes = vec![1; FILE_LEN as usize / 4];
    let names: Vec<_> = (0..40_u8).map(|number| [number]).collect();
    let documents: Vec<_> = names.iter().map(|name| (&name[..], &bytes[..])).collect();
    let (places, _) = write(&values, &documents);
    assert!(values.worth_emptying().is_empty());
    let mut writer = values.writer();
    let first: Vec<_> = places.iter().filter(|place| place.file == 1).collect();
    assert_eq!(first.len(), 4);
    for (name, place) in names.iter().zip(&places).skip(2).take(25) {
        writer.out_of_date(name, *place);
    }
    values.done(writer.finish().unwrap());
    let worth = values.worth_emptying();
    // Those that hold nothing any more come first, the first one still holds two documents.
    assert_eq!(worth.len(), 4);
    assert!(!worth.contains(&1) && !worth.contains(&places[39].file));
    let records = records_of(&values, worth[0]);
    let there: Vec<_> = names
        .iter()
        .zip(&places)
        .map(|(name, place)| (name.to_vec(), *place))
        .collect();
    assert!(records.iter().all(|record| there.contains(record)));
    assert_eq!(records.len(), 4);
    values.remove(worth[0]).unwrap();
    values.remove(worth[0]).unwrap();
    assert_eq!(records_of(&values, worth[0]), []);
}

#[test]
fn the_records_of_a_file_end_where_it_is_torn() {
    let disk = FaultyDisk::new();
    let values = opened(&disk, BTreeMap::new());
    let (places, _) = write(&values, &[(b"plan", b"one"), (b"team", b"two")]);
    let whole = disk.bytes("00000001").unwrap();
    for len in 0..whole.len() {
        let disk = FaultyDisk::new();
        disk.put_bytes("00000001", whole[..len].to_vec());
        let usage = BTreeMap::from([(1, Usage::default())]);
        let records = records_of(&opened(&disk, usage), 1);
        let known = [(b"plan".to_vec(), places[0]), (b"team".to_vec(), places[1])];
        assert_eq!(records, known[..records.len()], "{len}");
    }
}
