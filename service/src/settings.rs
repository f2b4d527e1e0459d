//! Settings. A flag has priority over the environment, the environment over a TOML file, and the
//! file over defaults. The command line reads flags and environment. This module reads the file for
//! the settings that they leave open.

pub mod identity;

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use planledger_core::hex;
use planledger_core::journal::{OsDisk, SmallFile};
use planledger_core::seal::{MasterKey, RescueKey};
use planledger_core::tlog::Policy;
use serde::Deserialize;

/// The server that commands connect to, if no setting names another.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";
/// The address on which the server listens, if no setting names another.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:50051";
/// Seconds from one checkpoint to the next, if no setting names another number.
pub const DEFAULT_CHECKPOINT_SECONDS: u64 = 60;
/// The directory of the ledger, if no setting names another.
pub const DEFAULT_DIR: &str = "planledger-data";

/// Why settings cannot be used. All of these errors count as wrong usage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A named file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The settings file is not TOML, or has an unknown setting or a wrong value.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: Box<toml::de::Error>,
    },
    /// The policy file does not hold a policy.
    #[error("{}: {source}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: planledger_core::tlog::PolicyError,
    },
    /// A value does not have the form that its setting needs.
    #[error("{name} must be {expected}")]
    Value {
        /// The name of the setting.
        name: &'static str,
        /// The form that the value must have.
        expected: &'static str,
    },
    /// The journal exists, but its master key is missing. The user must give the key that the
    /// ledger was made with.
    #[error("the master key file {} is missing; the ledger cannot be read without its master key, \
             so restore the file or name it with --master-key-file", path.display())]
    MasterKeyMissing {
        /// The file in which the key was expected.
        path: PathBuf,
    },
}

/// The content of a settings file. Every field may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct File {
    /// The ledger's directory.
    pub dir: Option<PathBuf>,
    /// The address that the server listens on.
    pub listen: Option<SocketAddr>,
    /// The server that commands talk to.
    pub server: Option<String>,
    /// The file with the master key.
    pub master_key_file: Option<PathBuf>,
    /// X25519 public key of the rescue recipient, 64 hexadecimal digits.
    #[serde(alias = "recovery-recipient")]
    pub rescue_recipient: Option<String>,
    /// The log's name in its checkpoints, for a new ledger.
    pub origin: Option<String>,
    /// Seconds from one checkpoint to the next.
    pub checkpoint_seconds: Option<u64>,
    /// The file of the policy whose witnesses are asked to cosign.
    pub witness_policy: Option<PathBuf>,
    /// The file with the token that commands show a server.
    pub token_file: Option<PathBuf>,
    /// The file with the authorities that sign servers' certificates, for commands.
    pub ca_file: Option<PathBuf>,
    /// The file with the certificate that commands show a server.
    pub cert: Option<PathBuf>,
    /// The file with the key of that certificate.
    pub key: Option<PathBuf>,
    /// The server's certificate, in production mode.
    pub tls: Option<identity::Tls>,
    /// Who vouches for callers, in production mode.
    pub identity: Option<identity::Identity>,
}

impl File {
    /// Reads a settings file. Without a path, no setting is set.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or has an unknown setting.
    pub fn read(path: Option<&Path>) -> Result<Self, SettingsError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let io = |source| SettingsError::Io {
            path: path.to_owned(),
            source,
        };
        let text = fs::read_to_string(path).map_err(io)?;
        let toml = |source| SettingsError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        };
        toml::from_str(&text).map_err(toml)
    }
}

/// Reads a policy file.
///
/// # Errors
/// When the file cannot be read, or does not hold a policy.
pub fn policy(path: &Path) -> Result<Policy, SettingsError> {
    let io = |source| SettingsError::Io {
        path: path.to_owned(),
        source,
    };
    let text = fs::read_to_string(path).map_err(io)?;
    text.parse().map_err(|source| SettingsError::Policy {
        path: path.to_owned(),
        source,
    })
}

/// Reads 32 bytes from 64 hexadecimal digits.
///
/// # Errors
/// [`SettingsError::Value`]
pub fn parse_key(name: &'static str, text: &str) -> Result<[u8; 32], SettingsError> {
    let wrong = || SettingsError::Value {
        name,
        expected: "64 hexadecimal digits",
    };
    hex::decode(text.trim()).ok_or_else(wrong)
}

