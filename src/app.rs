//! The one place that builds concrete parts from a configuration, joins them, and runs them to the end.

pub(crate) mod clients;
pub(crate) mod emptying;
mod files;
pub mod memory;
pub(crate) mod replay;
pub(crate) mod routes;
mod sinks;
mod sources;
mod spool;
mod watch;

use crate::{
    admin::Admin,
    clock,
    config::{self, Loaded, LogFormat, Problem},
    journal::JournalError,
    lifecycle::{Drain, Signals},
    observe::{
        health::Health,
        logs,
        metrics::{Metrics, MetricsError},
        told,
    },
    pipeline::Pipeline,
    publish::Sinks,
    receive::{self, Ends, Limits, Receiver},
    workers::Workers,
};
use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Why the process could not start, or ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration can't be built.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Configuration(Vec<Problem>),
    /// An address can't be listened on.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The system's answer.
        error: io::Error,
    },
    /// A journal can't be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system refuses what every process may have: a thread, a signal handler.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
    /// No thread is left that carries webhooks: a bug, which the log names.
    #[error("every worker has ended by a bug; the log says where")]
    Workers,
    /// Two metrics have one name: a bug.
    #[error("metrics can't be registered: {0}")]
    Metrics(#[from] MetricsError),
}

impl Failure {
    /// Returns the exit code, by sysexits.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 78,
            // Another process has it, which may be over in a moment.
            Self::Listen { .. } | Self::Journal(JournalError::Locked { .. }) => 69,
            Self::Journal(_) => 74,
            // The system lets us have no more threads or files.
            Self::System(error) if error.raw_os_error().is_some() => 69,
            Self::System(_) | Self::Workers | Self::Metrics(_) => 70,
        }
    }
}

/// Runs Hookway until a signal ends it, or no worker is left.
pub async fn run(loaded: Loaded) -> Result<(), Failure> {
    start_logs(&loaded)?;
    let count = workers(&loaded);
    files::raise_limit(&loaded.limits, count.get());
    let mut signals = Signals::new()?;
    let metrics = Metrics::new()?;
    let health = Arc::new(Health::default());
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tracing::info!(count, "workers");
    let workers = Arc::new(Workers::start(count)?);
    let pipeline = build_pipeline(&loaded, &workers, &tasks, &metrics).await?;
    let served = serve(loaded, (&pipeline, &workers, &tasks, &stop), metrics, health, &mut signals).await;
    if served.is_err() {
        // A client must not outlive the libraries that the process takes down at its end.
        Drain::flush(&pipeline).await;
    }
    served
}

/// Serves until a signal ends it.
async fn serve(
    loaded: Loaded,
    (pipeline, workers, tasks, stop): (&Arc<Pipeline>, &Arc<Workers>, &TaskTracker, &CancellationToken),
    metrics: Metrics,
    health: Arc<Health>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let (sources, keepers) = sources::build(&loaded, pipeline.sinks(), &metrics, &health).await?;
    watch::sinks(pipeline, &health, stop);
    pipeline.sinks().drain(&pipeline.rescue_of_drains(sources.clone()));
    watch::secrets::watch(keepers, &health, stop);

    let webhooks = listen(loaded.config.listen, "webhooks")?;
    for source in loaded.senders.keys() {
        let address = webhooks.local_addr()?;
        tracing::debug!(target: told::TARGET, source, url = %format_args!("http://{address}/hooks/{source}"), "takes webhooks");
    }
    let admin = listen(loaded.config.admin, "admin")?;
    serve_admin(admin, Admin { metrics: metrics.clone(), health: Arc::clone(&health) })?;
    let limits = &loaded.limits;
    let bounds = bounds(limits);
    let receiver = Receiver::new(sources, Arc::clone(pipeline), &bounds, metrics.clone());
    let ends = Ends { drain: CancellationToken::new(), stop: stop.clone() };
    // Among the tasks that drain waits for, so that no connection is taken behind its back.
    let carriers = (Arc::clone(workers), tasks.clone());
    tasks.spawn(receive::serve(webhooks, receiver, bounds, metrics.clone(), carriers, ends.clone()));
    metrics.configured(clock::now());
    health.begin();
    let signal = tokio::select! {
        signal = signals.next() => signal,
        () = workers.over() => return Err(Failure::Workers),
    };
    let (pipeline, tasks) = (Arc::clone(pipeline), tasks.clone());
    let drain =
        Drain { health, pipeline, ends, tasks, delay: limits.drain_delay, timeout: limits.drain_timeout };
    drain.run(signals, signal).await;
    Ok(())
}

/// Returns how many threads carry webhooks: as configured, or one for each core that the process may use.
fn workers(loaded: &Loaded) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    loaded.config.workers.map_or_else(cores, NonZeroUsize::from)
}

fn bounds(limits: &config::Limits) -> Limits {
    Limits {
        connections: limits.connections,
        peer_share: limits.peer_share,
        idle: limits.idle,
        body_bytes: limits.body_bytes,
        body: limits.body,
        body_rate: limits.body_rate,
    }
}

fn start_logs(loaded: &Loaded) -> Result<(), Failure> {
    let log = &loaded.config.log;
    let json = log.format.map(|format| format == LogFormat::Json);
    // On a terminal somebody tries things out: each event has its line. What async-nats meets when it connects is told by us.
    let usual = if logs::are_for_people(json) {
        "info,async_nats=warn,async_nats::connector=off,hookway::told=debug"
    } else {
        "info,async_nats=warn,async_nats::connector=off"
    };
    let level = log.level.as_deref().unwrap_or(usual);
    logs::start(json, level).map_err(|error| Failure::System(io::Error::other(error)))?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        librdkafka = rdkafka::util::get_rdkafka_version().1,
        "starting"
    );
    for problem in &loaded.problems {
        tracing::warn!(problem = %problem, "configuration");
    }
    Ok(())
}

async fn build_pipeline(
    loaded: &Loaded,
    workers: &Workers,
    tasks: &TaskTracker,
    metrics: &Metrics,
) -> Result<Arc<Pipeline>, Failure> {
    let names: Vec<String> = loaded.config.sinks.keys().cloned().collect();
    let (routes, quarantine) = routes::build(loaded, &names).map_err(Failure::Configuration)?;
    let built = sinks::build(loaded, workers, metrics, |_| true).await?;
    let sinks = spool::join(loaded, Sinks::new(built, replica(loaded))).await?;
    let aside = sinks::aside(loaded);
    Ok(Arc::new(Pipeline::new(routes, quarantine, sinks, aside, tasks.clone(), metrics)))
}

/// Returns this replica's name: the configured one, else the host's.
fn replica(loaded: &Loaded) -> String {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = loaded.config.replica.clone().or_else(host).unwrap_or_default();
    match name.trim() {
        "" => "hookway".to_owned(),
        name => name.to_owned(),
    }
}

fn listen(address: SocketAddr, listener: &'static str) -> Result<TcpListener, Failure> {
    let bound = receive::bind(address).map_err(|error| Failure::Listen { address, error })?;
    let address = bound.local_addr()?;
    tracing::info!(listener, %address, "listening");
    Ok(bound)
}

/// Serves the admin listener on a thread of its own, so that a full path still answers probes.
fn serve_admin(listener: TcpListener, admin: Admin) -> io::Result<()> {
    let listener = listener.into_std()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match TcpListener::from_std(listener) {
                // A slow client holds up only this listener, which is kept off the public network.
                Ok(listener) => admin.serve(listener).await,
                Err(error) => tracing::error!(%error, "the admin listener can't be served"),
            }
        });
    })?;
    Ok(())
}
