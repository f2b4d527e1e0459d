//! Signed notes (C2SP `signed-note`) with Ed25519 keys, and the cosignatures of witnesses (C2SP
//! `tlog-cosignature`, version 1) and monitors on them.

mod algorithm;
mod rotation;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

pub use self::algorithm::Algorithm;
pub use self::rotation::{Rotation, rotation_text};
use crate::time::Timestamp;

/// The most bytes of a note. A post-quantum signature has nearly 5 kB, and sixteen of them must
/// fit.
pub(crate) const MOST_BYTES: usize = 256 << 10;
const MOST_SIGNATURES: usize = 64;
const SIGNATURE_MARK: &str = "\u{2014} ";
const KEY_LEN: usize = 32;
const SIGNATURE_LEN: usize = 64;

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not of the form `name+hash+key`.
    #[error("the key is not of the form NAME+HASH+KEY")]
    Malformed,
    /// The key's name is empty, or holds a space, a control character or a plus sign.
    #[error(
        "the name of the key is empty, or contains a space, a control character or a plus sign"
    )]
    Name,
    /// The hash does not fit the name and key: one of them was mistyped.
    #[error("the hash in the key does not match its name and key; copy the whole key again")]
    Hash,
    /// The key is neither an Ed25519 key for notes (type 1), nor one for cosignatures (type 4), nor a
    /// monitor's (type 255 with a name).
    #[error("the key has the type {0}, which this version does not know")]
    Algorithm(u8),
    /// The bytes are not a point of the curve, or they are a weak one.
    #[error("the key is not an Ed25519 public key")]
    Point,
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    match name.is_empty() || name.chars().any(bad) {
        true => Err(KeyError::Name),
        false => Ok(()),
    }
}

fn key_id(name: &str, algorithm: Algorithm, key: &[u8]) -> u32 {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(algorithm.type_bytes())
        .chain_update(key)
        .finalize();
    u32::from_be_bytes(crate::hash::first(&hash.into()))
}

/// A public key with its name: a *vkey*. Its text form is `name+hash+key`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    /// In a box, because it holds the curve point too: it is far larger than all other fields of
    /// the events that hold a key.
    key: Box<VerifyingKey>,
}

impl VerifierKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The same key under another name, which makes it another key of notes.
    ///
    /// # Errors
    /// [`KeyError::Name`]
    pub fn named(&self, name: &str) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            ..self.clone()
        })
    }

    /// The key's id. Signatures name their key by it.
    pub fn id(&self) -> u32 {
        key_id(&self.name, self.algorithm, self.key.as_bytes())
    }

    /// The 32 bytes of the public key.
    pub fn public_key(&self) -> &[u8; KEY_LEN] {
        self.key.as_bytes()
    }

    /// Checks a signature of this key on `text`. `None` if it does not verify; otherwise the time
    /// that a cosignature states, in seconds since 1970.
    fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let (time, signature) = match self.algorithm.states_time() {
            false => (None, signature),
            true => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                (Some(i64::try_from(time).ok()? as u64), signature)
            }
        };
        let signature = Signature::from_slice(signature).ok()?;
        let signed = self.algorithm.signed(text, time.unwrap_or_default());
        let verified = self.key.verify_strict(signed.as_bytes(), &signature);
        verified.ok().map(|()| time)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [self.algorithm.type_bytes(), self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id(), BASE64.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, algorithm, key) = parse_key(text.trim())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Point)?;
        if key.is_weak() {
            return Err(KeyError::Point);
        }
        let parsed = Self {
            name,
            algorithm,
            key: Box::new(key),
        };
        match parsed.id() == id {
            true => Ok(parsed),
            false => Err(KeyError::Hash),
        }
    }
}

fn parse_key(text: &str) -> Result<(String, u32, Algorithm, [u8; KEY_LEN]), KeyError> {
    // Base64 may hold plus signs. Names and hashes hold none.
    let mut parts = text.splitn(3, '+');
    let mut part = || parts.next().ok_or(KeyError::Malformed);
    let (name, id, key) = (part()?, part()?, part()?);
    check_name(name)?;
    if id.len() != 8 {
        return Err(KeyError::Malformed);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Malformed)?;
    let key = BASE64.decode(key).map_err(|_| KeyError::Malformed)?;
    let (algorithm, key) = Algorithm::split(&key)?;
    let key = key.try_into().map_err(|_| KeyError::Malformed)?;
    Ok((name.to_owned(), id, algorithm, key))
}

/// A secret key with its name. [`Signer::secret`] writes it in the form that Go's note tools use.
/// It is wiped from memory when dropped.
#[derive(Clone)]
pub struct Signer {
    name: String,
    algorithm: Algorithm,
    key: SigningKey,
}

const SECRET_MARK: &str = "PRIVATE+KEY+";

