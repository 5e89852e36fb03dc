//! From the data form of a scheme to its check: finds everything that is wrong with it at once, so that a person
//! mends a configuration in one go. A scheme that would seem to verify more than it does is refused.

use super::{
    Check,
    freshness::Freshness,
    grammar::Grammar,
    keyring::Keyring,
    mac::Prepared,
    message::Message,
    problem::SpecProblem,
    signature::{Place, Signature},
    spec::{Algorithm, Encoding, KeyForm, MissingHash, TimeUnit, TimestampSpec, VerifySpec},
    token::Token,
};
use axum::http::HeaderName;
use jiff::SignedDuration;

/// Builds the check of `spec`, or returns all of its problems.
pub(super) fn compile(spec: &VerifySpec) -> Result<(Algorithm, Check), Vec<SpecProblem>> {
    let Some(algorithm) = spec.algorithm else {
        let choices = Algorithm::ALL.map(|algorithm| format!("`{}`", algorithm.name())).join(", ");
        let fix = format!("set it to what the sender uses: one of {choices}");
        return Err(vec![SpecProblem::new("algorithm", "it is not set, and nothing is assumed", fix)]);
    };
    let mut reader = Reader { spec, problems: Vec::new() };
    let check = match algorithm {
        // Written out by a person, so the rest of a preset's scheme may stand beside it.
        Algorithm::None => Some(Check::Nothing),
        Algorithm::Token => reader.token().map(Check::Token),
        Algorithm::HmacSha256
        | Algorithm::HmacSha512
        | Algorithm::HmacSha1
        | Algorithm::HmacMd5
        | Algorithm::Sha256
        | Algorithm::Sha512
        | Algorithm::Sha1
        | Algorithm::Md5 => reader.signature(algorithm).map(Check::Signature),
    };
    match check {
        Some(check) if reader.problems.is_empty() => Ok((algorithm, check)),
        Some(_) | None => Err(reader.problems),
    }
}

/// Reads the fields of one scheme and collects their problems.
struct Reader<'s> {
    spec: &'s VerifySpec,
    problems: Vec<SpecProblem>,
}

