//! The backups of a place: listing them, their objects, and forgetting those that are not kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use super::error::BackupError;
use super::keep::Keep;
use super::manifest::{
    FileCopy, MANIFESTS, Manifest, ManifestError, OBJECTS, PartCopy, Signed, manifest_name,
};
use super::place::Place;
use crate::note::VerifierKey;
use crate::time::Timestamp;

/// A backup of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub number: u64,
    /// Its manifest, or what is wrong with it.
    pub signed: Result<Signed, ManifestError>,
}

/// The backups of a place, oldest first. A manifest has to be signed by `key`, if one is given.
///
/// # Errors
/// [`BackupError::Place`]
pub fn list(place: &dyn Place, key: Option<&VerifierKey>) -> Result<Vec<Listed>, BackupError> {
    let mut found = Vec::new();
    for number in numbers(place)? {
        let signed = match read_manifest(place, number, key) {
            Ok(signed) => Ok(signed),
            Err(BackupError::Manifest { source, .. }) => Err(source),
            Err(error) => return Err(error),
        };
        found.push(Listed { number, signed });
    }
    Ok(found)
}

/// The numbers of the backups, in order.
pub(super) fn numbers(place: &dyn Place) -> Result<Vec<u64>, BackupError> {
    let names = place.list(MANIFESTS).map_err(of(place, MANIFESTS))?;
    let numbers = names.iter().filter_map(|(name, _)| name.parse().ok());
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn read_manifest(
    place: &dyn Place,
    number: u64,
    key: Option<&VerifierKey>,
) -> Result<Signed, BackupError> {
    let name = manifest_name(number);
    let bytes = match place.read(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let place = place.describe();
            let number = Some(number);
            return Err(BackupError::None { place, number });
        }
        other => other.map_err(of(place, &name))?,
    };
    let failed = |source| BackupError::Manifest { number, source };
    let signed = Signed::read(&bytes, key).map_err(failed)?;
    // Somebody may have given it another name.
    match signed.manifest.number == number {
        true => Ok(signed),
        false => Err(failed(ManifestError::Changed)),
    }
}

/// The newest backup, or the one with this number.
pub(super) fn choose(
    place: &dyn Place,
    number: Option<u64>,
    key: Option<&VerifierKey>,
) -> Result<Signed, BackupError> {
    let newest = numbers(place)?.last().copied();
    match number.or(newest) {
        Some(number) => read_manifest(place, number, key),
        None => Err(BackupError::None {
            place: place.describe(),
            number: None,
        }),
    }
}

/// The objects of a place, and how many bytes each has.
pub(super) fn objects(place: &dyn Place) -> Result<HashMap<String, u64>, BackupError> {
    let names = place.list(OBJECTS).map_err(of(place, OBJECTS))?;
    Ok(names.into_iter().collect())
}

/// The bytes of a part.
///
/// # Errors
/// [`BackupError::Faulty`] if they are missing or not what the manifest says.
pub(super) fn read_part(
    place: &dyn Place,
    number: u64,
    part: &PartCopy,
) -> Result<Vec<u8>, BackupError> {
    let name = part.object();
    let faulty = |what: &str| BackupError::Faulty {
        number,
        name: format!("{name} in {}", place.describe()),
        what: what.to_owned(),
    };
    let bytes = match place.read(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(faulty("is missing")),
        other => other.map_err(of(place, &name))?,
    };
    match PartCopy::of(&bytes) == *part {
        true => Ok(bytes),
        false => Err(faulty("does not have the bytes that were stored there")),
    }
}

/// The bytes of a file.
pub(super) fn read_file(
    place: &dyn Place,
    number: u64,
    file: &FileCopy,
) -> Result<Vec<u8>, BackupError> {
    let mut bytes = Vec::with_capacity(file.len as usize);
    for part in &file.parts {
        bytes.extend_from_slice(&read_part(place, number, part)?);
    }
    Ok(bytes)
}

/// Forgets the backups that are not kept, and removes the objects that no other backup needs. Gives
/// the numbers of those that were forgotten. A manifest that does not read is no reason to remove
/// anything: then nothing is forgotten.
///
/// # Errors
/// [`BackupError`]
pub fn forget(
    place: &dyn Place,
    keys: Option<&dyn Place>,
    keep: &Keep,
    now: Timestamp,
) -> Result<Vec<u64>, BackupError> {
    let mut manifests: BTreeMap<u64, Manifest> = BTreeMap::new();
    for number in numbers(place)? {
        manifests.insert(number, read_manifest(place, number, None)?.manifest);
    }
    let times: Vec<_> = manifests
        .iter()
        .map(|(number, manifest)| (*number, manifest.made_at))
        .collect();
    let expired = keep.expired(&times, now);
    for number in &expired {
        // The manifest goes first: a backup that is listed has all of its objects.
        let name = manifest_name(*number);
        place.remove(&name).map_err(of(place, &name))?;
        manifests.remove(number);
    }
    if !expired.is_empty() {
        let files = manifests.values().map(|manifest| &*manifest.files);
        sweep(place, files)?;
        if let Some(keys) = keys {
            sweep(keys, manifests.values().map(|manifest| &*manifest.keys))?;
        }
    }
    Ok(expired)
}

/// Removes the objects that none of these files needs.
fn sweep<'a>(
    place: &dyn Place,
    files: impl Iterator<Item = &'a [FileCopy]>,
) -> Result<(), BackupError> {
    let needed: BTreeSet<String> = files
        .flat_map(Manifest::parts)
        .map(PartCopy::object)
        .collect();
    for (name, _) in place.list(OBJECTS).map_err(of(place, OBJECTS))? {
        let name = format!("{OBJECTS}/{name}");
        if !needed.contains(&name) {
            place.remove(&name).map_err(of(place, &name))?;
        }
    }
    Ok(())
}

/// Says of something in a place what the place answered.
pub(super) fn of(place: &dyn Place, name: &str) -> impl Fn(io::Error) -> BackupError {
    let (place, name) = (place.describe(), name.to_owned());
    move |source| BackupError::Place {
        place: place.clone(),
        name: name.clone(),
        source,
    }
}
