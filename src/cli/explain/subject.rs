//! Whom a request is held against: a configured source, or a preset with keys from the command line.

use super::Explain;
use crate::{
    cli::{
        Common,
        exit::{Exit, Stop},
        source,
    },
    config::{self, Loaded, SecretRef, Secrets, nearest::one_of},
    request::{Request, slot::Params},
    senders::{self, Compiled, SenderSpec},
    verify::{SpecProblem, Verifier, VerifySpec},
};
use secrecy::SecretString;
use std::path::PathBuf;

/// A sender with its keys.
#[derive(Debug)]
pub(super) struct Subject {
    /// The source's name; the sender's where there is no source.
    pub(super) name: String,
    pub(super) spec: SenderSpec,
    pub(super) secrets: Vec<SecretString>,
    /// The constants that slots name.
    pub(super) params: Params,
    /// The files that its scheme names, each with its text.
    pub(super) files: Vec<(String, String)>,
    /// The configuration, where a source of it is meant.
    pub(super) loaded: Option<Loaded>,
    /// What the reader should know about the keys.
    pub(super) notes: Vec<String>,
}

impl Subject {
    /// Finds the sender that the arguments name, or the source that the request's path names.
    pub(super) fn of(explain: &Explain, common: &Common, request: &Request) -> Result<Self, Stop> {
        let mut subject = match &explain.sender {
            Some(sender) => Self::preset(sender)?,
            None => Self::source(explain.source.as_deref(), common, request)?,
        };
        let keys = keys(explain)?;
        if !keys.is_empty() {
            subject.secrets = keys;
            subject.notes.clear();
        }
        subject.override_fields(explain, request);
        subject.resolve_params();
        subject.read_files()?;
        Ok(subject)
    }

    fn preset(name: &str) -> Result<Self, Stop> {
        Ok(Self::alone(name.to_owned(), document(name)?))
    }

    /// A sender of which nothing else is known.
    fn alone(name: String, spec: SenderSpec) -> Self {
        let (secrets, files, notes) = Default::default();
        Self { name, spec, secrets, params: Params::new(), files, loaded: None, notes }
    }

    fn source(chosen: Option<&str>, common: &Common, request: &Request) -> Result<Self, Stop> {
        let loaded = config::load(&common.config)?;
        let named = request.uri.path().strip_prefix("/hooks/").map(|rest| rest.trim_end_matches('/'));
        let named = named.filter(|name| loaded.senders.contains_key(*name));
        let all: Vec<&str> = loaded.senders.keys().map(String::as_str).collect();
        let name = match (chosen.or(named), all.as_slice()) {
            (Some(name), _) | (None, &[name]) => name.to_owned(),
            (None, all) => {
                let all = one_of(all.iter().copied());
                return Err(Stop::usage(format!("say which source is meant, with --source: {all}")));
            }
        };
        let (config, spec) = source(&loaded, &name)?;
        let (spec, read) = (spec.clone(), Secrets::read(&config.secrets));
        let notes = read.missing.iter().map(|(place, error)| format!("secret number {}: {error}", place + 1));
        let notes = notes.collect();
        Ok(Self { secrets: read.usable, loaded: Some(loaded), notes, ..Self::alone(name, spec) })
    }

    /// Reads the constants that the document names.
    fn resolve_params(&mut self) {
        let resolved = config::params(&self.spec);
        let missing = resolved.missing.iter().map(|(name, error)| format!("params.{name}: {error}"));
        self.notes.extend(missing);
        self.params = resolved.values;
    }

    /// Lays what the arguments say over the document, and over each alternative that says otherwise.
    fn override_fields(&mut self, explain: &Explain, request: &Request) {
        self.spec.params.get_or_insert_default().extend(explain.param.iter().cloned());
        let verify = self.spec.verify.get_or_insert_default();
        let url = explain.url(request).filter(|_| explain.url.is_some() || verify.url.is_none());
        if let Some(url) = url {
            verify.url = Some(url);
        }
        if explain.no_time_window {
            verify.ignore_time();
        }
        let path = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
        verify.give_files(path(&explain.certificate).as_deref(), path(&explain.jwks).as_deref());
    }

    /// Reads the files that the schemes name and gives them to a verifier.
    pub(super) fn give_files(&self, verifier: &Verifier) -> Result<(), Stop> {
        for (file, text) in &self.files {
            verifier
                .set_file(file, text)
                .map_err(|problem| Stop::usage(format!("{file}: {}; {}", problem.problem, problem.fix)))?;
        }
        Ok(())
    }

    fn read_files(&mut self) -> Result<(), Stop> {
        // What is wrong with the scheme is told later, with all its problems.
        let Ok(verifier) = Verifier::compile(&self.verify()) else { return Ok(()) };
        for file in verifier.files() {
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|error| Stop::usage(format!("{file} can't be read: {error}")))?;
            self.files.push((file, text));
        }
        Ok(())
    }

    /// Compiles its document, as the server does.
    pub(super) fn compile(&self) -> Result<Compiled, Stop> {
        Compiled::new(&self.spec, &self.name, &self.params).map_err(|problems| {
            let told = |found: &SpecProblem| {
                format!("{}: {}: {}; {}", self.name, found.field, found.problem, found.fix)
            };
            let problems: Vec<String> = problems.iter().map(told).collect();
            Stop::usage(format!("{}\n--discover tries what fits", problems.join("\n")))
        })
    }

    /// Returns how it verifies.
    pub(super) fn verify(&self) -> VerifySpec {
        self.spec.scheme(&self.params)
    }

    /// Returns the secrets of the configuration's other sources.
    pub(super) fn strangers(&self) -> Vec<(String, Vec<SecretString>)> {
        let sources = self.loaded.iter().flat_map(|loaded| &loaded.config.sources);
        let others = sources.filter(|(name, _)| **name != self.name);
        others.map(|(name, source)| (name.clone(), Secrets::read(&source.secrets).usable)).collect()
    }

    /// Returns how all other presets verify.
    pub(super) fn relatives(&self) -> Vec<(String, VerifySpec)> {
        let own =
            self.loaded.as_ref().and_then(|loaded| loaded.config.sources.get(&self.name)?.preset.clone());
        let own = own.unwrap_or_else(|| self.name.clone());
        let others = senders::all_names().filter(|name| *name != own);
        others
            .filter_map(|name| {
                let mut spec = document(name).ok()?.verify?;
                spec.url = spec.url.or_else(|| self.verify().url);
                Some((name.to_owned(), spec))
            })
            .collect()
    }
}

/// Returns the effective document of a preset, a variant or a file.
fn document(name: &str) -> Result<SenderSpec, Stop> {
    let tree = config::preset_document(name).map_err(|error| Stop::usage(error.to_string()))?;
    serde_json::from_value(tree).map_err(|error| Stop::new(Exit::Bug, format!("preset {name}: {error}")))
}

/// Reads the keys of the command line, private ones first.
pub(super) fn keys(explain: &Explain) -> Result<Vec<SecretString>, Stop> {
    let key = |text: &String| match text.parse::<SecretRef>() {
        Ok(reference) => reference
            .resolve()
            .map_err(|error| Stop::usage(format!("the key {reference} can't be used: {error}"))),
        Err(_) => Ok(SecretString::from(text.as_str())),
    };
    explain.key.iter().chain(&explain.public_key).map(key).collect()
}