impl Reader<'_> {
    fn report(&mut self, field: &'static str, problem: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(SpecProblem::new(field, problem, fix));
    }

    fn token(&mut self) -> Option<Token> {
        let spec = self.spec;
        let unfit = [
            ("member", spec.member.is_some()),
            ("separator", spec.separator.is_some()),
            ("encoding", spec.encoding.is_some()),
            ("key", spec.key.is_some()),
            ("key_position", spec.key_position.is_some()),
            ("message", spec.message.is_some()),
            ("timestamp", spec.timestamp.is_some()),
            ("missing_hash", spec.missing_hash.is_some()),
        ];
        for (field, _) in unfit.into_iter().filter(|(_, set)| *set) {
            self.report(field, "`token` compares a header with the secret and nothing else", "take it away");
        }
        let header = self.header("header", spec.header.as_deref());
        let (prefix, prefix_optional) = self.prefix();
        Some(Token { header: header?, prefix, prefix_optional, ring: Keyring::empty() })
    }

    fn signature(&mut self, algorithm: Algorithm) -> Option<Signature> {
        let spec = self.spec;
        if algorithm.is_hmac() && spec.key_position.is_some() {
            self.report("key_position", "an HMAC has its own place for the key", "take it away");
        }
        let keyed = algorithm.is_hmac() || spec.key_position.is_some();
        let place = self.place();
        let (prefix, prefix_optional) = self.prefix();
        let separator = self.separator();
        let message = self.message(keyed);
        let freshness =
            spec.timestamp.as_ref().and_then(|timestamp| self.freshness(timestamp, message.as_ref()));
        let ring =
            if keyed { Keyring::empty() } else { Keyring::fixed(Prepared::new(algorithm, &[], None)?) };
        Some(Signature {
            algorithm,
            place: place?,
            grammar: Grammar {
                prefix,
                prefix_optional,
                separator,
                encoding: spec.encoding.unwrap_or(Encoding::Auto),
            },
            message: message?,
            freshness,
            key_form: spec.key.unwrap_or(KeyForm::Utf8),
            key_position: spec.key_position,
            ring,
        })
    }

    fn place(&mut self) -> Option<Place> {
        let spec = self.spec;
        if spec.member.is_none() && spec.missing_hash.is_some() {
            self.report("missing_hash", "it is about a `member`, and none is named", "take it away");
        }
        match (&spec.header, spec.member.as_deref()) {
            (Some(_), Some(_)) => {
                self.report(
                    "member",
                    "a signature stands in a `header` or in a `member`, not both",
                    "keep one",
                );
                None
            }
            (None, Some("")) => {
                self.report("member", "it is empty", "name the body's member that holds the digest");
                None
            }
            (None, Some(member)) => {
                let may_lack = spec.missing_hash == Some(MissingHash::AcceptUnverified);
                Some(Place::Member { name: member.into(), may_lack })
            }
            (header, None) => self.header("header", header.as_deref()).map(Place::Header),
        }
    }

    fn header(&mut self, field: &'static str, name: Option<&str>) -> Option<HeaderName> {
        let parsed = name.and_then(|name| HeaderName::try_from(name).ok());
        match name {
            Some(name) if parsed.is_none() => {
                self.report(field, format!("`{name}` is not a header's name"), "write it as `x-signature`");
            }
            None => self.report(field, "it is not set", "name the header in which the sender puts it"),
            Some(_) => {}
        }
        parsed
    }

    fn prefix(&mut self) -> (Box<str>, bool) {
        let prefix = self.spec.prefix.as_deref().unwrap_or_default();
        let optional = self.spec.prefix_optional.unwrap_or_default();
        if optional && prefix.is_empty() {
            self.report(
                "prefix_optional",
                "there is no `prefix` to leave out",
                "set `prefix`, or take it away",
            );
        }
        (prefix.into(), optional)
    }

    fn separator(&mut self) -> Option<Box<str>> {
        let separator = self.spec.separator.as_deref()?;
        if separator.is_empty() {
            self.report(
                "separator",
                "it is empty",
                "write what stands between two signatures, or take it away",
            );
        }
        Some(separator.into())
    }

    fn message(&mut self, keyed: bool) -> Option<Message> {
        let spec = self.spec;
        let in_member = spec.member.is_some();
        let text = spec.message.as_deref().unwrap_or(if in_member { "raw_cut" } else { "{body}" });
        let message = match Message::parse(text) {
            Ok(message) => message,
            Err(problem) => {
                let fix = "use `{body}`, `{header:NAME}` and text, or one of raw_cut, compact, compact_php, \
                           compact_sorted, python, json_stringify";
                self.report("message", problem, fix);
                return None;
            }
        };
        if in_member && !message.suits_member() {
            let fix = "use raw_cut, compact, compact_php, compact_sorted or python";
            self.report("message", format!("`{text}` would hold the `member` with the digest itself"), fix);
        }
        if !in_member && !message.suits_header() {
            let fix = "name the `member`, or use `{body}` or json_stringify";
            self.report("message", format!("`{text}` leaves out a `member`, and none is named"), fix);
        }
        if !keyed && !message.covers_body() {
            let fix = "add `{body}` to it, or use an HMAC";
            self.report("message", "a digest without key and body proves nothing", fix);
        }
        self.boundaries(&message);
        Some(message)
    }

    /// Refuses a header whose end nothing marks, unless it is the time, which has a strict form of its own.
    fn boundaries(&mut self, message: &Message) {
        let time = self.spec.timestamp.as_ref().and_then(|timestamp| timestamp.header.as_deref());
        for name in message.unfenced() {
            if !time.is_some_and(|time| time.eq_ignore_ascii_case(name.as_str())) {
                let problem =
                    format!("nothing marks where header `{name}` ends, so bytes could be moved over");
                self.report("message", problem, "put the sender's text between, or make it the `timestamp`");
            }
        }
    }

    fn freshness(&mut self, timestamp: &TimestampSpec, message: Option<&Message>) -> Option<Freshness> {
        let header = self.header("timestamp.header", timestamp.header.as_deref());
        if let (Some(header), Some(message)) = (&header, message)
            && !message.covers_header(header)
        {
            let problem = format!("header `{header}` is not signed, so anyone could change it");
            self.report("timestamp.header", problem, format!("put `{{header:{header}}}` into `message`"));
        }
        let text = timestamp.tolerance.as_deref().unwrap_or("5m");
        let tolerance = text.parse().ok().filter(SignedDuration::is_positive);
        if tolerance.is_none() {
            self.report("timestamp.tolerance", format!("`{text}` is not a time span"), "write it as `5m`");
        }
        let unit = timestamp.unit.unwrap_or(TimeUnit::Seconds);
        Some(Freshness { header: header?, unit, tolerance: tolerance? })
    }
}
