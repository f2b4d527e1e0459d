//! A signing key hands over to the next one.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Note, Signer, VerifierKey};
use crate::time::Timestamp;

/// The first line of the text.
const TITLE: &str = "planledger checkpoint key rotation v1";

/// The signed statement that a key hands over to another key of the same name and algorithm. The
/// old key has signed it: a rotation without that signature cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    from: VerifierKey,
    to: VerifierKey,
    statement: String,
}

impl Rotation {
    /// Signs that the key `from` hands over to `to`. `None` if `to` has another name or algorithm.
    pub fn sign(from: &Signer, to: &VerifierKey, now: Timestamp) -> Option<Self> {
        let text = rotation_text(&from.verifier(), to);
        let signature = from.sign(&text, now);
        let statement = Note::new(text, vec![signature]).to_string();
        Self::new(from.verifier(), to.clone(), statement)
    }

    /// Makes a rotation from a signed statement. `None` if the old key did not sign exactly this
    /// change, or if the keys differ in name or algorithm.
    pub fn new(from: VerifierKey, to: VerifierKey, statement: String) -> Option<Self> {
        let note = Note::parse(statement.as_bytes()).ok()?;
        let alike = (from.name(), from.algorithm()) == (to.name(), to.algorithm());
        let signed = note.text() == rotation_text(&from, &to) && note.verify([&from]).is_ok();
        (alike && signed).then_some(Self {
            from,
            to,
            statement,
        })
    }

    /// Reads a rotation from its signed statement, which names both keys. `None` if it is no such
    /// statement, or the old key did not sign it.
    pub fn parse(statement: &str) -> Option<Self> {
        let note = Note::parse(statement.as_bytes()).ok()?;
        let mut lines = note.text().lines();
        let title = lines.next()?;
        let from = lines.next()?.strip_prefix("from ")?.parse().ok()?;
        let to = lines.next()?.strip_prefix("to ")?.parse().ok()?;
        (title == TITLE).then_some(())?;
        Self::new(from, to, statement.to_owned())
    }

    /// The old key.
    pub fn from(&self) -> &VerifierKey {
        &self.from
    }

    /// The new key.
    pub fn to(&self) -> &VerifierKey {
        &self.to
    }

    /// The note that the old key signed.
    pub fn statement(&self) -> &str {
        &self.statement
    }
}

/// Writes what makes one such command differ from another. The old key is left out, because the
/// ledger knows it.
impl Serialize for Rotation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Rotation", 2)?;
        fields.serialize_field("key", &self.to.to_string())?;
        fields.serialize_field("statement", &self.statement)?;
        fields.end()
    }
}

/// The text that the old key signs. Its second line is not a number, so nobody can take it for a
/// checkpoint.
pub fn rotation_text(from: &VerifierKey, to: &VerifierKey) -> String {
    format!("{TITLE}\nfrom {from}\nto {to}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Algorithm;

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::new(name, Algorithm::Ed25519, [seed; 32]).unwrap()
    }

    #[test]
    fn there_is_no_rotation_that_the_key_so_far_has_not_signed() {
        let (old, new) = (signer("log.example", 1), signer("log.example", 2));
        let renamed = signer("other.example", 2);
        let statement = |from: &Signer, to: &Signer, by: &Signer| {
            let text = rotation_text(&from.verifier(), &to.verifier());
            let signature = by.sign(&text, Timestamp::default());
            Note::new(text, vec![signature]).to_string()
        };
        let rotation =
            |to: &Signer, said: String| Rotation::new(old.verifier(), to.verifier(), said);
        let sound = statement(&old, &new, &old);
        assert_eq!(rotation(&new, sound.clone()).unwrap().statement(), sound);
        assert!(rotation(&new, String::new()).is_none());
        assert!(rotation(&new, statement(&old, &new, &new)).is_none());
        assert!(rotation(&new, statement(&new, &old, &old)).is_none());
        assert!(rotation(&renamed, statement(&old, &renamed, &old)).is_none());
        let now = Timestamp::default();
        assert!(Rotation::sign(&old, &renamed.verifier(), now).is_none());
        let signed = Rotation::sign(&old, &new.verifier(), now).unwrap();
        assert_eq!(signed.statement(), sound);
    }

    #[test]
    fn a_statement_tells_both_keys_and_nothing_else_is_one() {
        let (old, new) = (signer("log.example", 1), signer("log.example", 2));
        let signed = Rotation::sign(&old, &new.verifier(), Timestamp::default()).unwrap();
        let statement = signed.statement();
        assert_eq!(Rotation::parse(statement), Some(signed.clone()));
        let other = signer("log.example", 3).verifier().to_string();
        let new = new.verifier().to_string();
        for forged in [
            String::new(),
            statement.replace(&new, &other),
            statement.replace("from ", "of "),
            statement.replace("v1", "v2"),
            statement.replacen('\n', "\nmore\n", 3),
        ] {
            assert_eq!(Rotation::parse(&forged), None, "{forged}");
        }
    }

    #[test]
    fn as_a_command_it_is_told_by_its_new_key_and_its_statement() {
        let (old, new) = (signer("log.example", 1), signer("log.example", 2));
        let signed = Rotation::sign(&old, &new.verifier(), Timestamp::default()).unwrap();
        let json = serde_json::to_value(&signed).unwrap();
        let expected = serde_json::json!({
            "key": new.verifier().to_string(),
            "statement": signed.statement(),
        });
        assert_eq!(json, expected);
    }
}
