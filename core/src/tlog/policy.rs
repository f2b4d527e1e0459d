//! Trust policies (C2SP `tlog-policy`): which logs and witnesses somebody believes, and which
//! witnesses must have cosigned a checkpoint. Beside them stand monitors, of which the specification
//! does not know.

use std::collections::HashMap;
use std::str::FromStr;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::monitors::Monitors;
use crate::note::{Algorithm, KeyError, NoteError, VerifierKey};

/// Whom somebody believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    /// Where logs publish their tiles and their newest checkpoint, if the policy says it.
    log_urls: Vec<(VerifierKey, String)>,
    witnesses: Vec<Witness>,
    /// The groups, in the order in which the policy defines them.
    groups: Vec<Group>,
    /// The witness or group that must have cosigned. `None` asks for no witnesses.
    quorum: Option<String>,
    monitors: Monitors,
}

/// A witness or a monitor that a policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The name that the policy gives it.
    pub name: String,
    /// The key that it cosigns with.
    pub key: VerifierKey,
    /// Where it answers: of a witness the address for requests to cosign (its submission prefix), of a
    /// monitor the address below which it shows what it has cosigned. `None` if the policy gives none.
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {what}")]
pub struct PolicyError {
    /// The number of the faulty line, from 1. The last line if something is missing.
    pub line: usize,
    /// The fault of the line.
    pub what: PolicyFault,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// The line is not a `log`, `witness`, `group`, `quorum`, `monitor` or `monitors` line with all its
    /// parts.
    #[error("it is not a complete log, witness, group, quorum, monitor or monitors line")]
    Malformed,
    /// The key could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is of the wrong type: a log needs a key for notes, a witness a key for cosignatures, a
    /// monitor a key for monitors.
    #[error("the key is of the wrong type for a {0}")]
    KeyType(&'static str),
    /// A key or a name appears twice.
    #[error("{0} is defined twice")]
    Duplicate(String),
    /// A group or the quorum names something that no earlier line defines.
    #[error("{0} is not defined on an earlier line")]
    Undefined(String),
    /// A group requires no member, or more members than it has; or more monitors are required than
    /// there are.
    #[error("a group of {members} members cannot require {threshold} of them")]
    Threshold {
        /// How many members it has.
        members: usize,
        /// How many members it requires.
        threshold: usize,
    },
    /// A witness or group is a member twice. One cosignature would count twice.
    #[error("{0} is already a member of a group")]
    Member(String),
    /// The line holds a control character. A policy may hold only tab and newline.
    #[error("it contains a control character")]
    Control,
    /// The policy has no quorum line.
    #[error("the policy has no quorum line; add one")]
    NoQuorum,
}

/// Who signed and cosigned a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// The key of the log.
    pub log: VerifierKey,
    /// The names of the witnesses that cosigned, each with the time of the cosignature in seconds
    /// since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// Whether these witnesses are enough for the policy's quorum.
    pub quorum: bool,
    /// The names of the monitors that cosigned, each with the time of the cosignature in seconds since
    /// 1970. Each of them computed again what the checkpoint covers.
    pub monitors: Vec<(String, u64)>,
    /// Whether these monitors are as many as the policy requires.
    pub enough_monitors: bool,
}

impl Policy {
    /// A policy that believes these logs and asks for no witnesses.
    pub fn of_logs(logs: Vec<VerifierKey>) -> Self {
        Self {
            logs,
            ..Self::default()
        }
    }

    /// The logs that are believed.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Where logs publish, for those of which the policy says it: the key, and the address of the
    /// folder with the tiles and the newest checkpoint.
    pub fn log_urls(&self) -> &[(VerifierKey, String)] {
        &self.log_urls
    }

    /// Adds a log to those that are believed.
    pub fn add_log(&mut self, log: VerifierKey) {
        if !self.logs.contains(&log) {
            self.logs.push(log);
        }
    }

    /// The witnesses that are believed.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The monitors that are believed. None of them counts as a witness.
    pub fn monitors(&self) -> &[Witness] {
        self.monitors.all()
    }

    /// Checks who signed and cosigned a checkpoint. Too few witnesses or monitors are no error: see
    /// [`Witnessed::quorum`] and [`Witnessed::enough_monitors`].
    ///
    /// # Errors
    /// [`CheckpointError`] if no believed log signed the checkpoint, or a signature is forged.
    pub fn check(&self, signed: &SignedCheckpoint) -> Result<Witnessed, CheckpointError> {
        let log = signed.verify(&self.logs)?.clone();
        let witnesses = cosigners(&self.witnesses, signed)?;
        let monitors = cosigners(self.monitors.all(), signed)?;
        Ok(Witnessed {
            log,
            quorum: self.is_met(&witnesses),
            witnesses,
            enough_monitors: self.monitors.are_enough(monitors.len()),
            monitors,
        })
    }

