//! How we show a NATS server who we are. It is read at each connection, so that a password or key that was rotated in its
//! file counts from the next one on.

use crate::reading::{self, Reading};
use async_nats::{Auth, AuthError, ConnectOptions};
use nkeys::KeyPair;
use secrecy::{ExposeSecret as _, SecretString};
use std::{fs, path::PathBuf, sync::Arc};
use tokio::{sync::Mutex, time::Instant};

/// How we show who we are; at most one of them.
#[derive(Debug, Clone, Default)]
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

/// What was read last: how we show who we are, and what the file of credentials holds that it names.
type Read = (Access, SecretString);

/// Reads it anew for each connection.
struct Reader<F> {
    access: Arc<F>,
    state: Mutex<(Reading<Result<Read, String>>, Read)>,
}

/// Returns options that show what `access` gives at each connection. Fails where it gives nothing now, or a file without
/// credentials.
pub(super) fn options(
    access: impl Fn() -> Result<Access, String> + Send + Sync + 'static,
) -> Result<ConnectOptions, String> {
    let first = access()?.read()?;
    match first.0 {
        Access::Open => return Ok(ConnectOptions::new()),
        Access::Credentials(_) => drop(first.0.shown(&first.1, &[])?),
        Access::User(..) | Access::Token(_) | Access::Nkey(_) => {}
    }
    let reader = Reader { access: Arc::new(access), state: Mutex::new((Reading::default(), first)) };
    let reader = Arc::new(reader);
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let reader = Arc::clone(&reader);
        async move { reader.show(reading::patience(), &nonce).await.map_err(AuthError::new) }
    }))
}

impl<F: Fn() -> Result<Access, String> + Send + Sync + 'static> Reader<F> {
    /// Returns what the server is shown, for its nonce. Where the disk does not answer until then, what was read last
    /// counts.
    async fn show(&self, until: Instant, nonce: &[u8]) -> Result<Auth, String> {
        let (reading, last) = &mut *self.state.lock().await;
        let access = Arc::clone(&self.access);
        let tell = || tracing::warn!("secrets of a nats sink can't be read anew: their disk does not answer");
        if let Some(read) = reading.wait(until, move || access()?.read(), tell).await {
            *last = read?;
        }
        last.0.shown(&last.1, nonce)
    }
}

impl Access {
    /// Reads the file that it names.
    fn read(self) -> Result<Read, String> {
        let file = match &self {
            Self::Credentials(path) => fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?,
            Self::Open | Self::User(..) | Self::Token(_) | Self::Nkey(_) => String::new(),
        };
        Ok((self, file.into()))
    }

    /// Returns what the server is shown, for its nonce; `file` is what a file of credentials holds.
    fn shown(&self, file: &SecretString, nonce: &[u8]) -> Result<Auth, String> {
        let mut auth = Auth::new();
        let mut sign = |seed: &str| {
            let pair = KeyPair::from_seed(seed.trim()).ok()?;
            auth.signature = pair.sign(nonce).ok();
            Some(pair.public_key())
        };
        match self {
            Self::Open => {}
            Self::User(user, password) => {
                auth.username = Some(user.clone());
                auth.password = Some(password.expose_secret().to_owned());
            }
            Self::Token(token) => auth.token = Some(token.expose_secret().to_owned()),
            Self::Nkey(seed) => auth.nkey = Some(sign(seed.expose_secret()).ok_or("the nkey is no seed")?),
            Self::Credentials(_) => {
                let [jwt, seed] = parts(file.expose_secret()).ok_or_else(|| wrong("no JWT and seed"))?;
                sign(seed).ok_or_else(|| wrong("the seed is none"))?;
                auth.jwt = Some(jwt.to_owned());
            }
        }
        Ok(auth)
    }
}

/// The file's path is not told: a key itself may stand there by mistake.
fn wrong(why: &str) -> String {
    format!("the credentials can't be read: {why}")
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
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    const SEED: &str = "SUAGQ33PNN3WC6JAORSXG5DTHIQG43ZAONSWG4TFOQQGC5BAMFWGYIKBRE";
    const NKEY: &str = "UDES62N32LOYYDG6KINS76M3EQYYB6XXRFGC7JYIPL3NKH5OXFFSLKO7";

    fn shown(access: Access) -> Result<Auth, String> {
        let (access, file) = access.read()?;
        access.shown(&file, b"nonce")
    }

    fn credentials(text: &str) -> Result<Auth, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.creds");
        fs::write(&path, text).unwrap();
        shown(Access::Credentials(path))
    }

    #[test]
    fn a_seed_signs_what_the_server_asks() {
        let auth = shown(Access::Nkey(format!("{SEED}\n").into())).unwrap();
        assert_eq!(auth.nkey.as_deref(), Some(NKEY));
        let pair = KeyPair::from_public_key(NKEY).unwrap();
        assert!(pair.verify(b"nonce", &auth.signature.unwrap()).is_ok());
        assert!(shown(Access::Nkey("hunter2".into())).is_err_and(|error| !error.contains("hunter2")));
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

    #[tokio::test]
    async fn on_a_disk_that_hangs_what_was_read_last_is_shown_and_one_thread_waits() {
        let (answers, disk) = std::sync::mpsc::channel::<()>();
        let (disk, begun) = (parking_lot::Mutex::new(disk), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&begun);
        let access = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let _answer = disk.lock().recv();
            Ok(Access::Token("new".into()))
        };
        let last = Access::Token("old".into()).read().unwrap();
        let reader = Reader { access: Arc::new(access), state: Mutex::new((Reading::default(), last)) };
        let until = |millis| Instant::now() + Duration::from_millis(millis);
        for _ in 0..3 {
            assert_eq!(reader.show(until(20), b"").await.unwrap().token.as_deref(), Some("old"));
        }
        drop(answers);
        assert_eq!(reader.show(until(20_000), b"").await.unwrap().token.as_deref(), Some("new"));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }
}
