//! Settings. A flag has priority over the environment, the environment over a TOML file, and the
//! file over defaults. The command line reads flags and environment. This module reads the file for
//! the settings that they leave open.

pub mod identity;
pub mod limits;
pub mod log;
pub mod master;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use planledger_core::hex;
use planledger_core::seal::{KeyStoreError, RescueKey};
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
    /// The clock of this machine cannot be used.
    #[error(transparent)]
    Clock(#[from] crate::clock::ClockError),
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
    /// The settings of a server in production mode do not say where the master key is.
    #[error(
        "the settings do not say where the master key is, and in production mode it is not kept beside \
         the data: name a file outside of the ledger's directory (--master-key-file FILE, or \
         master-key-file in the settings), hand it over as the credential planledger.master-key \
         (LoadCredential= of systemd), or name a command that prints it (master-key-command = \
         [\"program\", \"argument\"]); a key that is at {path} now is moved with \
         `mv {path} FILE`", path = beside.display()
    )]
    MasterKeyNowhere {
        /// Where a key is kept beside the data.
        beside: PathBuf,
    },
    /// The master key of a server in production mode is in the ledger's directory.
    #[error(
        "the master key file {path} is in the ledger's directory, so whoever copies the directory has \
         the key with it: move it away (`mv {path} /etc/planledger/master.key`), and name the new place \
         with --master-key-file", path = path.display()
    )]
    MasterKeyBeside {
        /// The file.
        path: PathBuf,
    },
    /// The command that prints the master key did not.
    #[error("the master key command {program} gives no key: {why}")]
    Command {
        /// The program.
        program: String,
        /// What is wrong, without anything that it printed.
        why: String,
    },
    /// The rescue recipient cannot be one.
    #[error(transparent)]
    Recipient(Box<KeyStoreError>),
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
    /// A program that prints the master key, with its arguments; for a key management service.
    pub master_key_command: Option<Vec<String>>,
    /// X25519 public key of the rescue recipient, 64 hexadecimal digits.
    #[serde(alias = "recovery-recipient")]
    pub rescue_recipient: Option<String>,
    /// The log's name in its checkpoints, for a new ledger.
    pub origin: Option<String>,
    /// Seconds from one checkpoint to the next.
    pub checkpoint_seconds: Option<u64>,
    /// The file of the policy whose witnesses are asked to cosign.
    pub witness_policy: Option<PathBuf>,
    /// How reads of plans are recorded.
    pub access_log: AccessLogSettings,
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
    /// What the server takes on.
    pub limits: limits::Limits,
    /// How much is logged.
    pub log: Option<String>,
    /// How lines of the log are written.
    pub log_format: Option<log::LogFormat>,
    /// Where Prometheus gets metrics.
    pub metrics: Option<SocketAddr>,
    /// The collector of OpenTelemetry that metrics are sent to.
    pub otlp: Option<String>,
}

/// How reads of plans are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AccessLogSettings {
    /// Whether an answer waits until its record is on stable storage.
    pub strict: bool,
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
/// [`SettingsError::Value`] when it is not a key, [`SettingsError::Recipient`] when it is a weak one.
pub fn rescue_key(text: Option<&str>) -> Result<Option<RescueKey>, SettingsError> {
    let key = |text| {
        let recipient = RescueKey(parse_key("rescue-recipient", text)?);
        match recipient.is_weak() {
            true => Err(SettingsError::Recipient(Box::new(
                KeyStoreError::WeakRecipient { recipient },
            ))),
            false => Ok(recipient),
        }
    };
    text.map(key).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_key_is_64_hexadecimal_digits_and_a_weak_recipient_is_none() {
        assert!(parse_key("key", &"ab".repeat(32)).is_ok());
        assert!(parse_key("key", &"æ".repeat(32)).is_err());
        assert!(parse_key("key", "ab").is_err());
        assert!(rescue_key(Some(&"09".repeat(32))).is_ok());
        // The points of order 1 and 2: all secrets that are agreed with them are zeros.
        for weak in ["00".repeat(32), format!("01{}", "00".repeat(31))] {
            let error = rescue_key(Some(&weak)).unwrap_err().to_string();
            assert!(error.contains("low order"), "{error}");
        }
    }
}