    fn is_met(&self, witnesses: &[(String, u64)]) -> bool {
        let Some(quorum) = &self.quorum else {
            return true;
        };
        let mut met: HashMap<&str, bool> = HashMap::new();
        for Witness { name, .. } in &self.witnesses {
            met.insert(name, witnesses.iter().any(|(found, _)| found == name));
        }
        for group in &self.groups {
            let members = group.members.iter();
            let count = members.filter(|member| met.get(member.as_str()) == Some(&true));
            met.insert(&group.name, count.count() >= group.threshold);
        }
        met.get(quorum.as_str()) == Some(&true)
    }

    fn is_defined(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name)
            || self.groups.iter().any(|group| group.name == name)
    }

    fn is_member(&self, name: &str) -> bool {
        let mut members = self.groups.iter().flat_map(|group| &group.members);
        members.any(|member| member == name)
    }

    fn check_new(&self, name: &str) -> Result<(), PolicyFault> {
        let is_monitor = self.monitors.all().iter().any(|one| one.name == name);
        match name == "none" || is_monitor || self.is_defined(name) {
            true => Err(PolicyFault::Duplicate(name.to_owned())),
            false => Ok(()),
        }
    }

    fn line(
        &mut self,
        words: &[&str],
        quorum: &mut Option<Option<String>>,
    ) -> Result<(), PolicyFault> {
        match words {
            ["log", key, url @ ..] if url.len() < 2 => {
                let key = read_key(key, Algorithm::Ed25519, "log")?;
                if self
                    .logs
                    .iter()
                    .any(|log| log.public_key() == key.public_key())
                {
                    return Err(PolicyFault::Duplicate(key.to_string()));
                }
                if let Some(url) = url.first() {
                    self.log_urls.push((key.clone(), (*url).to_owned()));
                }
                self.logs.push(key);
            }
            ["witness", name, key, url @ ..] if url.len() < 2 => {
                self.check_new(name)?;
                let key = read_key(key, Algorithm::Cosignature, "witness")?;
                let mut known = self.witnesses.iter();
                if known.any(|other| other.key.public_key() == key.public_key()) {
                    return Err(PolicyFault::Duplicate(key.to_string()));
                }
                self.witnesses.push(Witness {
                    name: (*name).to_owned(),
                    key,
                    url: url.first().map(|url| (*url).to_owned()),
                });
            }
            ["monitor", name, key, url @ ..] if url.len() < 2 => {
                self.check_new(name)?;
                let key = read_key(key, Algorithm::Monitor, "monitor")?;
                let url = url.first().map(|url| (*url).to_owned());
                self.monitors.add((*name).to_owned(), key, url)?;
            }
            ["monitors", count] => self.monitors.require(count)?,
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.check_new(name)?;
                let threshold = match *threshold {
                    "all" => members.len(),
                    "any" => 1,
                    number => read_count(number).ok_or(PolicyFault::Malformed)?,
                };
                if !(1..=members.len()).contains(&threshold) {
                    let members = members.len();
                    return Err(PolicyFault::Threshold { members, threshold });
                }
                if let Some(unknown) = members.iter().find(|name| !self.is_defined(name)) {
                    return Err(PolicyFault::Undefined((*unknown).to_owned()));
                }
                let twice = |(at, name): &(usize, &&str)| {
                    members.iter().take(*at).any(|other| other == *name) || self.is_member(name)
                };
                if let Some((_, name)) = members.iter().enumerate().find(twice) {
                    return Err(PolicyFault::Member((*name).to_owned()));
                }
                self.groups.push(Group {
                    name: (*name).to_owned(),
                    threshold,
                    members: members.iter().map(|name| (*name).to_owned()).collect(),
                });
            }
            ["quorum", _] if quorum.is_some() => {
                return Err(PolicyFault::Duplicate("quorum".to_owned()));
            }
            ["quorum", "none"] => *quorum = Some(None),
            ["quorum", name] if self.is_defined(name) => *quorum = Some(Some((*name).to_owned())),
            ["quorum", name] => return Err(PolicyFault::Undefined((*name).to_owned())),
            _ => return Err(PolicyFault::Malformed),
        }
        Ok(())
    }
}

