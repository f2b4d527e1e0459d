//! `planledger keys`: who can open a ledger's keys, offline.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use planledger_core::ledger::{OpenError, Options, keys_summary, rewrap_keys};
use planledger_core::seal::{KeyStoreError, KeyStoreSummary, MasterKey, Rewrapping};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use zeroize::Zeroizing;

use super::error::CliError;
use super::output;
use super::place::{Directory, LedgerPlace};
use crate::secret::{Links, read_secret};
use crate::settings::master::{KeyFile, KeySource};
use crate::settings::{File, parse_key, rescue_key};

/// How `openssl genpkey -algorithm X25519` begins a private key, before its 32 bytes (RFC 8410).
const X25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];

/// See and change who can open the ledger's keys, offline
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Show how many keys there are, and who can open them beside the holder of the master key
    Show(Show),
    /// Wrap every key under a new master key; the journal stays as it is
    Rewrap(Rewrap),
    /// Wrap every key for a rescue recipient too, instead of the one so far if there is one
    #[command(alias = "add-recovery-recipient")]
    AddRescueRecipient(AddRescueRecipient),
    /// Open every key with the private half of the rescue key, and wrap it under a new master key:
    /// for the day when the master key is lost
    Recover(Recover),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rewrap {
    /// File with the new master key; it is made if there is none
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct AddRescueRecipient {
    /// Public key of the recipient: 64 hexadecimal digits
    #[arg(value_name = "KEY")]
    recipient: String,
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Recover {
    /// File with the private half of the rescue key: PEM, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    rescue_key_file: PathBuf,
    /// File with the new master key; it is made if there is none
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,
    #[command(flatten)]
    directory: Directory,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Show(show) => show.run(file),
            Self::Rewrap(rewrap) => rewrap.run(file),
            Self::AddRescueRecipient(add) => add.run(file),
            Self::Recover(recover) => recover.run(file),
        }
    }
}

impl Show {
    fn run(self, file: &File) -> Result<(), CliError> {
        let found = keys_summary(&self.place.existing(file)?).map_err(CliError::refused)?;
        tell(found, self.json);
        Ok(())
    }
}

impl Rewrap {
    fn run(self, file: &File) -> Result<(), CliError> {
        let options = self.place.existing(file)?;
        let next = new_master_key(&self.new_master_key_file)?;
        let how = Rewrapping::MasterKey(&next);
        let found = match rewrap_keys(&options, &how) {
            Err(OpenError::Keys(KeyStoreError::WrongMasterKey)) => already_under(options, &next)?,
            found => found.map_err(CliError::refused)?,
        };
        tell_of_new_key(&self.new_master_key_file);
        tell(found, self.json);
        Ok(())
    }
}

impl AddRescueRecipient {
    fn run(self, file: &File) -> Result<(), CliError> {
        // Whoever is named in the settings is not asked about: this command names somebody.
        let options = self.place.existing(file)?;
        let Some(recipient) = rescue_key(Some(&self.recipient))? else {
            return Err(CliError::Usage("name a recipient".to_owned()));
        };
        let found = rewrap_keys(&options, &Rewrapping::Recipient(recipient));
        tell(found.map_err(CliError::refused)?, self.json);
        Ok(())
    }
}

impl Recover {
    fn run(self, file: &File) -> Result<(), CliError> {
        self.directory.existing(file)?;
        let rescue = private_key(&self.rescue_key_file)?;
        let next = new_master_key(&self.new_master_key_file)?;
        let options = self.directory.options(file, next)?;
        let how = Rewrapping::Recovery { rescue: &rescue };
        let found = rewrap_keys(&options, &how).map_err(CliError::refused)?;
        tell_of_new_key(&self.new_master_key_file);
        tell(found, self.json);
        Ok(())
    }
}

/// The key in a file, or a new one that is on stable storage before anything is wrapped under it.
fn new_master_key(path: &Path) -> Result<MasterKey, CliError> {
    let file = KeyFile {
        path: path.to_owned(),
        links: Links::Followed,
        makes: true,
    };
    Ok(file.master_key()?)
}

/// What there is, if an earlier run came to its end: its answer may have been lost.
fn already_under(options: Options, next: &MasterKey) -> Result<KeyStoreSummary, CliError> {
    let master = next.clone();
    let found = keys_summary(&Options { master, ..options }).map_err(CliError::refused)?;
    output::note("the keys are under the new master key already");
    Ok(found)
}

fn tell_of_new_key(path: &Path) {
    output::note(format!(
        "the keys are under the master key in {path}: name it in the settings, and keep the old one in \
         the safe as long as there are backups of the old keys.log",
        path = path.display()
    ));
}

fn tell(found: KeyStoreSummary, as_json: bool) {
    let recipient = found.rescue.map(|key| key.to_string());
    if as_json {
        output::line(json!({ "keys": found.keys, "rescueRecipient": recipient }));
        return;
    }
    let keys = found.keys;
    output::line(match recipient {
        Some(recipient) => format!("{keys} keys, wrapped for the rescue recipient {recipient} too"),
        None => format!("{keys} keys, and no rescue recipient"),
    });
}

/// The private half of a rescue key.
fn private_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, CliError> {
    let text = read_secret(path, Links::Followed)
        .map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?;
    if !text.trim_start().starts_with("-----BEGIN") {
        return Ok(Zeroizing::new(parse_key("the rescue key file", &text)?));
    }
    let wrong = || {
        CliError::Usage(format!(
            "{} holds no private key of X25519, as `openssl genpkey -algorithm X25519` makes it",
            path.display()
        ))
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| wrong())?;
    let key = der.secret_pkcs8_der().strip_prefix(&X25519);
    let key: [u8; 32] = key.ok_or_else(wrong)?.try_into().map_err(|_| wrong())?;
    Ok(Zeroizing::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::write_secret;

    #[test]
    fn a_rescue_key_is_read_as_openssl_writes_it_and_as_digits() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str| {
            let path = dir.path().join(name);
            write_secret(&path, text).unwrap();
            private_key(&path).map(|key| *key)
        };
        // RFC 8410, section 10.3, has the form; the key is 32 times 0x09.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VuBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ\n\
                   -----END PRIVATE KEY-----";
        assert_eq!(read("pem", pem).unwrap(), [9; 32]);
        assert_eq!(read("hex", &"09".repeat(32)).unwrap(), [9; 32]);
        // A key of another kind: Ed25519.
        let other = pem.replace("K2VuBC", "K2VwBC");
        assert!(read("other", &other).is_err());
        assert!(read("short", "09").is_err());
    }
}