impl Signer {
    /// Makes the key from 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError::Name`]
    pub fn new(name: &str, algorithm: Algorithm, seed: [u8; KEY_LEN]) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            algorithm,
            key: SigningKey::from_bytes(&seed),
        })
    }

    /// The same key under another name, which makes it another key of notes.
    ///
    /// # Errors
    /// [`KeyError::Name`]
    pub fn named(&self, name: &str) -> Result<Self, KeyError> {
        Self::new(name, self.algorithm, self.key.to_bytes())
    }

    /// Reads the text that [`Signer::secret`] wrote.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn from_secret(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let text = text.strip_prefix(SECRET_MARK).ok_or(KeyError::Malformed)?;
        let (name, id, algorithm, seed) = parse_key(text)?;
        let signer = Self::new(&name, algorithm, seed)?;
        match signer.verifier().id() == id {
            true => Ok(signer),
            false => Err(KeyError::Hash),
        }
    }

    /// The secret key as text, to be stored in its file.
    pub fn secret(&self) -> String {
        let key = [self.algorithm.type_bytes(), self.key.as_bytes()].concat();
        let id = self.verifier().id();
        let key = BASE64.encode(key);
        format!("{SECRET_MARK}{}+{id:08x}+{key}", self.name)
    }

    /// The public key.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            algorithm: self.algorithm,
            key: Box::new(self.key.verifying_key()),
        }
    }

    /// Signs the text of a note. A cosignature states `now` as its time, in whole seconds.
    pub fn sign(&self, text: &str, now: Timestamp) -> NoteSignature {
        let time = now.nanos() / 1_000_000_000;
        let signed = self.algorithm.signed(text, time);
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        let signature = match self.algorithm.states_time() {
            false => signature.to_vec(),
            true => [time.to_be_bytes().as_slice(), &signature].concat(),
        };
        NoteSignature {
            name: self.name.clone(),
            key_id: self.verifier().id(),
            signature,
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.name)
    }
}

/// Why bytes are not a note, or not a note that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The note has more than 256 KiB or more than 64 signatures.
    #[error("the note is too large")]
    TooLarge,
    /// There is no blank line between text and signatures, or no newline at the end.
    #[error("the text, the blank line or the signatures of the note are missing")]
    Malformed,
    /// The note holds a control character other than newline.
    #[error("the note contains a control character")]
    Control,
    /// A signature line is not of the form `— name signature`.
    #[error("signature line {0} of the note is malformed")]
    Signature(usize),
    /// None of the known keys signed the note.
    #[error("the note is not signed by a known key")]
    Unsigned,
    /// The signature of a known key does not fit the text: the note was changed.
    #[error("the signature of {name} does not fit the text of the note")]
    Forged {
        /// The key's name.
        name: String,
    },
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key that signed.
    pub name: String,
    /// The id of the key that signed.
    pub key_id: u32,
    /// The signature itself. In a cosignature it begins with the time.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads a signature line without its newline.
    ///
    /// # Errors
    /// [`NoteError::Signature`] with `number`, the number of the line.
    pub fn parse(line: &str, number: usize) -> Result<Self, NoteError> {
        let malformed = || NoteError::Signature(number);
        let line = line.strip_prefix(SIGNATURE_MARK).ok_or_else(malformed)?;
        let (name, signature) = line.split_once(' ').ok_or_else(malformed)?;
        check_name(name).map_err(|_| malformed())?;
        let bytes = BASE64.decode(signature).map_err(|_| malformed())?;
        let (key_id, signature) = bytes.split_first_chunk().ok_or_else(malformed)?;
        if signature.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*key_id),
            signature: signature.to_vec(),
        })
    }

    fn is_of(&self, key: &VerifierKey) -> bool {
        self.key_id == key.id() && self.name == key.name
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.to_be_bytes().as_slice(), &self.signature].concat();
        let signature = BASE64.encode(bytes);
        write!(f, "{SIGNATURE_MARK}{} {signature}", self.name)
    }
}

/// A text with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'k> {
    /// The key that signed.
    pub key: &'k VerifierKey,
    /// When the cosignature was made, in seconds since 1970. `None` for a log's signature.
    pub time: Option<u64>,
}

impl Note {
    /// Makes a note from a text, which must end with a newline, and its signatures.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Self {
        Self { text, signatures }
    }

    /// Reads a note. Nobody must believe its text before [`Note::verify`].
    ///
    /// # Errors
    /// [`NoteError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MOST_BYTES {
            return Err(NoteError::TooLarge);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Control);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if lines.is_empty() {
            return Err(NoteError::Malformed);
        }
        if lines.split('\n').count() > MOST_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        let lines = (1..).zip(lines.split('\n'));
        let signatures = lines
            .map(|(number, line)| NoteSignature::parse(line, number))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature, unless the same key has signed already.
    pub fn add(&mut self, signature: NoteSignature) {
        let same = |other: &NoteSignature| {
            (&other.name, other.key_id) == (&signature.name, signature.key_id)
        };
        if !self.signatures.iter().any(same) {
            self.signatures.push(signature);
        }
    }

    /// Checks the signatures of known keys. Signatures of unknown keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::Forged`] if the signature of a known key does not fit the text, and
    /// [`NoteError::Unsigned`] if no known key signed.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut found = Vec::new();
        for key in keys {
            for line in self.signatures.iter().filter(|line| line.is_of(key)) {
                let Some(time) = key.verify(&self.text, &line.signature) else {
                    let name = key.name.clone();
                    return Err(NoteError::Forged { name });
                };
                found.push(Verified { key, time });
            }
        }
        match found.is_empty() {
            true => Err(NoteError::Unsigned),
            false => Ok(found),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

const _: () = assert!(SIGNATURE_LEN == Signature::BYTE_SIZE);
