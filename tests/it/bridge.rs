//! A whole Hookway in process: built from a configuration file as `app` builds it, served on a free port.

use crate::{
    client::{self, Reply},
    doubles::{Agreeing, Fault, FaultyPublisher},
    eventually::{eventually, soon},
    logs::Logs,
    samples::SECRET,
    series,
    stored::{self, Stored},
};
use hookway::{
    config::{self, Loaded, Secrets, TargetConfig},
    dedup::Window,
    event::envelope::Binding,
    explain::Explainer,
    journal::{Aside, Options},
    observe::metrics::{Metrics, SinkMetrics, SourceMetrics},
    pipeline::{Handshakes, Pipeline, Source},
    publish::{Form, Prepared, Sink, Sinks, Spool, journal::JournalSink},
    receive::{self, Ends, Limits, Receiver},
    respond::{Capture, Confirmer},
    route::{Route, RouteTarget, Routes, template::Destination},
    senders::Compiled,
    workers::Workers,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tracing::subscriber::DefaultGuard;
use wildmatch::WildMatch;

/// The three senders, one journal for their events and one for the quarantine. `$home` is the test's folder.
pub(crate) const ORDINARY: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ file:$home/secret ] }
  units: { preset: propexo, secrets: [ file:$home/secret ] }
  rooms: { preset: syncaroo, secrets: [ file:$home/secret ], verify: { algorithm: hmac-sha256 } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

/// A running Hookway; everything it owns ends with it.
pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
    pub(crate) logs: Logs,
    home: TempDir,
    faulty: Vec<(String, Arc<FaultyPublisher>)>,
    /// Fetches what sources with `confirm: true` agree to.
    pub(crate) agreeing: Arc<Agreeing>,
    tasks: TaskTracker,
    pipeline: Arc<Pipeline>,
    pub(crate) ends: Ends,
    _capture: DefaultGuard,
}

impl Bridge {
    /// Starts the ordinary configuration.
    pub(crate) async fn ordinary() -> Self {
        Self::start(ORDINARY).await
    }

    /// Starts a configuration; every sink is a journal behind a publisher that works until told otherwise.
    pub(crate) async fn start(yaml: &str) -> Self {
        let (logs, capture) = Logs::capture();
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("secret"), SECRET).expect("a writable folder");
        std::fs::write(home.path().join("hex"), hex::encode(SECRET)).expect("a writable folder");
        std::fs::write(home.path().join("empty"), "").expect("a writable folder");
        let file = home.path().join("hookway.yaml");
        let text = yaml.replace("$home", home.path().to_str().expect("a path of text"));
        std::fs::write(&file, text).expect("a writable folder");
        let loaded = config::load(&file).unwrap_or_else(|error| panic!("{error}"));

