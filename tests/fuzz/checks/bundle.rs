//! No bytes bring the checker of bundles down, and it says the same twice. The checkpoint is signed
//! anew, as its owner could, so that what stands behind it is reached.

use planledger_core::audit::{BundleFault, Line, Report, VerifyOptions, verify_bundle};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Policy, SignedCheckpoint, Signer};

fn verify(bundle: &[u8], since: Option<SignedCheckpoint>) -> Result<Report, BundleFault> {
    // The key of the seeds.
    let policy = Policy::of_logs(vec![signer().verifier()]);
    let options = VerifyOptions { policy, since };
    let mut seen = 0;
    let checked = verify_bundle(&mut &*bundle, &options, &mut |_, _| seen += 1);
    if let Ok(report) = &checked {
        assert_eq!(report.opened, seen);
        assert!(report.opened + report.redacted + report.erased <= report.events);
    }
    checked
}

fn signer() -> Signer {
    let signer = Signer::new("planledger.example/test", Algorithm::Ed25519, [0x5E; 32]);
    signer.expect("a name")
}

pub(crate) fn check(bytes: &[u8]) {
    let first = verify(bytes, None);
    assert_eq!(first, verify(bytes, None));
    if let Err(fault) = &first {
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        assert!((1..=lines + 1).contains(&fault.line));
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (line, rest) = bytes.split_at(end + 1);
    let Ok(Line::Header(mut header)) = Line::parse(line) else {
        return;
    };
    let Ok(signed) = SignedCheckpoint::parse(header.checkpoint.as_bytes()) else {
        return;
    };
    let mut checkpoint = signed.checkpoint;
    checkpoint.origin = "planledger.example/test".to_owned();
    let signed = SignedCheckpoint::sign(checkpoint, &signer(), Timestamp::default());
    header.checkpoint = signed.note.to_string();
    let mut again = Line::Header(header).to_text().expect("a line").into_bytes();
    again.extend_from_slice(rest);
    let _ = verify(&again, None);
    let _ = verify(&again, Some(signed));
}
