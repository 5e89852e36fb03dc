//! Reads the schemes that sign a message.

use super::Reader;
use crate::{
    fetch::Pins,
    request::slot::Slot,
    verify::{
        certificate::Certificates,
        freshness::Freshness,
        grammar::Grammar,
        keyring::Keyring,
        keys::Keys,
        mac::Prepared,
        message::Message,
        public::PublicKey,
        remote::Remote,
        signature::Signature,
        spec::{Algorithm, CertificateSpec, Encoding, KeyForm, TimeUnit, TimestampSpec},
        value::{OneOf, Value},
    },
};
use jiff::SignedDuration;
use parking_lot::RwLock;

impl Reader<'_> {
    pub(super) fn signature(&mut self, algorithm: Algorithm) -> Option<Signature> {
        let spec = self.spec;
        let is_rsa = algorithm == Algorithm::RsaX509;
        if algorithm.is_hmac() && spec.key_position.is_some() {
            self.report("key_position", "an HMAC has its own place for the key", "take it away");
        }
        let unfit = [
            ("public_keys", spec.public_keys.is_some() && !algorithm.is_public_key()),
            ("certificate", spec.certificate.is_some() && !is_rsa),
            ("hash", spec.hash.is_some() && !is_rsa),
            ("key", spec.key.is_some() && is_rsa),
            ("jwt", spec.jwt.is_some()),
        ];
        self.unfit(&unfit, &format!("`{}` has no use for it", algorithm.name()));
        let place = self.place(None);
        let prefix = self.prefix("");
        let separator = self.separator();
        let keys = self.keys(algorithm);
        let is_keyed = keys.as_ref().is_none_or(Keys::is_keyed_scheme);
        let message = self.message(is_keyed);
        let at = spec.timestamp.as_ref().and_then(|timestamp| self.time_at(timestamp));
        let ended = message.as_ref().and_then(|message| self.boundaries(message, at.as_ref()));
        let timestamp = spec.timestamp.as_ref();
        let freshness =
            timestamp.and_then(|timestamp| self.freshness(timestamp, at, message.as_ref(), ended));
        let encoding = spec.encoding.unwrap_or(Encoding::Auto);
        Some(Signature {
            place: place?,
            grammar: Grammar { prefix, separator, encoding },
            message: message?,
            freshness,
            keys: keys?,
            signs_tokens: spec.signs_tokens,
        })
    }

    fn keys(&mut self, algorithm: Algorithm) -> Option<Keys> {
        let spec = self.spec;
        if algorithm == Algorithm::RsaX509 {
            return self.certificates().map(Keys::Certificate);
        }
        if algorithm.is_public_key() {
            let document = spec.public_keys.clone().unwrap_or_default();
            if document.iter().any(|text| PublicKey::read(text, algorithm, spec.key).is_none()) {
                let problem = format!("one of them is not a key for `{}`", algorithm.name());
                self.report("public_keys", problem, "give each as PEM, base64 or hex");
            }
            let keys = Keys::Public { algorithm, form: spec.key, document, ring: Keyring::empty() };
            // The document's own keys are there from the start.
            keys.set_secrets(&[]);
            return Some(keys);
        }
        if matches!(spec.key, Some(KeyForm::Spki | KeyForm::Whpk)) {
            let problem = format!("`{}` has no public keys", algorithm.name());
            self.report("key", problem, "use utf8, hex, base64, whsec or sha1");
        }
        let keyed = algorithm.is_hmac() || spec.key_position.is_some();
        let ring =
            if keyed { Keyring::empty() } else { Keyring::fixed(Prepared::new(algorithm, &[], None)?) };
        let form = spec.key.unwrap_or(KeyForm::Utf8);
        Some(Keys::Shared { algorithm, form, position: spec.key_position, ring })
    }

    fn certificates(&mut self) -> Option<Certificates> {
        let CertificateSpec { at, hosts, path, chain, files } =
            self.spec.certificate.clone().unwrap_or_default();
        let (hosts, files) = (hosts.unwrap_or_default(), files.unwrap_or_default());
        let at = at.and_then(|at| self.slots("certificate.at", &at));
        if at.is_some() == hosts.is_empty() {
            let fix = "name both: where the address stands, and the hosts that it may have";
            self.report("certificate.hosts", "an address in a request counts only on known hosts", fix);
        }
        if at.is_none() && files.is_empty() {
            let fix = "set `at` and `hosts`, or give `files`";
            self.report("certificate", "nothing says where the certificate comes from", fix);
            return None;
        }
        Some(Certificates {
            named: at.map(|at| (at, Pins::new(hosts, path))),
            hash: self.spec.hash.unwrap_or_default(),
            chains: chain.unwrap_or_default(),
            files,
            given: RwLock::default(),
            remote: Remote::new(),
        })
    }

    fn message(&mut self, is_keyed: bool) -> Option<Message> {
        let spec = self.spec;
        let in_member = spec.member.is_some();
        let text = spec.message.as_deref().unwrap_or(if in_member { "raw_cut" } else { "{body}" });
        let message = match Message::parse(text, self.url.as_ref(), self.params) {
            Ok(message) => message,
            // The address itself is what is wrong, and that was told.
            Err(_) if spec.url.is_some() && self.url.is_none() && text.contains("url") => return None,
            Err(problem) => {
                let fix = "use `{body}`, `{header:NAME}` or another slot and text, or one of twilio, sns, raw_cut, \
                           json_stringify";
                let fix = if problem.contains("`url`") { "set `url` to that address" } else { fix };
                self.report("message", problem, fix);
                return None;
            }
        };
        if in_member && !message.suits_member() {
            let problem = format!("`{text}` would hold the `member` with the digest itself");
            self.report("message", problem, "use raw_cut or json_stringify");
        }
        if !in_member && !message.suits_header() {
            let fix = "name the `member`, or use `{body}` or json_stringify";
            self.report("message", format!("`{text}` leaves out a `member`, and none is named"), fix);
        }
        if !is_keyed && !message.covers_body() {
            let fix = "add `{body}` to it, or use an HMAC";
            self.report("message", "a digest without key and body proves nothing", fix);
        }
        message.slots().for_each(|slots| self.readable("message", slots));
        Some(message)
    }

    fn time_at(&mut self, timestamp: &TimestampSpec) -> Option<OneOf> {
        if let (Some(_), Some(_)) = (&timestamp.header, &timestamp.at) {
            let problem = "a time stands in a `header` or in a slot, not in both";
            self.report("timestamp.at", problem, "keep one");
        }
        match (timestamp.header.as_deref(), timestamp.at.as_deref()) {
            (None, Some(at)) => self.slots("timestamp.at", at),
            (header, _) => {
                let header = self.header("timestamp.header", header)?;
                Some(OneOf(Box::new([Value::Slot(Slot::Header(header))])))
            }
        }
    }

    /// Refuses a header whose end nothing marks, unless it is the time, which has a strict form of its own. A date in
    /// full, which no number could be, marks the end of the header in front of it, too: that is returned, and must then
    /// hold no such date.
    fn boundaries(&mut self, message: &Message, time: Option<&OneOf>) -> Option<OneOf> {
        let timestamp = self.spec.timestamp.as_ref();
        let is_in_full = timestamp.and_then(|timestamp| timestamp.unit) == Some(TimeUnit::Rfc3339);
        let mut ended = None;
        for (slots, next) in message.unfenced() {
            if time.is_some() && next == time && is_in_full {
                ended = Some(slots.clone());
            } else if time != Some(slots) {
                let problem = format!("nothing marks where `{slots}` ends, so bytes could be moved over");
                self.report("message", problem, "put the sender's text between, or make it the `timestamp`");
            }
        }
        ended
    }

    fn freshness(
        &mut self,
        timestamp: &TimestampSpec,
        at: Option<OneOf>,
        message: Option<&Message>,
        ended: Option<OneOf>,
    ) -> Option<Freshness> {
        if let Some(at) = at.as_ref().filter(|at| message.is_some_and(|message| !message.covers(at))) {
            let field = if timestamp.at.is_some() { "timestamp.at" } else { "timestamp.header" };
            let problem = format!("`{at}` is not signed, so anyone could change it");
            self.report(field, problem, format!("put `{{{at}}}` into `message`"));
        }
        let text = timestamp.tolerance.as_deref().unwrap_or("5m");
        let is_off = text == "off";
        let tolerance = text.parse().ok().filter(SignedDuration::is_positive);
        if tolerance.is_none() && !is_off {
            self.report("timestamp.tolerance", format!("`{text}` is not a time span"), "write it as `5m`");
        }
        let unit = timestamp.unit.unwrap_or(TimeUnit::Seconds);
        let is_optional = timestamp.optional.unwrap_or_default() && ended.is_none();
        Some(Freshness { at: at?, unit, tolerance, is_optional, ended })
    }
}