/// Which of these cosigned a checkpoint, each with the time in seconds since 1970.
fn cosigners(
    known: &[Witness],
    signed: &SignedCheckpoint,
) -> Result<Vec<(String, u64)>, CheckpointError> {
    let verified = match signed.note.verify(known.iter().map(|one| &one.key)) {
        Ok(verified) => verified,
        Err(NoteError::Unsigned) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for Witness { name, key, .. } in known {
        if let Some(by) = verified.iter().find(|by| by.key == key) {
            found.push((name.clone(), by.time.unwrap_or_default()));
        }
    }
    Ok(found)
}

/// Reads a number that consists of decimal digits only.
pub(super) fn read_count(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn read_key(
    text: &str,
    algorithm: Algorithm,
    of: &'static str,
) -> Result<VerifierKey, PolicyFault> {
    let key: VerifierKey = text.parse()?;
    match key.algorithm() == algorithm {
        true => Ok(key),
        false => Err(PolicyFault::KeyType(of)),
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        let mut quorum = None;
        let mut line = 0;
        for text in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            line += 1;
            if text.chars().any(|c| c.is_ascii_control() && c != '\t') {
                let what = PolicyFault::Control;
                return Err(PolicyError { line, what });
            }
            let words: Vec<&str> = text
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect();
            if words.first().is_none_or(|word| word.starts_with('#')) {
                continue;
            }
            let read = policy.line(&words, &mut quorum);
            read.map_err(|what| PolicyError { line, what })?;
        }
        let what = PolicyFault::NoQuorum;
        policy.quorum = quorum.ok_or(PolicyError { line, what })?;
        let counted = policy.monitors.count();
        counted.map_err(|what| PolicyError { line, what })?;
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Checkpoint, Signer};
    use super::*;
    use crate::time::Timestamp;

    fn key(name: &str, algorithm: Algorithm, seed: u8) -> Signer {
        Signer::new(name, algorithm, [seed; 32]).unwrap()
    }

    #[test]
    fn a_quorum_of_groups_is_met_by_enough_witnesses_of_each() {
        let log = key("log.example", Algorithm::Ed25519, 1);
        let witnesses: Vec<_> = (2..=6)
            .map(|seed| key(&format!("w{seed}.example"), Algorithm::Cosignature, seed))
            .collect();
        let mut text = format!("# whom we believe\nlog {}\n\n", log.verifier());
        for (name, witness) in ["x1", "x2", "x3", "y1", "y2"].iter().zip(&witnesses) {
            text += &format!(
                "witness {name} {} https://{name}.example\n",
                witness.verifier()
            );
        }
        text += "group x 2 x1 x2 x3\ngroup\ty any y1 y2\ngroup both all x y\nquorum both\n";
        let policy: Policy = text.parse().unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            size: 3,
            root: [3; 32],
        };
        let met = |by: &[usize]| {
            let mut signed = SignedCheckpoint::sign(checkpoint.clone(), &log, Timestamp::default());
            for index in by {
                let text = checkpoint.text();
                let signature = witnesses[*index].sign(&text, Timestamp::from_nanos(5_000_000_000));
                signed.note.add(signature);
            }
            policy.check(&signed).unwrap().quorum
        };
        assert!(met(&[0, 2, 4]) && met(&[0, 1, 2, 3]));
        assert!(!met(&[]) && !met(&[0, 4]) && !met(&[0, 1, 2]) && !met(&[3, 4]));
    }

    /// If it could, a single witness would meet a quorum of two.
    #[test]
    fn a_cosignature_counts_once_towards_a_quorum() {
        let witness = |name: &str, seed| {
            let key = key(&format!("{name}.example"), Algorithm::Cosignature, seed);
            format!("witness {name} {}\n", key.verifier())
        };
        let witnesses = witness("a", 2) + &witness("b", 3) + &witness("c", 4);
        for groups in [
            "group g 2 a a b\nquorum g\n",
            "group g all a a\nquorum g\n",
            "group x any a b\ngroup y any a c\ngroup both all x y\nquorum both\n",
            "group x any a b\ngroup both 2 x a c\nquorum both\n",
            "group x any a\ngroup both 2 x x\nquorum both\n",
        ] {
            let fault = format!("{witnesses}{groups}").parse::<Policy>();
            let what = fault.unwrap_err().what;
            assert!(matches!(what, PolicyFault::Member(_)), "{groups}: {what}");
        }
        let twice = witnesses.clone() + &witness("d", 2) + "group g all a d\nquorum g\n";
        let what = twice.parse::<Policy>().unwrap_err().what;
        assert!(matches!(what, PolicyFault::Duplicate(_)), "{what}");
        let sound = witnesses + "group x any a b\ngroup both all x c\nquorum both\n";
        sound.parse::<Policy>().unwrap();
    }

    #[test]
    fn what_is_no_policy_is_refused_with_line_and_reason() {
        let log = key("log.example", Algorithm::Ed25519, 1).verifier();
        let witness = key("w.example", Algorithm::Cosignature, 2).verifier();
        let fault = |text: &str| text.parse::<Policy>().unwrap_err();
        assert_eq!(fault("").what, PolicyFault::NoQuorum);
        assert_eq!(fault("quorum").what, PolicyFault::Malformed);
        assert_eq!(fault("quorum a").what, PolicyFault::Undefined("a".into()));
        assert_eq!(fault("quorum none\r\n").what, PolicyFault::Control);
        let signed = format!("witness a {witness}\ngroup g +1 a\nquorum g\n");
        assert_eq!(fault(&signed).what, PolicyFault::Malformed);
        let twice = format!("log {log}\nlog {log}\nquorum none\n");
        assert_eq!(fault(&twice).line, 2);
        assert_eq!(
            fault(&format!("log {witness}")).what,
            PolicyFault::KeyType("log")
        );
        assert_eq!(
            fault(&format!("witness a {log}")).what,
            PolicyFault::KeyType("witness")
        );
        let group = format!("witness a {witness}\ngroup g 2 a\nquorum g\n");
        let (members, threshold) = (1, 2);
        let expected = PolicyFault::Threshold { members, threshold };
        assert_eq!(
            fault(&group),
            PolicyError {
                line: 2,
                what: expected
            }
        );
    }
}
