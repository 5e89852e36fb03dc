//! Builds the sinks from the configuration: the clients, which connect in the background, and the journals.

use super::{Failure, clients};
use crate::{
    clock,
    config::{JournalConfig, KafkaConfig, LoadError, Loaded, NatsConfig, SinkConfig, TargetConfig},
    event::envelope::Binding,
    journal::{self, Aside, Claim, Damage, Notice, Recovered, Removed},
    observe::metrics::{Metrics, SinkMetrics},
    publish::{
        Form, Publisher, Sink,
        journal::JournalSink,
        kafka::{self, Kafka},
        nats::{self, Nats},
    },
    record::SinkFormat,
    route::template::Name,
    workers::Workers,
};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::{
    io,
    path::Path,
    sync::{Arc, OnceLock},
};

/// What the attributes of an envelope add to a body, as a rule: some of 1 KiB each.
const ATTRIBUTES_BYTES: u64 = 4096;

/// What a quarantined event carries of its request besides: a head of 48 KiB, each byte as four (a quote in a list that
/// stands in a text).
const REQUEST_BYTES: u64 = 4 * 48 * 1024;

/// The directory of the quarantine's journal where none is configured; what is put aside stands below it.
const QUARANTINE_DIR: &str = "./hookway-data/quarantine";

/// librdkafka's own default of `message.max.bytes`.
const KAFKA_DEFAULT_BYTES: u64 = 1_000_000;