/// The rescue recipient's key, if one is set.
///
/// # Errors
/// [`SettingsError::Value`] when it is not a key.
pub fn rescue_key(text: Option<&str>) -> Result<Option<RescueKey>, SettingsError> {
    text.map(|text| parse_key("rescue-recipient", text).map(RescueKey))
        .transpose()
}

/// Reads the master key from the environment, or else from its file. For a new ledger, the file is
/// created.
///
/// # Errors
/// When the key cannot be read, or is missing although the ledger exists.
pub fn master_key(
    given: Option<&str>,
    file: Option<&Path>,
    dir: &Path,
) -> Result<MasterKey, SettingsError> {
    if let Some(text) = given {
        return parse_key("PLANLEDGER_MASTER_KEY", text).map(MasterKey::from_bytes);
    }
    let path = file.map_or_else(|| dir.join("keys").join("master.key"), Path::to_owned);
    let io = |source| SettingsError::Io {
        path: path.clone(),
        source,
    };
    match fs::read_to_string(&path) {
        Ok(text) => parse_key("the master key file", &text).map(MasterKey::from_bytes),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(error)),
        Err(_) if dir.join("journal").exists() => Err(SettingsError::MasterKeyMissing { path }),
        Err(_) => make_master_key(&path).map_err(io),
    }
}

fn make_master_key(path: &Path) -> std::io::Result<MasterKey> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    write_secret(path, &hex::encode(&key))?;
    Ok(MasterKey::from_bytes(key))
}

/// Writes a new file with a secret, which only the file's owner may read. The file is durable when
/// this returns.
///
/// # Errors
/// When the file exists, or the operating system refuses.
pub fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    let folder = folder_of(path);
    // Create the folder and the folders above it, so that they survive a power cut.
    OsDisk::new(folder)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

/// Writes a file with a secret, which only the file's owner may read, or replaces the one that is
/// there. After a crash the file holds either secret whole. The file is durable when this returns.
///
/// # Errors
/// When the operating system refuses.
pub fn replace_secret(folder: &Path, name: &str, secret: &str) -> std::io::Result<()> {
    let file = SmallFile {
        name,
        temporary: &format!("{name}.tmp"),
    };
    file.replace(
        &OsDisk::new(folder)?.private(),
        format!("{secret}\n").as_bytes(),
    )?;
    Ok(())
}

/// The folder of a file. A bare file name has an empty parent, and its folder is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_without_a_folder_is_in_the_present_one() {
        assert_eq!(folder_of(Path::new("master.key")), Path::new("."));
        assert_eq!(folder_of(Path::new("keys/master.key")), Path::new("keys"));
        assert_eq!(folder_of(Path::new("/master.key")), Path::new("/"));
    }

    #[test]
    fn a_settings_file_may_hold_some_settings_but_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("planledger.toml");
        fs::write(&path, "listen = \"127.0.0.1:1\"\n").unwrap();
        let file = File::read(Some(&path)).unwrap();
        assert_eq!(file.listen, Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(file.dir, None);
        fs::write(&path, "lisen = \"127.0.0.1:1\"\n").unwrap();
        let error = File::read(Some(&path)).unwrap_err().to_string();
        assert!(
            error.contains("lisen") && error.contains("planledger.toml"),
            "{error}"
        );
    }

    #[test]
    fn a_new_ledger_gets_a_master_key_and_an_old_one_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        master_key(None, None, dir.path()).unwrap();
        let path = dir.path().join("keys/master.key");
        let first = fs::read_to_string(&path).unwrap();
        master_key(None, None, dir.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        fs::create_dir(dir.path().join("journal")).unwrap();
        fs::remove_file(&path).unwrap();
        let missing = master_key(None, None, dir.path());
        assert!(matches!(
            missing,
            Err(SettingsError::MasterKeyMissing { .. })
        ));
        assert!(parse_key("key", &"ab".repeat(32)).is_ok());
        assert!(parse_key("key", &"æ".repeat(32)).is_err());
        assert!(parse_key("key", "ab").is_err());
    }
}
