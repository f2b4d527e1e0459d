//! Wraps all keys of a store again: under another master key, or for another rescue recipient. The
//! keys stay, with their ids and their order, so the journal stays as it is.

use zeroize::Zeroizing;

use super::destroying::{self, Note};
use super::error::{KeyStoreError, check_recipient, io_error};
use super::file::{FILE, NAME, TORN, read, read_slots, set_torn_tail_aside};
use super::keys::Keys;
use super::options::{KeyStoreOptions, MasterKey};
use super::rescue::RescueKey;
use super::slot::{
    Decoded, Fields224, Header, Randomness, SLOT, Wrapping, about_of, checked, decode_slot,
    decode_slot_with_rescue_key, encode_header, encode_slot, group_of, id_of,
};
use crate::time::Entropy;

/// What is done to a key store.
pub enum Rewrapping<'a> {
    /// The keys are wrapped under a new master key. The rescue recipient stays.
    MasterKey(&'a MasterKey),
    /// The keys are wrapped for this rescue recipient, and no more for the one so far.
    Recipient(RescueKey),
    /// The master key is lost. The keys are opened with the private half of the rescue key, and
    /// wrapped under the master key of the options. The rescue recipient stays.
    Recovery {
        /// The private half of the rescue key.
        rescue: &'a [u8; 32],
    },
}

/// What a key store holds, apart from its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStoreSummary {
    /// How many keys there are.
    pub keys: u64,
    /// For whom the keys are wrapped, beside the master key.
    pub rescue: Option<RescueKey>,
}

/// Wraps all keys again, and replaces the file as a whole: after a crash it is the old one or the new
/// one. Nobody else may have the store open. What a crash left unfinished at its end is set aside, as
/// when the store is opened.
///
/// # Errors
/// [`KeyStoreError`]. Every key must open, or nothing is changed.
pub fn rewrap(
    options: &KeyStoreOptions,
    how: &Rewrapping<'_>,
    entropy: &dyn Entropy,
) -> Result<KeyStoreSummary, KeyStoreError> {
    let disk = options.disk.as_ref();
    let names = disk.list().map_err(io_error("listing the directory"))?;
    let is_there = |name: &str| names.iter().any(|found| found == name);
    if !is_there(NAME) {
        return Err(KeyStoreError::Missing);
    }
    let file = disk.open(NAME).map_err(io_error("opening keys.log"))?;
    let mut bytes = read(file.as_ref()).map_err(io_error("reading keys.log"))?;
    drop(file);
    let note = Note::left(disk, &names, &bytes)?;
    if let Some(note) = &note {
        note.apply(&mut bytes);
        destroying::finish(disk, note)?;
    }
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign)?;
    let header = Header::read(header, options.ledger)?;
    let (decode, wrapping) = plan(&header, options, how)?;
    let mut keys = Keys::default();
    let whole = read_slots(slots, &*decode, &mut keys)?;
    let (slots, _) = slots.split_at(whole);
    let mut anew = Vec::with_capacity((whole + 1) * SLOT);
    anew.extend_from_slice(&encode_header(options.ledger, wrapping));
    for (slot, number) in slots.iter().zip(1..) {
        let damaged = || KeyStoreError::Damaged { slot: number };
        let fields = checked(slot).ok_or_else(damaged)?;
        let about = about_of(fields);
        let held = keys.by_id.get(&id_of(fields)).ok_or_else(damaged)?;
        let Some(key) = &held.key else {
            // A key that was destroyed is wrapped for nobody. Its slot says so, and stays.
            anew.extend_from_slice(slot);
            continue;
        };
        let mut random = Zeroizing::new([0; Randomness::LEN]);
        let filled = entropy.fill(random.as_mut_slice());
        filled.map_err(KeyStoreError::Entropy)?;
        let random = Randomness::new(*random);
        let slot = encode_slot(&about, key, group_of(fields), wrapping, &random);
        anew.extend_from_slice(&slot.map_err(|_| damaged())?);
    }
    let (_, torn) = bytes.split_at((whole + 1) * SLOT);
    set_torn_tail_aside(disk, torn, note.is_none() && is_there(TORN))
        .map_err(io_error("setting aside the torn end of keys.log"))?;
    FILE.replace(disk, &anew)
        .map_err(|error| io_error("replacing keys.log")(error.into()))?;
    Ok(KeyStoreSummary {
        keys: whole as u64,
        rescue: wrapping.rescue,
    })
}

type Decode<'a> = Box<dyn Fn(&Fields224) -> Option<Decoded> + 'a>;

/// How the slots are opened, and what they are wrapped for next.
fn plan<'a>(
    header: &Header<'_>,
    options: &'a KeyStoreOptions,
    how: &Rewrapping<'a>,
) -> Result<(Decode<'a>, Wrapping<'a>), KeyStoreError> {
    let master = &options.master;
    let under = |master: &'a MasterKey| -> Decode<'a> {
        Box::new(move |fields: &Fields224| decode_slot(fields, master))
    };
    match *how {
        Rewrapping::MasterKey(next) => {
            header.has_tag(options)?;
            let rescue = header.rescue;
            Ok((
                under(master),
                Wrapping {
                    master: next,
                    rescue,
                },
            ))
        }
        Rewrapping::Recipient(recipient) => {
            // Whoever is named now does not matter: nothing is wrapped for them any more.
            header.is_under(master)?;
            check_recipient(recipient)?;
            let rescue = Some(recipient);
            Ok((under(master), Wrapping { master, rescue }))
        }
        Rewrapping::Recovery { rescue } => {
            let given = RescueKey::of(rescue);
            let found = header.rescue;
            if found != Some(given) {
                return Err(KeyStoreError::NotRecipient { given, found });
            }
            let decode: Decode<'a> =
                Box::new(move |fields: &Fields224| decode_slot_with_rescue_key(fields, rescue));
            let rescue = Some(given);
            Ok((decode, Wrapping { master, rescue }))
        }
    }
}
