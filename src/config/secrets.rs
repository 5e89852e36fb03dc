//! Secrets stand in the configuration only as references; what they refer to is read when it is needed and
//! never printed.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use std::{
    borrow::Cow,
    env, fmt,
    fs::{File, metadata},
    io,
    io::Read,
    path::PathBuf,
    str::FromStr,
};

/// How much of a secret file is read, in bytes; certificates with their chains fit.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Below this many bytes a shared secret can be guessed.
pub(super) const WEAK_BELOW_BYTES: usize = 16;

/// Where a secret is kept: `env:NAME` or `file:PATH`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// A variable of the environment.
    Env(String),
    /// A file; one newline at its end is not part of the secret.
    File(PathBuf),
}

/// Text that stands where a reference belongs. The text is not kept: it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret must be a reference")]
pub struct NotAReference;

impl NotAReference {
    /// How to write it instead.
    pub const FIX: &str = "write env:NAME for a variable or file:PATH for a file, and keep the secret there";
}

/// Why a reference leads to no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not text.
    #[error("the variable {0} is not set")]
    Unset(String),
    /// The variable or file is there, and holds nothing.
    #[error("{0} is empty")]
    Empty(SecretRef),
    /// The file cannot be read.
    #[error("the file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is too large for a secret.
    #[error("the file {} is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
}

impl SecretRef {
    /// Reads the secret anew. A missing or empty one is an error: nothing is ever verified with an empty key.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => env::var(name).map_err(|_| SecretError::Unset(name.clone()))?,
            Self::File(path) => read_file(path)?,
        };
        // Some editors put a byte order mark in front, which no sender knows of.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if text.is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(SecretString::from(text))
    }

    /// Returns how a variable is named that is written as a shell has it, `${NAME}`. In capitals only: anything else may be
    /// a secret.
    pub(super) fn of_shell(text: &str) -> Option<String> {
        let name = text.strip_prefix('$')?;
        let name = name.strip_prefix('{').map_or(Some(name), |name| name.strip_suffix('}'))?;
        let fits = |c: char| c.is_ascii_uppercase() || c == '_';
        (!name.is_empty() && name.chars().all(fits)).then(|| format!("write env:{name}"))
    }
}

fn read_file(path: &PathBuf) -> Result<String, SecretError> {
    let unreadable = |cause| SecretError::Unreadable { path: path.clone(), cause };
    // What is no file could keep whoever opens it waiting for ever.
    if !metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_FILE_BYTES) {
        return Err(SecretError::TooLarge(path.clone()));
    }
    let end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).map_or(text.len(), str::len);
    text.truncate(end);
    Ok(text)
}

impl FromStr for SecretRef {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0', ' ']) => {
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() && !path.contains('\0') => Ok(Self::File(path.into())),
            _ => Err(NotAReference),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `&str`: an error of serde's own would quote what stands here.
        let text = String::deserialize(deserializer).map_err(|_| de::Error::custom(NotAReference))?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is kept: `env:NAME` or `file:PATH`.",
            "type": "string",
            "format": "secret-reference",
            "pattern": "^(env:[^= ]+|file:.+)$",
        })
    }
}

/// The secrets of one source: those that are there, and why others are not.
#[derive(Debug, Default)]
pub struct Secrets {
    /// The secrets that can be used, in the order of the configuration.
    pub usable: Vec<SecretString>,
    /// What is missing, each with its place in the list.
    pub missing: Vec<(usize, SecretError)>,
    /// The places in the list of secrets that are too short to be safe.
    pub weak: Vec<usize>,
}

impl Secrets {
    /// Reads all secrets anew.
    pub fn read(references: &[SecretRef]) -> Self {
        let mut secrets = Self::default();
        for (place, reference) in references.iter().enumerate() {
            match reference.resolve() {
                Ok(secret) => {
                    if secret.expose_secret().len() < WEAK_BELOW_BYTES {
                        secrets.weak.push(place);
                    }
                    secrets.usable.push(secret);
                }
                Err(error) => secrets.missing.push((place, error)),
            }
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_of_a_file_is_not_part_of_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let reference = SecretRef::File(path.clone());
        for (content, secret) in [
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a", "a"),
            (" a ", " a "),
            ("\u{feff}a\n", "a"),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(reference.resolve().unwrap().expose_secret(), secret);
        }
    }

    #[test]
    fn an_empty_or_missing_secret_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let reference = SecretRef::File(path.clone());
        assert!(matches!(reference.resolve(), Err(SecretError::Unreadable { .. })));
        for empty in ["", "\n", "\u{feff}", "\u{feff}\r\n"] {
            std::fs::write(&path, empty).unwrap();
            assert!(matches!(reference.resolve(), Err(SecretError::Empty(_))));
        }
        std::fs::write(&path, "x".repeat(2 << 20)).unwrap();
        assert!(matches!(reference.resolve(), Err(SecretError::TooLarge(_))));
        let unset = SecretRef::Env("NOBODY_SETS_THIS".into());
        let secrets = Secrets::read(&[unset.clone(), unset.clone()]);
        assert_eq!((secrets.usable.len(), secrets.missing.len()), (0, 2));
    }

    #[test]
    fn what_is_no_reference_is_refused_without_being_shown() {
        for wrong in ["hunter2", "env:", "file:", "ENV:X", "env:a b", "", "https://x"] {
            assert_eq!(wrong.parse::<SecretRef>(), Err(NotAReference), "{wrong:?}");
        }
        let error = serde_json::from_str::<SecretRef>("\"hunter2\"").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        let error = serde_json::from_str::<SecretRef>("[\"hunter2\"]").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(format!("{:?}", SecretRef::Env("NAME".into())), "env:NAME");
    }
}