/// Builds every wanted sink in the order of their names, which is that of their index.
pub(super) async fn build(
    loaded: &Loaded,
    workers: &Workers,
    metrics: &Metrics,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Sink>, Failure> {
    let mut sinks = Vec::with_capacity(loaded.config.sinks.len());
    for (name, config) in loaded.config.sinks.iter().filter(|(name, _)| wanted(name)) {
        let metrics = SinkMetrics::new(metrics, name);
        let (publisher, form) = publisher((loaded, workers), name, config, &metrics).await?;
        let (ready, hindrance) = (OnceLock::new(), Mutex::default());
        sinks.push(Sink { name: name.clone(), form, publisher, metrics, ready, hindrance });
    }
    Ok(sinks)
}

async fn publisher(
    (loaded, workers): (&Loaded, &Workers),
    name: &str,
    config: &SinkConfig,
    metrics: &SinkMetrics,
) -> Result<(Arc<dyn Publisher>, Form), Failure> {
    let form = |format: Option<SinkFormat>, binding| Form { format: format.unwrap_or_default(), binding };
    if let Some(config) = &config.kafka {
        let kafka = kafka(loaded, name, config)?;
        return Ok((Arc::new(kafka), form(config.format, Binding::Kafka)));
    }
    if let Some(config) = &config.nats {
        let nats = nats((loaded, workers), name, config).await?;
        return Ok((Arc::new(nats), form(config.format, Binding::Nats)));
    }
    let config = config.journal.clone().unwrap_or_default();
    let sink = journal(&config, metrics)?;
    // A journal's records carry the names of the Kafka binding.
    Ok((Arc::new(sink), form(config.format, Binding::Kafka)))
}

fn kafka(loaded: &Loaded, name: &str, config: &KafkaConfig) -> Result<Kafka, Failure> {
    let largest_record = largest_record(loaded, name);
    let mut options = clients::kafka_options(loaded, name, config).map_err(wrong)?;
    if largest_record > KAFKA_DEFAULT_BYTES {
        options.entry("message.max.bytes".to_owned()).or_insert_with(|| largest_record.to_string());
    }
    let create = config.create.as_ref().map(|create| {
        let number =
            |value: Option<u32>, default| value.map_or(default, |v| i32::try_from(v).unwrap_or(i32::MAX));
        (number(create.partitions, 12), number(create.replication, 1))
    });
    let topics = destinations(loaded, name, |target| target.topic.as_deref());
    let has_templates = has_templates(loaded, name, |target| target.topic.as_deref());
    let checks = kafka::Checks { topics, has_templates, largest_record, create };
    let secrets = clients::kafka_secrets(config);
    Kafka::new(kafka::client_config(&config.brokers, &options), checks, secrets)
        .map_err(|error| wrong(clients::kafka_problem(loaded, name, &options, &error).into()))
}

async fn nats(
    (loaded, workers): (&Loaded, &Workers),
    name: &str,
    config: &NatsConfig,
) -> Result<Nats, Failure> {
    let options = clients::nats_options(loaded, name, config).map_err(wrong)?;
    let heard = nats::Heard::from(&config.servers);
    let mut clients = Vec::new();
    for worker in workers.runtimes() {
        let (options, servers, heard) = (options.clone(), config.servers.clone(), heard.clone());
        let made = worker.spawn(async move { nats::client(&options, &servers, &heard).await }).await;
        let made = made.map_err(|error| Failure::System(io::Error::other(error)))?;
        clients.push(made.map_err(|error| {
            let fix = "name servers as nats://host:port";
            wrong(loaded.sink_problem(name, "nats.servers", &error.to_string(), fix).into())
        })?);
    }
    let checks = nats::Checks {
        stream: config.stream.clone(),
        subjects: destinations(loaded, name, |target| target.subject.as_deref()),
        largest_record: largest_record(loaded, name),
        create: config.create.as_ref().map(|create| create.subjects.clone()),
    };
    Ok(Nats::new(clients, checks, nats::Probe::new(options, config.servers.clone()), heard))
}

fn wrong(error: LoadError) -> Failure {
    Failure::Configuration(error.problems)
}

/// Takes the journal's directory; what stands there is looked at behind the start.
fn journal(config: &JournalConfig, metrics: &SinkMetrics) -> Result<JournalSink, Failure> {
    let (observed, place) = (metrics.clone(), config.dir.display().to_string());
    let told = place.clone();
    let options = journal::Options {
        max_bytes: config.max_bytes(),
        keep: journal::Keep { age: config.keep.age(), bytes: config.keep.bytes() },
        observer: Some(Arc::new(move |notice: Notice| match notice {
            Notice::Group(commit) => observed.committed(commit.took, commit.grown, commit.durable),
            Notice::Full => observed.journal_full(),
            Notice::Size(bytes) => observed.journal_bytes(bytes),
            Notice::Removed(removed) => {
                observed.journal_removed(removed.bytes, removed.records);
                tell_removed(&told, &removed);
            }
            Notice::NotRemoved(error) => {
                tracing::error!(dir = told, %error, "what is past in the journal could not be removed, and is tried again");
            }
        })),
        ..journal::Options::default()
    };
    let (counted, told) = (metrics.clone(), place.clone());
    let finder = move |found: &Recovered| {
        counted.journal_bytes(found.bytes);
        tell(&told, found);
    };
    Ok(JournalSink::opening(Claim::take(&config.dir)?, options, Box::new(finder), place))
}

/// Says what was removed, so that nobody wonders later where it is.
fn tell_removed(dir: &str, removed: &Removed) {
    let at = |ms| Timestamp::from_millisecond(ms).map(clock::rfc3339).unwrap_or_default();
    let (oldest, newest) = (at(removed.oldest_ms), at(removed.newest_ms));
    let Removed { first, last, bytes, records, .. } = *removed;
    tracing::info!(
        dir,
        first,
        last,
        oldest,
        newest,
        bytes,
        records,
        "a segment of the journal was past what `keep` says and was removed"
    );
}

/// Says all that was found in a journal's directory.
pub(super) fn tell(dir: &str, found: &Recovered) {
    tracing::info!(dir, records = found.records, bytes = found.bytes, "journal opened");
    for Damage { segment, range, copy } in &found.damaged {
        let (segment, copy) = (segment.display(), copy.as_deref().map(Path::display));
        tracing::error!(%segment, ?range, copy = copy.map(tracing::field::display), "a range of the journal is damaged and was skipped");
    }
    if found.lost > 0 {
        tracing::error!(dir, records = found.lost, "records that stood in the journal are missing");
    }
    if found.is_cut_off {
        tracing::error!(dir, "the journal's last segment is gone: what it held is missing");
    }
    if let Some(Damage { segment, range, copy }) = &found.cut {
        let (segment, copy) = (segment.display(), copy.as_deref().map(Path::display));
        tracing::warn!(
            %segment, ?range, copy = copy.map(tracing::field::display),
            "the journal's end held no whole record and was cut: a write that a crash interrupted, or damage to the last record"
        );
    }
    for left in &found.left {
        tracing::warn!(file = %left.path.display(), reason = left.reason, "a file in the journal's directory is not used");
    }
}

/// Returns the names that routes and the quarantine give this sink literally.
fn destinations(loaded: &Loaded, sink: &str, name: impl Fn(&TargetConfig) -> Option<&str>) -> Vec<String> {
    let names = names(loaded, sink, name);
    let mut names: Vec<String> = names.filter_map(|name| name.fixed().map(ToString::to_string)).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns whether a name of this sink is a template.
fn has_templates(loaded: &Loaded, sink: &str, name: impl Fn(&TargetConfig) -> Option<&str>) -> bool {
    names(loaded, sink, name).any(|name| name.fixed().is_none())
}

fn names(
    loaded: &Loaded,
    sink: &str,
    name: impl Fn(&TargetConfig) -> Option<&str>,
) -> impl Iterator<Item = Name> {
    let routed = loaded.config.routes.iter().flat_map(|route| route.to.targets());
    let targets = routed.chain(&loaded.config.quarantine).filter(move |target| target.sink == sink);
    targets.filter_map(move |target| name(target).and_then(|text| Name::parse(text).ok()))
}

/// Returns the largest record that any source may make for this sink: its body as base64, in an envelope.
fn largest_record(loaded: &Loaded, sink: &str) -> u64 {
    let body = loaded.sources.values().map(|source| source.max_body).max().unwrap_or(0);
    let is_quarantine = loaded.config.quarantine.as_ref().is_some_and(|target| target.sink == sink);
    let request = if is_quarantine { REQUEST_BYTES } else { 0 };
    body.div_ceil(3).saturating_mul(4).saturating_add(ATTRIBUTES_BYTES + request)
}

/// Returns where an event goes that is too large for the quarantine: beside the quarantine's journal, or any other that
/// is configured, because there a disk is meant to be written.
pub(super) fn aside(loaded: &Loaded) -> Aside {
    Aside::beside(aside_of(loaded))
}

/// Returns the directory of the journal beside which that is.
pub(super) fn aside_of(loaded: &Loaded) -> &Path {
    let quarantine =
        loaded.config.quarantine.iter().filter_map(|target| loaded.config.sinks.get(&target.sink));
    let journal = quarantine.chain(loaded.config.sinks.values()).find_map(|sink| sink.journal.as_ref());
    journal.map_or(Path::new(QUARANTINE_DIR), |journal| &journal.dir)
}
