//! What the clients of the sinks are made of, read from the configuration once for `run`, `check` and `tail`.

use crate::{
    config::{KafkaConfig, LoadError, Loaded, NatsConfig, OptionValue, Problem, SecretError, SecretRef},
    publish::{kafka, nats},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{collections::BTreeMap, sync::Arc};

/// Options whose value is only compared by the broker, so that any text can stand for one that is not here.
const OF_A_LOGIN: &str = "sasl.";

/// What is shown of a value of the operator's.
const HIDDEN: &str = "(it is not shown)";

/// Values shorter than this are words as `ssl` or numbers, which stand in sentences of their own.
const SHOWN_BELOW: usize = 8;

/// Returns a Kafka sink's options, with what its references lead to.
pub(crate) fn kafka_options(
    loaded: &Loaded,
    sink: &str,
    config: &KafkaConfig,
) -> Result<BTreeMap<String, String>, LoadError> {
    resolved(config, |option, reference| {
        let unread = |error| unread(loaded, sink, &format!("kafka.options.{option}"), &error);
        reference.resolve().map_err(unread)
    })
}

fn resolved<E>(
    config: &KafkaConfig,
    resolve: impl Fn(&str, &SecretRef) -> Result<SecretString, E>,
) -> Result<BTreeMap<String, String>, E> {
    let read = |(option, value): (&str, OptionValue)| {
        let text = match value {
            OptionValue::Text(text) => text,
            OptionValue::Secret(reference) => resolve(option, &reference)?.expose_secret().to_owned(),
        };
        Ok((option.to_owned(), text))
    };
    config.settings().map(read).collect()
}

/// Returns what reads a Kafka sink's secret options anew. One that can't be read now stays as it is.
pub(crate) fn kafka_secrets(config: &KafkaConfig) -> kafka::Secrets {
    let secrets = config.settings().filter_map(|(option, value)| match value {
        OptionValue::Text(_) => None,
        OptionValue::Secret(reference) => Some((option.to_owned(), reference)),
    });
    let secrets: Vec<(String, SecretRef)> = secrets.collect();
    Arc::new(move || {
        let read = |(option, reference): &(String, SecretRef)| {
            Some((option.clone(), reference.resolve().ok()?.expose_secret().to_owned()))
        };
        secrets.iter().filter_map(read).collect()
    })
}

/// Returns a NATS sink's settings, with what its references lead to.
pub(crate) fn nats_options(
    loaded: &Loaded,
    sink: &str,
    config: &NatsConfig,
) -> Result<nats::ConnectOptions, LoadError> {
    access(config).map_err(|(field, error)| unread(loaded, sink, &format!("nats.{field}"), &error))?;
    let tls = config.tls.clone().unwrap_or_default();
    let certificates = nats::Certificates { ca: tls.ca, own: tls.cert.zip(tls.key) };
    let config = config.clone();
    let access = move || access(&config).map_err(|(_, error)| error.to_string());
    nats::options(access, certificates).map_err(|error| {
        let fix = "name a file of credentials as the server's tools write it";
        loaded.sink_problem(sink, "nats.creds", &error, fix).into()
    })
}

/// Reads how a NATS server is shown who we are; the error names the field.
fn access(config: &NatsConfig) -> Result<nats::Access, (&'static str, SecretError)> {
    let secret = |field, reference: &Option<SecretRef>| {
        reference.as_ref().map(SecretRef::resolve).transpose().map_err(|error| (field, error))
    };
    let (password, token, nkey) = (
        secret("password", &config.password)?,
        secret("token", &config.token)?,
        secret("nkey", &config.nkey)?,
    );
    Ok(match (&config.user, password, token, nkey, &config.creds) {
        (Some(user), password, ..) => nats::Access::User(user.clone(), password.unwrap_or_default()),
        (None, _, Some(token), ..) => nats::Access::Token(token),
        (None, _, None, Some(seed), _) => nats::Access::Nkey(seed),
        (None, _, None, None, Some(creds)) => nats::Access::Credentials(creds.clone()),
        (None, _, None, None, None) => nats::Access::Open,
    })
}

/// Returns why librdkafka makes no client of these options. Which of them it means, it says by name.
pub(crate) fn kafka_problem(
    loaded: &Loaded,
    sink: &str,
    options: &BTreeMap<String, String>,
    error: &kafka::Refused,
) -> Problem {
    let mut said = error.to_string();
    let meant =
        options.keys().filter(|option| said.contains(option.as_str())).max_by_key(|option| option.len());
    let field = meant.map_or("kafka.options".to_owned(), |option| format!("kafka.options.{option}"));
    for value in options.values().filter(|value| value.len() >= SHOWN_BELOW) {
        said = said.replace(value, HIDDEN);
    }
    let fix =
        "see librdkafka's CONFIGURATION.md for its settings; files must be there when the process starts";
    loaded.sink_problem(sink, &field, &said, fix)
}

/// Returns what keeps a sink's client from being made although each of its fields is legal. Nothing is connected to. What
/// is not here, as a secret in a pipeline, is not judged: that it lacks was told already.
pub(crate) fn unbuildable(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, sink) in &loaded.config.sinks {
        if let Some(config) = &sink.kafka
            && let Some(options) = kafka_options_here(config)
            && let Err(error) = kafka::try_out(&config.brokers, &options)
        {
            problems.push(kafka_problem(loaded, name, &options, &error));
        }
        let creds = sink.nats.as_ref().and_then(|config| Some((config, config.creds.as_ref()?)));
        if let Some((config, creds)) = creds
            && creds.is_file()
        {
            let refused = nats_options(loaded, name, config).err();
            problems.extend(refused.into_iter().flat_map(|error| error.problems));
        }
    }
    problems
}

/// Returns the options with a word for each login that is not here; `None` where something is not here that is read.
fn kafka_options_here(config: &KafkaConfig) -> Option<BTreeMap<String, String>> {
    let known = |option: &str, reference: &SecretRef| match reference.resolve() {
        Err(_) if option.starts_with(OF_A_LOGIN) => Ok("not known here".into()),
        read => read,
    };
    resolved(config, known).ok()
}

fn unread(loaded: &Loaded, sink: &str, field: &str, error: &SecretError) -> LoadError {
    let fix = "set it where this runs; without its secret a sink could only be refused";
    loaded.sink_problem(sink, field, &error.to_string(), fix).into()
}
