//! Cosignatures against the crate `sigsum`, whose logs are cosigned by the same witnesses in the
//! same way (C2SP `tlog-cosignature`, version 1), and against what real witnesses signed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use planledger_core::entry::Hash32;
use planledger_core::merkle::{check_inclusion, hash_leaf, inclusion, root};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    Algorithm, Checkpoint, NoteSignature, Policy, SignedCheckpoint, Signer, VerifierKey,
};
use sha2::{Digest, Sha256};
use sigsum::policy::SIGSUM_TEST_2025_3;
use sigsum::{Hash, PolicyBuilder, PublicKey, SigsumSignature};

use crate::interop::leaves::{Leaves, content};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let digits = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn sha256(bytes: &[u8]) -> Hash32 {
    Sha256::digest(bytes).into()
}

/// A vkey of a public key, put together as the specification says.
fn vkey(name: &str, kind: u8, key: &[u8]) -> VerifierKey {
    let key = [&[kind], key].concat();
    let hash = sha256(&[name.as_bytes(), b"\n", &key].concat());
    let vkey = format!("{name}+{}+{}", hex(&hash[..4]), BASE64.encode(key));
    vkey.parse().unwrap()
}

/// What Sigsum calls a log whose key has this hash.
fn origin(keyhash: &[u8]) -> String {
    format!("sigsum.org/v1/tree/{}", hex(keyhash))
}

/// A tree of one entry of Sigsum's among others, with its head signed and cosigned here.
struct Logged {
    message: Hash32,
    submitter: SigningKey,
    log: Signer,
    witnesses: [Signer; 2],
    signed: SignedCheckpoint,
    /// The whole as Sigsum writes it.
    text: String,
}

