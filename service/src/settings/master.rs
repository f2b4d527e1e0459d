//! Where the master key comes from.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use planledger_core::seal::MasterKey;
use zeroize::Zeroizing;

use super::{File, SettingsError, parse_key};
use crate::secret::{Links, is_empty, read_secret, real_place, write_secret};
use crate::system::SystemEntropy;

/// The environment variable with the master key itself.
pub const VARIABLE: &str = "PLANLEDGER_MASTER_KEY";
/// The name of the credential that a service manager hands over.
pub const CREDENTIAL: &str = "planledger.master-key";
/// How long a command may take to print the key.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes that a command may print: 64 digits and the white space around them.
const MOST: u64 = 256;

/// Something that hands out the master key, such as a key management service.
pub trait KeySource {
    /// The master key.
    ///
    /// # Errors
    /// [`SettingsError`], which never repeats what was read.
    fn master_key(&self) -> Result<MasterKey, SettingsError>;
}

/// The environment of the process. Its owner and root can read it, and so can whoever sees a dump of
/// the service's set-up: a file is better.
pub struct Environment(Zeroizing<String>);

impl KeySource for Environment {
    fn master_key(&self) -> Result<MasterKey, SettingsError> {
        parse_key(VARIABLE, &self.0).map(MasterKey::from_bytes)
    }
}

/// A file.
pub struct KeyFile {
    /// The file.
    pub path: PathBuf,
    /// Whether it may be a link.
    pub links: Links,
    /// Whether a key is made if there is no file: only for a ledger that does not exist yet.
    pub makes: bool,
}

impl KeySource for KeyFile {
    fn master_key(&self) -> Result<MasterKey, SettingsError> {
        let path = &self.path;
        let io = |source| SettingsError::Io {
            path: path.clone(),
            source,
        };
        match read_secret(path, self.links) {
            // Nothing is sealed with it yet: the first start was interrupted.
            Ok(_) if self.makes && is_empty(path) => new_key(path),
            Ok(text) => parse_key("the master key file", &text).map(MasterKey::from_bytes),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(error)),
            Err(_) if !self.makes => Err(SettingsError::MasterKeyMissing { path: path.clone() }),
            Err(_) => new_key(path),
        }
    }
}

/// Makes a new key and writes it to a new file. It is durable when this returns.
///
/// # Errors
/// [`SettingsError::Io`] when the file exists or cannot be written.
pub fn new_key(path: &Path) -> Result<MasterKey, SettingsError> {
    let io = |source| SettingsError::Io {
        path: path.to_owned(),
        source,
    };
    let key = MasterKey::random(&SystemEntropy).map_err(io)?;
    let text = Zeroizing::new(planledger_core::hex::encode(key.as_bytes()));
    write_secret(path, &text).map_err(io)?;
    Ok(key)
}

/// A command that prints the key: the client of a key management service, of a PKCS#11 token, or
/// `age --decrypt`. A command fits all of them, and the server links none of their libraries. It is run
/// without a shell.
pub struct KeyCommand(pub Vec<String>);

impl KeyCommand {
    fn failed(&self, why: impl std::fmt::Display) -> SettingsError {
        SettingsError::Command {
            program: self.0.first().cloned().unwrap_or_default(),
            why: why.to_string(),
        }
    }

    /// What it prints. What it says on standard error is not repeated: it may be the key.
    fn output(&self) -> Result<Zeroizing<String>, SettingsError> {
        let [program, arguments @ ..] = self.0.as_slice() else {
            return Err(self.failed("no program is named"));
        };
        let child = Command::new(program)
            .args(arguments)
            .env_remove(VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.map_err(|error| self.failed(error))?;
        let text = self.read(&mut child);
        if text.is_err() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        let text = text?;
        let status = self.ended(&mut child)?;
        match status.success() {
            true => Ok(text),
            false => Err(self.failed(format!("it failed with {status}"))),
        }
    }

    fn read(&self, child: &mut Child) -> Result<Zeroizing<String>, SettingsError> {
        let Some(stdout) = child.stdout.take() else {
            return Err(self.failed("its output cannot be read"));
        };
        // Whatever it starts may keep the output open, so the wait is for the reader and not for it.
        let (sent, received) = mpsc::channel();
        std::thread::spawn(move || {
            let room = usize::try_from(MOST).unwrap_or_default() + 1;
            let mut text = Zeroizing::new(String::with_capacity(room));
            let read = stdout.take(MOST + 1).read_to_string(&mut text);
            // Nobody listens any more if it took too long.
            let _ = sent.send(read.map(|_| text));
        });
        let text = match received.recv_timeout(PATIENCE) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return Err(self.failed("what it prints is no text")),
            Err(_) => return Err(self.failed(format!("it took more than {PATIENCE:?}"))),
        };
        match text.len() as u64 > MOST {
            true => Err(self.failed("it prints more than a key")),
            false => Ok(text),
        }
    }

    fn ended(&self, child: &mut Child) -> Result<std::process::ExitStatus, SettingsError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(None) => {
                    let _ = child.kill();
                    return Err(self.failed(format!("it took more than {PATIENCE:?}")));
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
    }
}

impl KeySource for KeyCommand {
    fn master_key(&self) -> Result<MasterKey, SettingsError> {
        let text = self.output()?;
        parse_key("what the master key command prints", &text).map(MasterKey::from_bytes)
    }
}

/// Where the master key may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Apart from the data: a server in production mode. Whoever copies the directory must not have
    /// the key with it.
    Apart,
    /// Anywhere; beside the data if nothing else is said.
    Anywhere,
}

