//! What somebody may do to a ledger who can write to its disk, up to a forger who holds every key;
//! who notices it, and what the report says. `core/AUDITING.md` has the same as a table.

mod beside;
mod disk;
mod forger;
mod keys;
mod squatted;

use planledger_fixtures::evidence::readable;
use std::fs;
use std::sync::Arc;

use planledger_core::audit::{
    BundleFault, Export, ExportError, ExportRequest, FaultKind, Report, Scope, VerifyOptions,
    verify_bundle,
};
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    AddCheckpoint, Algorithm, Latest, SignedCheckpoint, Signer, WitnessError, add_checkpoint,
};
use planledger_core::verify::PartName;

use crate::audit::directory::Directory;
use crate::audit::school::{PLAN, policy, signer};
use planledger_fixtures::place::TempLedger;

/// What an auditor finds who kept a checkpoint and is given a bundle from this directory.
fn audit(directory: &Directory, since: Option<&SignedCheckpoint>) -> Result<Report, FaultKind> {
    audit_of(directory, signer(), since)
}

/// The same, from a server that has this key.
fn audit_of(
    directory: &Directory,
    server: Signer,
    since: Option<&SignedCheckpoint>,
) -> Result<Report, FaultKind> {
    let ledger = TempLedger::open_in(directory.path());
    let notary = Notary::open(ledger.clone(), directory.path(), server).unwrap();
    let notary = Arc::new(notary);
    let request = ExportRequest {
        since: since.map(|since| since.checkpoint.size),
        ..readable(Scope::Plan(PLAN))
    };
    let bundle: String = match Export::new(ledger.clone(), notary.clone(), request) {
        Ok(export) => export.map(Result::unwrap).collect(),
        // Growth that there is not cannot be proved, so the bundle comes without.
        Err(ExportError::Since { .. } | ExportError::Notary(NotaryError::NoCheckpoint { .. })) => {
            let request = ExportRequest {
                since: None,
                ..request
            };
            let export = Export::new(ledger, notary, request).unwrap();
            export.map(Result::unwrap).collect()
        }
        Err(error) => panic!("{error}"),
    };
    let options = VerifyOptions {
        policy: policy(),
        since: since.cloned(),
    };
    let checked = verify_bundle(&mut bundle.as_bytes(), &options, &mut |_, _| {});
    checked.map_err(|BundleFault { fault, .. }| fault.kind)
}

/// What a witness says that cosigned a checkpoint and is asked to cosign this directory's newest.
fn witness(directory: &Directory, before: &SignedCheckpoint) -> Result<(), WitnessError> {
    let (_ledger, notary) = directory.open();
    let latest = Latest {
        size: before.checkpoint.size,
        root: before.checkpoint.root,
    };
    let signed = notary.latest().unwrap().unwrap();
    let proof = match signed.checkpoint.size > latest.size {
        true => {
            notary
                .consistency(latest.size, signed.checkpoint.size)
                .unwrap()
                .2
        }
        false => Vec::new(),
    };
    let request = AddCheckpoint {
        old_size: latest.size,
        proof,
        signed,
    };
    let by = Signer::new("w.example", Algorithm::Cosignature, [8; 32]).unwrap();
    let logs = [signer().verifier()];
    add_checkpoint(&request, &logs, Some(latest), &by, Timestamp::default()).map(drop)
}

#[test]
fn a_directory_that_nobody_touched_is_sound() {
    let directory = Directory::new();
    let found = directory.verify();
    assert_eq!(directory.faults(), []);
    assert!(found.is_sound());
    let checked = |part| found.part(part).unwrap().checked;
    assert_eq!(checked(PartName::Journal), found.events.get());
    assert_eq!(checked(PartName::Contents), found.events.get());
    assert_eq!(checked(PartName::Checkpoints), 3);
    assert_eq!(checked(PartName::Heads), 3);
    assert!(checked(PartName::Indexes) > 2);
    assert!(checked(PartName::Tiles) >= 2);
    assert!(checked(PartName::Derived) > 20);
    assert_eq!(found.key, Some(signer().verifier()));
    assert!(
        found.parts.iter().all(|part| part.note.is_none()),
        "{found:?}"
    );
    let kept = directory.newest_checkpoint();
    assert_eq!(kept.checkpoint.root, found.root);
    assert!(audit(&directory, Some(&kept)).is_ok());
    assert!(witness(&directory, &kept).is_ok());
    // Looking changes nothing, and the forger's tools change nothing by themselves.
    let before: Vec<_> = directory
        .files()
        .iter()
        .map(|file| fs::read(file).unwrap())
        .collect();
    directory.verify();
    let after: Vec<_> = directory
        .files()
        .iter()
        .map(|file| fs::read(file).unwrap())
        .collect();
    assert!(before == after);
    let same = directory.forged(|_| {});
    assert_eq!(same.verify().root, found.root);
    assert_eq!(same.faults(), []);
}
