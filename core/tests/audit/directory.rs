//! A ledger's whole directory at rest, as somebody has it who can write to the disk: to be changed,
//! or made anew by a forger who holds every key.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use planledger_core::derived::testing;
use planledger_core::entry::Hash32;
use planledger_core::ids::LedgerId;
use planledger_core::journal::{
    HEADER_LEN, Header, OpenMode, OsDisk, RECORD_LEN, SEGMENT_HEADER_LEN, SegmentLog,
    SegmentOptions,
};
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_core::seal::{KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Checkpoint, Kept, SignedCheckpoint, Signer};
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};

use crate::audit::school::{NotarisedSchool, ORIGIN, PLAN, signer};
use crate::audit::story::Story;
use planledger_fixtures::place::{TempLedger, copy, files};

/// A ledger at rest. Its journal has several segments, and it has three checkpoints.
pub(crate) struct Directory {
    dir: tempfile::TempDir,
}

impl Directory {
    /// A school's ledger, with everything that a server leaves behind.
    pub(crate) fn new() -> Self {
        let mut school = NotarisedSchool::new();
        school.checkpoint();
        school.write(PLAN, "læser højt");
        school.checkpoint();
        school.write(PLAN, "læser for de små");
        school.checkpoint();
        let made = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let place = school.close();
        // Written again with small segments: the same entries, so the same leaves and root.
        Story::read(place.path()).write(made.path());
        for kept in ["keys", "checkpoints"] {
            copy(&place.path().join(kept), &made.path().join(kept));
        }
        made.serve();
        made
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Every file below, in order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(self.path()).into_keys().collect()
    }

    /// Starts and stops the server: derived state, tiles and the published checkpoint are made.
    pub(crate) fn serve(&self) {
        let (ledger, notary) = NotarisedSchool::reopen(self.path());
        let newest = notary.latest().unwrap().unwrap();
        notary.checkpoint().unwrap();
        fs::write(self.file("tlog/checkpoint"), newest.note.to_string()).unwrap();
        ledger.settle();
    }

    pub(crate) fn open(&self) -> (Ledger, Arc<Notary>) {
        NotarisedSchool::reopen(self.path())
    }

    pub(crate) fn verify(&self) -> Verification {
        verify(self.path())
    }

    /// Kind and position of a part's fault.
    pub(crate) fn fault(&self, part: PartName) -> Option<(&'static str, u64)> {
        fault(&self.verify(), part)
    }

    /// All faults there are, each with its part, kind and position.
    pub(crate) fn faults(&self) -> Vec<(&'static str, &'static str, u64)> {
        faults(&self.verify())
    }

    /// Changes a file's bytes.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let path = self.file(name);
        let mut bytes = fs::read(&path).unwrap();
        edit(&mut bytes);
        fs::write(&path, bytes).unwrap();
    }

    /// Changes a document where it lies: the last one of this name. Also gets what lies after it.
    pub(crate) fn edit_document(&self, name: &[u8], edit: impl FnOnce(&mut Vec<u8>, Range<usize>)) {
        let sled = testing::sled_folder(&self.file("derived")).unwrap();
        let files = fs::read_dir(sled.with_file_name("values")).unwrap();
        let mut found = None;
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for path in files {
            let bytes = fs::read(&path).unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let name_len = u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
                let len = u32::from_be_bytes(bytes[at + 2..at + 6].try_into().unwrap());
                let begin = at + 6 + usize::from(name_len);
                let end = begin + len as usize;
                if bytes[at + 6..begin] == *name {
                    found = Some((path.clone(), begin..end));
                }
                at = end;
            }
        }
        let (path, range) = found.unwrap();
        let mut bytes = fs::read(&path).unwrap();
        edit(&mut bytes, range);
        fs::write(path, bytes).unwrap();
    }

    /// Changes what sled holds of derived state.
    pub(crate) fn edit_derived(&self, edit: impl FnOnce(&sled::Db)) {
        let files = testing::sled_folder(&self.file("derived")).unwrap();
        let db = sled::open(files).unwrap();
        edit(&db);
        db.flush().unwrap();
    }

    /// The kept checkpoints.
    pub(crate) fn kept(&self) -> Vec<SignedCheckpoint> {
        Kept::read_all(&self.file("checkpoints")).unwrap().notes
    }

    /// The newest kept checkpoint, as an auditor got it.
    pub(crate) fn newest_checkpoint(&self) -> SignedCheckpoint {
        self.kept().pop().unwrap()
    }

    /// Another checkpoint of the same size, as a note.
    pub(crate) fn forked_note(&self, signed: &SignedCheckpoint) -> String {
        sign(signed.checkpoint.size, [7; 32], &signer())
            .note
            .to_string()
    }

    /// A forger who holds every key rewrites history: the same directory with other events, and
    /// everything that follows from them made anew and signed.
    pub(crate) fn forged(&self, alter: impl FnOnce(&mut Story)) -> Self {
        self.forged_with(&signer(), &signer(), alter)
    }

    /// The same, with the key that the server has and the one that checkpoints are signed by.
    pub(crate) fn forged_with(
        &self,
        server: &Signer,
        signer: &Signer,
        alter: impl FnOnce(&mut Story),
    ) -> Self {
        let forged = self.forged_journal(signer, alter);
        let ledger = TempLedger::open_in(forged.path());
        let notary = Notary::open(ledger.clone(), forged.path(), server.clone()).unwrap();
        let newest = notary.latest().unwrap().unwrap();
        assert_eq!(notary.checkpoint().unwrap(), newest);
        fs::write(forged.file("tlog/checkpoint"), newest.note.to_string()).unwrap();
        ledger.settle();
        drop((ledger, notary));
        forged
    }

    /// The same, without what only a server makes, which refuses some forgeries.
    pub(crate) fn forged_journal(&self, signer: &Signer, alter: impl FnOnce(&mut Story)) -> Self {
        let forged = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let mut story = Story::read(self.path());
        alter(&mut story);
        story.seal_anew();
        story.write(forged.path());
        copy(&self.file("keys"), &forged.file("keys"));
        story.sign(forged.path(), signer);
        forged
    }

    /// Somebody without the keys rewrites the journal: frames and leaves are made anew, entries stay
    /// as they are. Everything else in the directory is left.
    pub(crate) fn reframe(&self, alter: impl FnOnce(&mut Story)) {
        let mut story = Story::read(self.path());
        alter(&mut story);
        fs::remove_dir_all(self.file("journal")).unwrap();
        story.write(self.path());
    }
}