/// Where the master key of the ledger in `dir` comes from. `named` is the file that a flag or its
/// variable names.
///
/// # Errors
/// [`SettingsError::MasterKeyNowhere`] and [`SettingsError::MasterKeyBeside`], in production mode.
pub fn source(
    named: Option<&Path>,
    file: &File,
    dir: &Path,
    keeping: Keeping,
) -> Result<Box<dyn KeySource>, SettingsError> {
    if let Some(text) = std::env::var_os(VARIABLE) {
        let text = text.into_string().unwrap_or_default();
        return Ok(Box::new(Environment(Zeroizing::new(text))));
    }
    if let Some(path) = named.or(file.master_key_file.as_deref()) {
        if keeping == Keeping::Apart {
            is_apart(path, dir)?;
        }
        return Ok(Box::new(KeyFile {
            path: path.to_owned(),
            links: Links::Followed,
            makes: !dir.join("journal").exists(),
        }));
    }
    if let Some(path) = credential() {
        return Ok(Box::new(KeyFile {
            path,
            links: Links::Refused,
            makes: false,
        }));
    }
    if let Some(command) = &file.master_key_command {
        return Ok(Box::new(KeyCommand(command.clone())));
    }
    match keeping {
        Keeping::Apart => Err(SettingsError::MasterKeyNowhere {
            beside: beside(dir),
        }),
        Keeping::Anywhere => Ok(Box::new(in_directory(dir))),
    }
}

/// The master key of a ledger that keeps it beside its data, as trials and demonstrations do. It is
/// made if there is no ledger yet.
///
/// # Errors
/// [`SettingsError`] when the key cannot be read, or is missing although the ledger exists.
pub fn kept_beside(dir: &Path) -> Result<MasterKey, SettingsError> {
    in_directory(dir).master_key()
}

fn in_directory(dir: &Path) -> KeyFile {
    KeyFile {
        path: beside(dir),
        links: Links::Refused,
        makes: !dir.join("journal").exists(),
    }
}

/// The file in which the key is kept beside the data.
fn beside(dir: &Path) -> PathBuf {
    dir.join("keys").join("master.key")
}

/// The file of the credential, if a service manager hands it over.
fn credential() -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&folder).join(CREDENTIAL);
    path.exists().then_some(path)
}

/// Fails if a file is in the ledger's directory, however it is written.
fn is_apart(path: &Path, dir: &Path) -> Result<(), SettingsError> {
    let real = |path: &Path| {
        real_place(path).map_err(|source| SettingsError::Io {
            path: path.to_owned(),
            source,
        })
    };
    match real(path)?.starts_with(real(dir)?) {
        true => Err(SettingsError::MasterKeyBeside {
            path: path.to_owned(),
        }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn command(script: &str) -> Result<MasterKey, SettingsError> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        KeyCommand(words.to_vec()).master_key()
    }

    #[test]
    fn a_new_ledger_gets_a_master_key_and_an_old_one_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let key = || kept_beside(dir.path());
        key().unwrap();
        let path = dir.path().join("keys/master.key");
        let first = fs::read_to_string(&path).unwrap();
        key().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        // An earlier version was interrupted when it had made the file and not yet written it.
        fs::write(&path, "").unwrap();
        key().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().len(), first.len());
        fs::create_dir(dir.path().join("journal")).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, "").unwrap();
        assert!(
            key().is_err(),
            "a key that something is sealed with is not made anew"
        );
        fs::write(&path, whole).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(key(), Err(SettingsError::MasterKeyMissing { .. })));
    }

    #[test]
    fn in_production_the_key_is_apart_from_the_data_however_the_place_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        let source = |named: Option<&Path>, file: &File| {
            let found = source(named, file, &data, Keeping::Apart);
            found.map(|source| source.master_key()).err()
        };
        let nowhere = source(None, &File::default()).unwrap().to_string();
        for way in ["--master-key-file", CREDENTIAL, "master-key-command"] {
            assert!(nowhere.contains(way), "{nowhere}");
        }
        std::os::unix::fs::symlink(&data, dir.path().join("link")).unwrap();
        for inside in [
            "data/keys/master.key",
            "data/my.key",
            "link/my.key",
            "data/../link/k",
        ] {
            let error = source(Some(&dir.path().join(inside)), &File::default()).unwrap();
            assert!(error.to_string().contains("mv "), "{error}");
        }
        let apart = dir.path().join("data.key");
        assert!(source(Some(&apart), &File::default()).is_none());
        let file = File {
            master_key_command: Some(vec!["true".to_owned()]),
            ..File::default()
        };
        assert!(source(None, &file).is_none());
    }

    #[test]
    fn a_command_gives_the_key_and_a_failing_one_is_told_without_what_it_printed() {
        let digits = "ab".repeat(32);
        let key = command(&format!("echo {digits}")).unwrap();
        assert_eq!(key.as_bytes(), &[0xab; 32]);
        for (script, said) in [
            (format!("echo {digits}; exit 3"), "exit status: 3"),
            (format!("echo {digits} >&2; exit 4"), "exit status: 4"),
            (format!("echo {digits} {digits}"), "64 hexadecimal digits"),
            ("yes".to_owned(), "more than a key"),
            (String::new(), "64 hexadecimal digits"),
        ] {
            let error = command(&script).unwrap_err().to_string();
            assert!(error.contains(said), "{script}: {error}");
            assert!(!error.contains(&digits), "{error}");
        }
        let none = KeyCommand(vec!["/nowhere/program".to_owned()]).master_key();
        assert!(none.unwrap_err().to_string().contains("/nowhere/program"));
        assert!(KeyCommand(Vec::new()).master_key().is_err());
    }
}