        let metrics = Metrics::new().expect("metrics with different names");
        let (tasks, ends) = (TaskTracker::new(), Ends::default());
        let (sinks, faulty) = sinks(&loaded, home.path(), &metrics);
        let names: Vec<String> = loaded.config.sinks.keys().cloned().collect();
        let (routes, quarantine) = routes(&loaded);
        let sinks = Sinks::new(sinks, "node-1".to_owned());
        let sinks = match &loaded.config.spool {
            None => sinks,
            Some(spool) => {
                let finder = Box::new(|_: &Path, _: &_, _: Option<&str>| ());
                let spool = Spool::take(&spool.dir, spool.max_bytes(), spool.max_age_warning(), finder);
                sinks.spooling(&Arc::new(spool.expect("a free directory"))).expect("a good spool")
            }
        };
        let aside = Aside::beside(&home.path().join("quarantine"));
        let pipeline = Arc::new(Pipeline::new(routes, quarantine, sinks, aside, tasks.clone(), &metrics));
        let agreeing = Arc::new(Agreeing::default());
        let sources = loaded.config.sources.keys();
        let sources: Vec<_> =
            sources.map(|name| source(&loaded, name, &names, &agreeing, &metrics)).collect();
        let bounds = &loaded.limits;
        let limits = Limits {
            connections: bounds.connections,
            peer_share: bounds.peer_share,
            idle: bounds.idle,
            body_bytes: bounds.body_bytes,
            body: bounds.body,
            body_rate: bounds.body_rate,
        };
        pipeline.sinks().drain(&pipeline.rescue_of_drains(Vec::clone(&sources)));
        let receiver = Receiver::new(sources, Arc::clone(&pipeline), &limits, metrics.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let carriers = (Arc::new(Workers::here()), tasks.clone());
        let served = receive::serve(listener, receiver, limits, metrics.clone(), carriers, ends.clone());
        tasks.spawn(served);
        Self { address, metrics, logs, home, faulty, agreeing, tasks, pipeline, ends, _capture: capture }
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn send(&self, request: &[u8]) -> Reply {
        client::send(self.address, request).await
    }

    /// Returns the publisher of a sink, to break it.
    pub(crate) fn sink(&self, name: &str) -> &FaultyPublisher {
        &self.faulty.iter().find(|(known, _)| known == name).expect("a configured sink").1
    }

    /// Returns what a sink holds; each envelope fits the schema.
    pub(crate) fn stored(&self, sink: &str) -> Vec<Stored> {
        stored::events(&self.path(sink))
    }

    /// Returns a path in the test's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns the text exposition.
    pub(crate) fn exposition(&self) -> String {
        self.metrics.render().expect("metrics can be written")
    }

    /// Returns the sum of a family's series with these labels.
    pub(crate) fn count(&self, family: &str, labels: &[(&str, &str)]) -> i64 {
        series::sum(&self.exposition(), family, labels)
    }

    /// Waits until a sink was handed this many records.
    pub(crate) async fn handed(&self, sink: &str, records: usize) {
        eventually(&format!("{sink} was handed {records} records"), || self.sink(sink).handed() >= records)
            .await;
    }

    /// Waits until this many events are on their way at once.
    pub(crate) async fn until_in_flight(&self, events: i64) {
        eventually(&format!("{events} events are on their way"), || {
            self.metrics.events_in_flight.get() == events
        })
        .await;
    }

    /// Stops taking requests and waits until all work is done.
    pub(crate) async fn finish(&self) {
        self.ends.stop.cancel();
        self.tasks.close();
        soon("the end of all work", self.tasks.wait()).await;
        soon("the end of the drains", self.pipeline.sinks().end_drains()).await;
    }
}

/// A journal stands for a Kafka of the configuration too: what is tested is the way there.
fn sinks(
    loaded: &Loaded,
    home: &Path,
    metrics: &Metrics,
) -> (Vec<Sink>, Vec<(String, Arc<FaultyPublisher>)>) {
    let (mut sinks, mut faulty) = (Vec::new(), Vec::new());
    for (name, config) in &loaded.config.sinks {
        let (dir, options) = match &config.journal {
            Some(own) => (own.dir.clone(), Options { max_bytes: own.max_bytes(), ..Options::default() }),
            None => (home.join(name), Options::default()),
        };
        let journal = stored::open(&dir, options);
        let journal = Arc::new(JournalSink::new(journal, dir.display().to_string()));
        let publisher = FaultyPublisher::new(journal, Fault::None);
        faulty.push((name.clone(), Arc::clone(&publisher)));
        sinks.push(Sink {
            name: name.clone(),
            form: Form {
                format: config.journal.as_ref().and_then(|own| own.format).unwrap_or_default(),
                binding: Binding::Kafka,
            },
            publisher,
            metrics: SinkMetrics::new(metrics, name),
            ready: OnceLock::from(Prepared::default()),
            hindrance: parking_lot::Mutex::default(),
        });
    }
    (sinks, faulty)
}

fn routes(loaded: &Loaded) -> (Routes, RouteTarget) {
    let target = |config: &TargetConfig| RouteTarget {
        sink: config.sink.as_str().into(),
        destination: match &config.topic {
            Some(topic) => Destination::topic(topic).expect("a template"),
            None => Destination::Journal,
        },
    };
    let routes = loaded.config.routes.iter().map(|route| Route {
        source: route.matches.source.as_deref().map(WildMatch::new),
        kind: route.matches.kind.as_deref().map(WildMatch::new),
        object: route.matches.object.as_deref().map(WildMatch::new),
        to: route.to.targets().iter().map(target).collect(),
    });
    let quarantine = target(loaded.config.quarantine.as_ref().expect("a quarantine"));
    (Routes::new(routes.collect()), quarantine)
}

fn source(
    loaded: &Loaded,
    name: &str,
    sinks: &[String],
    agreeing: &Arc<Agreeing>,
    metrics: &Metrics,
) -> Arc<Source> {
    let (sender, settings) = (&loaded.senders[name], &loaded.sources[name]);
    let compiled = Compiled::new(sender, name, &config::params(sender).values).expect("a document");
    let Compiled { scheme, verifier, responders, normalizer } = compiled;
    let references = &loaded.config.sources[name].secrets;
    let explainer = Explainer::new(scheme);
    explainer.set_secrets(&Secrets::read(references).usable);
    // An empty one for each that is missing, so that every other keeps its number.
    let in_place = references.iter().map(|reference| reference.resolve().unwrap_or_default());
    verifier.set_secrets(in_place.collect()).expect("secrets that decode");
    let capture = loaded.config.sources[name].capture.as_ref();
    let handshakes = Handshakes {
        responders,
        capture: capture.map(|capture| {
            Arc::new(Capture::new(capture.file.clone(), capture.until.parse().expect("a time")))
        }),
        confirmer: loaded.config.sources[name]
            .confirm
            .then(|| -> Arc<dyn Confirmer> { Arc::<Agreeing>::clone(agreeing) }),
    };
    let counted = SourceMetrics::new(metrics, name, verifier.scheme(), sinks);
    counted.expect_secrets(if verifier.needs_secret() {
        loaded.config.sources[name].secrets.len()
    } else {
        0
    });
    for handshake in handshakes.responders.names() {
        counted.expect_handshake(handshake);
    }
    Arc::new(Source {
        name: name.into(),
        handshakes,
        normalizer,
        window: (!settings.dedup_window.is_zero())
            .then(|| Window::new(settings.dedup_window, settings.dedup_entries)),
        deadline: settings.deadline,
        max_body: settings.max_body,
        in_flight: hookway::delivery::Quota::new(settings.max_in_flight.try_into().expect("fits")),
        listed: hookway::delivery::Quota::new(hookway::pipeline::MOST_LISTED_OF_ONE),
        success: settings.success,
        spooled: settings.spooled,
        may_spool: loaded.config.sources[name].spool.unwrap_or(true),
        problems: settings.problems,
        success_body: settings.body.clone().unwrap_or_default().into(),
        metrics: counted,
        conflicts: hookway::observe::conflicts::ConflictLog::default(),
        verifier,
        explainer,
    })
}