pub(crate) fn verify(dir: &Path) -> Verification {
    verify_dir(&TempLedger::options_in(dir), Depth::Full, &|_, _, _| {}).unwrap()
}

pub(crate) fn fault(found: &Verification, part: PartName) -> Option<(&'static str, u64)> {
    let fault = found.part(part)?.fault.as_ref()?;
    Some((fault.kind.code(), fault.position.get()))
}

pub(crate) fn faults(found: &Verification) -> Vec<(&'static str, &'static str, u64)> {
    let faults = found.faults();
    faults
        .map(|(part, fault)| (part.name(), fault.kind.code(), fault.position.get()))
        .collect()
}

/// A signed checkpoint of anything.
pub(crate) fn sign(size: u64, root: Hash32, signer: &Signer) -> SignedCheckpoint {
    let origin = ORIGIN.to_owned();
    let checkpoint = Checkpoint { origin, size, root };
    SignedCheckpoint::sign(checkpoint, signer, Timestamp::default())
}

pub(crate) fn open_journal(dir: &Path) -> SegmentLog {
    let disk = Arc::new(OsDisk::new(dir.join("journal")).unwrap());
    let options = SegmentOptions {
        mode: OpenMode::ReadOnly,
        ..SegmentOptions::default()
    };
    SegmentLog::open(disk, options).unwrap()
}

pub(crate) fn open_keys(dir: &Path, ledger: LedgerId) -> KeyStore {
    let options = KeyStoreOptions {
        disk: Arc::new(OsDisk::new(dir.join("keys")).unwrap()),
        ledger,
        master: MasterKey::from_bytes([7; 32]),
        rescue: None,
        mode: KeyStoreMode::ReadOnly,
    };
    KeyStore::open(&options).unwrap()
}

/// Where in a segment's bytes its frames begin, and their headers.
pub(crate) fn frames(segment: &[u8]) -> Vec<(usize, Header)> {
    let mut all = Vec::new();
    let mut at = SEGMENT_HEADER_LEN;
    while at < segment.len() {
        let header = Header::decode(&segment[at..]).unwrap();
        all.push((at, header));
        at += header.frame_len() as usize;
    }
    all
}

/// Where in a segment's bytes the record of a frame's entry begins.
pub(crate) fn record_at((at, header): (usize, Header), nth: usize) -> usize {
    let records = header.records_len as usize - header.entries as usize * RECORD_LEN;
    at + HEADER_LEN + records + nth * RECORD_LEN
}

/// Where in a segment's bytes a frame's payloads begin.
pub(crate) fn payloads_at((at, header): (usize, Header)) -> usize {
    at + (header.frame_len() - u64::from(header.payloads_len)) as usize
}