fn logged(size: u64, index: u64) -> Logged {
    let message = sha256(b"a release");
    let submitter = SigningKey::from_bytes(&[3; 32]);
    let checksum = sha256(&message);
    let statement = [b"sigsum.org/v1/tree-leaf\0".as_slice(), &checksum].concat();
    let by_submitter = submitter.sign(&statement).to_bytes();
    let submitter_hash = sha256(submitter.verifying_key().as_bytes());
    let leaf = [checksum.as_slice(), &by_submitter, &submitter_hash].concat();
    let leaves = (0..size).map(|n| if n == index { leaf.clone() } else { content(n) });
    let tree = Leaves::of(leaves);
    let log_key = Signer::new("any", Algorithm::Ed25519, [4; 32]).unwrap();
    let log_hash = sha256(log_key.verifier().public_key());
    let log = Signer::new(&origin(&log_hash), Algorithm::Ed25519, [4; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: origin(&log_hash),
        size,
        root: root(&tree, size).unwrap(),
    };
    let at = Timestamp::from_nanos(1_700_000_000_123_456_789);
    let mut signed = SignedCheckpoint::sign(checkpoint, &log, at);
    let text = signed.note.text().to_owned();
    let witnesses = [5, 6].map(|seed| {
        let name = format!("witness{seed}.example");
        let witness = Signer::new(&name, Algorithm::Cosignature, [seed; 32]).unwrap();
        signed.note.add(witness.sign(&text, at));
        witness
    });
    let mut text = format!(
        "version=2\nlog={}\nleaf={} {}\n\nsize={size}\nroot_hash={}\nsignature={}\n",
        hex(&log_hash),
        hex(&submitter_hash),
        hex(&by_submitter),
        hex(&signed.checkpoint.root),
        hex(&signed.note.signatures()[0].signature),
    );
    for (witness, cosignature) in witnesses.iter().zip(&signed.note.signatures()[1..]) {
        let (time, signature) = cosignature.signature.split_first_chunk().unwrap();
        text += &format!(
            "cosignature={} {} {}\n",
            hex(&sha256(witness.verifier().public_key())),
            u64::from_be_bytes(*time),
            hex(signature),
        );
    }
    text += &format!("\nleaf_index={index}\n");
    for hash in inclusion(&tree, index, size).unwrap() {
        text += &format!("node_hash={}\n", hex(&hash));
    }
    Logged {
        message,
        submitter,
        log,
        witnesses,
        signed,
        text,
    }
}

impl Logged {
    /// Whether Sigsum's verifier, asking for both witnesses, believes a text.
    fn is_believed(&self, text: &str) -> bool {
        let key = |signer: &Signer| PublicKey::from(*signer.verifier().public_key());
        let mut policy = PolicyBuilder::new();
        policy.add_log(key(&self.log), None).unwrap();
        for (name, witness) in ["a", "b"].iter().zip(&self.witnesses) {
            policy
                .add_witness((*name).to_owned(), key(witness), None)
                .unwrap();
        }
        policy
            .add_group("both".to_owned(), 2, vec!["a".to_owned(), "b".to_owned()])
            .unwrap();
        policy.set_quorum("both".to_owned()).unwrap();
        let signature = SigsumSignature::from_ascii(text).unwrap();
        let submitters = [PublicKey::from(self.submitter.verifying_key().to_bytes())];
        let message = Hash::from(self.message);
        sigsum::verify(&message, &signature, &submitters, &policy.build()).is_ok()
    }
}

#[test]
fn what_is_signed_cosigned_and_proved_here_is_believed_by_sigsum() {
    for (size, index) in [(2, 0), (2, 1), (7, 6), (300, 77), (4_097, 4_096)] {
        let logged = logged(size, index);
        assert!(logged.is_believed(&logged.text), "{index} of {size}");
        // With any other root, size, time, signature or hash of the proof it is not.
        for line in logged.text.lines().skip(4) {
            if line.is_empty() || line.starts_with("leaf_index") {
                continue;
            }
            let end = line.len() - 1;
            let other = if line.ends_with('1') { "2" } else { "1" };
            let changed = format!("{}{other}", &line[..end]);
            assert!(
                !logged.is_believed(&logged.text.replace(line, &changed)),
                "{line}"
            );
        }
        let later = logged.text.replace(" 1700000000 ", " 1700000001 ");
        assert!(!logged.is_believed(&later));
    }
}

#[test]
fn the_same_is_believed_here_by_a_policy() {
    let logged = logged(300, 77);
    let [a, b] = &logged.witnesses;
    let policy = format!(
        "log {}\nwitness a {}\nwitness b {}\ngroup both all a b\nquorum both\n",
        logged.log.verifier(),
        a.verifier(),
        b.verifier()
    );
    let policy: Policy = policy.parse().unwrap();
    let found = policy.check(&logged.signed).unwrap();
    assert!(found.quorum);
    let times: Vec<_> = found.witnesses.iter().map(|(_, time)| *time).collect();
    assert_eq!(times, [1_700_000_000; 2]);
}

/// A signature that the documentation of the crate `sigsum` 0.3.0 publishes: an entry of the Sigsum
/// test log at a tree head that real witnesses cosigned.
const MESSAGE: &[u8] = b"Hello, Sigsum!\n";
const LOG: &str = "1643169b32bef33a3f54f8a353b87c475d19b6223cbb106390d10a29978e1cba";
const LEAF: [&str; 2] = [
    "38dd0b42cab5166611a4f8346db1c6ffe81ee2345f3ffe36a466eb8fce1d4b2879fbb5f26291d25e610b2dc7f30eaa\
     603efd97739ae585657d0f7181726eec00",
    "2c8d843ed6237e9ea033207113329fdd1428c75f8fd3c6782ae46c92c7a00c40",
];
const SIZE: u64 = 381_382;
const ROOT: &str = "901fefc6f1d978d2c2bedb82d448755bcdc7e8626e67ac7ee80873771be9b667";
const BY_LOG: &str = "8a8bf1fca60d1344fb6e2106e8f8906af833d3d75a21fe8d3af72be459f7a11f2ae6606ec634\
                      4a13b851cd454b3d281a2b1ae47732f7a8d6afbcc0134d1a2d00";
const AT: u64 = 1_770_193_051;
const BY_WITNESSES: [[&str; 2]; 4] = [
    [
        "1c997261f16e6e81d13f420900a2542a4b6a049c2d996324ee5d82a90ca3360c",
        "a1ee1182b265204499cbef3ae59f3ea228b928b3cbda8817a4ed5a12776823e9ad8ef1ce986b9b98d9954f1798\
         ec4315c1820704600a231c69038ccc9726d202",
    ],
    [
        "49c4cd6124b7c572f3354d854d50b2a4b057a750f786cf03103c09de339c4ea3",
        "aaf642e81a54399777180f238573d74878b68c7b645d8011583621405bb450b4e7887fc76502a8142c493d64e3\
         ed3e556d82dad1706411082e58805f64fa9d02",
    ],
    [
        "70b861a010f25030de6ff6a5267e0b951e70c04b20ba4a3ce41e7fba7b9b7dfc",
        "f5953f406f5fd97d9c9d1328b00b07bf434a5eb76d8da359aeda98c414de29ca1ced1872971ea0f137508a7bb0\
         5c7d322548409425677af96433706319bc0801",
    ],
    [
        "86b5414ae57f45c2953a074640bb5bedebad023925d4dc91a31de1350b710089",
        "3434b4646904714f4983c8e7e976a45332711f10012b19fbeb5549b6c0c04fb4ed52feed2da829354623c52b22\
         b90093776034a8d57d660f9ff27a118f5bf801",
    ],
];
const PATH: [&str; 10] = [
    "d009c5dbeaaa5be1788ea9533f6f398747755a8245012165ac73f753b7917672",
    "fb515551fe18f6e53d7d7f49b80abbb5c702b9662ee74fc7730e4a7685000aa4",
    "e21e73ee8caf0d49cdcd2f334b3f64e85e4a151daf8d09b6034306bb21b88480",
    "f77bc4db00e509149b6e2fc0028d7107dd415929dc9972f32fe758ce39bcc9a0",
    "3acb38f01c633d917b899ed4e522a49a02bf20d358f98ca530e3a3065591e7f2",
    "889de80c543a5ae8e35430988dc120ac7edde74b776f9082f814ea88190a601f",
    "199f812b9f3667dec31f964098e32652477a2f3d458019b6f8f4acc645cf0131",
    "084580f8f6324d4ae42dbcb779502ab9fab77e0c2b92519fe089be72e38d60ed",
    "9ddbece4939d621df53f31e2729d5fa7802fd82f3edfb784483d8b7fa9cf41e2",
    "e1c7a90c09949c263807e5970aef47f9a06164b759995ab814aff94aff9dcd00",
];

#[test]
fn what_real_witnesses_cosigned_is_believed_here() {
    let hash32 = |text: &str| -> Hash32 { unhex(text).try_into().unwrap() };
    let logs = SIGSUM_TEST_2025_3.logs();
    let log = logs
        .map(|log| log.pubkey)
        .find(|key| sha256(key.as_ref()) == hash32(LOG));
    let log = vkey(&origin(&unhex(LOG)), 1, log.unwrap().as_ref());
    let checkpoint = Checkpoint {
        origin: log.name().to_owned(),
        size: SIZE,
        root: hash32(ROOT),
    };
    let line = |key: &VerifierKey, signature: Vec<u8>| NoteSignature {
        name: key.name().to_owned(),
        key_id: key.id(),
        signature,
    };
    let mut note = format!("{}\n{}\n", checkpoint.text(), line(&log, unhex(BY_LOG)));
    let mut policy = format!("log {log}\n");
    for (n, [keyhash, signature]) in BY_WITNESSES.iter().enumerate() {
        let witness = SIGSUM_TEST_2025_3.get_witness_by_keyhash(&Hash::from(hash32(keyhash)));
        // The name of a witness is not among what it signs.
        let key = vkey(
            &format!("w{n}.example"),
            4,
            witness.unwrap().pubkey.as_ref(),
        );
        let signature = [AT.to_be_bytes().as_slice(), &unhex(signature)].concat();
        note += &format!("{}\n", line(&key, signature));
        policy += &format!("witness w{n} {key}\n");
    }
    policy += "group most 3 w0 w1 w2 w3\nquorum most\n";
    let policy: Policy = policy.parse().unwrap();
    let signed = SignedCheckpoint::parse(note.as_bytes()).unwrap();
    let found = policy.check(&signed).unwrap();
    assert!(found.quorum);
    assert_eq!(found.witnesses.len(), 4);
    assert!(found.witnesses.iter().all(|(_, time)| *time == AT));
    let other = note.replacen("381382", "381383", 1);
    assert!(
        policy
            .check(&SignedCheckpoint::parse(other.as_bytes()).unwrap())
            .is_err()
    );
    // The entry is in that tree.
    let leaf = [
        sha256(&sha256(MESSAGE)).to_vec(),
        unhex(LEAF[0]),
        unhex(LEAF[1]),
    ]
    .concat();
    // What is signed is the hash of a hash of the message.
    let path: Vec<_> = PATH.map(hash32).to_vec();
    check_inclusion(SIZE - 1, SIZE, &hash_leaf(&leaf), &path, &checkpoint.root).unwrap();
}
