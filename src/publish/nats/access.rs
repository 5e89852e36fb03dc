//! How we show a NATS server who we are. It is read at each connection, so that a password or key that was rotated in its
//! file counts from the next one on.

use async_nats::{Auth, AuthError, ConnectOptions};
use nkeys::KeyPair;
use secrecy::{ExposeSecret as _, SecretString};
use std::{fs, path::PathBuf, sync::Arc};
use tokio::task::spawn_blocking;

/// How we show who we are; at most one of them.
#[derive(Debug, Default)]
pub enum Access {
    /// The server asks for nothing.
    #[default]
    Open,
    /// User and password.
    User(String, SecretString),
    /// A token.
    Token(SecretString),
    /// The seed of an nkey.
    Nkey(SecretString),
    /// A credentials file.
    Credentials(PathBuf),
}

/// Returns options that show what `access` gives at each connection. Fails where it gives nothing now, or a file without
/// credentials.
pub(super) fn options(
    access: impl Fn() -> Result<Access, String> + Send + Sync + 'static,
) -> Result<ConnectOptions, String> {
    match access()? {
        Access::Open => return Ok(ConnectOptions::new()),
        Access::Credentials(path) => drop(Access::Credentials(path).shown(&[])?),
        Access::User(..) | Access::Token(_) | Access::Nkey(_) => {}
    }
    let access = Arc::new(access);
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let access = Arc::clone(&access);
        async move {
            // A file may stand on a disk that does not answer.
            let shown = spawn_blocking(move || access()?.shown(&nonce)).await;
            shown.unwrap_or_else(|error| Err(error.to_string())).map_err(AuthError::new)
        }
    }))
}

impl Access {
    /// Returns what the server is shown, for its nonce.
    fn shown(self, nonce: &[u8]) -> Result<Auth, String> {
        let mut auth = Auth::new();
        let mut sign = |seed: &str| {
            let pair = KeyPair::from_seed(seed.trim()).ok()?;
            auth.signature = pair.sign(nonce).ok();
            Some(pair.public_key())
        };
        match self {
            Self::Open => {}
            Self::User(user, password) => {
                auth.username = Some(user);
                auth.password = Some(password.expose_secret().to_owned());
            }
            Self::Token(token) => auth.token = Some(token.expose_secret().to_owned()),
            Self::Nkey(seed) => auth.nkey = Some(sign(seed.expose_secret()).ok_or("the nkey is no seed")?),
            Self::Credentials(path) => {
                // Its path is not told: a key itself may stand there by mistake.
                let wrong = |why: String| format!("the credentials can't be read: {why}");
                let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
                let text = SecretString::from(text);
                let [jwt, seed] =
                    parts(text.expose_secret()).ok_or_else(|| wrong("no JWT and seed".into()))?;
                sign(seed).ok_or_else(|| wrong("the seed is none".into()))?;
                auth.jwt = Some(jwt.to_owned());
            }
        }
        Ok(auth)
    }
}

/// Returns the JWT and the seed of a credentials file: each is the line behind one of dashes that begins a part.
fn parts(text: &str) -> Option<[&str; 2]> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut part = || {
        lines.find(|line| line.starts_with("---") && line.contains("BEGIN"))?;
        lines.next()
    };
    Some([part()?, part()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "SUAGQ33PNN3WC6JAORSXG5DTHIQG43ZAONSWG4TFOQQGC5BAMFWGYIKBRE";
    const NKEY: &str = "UDES62N32LOYYDG6KINS76M3EQYYB6XXRFGC7JYIPL3NKH5OXFFSLKO7";

    fn credentials(text: &str) -> Result<Auth, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.creds");
        fs::write(&path, text).unwrap();
        Access::Credentials(path).shown(b"nonce")
    }

    #[test]
    fn a_seed_signs_what_the_server_asks() {
        let auth = Access::Nkey(format!("{SEED}\n").into()).shown(b"nonce").unwrap();
        assert_eq!(auth.nkey.as_deref(), Some(NKEY));
        let pair = KeyPair::from_public_key(NKEY).unwrap();
        assert!(pair.verify(b"nonce", &auth.signature.unwrap()).is_ok());
        assert!(
            Access::Nkey("hunter2".into()).shown(b"nonce").is_err_and(|error| !error.contains("hunter2"))
        );
    }

    #[test]
    fn credentials_hold_a_jwt_and_a_seed_whatever_stands_around_them() {
        let file = format!(
            "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\nNKEY Seed printed below\n\n\
             -----BEGIN USER NKEY SEED-----\r\n{SEED}\r\n------END USER NKEY SEED------\n"
        );
        let auth = credentials(&file).unwrap();
        assert_eq!((auth.jwt.as_deref(), auth.nkey), (Some("eyJ0.eyJq.c2ln"), None));
        let pair = KeyPair::from_public_key(NKEY).unwrap();
        assert!(pair.verify(b"nonce", &auth.signature.unwrap()).is_ok());
        let (half, _) = file.split_once("-----BEGIN USER").unwrap();
        for wrong in ["", "hunter2", half, &file.replace(SEED, "hunter2")] {
            let error = credentials(wrong).err().unwrap();
            assert!(
                error.starts_with("the credentials can't be read: ") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn options_are_refused_where_there_is_nothing_to_show() {
        assert!(options(|| Err("unset".to_owned())).is_err());
        assert!(options(|| Ok(Access::Credentials("/nowhere".into()))).is_err());
        assert!(options(|| Ok(Access::Open)).is_ok());
    }
}
