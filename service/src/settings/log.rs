//! How much is logged, and how it is written.

use clap::ValueEnum;
use serde::Deserialize;
use tracing::Level;

use super::{File, SettingsError};

/// How much is logged if no setting says it.
pub const DEFAULT_LEVEL: Level = Level::INFO;

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

/// How much is logged: as a flag or the environment says, or else the settings file.
///
/// # Errors
/// [`SettingsError::Value`] when the file names a level that there is not.
pub fn level(given: Option<Level>, file: &File) -> Result<Level, SettingsError> {
    if let Some(level) = given {
        return Ok(level);
    }
    match file.log.as_deref() {
        None => Ok(DEFAULT_LEVEL),
        Some(name) => name.parse().map_err(|_| SettingsError::Value {
            name: "log",
            expected: "error, warn, info or debug",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_how_much_is_logged_unless_somebody_says_it_before() {
        let file = |log: &str| File {
            log: Some(log.to_owned()),
            ..File::default()
        };
        assert_eq!(level(None, &File::default()).unwrap(), Level::INFO);
        assert_eq!(level(None, &file("debug")).unwrap(), Level::DEBUG);
        assert_eq!(
            level(Some(Level::ERROR), &file("debug")).unwrap(),
            Level::ERROR
        );
        assert!(
            level(None, &file("loud"))
                .unwrap_err()
                .to_string()
                .contains("log must be")
        );
    }
}
