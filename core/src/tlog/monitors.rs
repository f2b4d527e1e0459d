//! The monitors that a policy names, and how many of them must have cosigned. They stand apart from
//! witnesses: a monitor says more of a checkpoint, so neither counts for the other.

use super::policy::{PolicyFault, Witness, read_count};
use crate::note::VerifierKey;

/// The monitors of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Monitors {
    all: Vec<Witness>,
    required: Option<Required>,
    /// How many must have cosigned.
    threshold: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Required {
    All,
    Count(usize),
}

impl Monitors {
    pub(super) fn all(&self) -> &[Witness] {
        &self.all
    }

    /// Whether so many are as many as are required.
    pub(super) fn are_enough(&self, count: usize) -> bool {
        count >= self.threshold
    }

    /// Takes a `monitor` line.
    pub(super) fn add(
        &mut self,
        name: String,
        key: VerifierKey,
        url: Option<String>,
    ) -> Result<(), PolicyFault> {
        let mut known = self.all.iter();
        // One key must not count twice.
        if known.any(|other| other.key.public_key() == key.public_key()) {
            return Err(PolicyFault::Duplicate(key.to_string()));
        }
        self.all.push(Witness { name, key, url });
        Ok(())
    }

    /// Takes the `monitors` line: how many must have cosigned. Without it none have to.
    pub(super) fn require(&mut self, count: &str) -> Result<(), PolicyFault> {
        if self.required.is_some() {
            return Err(PolicyFault::Duplicate("monitors".to_owned()));
        }
        self.required = Some(match count {
            "all" => Required::All,
            "any" => Required::Count(1),
            "none" => Required::Count(0),
            number => Required::Count(read_count(number).ok_or(PolicyFault::Malformed)?),
        });
        Ok(())
    }

    /// Ends the reading: works out how many monitors are required.
    pub(super) fn count(&mut self) -> Result<(), PolicyFault> {
        let members = self.all.len();
        let threshold = match self.required {
            None => 0,
            // Of none, all would be none.
            Some(Required::All) => members.max(1),
            Some(Required::Count(count)) => count,
        };
        if threshold > members {
            return Err(PolicyFault::Threshold { members, threshold });
        }
        self.threshold = threshold;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Checkpoint, Policy, SignedCheckpoint, Signer};
    use super::*;
    use crate::time::Timestamp;

    fn key(name: &str, algorithm: Algorithm, seed: u8) -> Signer {
        Signer::new(name, algorithm, [seed; 32]).unwrap()
    }

    fn line(word: &str, name: &str, algorithm: Algorithm, seed: u8) -> String {
        let key = key(&format!("{name}.example"), algorithm, seed).verifier();
        format!("{word} {name} {key}\n")
    }

    #[test]
    fn witnesses_do_not_count_as_monitors_nor_monitors_as_witnesses() {
        let log = key("log.example", Algorithm::Ed25519, 1);
        let (witness, monitor) = (Algorithm::Cosignature, Algorithm::Monitor);
        let signers = [
            key("w.example", witness, 2),
            key("m.example", monitor, 3),
            key("n.example", monitor, 4),
        ];
        let text = format!("log {}\n", log.verifier())
            + &line("witness", "w", witness, 2)
            + &line("monitor", "m", monitor, 3)
            + &line("monitor", "n", monitor, 4);
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            size: 3,
            root: [3; 32],
        };
        let check = |policy: &str, by: &[usize]| {
            let policy: Policy = format!("{text}{policy}").parse().unwrap();
            let mut signed = SignedCheckpoint::sign(checkpoint.clone(), &log, Timestamp::default());
            for index in by {
                let at = Timestamp::from_nanos(5_000_000_000);
                signed
                    .note
                    .add(signers[*index].sign(&checkpoint.text(), at));
            }
            let found = policy.check(&signed).unwrap();
            (found.quorum, found.enough_monitors, found.monitors.len())
        };
        for any in ["monitors any\nquorum w\n", "monitors 1\nquorum w\n"] {
            assert_eq!(check(any, &[]), (false, false, 0));
            assert_eq!(check(any, &[0]), (true, false, 0));
            assert_eq!(check(any, &[1, 2]), (false, true, 2));
            assert_eq!(check(any, &[0, 2]), (true, true, 1));
        }
        for all in ["monitors all\nquorum none\n", "quorum none\nmonitors 2\n"] {
            assert_eq!(check(all, &[0, 1]), (true, false, 1));
            assert_eq!(check(all, &[1, 2]), (true, true, 2));
        }
        for none in ["quorum none\n", "monitors none\nquorum none\n"] {
            assert_eq!(check(none, &[1]), (true, true, 1));
            assert_eq!(check(none, &[]), (true, true, 0));
        }
    }

    #[test]
    fn what_makes_no_sense_of_monitors_is_refused() {
        let monitor = line("monitor", "m", Algorithm::Monitor, 3);
        let fault = |text: &str| {
            let text = format!("{monitor}{text}quorum none\n");
            text.parse::<Policy>().unwrap_err().what
        };
        let twice = |name: &str| PolicyFault::Duplicate(name.to_owned());
        assert_eq!(
            fault(&line("monitor", "m", Algorithm::Monitor, 4)),
            twice("m")
        );
        assert_eq!(
            fault(&line("witness", "m", Algorithm::Cosignature, 4)),
            twice("m")
        );
        let again = fault(&line("monitor", "n", Algorithm::Monitor, 3));
        assert!(matches!(again, PolicyFault::Duplicate(_)), "{again}");
        assert_eq!(
            fault(&line("monitor", "n", Algorithm::Cosignature, 4)),
            PolicyFault::KeyType("monitor")
        );
        assert_eq!(
            fault(&line("witness", "n", Algorithm::Monitor, 4)),
            PolicyFault::KeyType("witness")
        );
        // A monitor is a member of no group of witnesses.
        let undefined = PolicyFault::Undefined("m".to_owned());
        assert_eq!(fault("group g all m\n"), undefined);
        let (members, threshold) = (1, 2);
        let expected = PolicyFault::Threshold { members, threshold };
        assert_eq!(fault("monitors 2\n"), expected);
        assert_eq!(fault("monitors any\nmonitors any\n"), twice("monitors"));
        assert_eq!(fault("monitors -1\n"), PolicyFault::Malformed);
        let none = "monitors all\nquorum none\n".parse::<Policy>();
        assert!(none.is_err());
    }
}
