//! The baselines: the least that an axum handler can do for the same answer, each in a process of its own. They
//! verify nothing and build no envelope, and tell where they listen as Hookway does.

mod per_core;

use crate::disk::GroupCommit;
use crate::load::github::{ISSUES, REPOSITORY};
use async_nats::jetstream;
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use std::{
    fmt::Display,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::net::TcpListener;

/// Serves the baseline that `words` name until the process is ended: `ok`, `kafka BROKERS TOPIC LINGER_MS`,
/// `kafka-per-core BROKERS TOPIC IN_FLIGHT`, `nats URL SUBJECT_PREFIX` or `journal DIRECTORY`.
pub(crate) fn run(words: &[&str]) {
    if let ["kafka-per-core", brokers, topic, in_flight] = *words {
        return per_core::serve(&kafka(brokers, topic, &[("linger.ms", "0"), (IN_FLIGHT, in_flight)]));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let handler = match *words {
            ["ok"] => post(|_: Bytes| async { StatusCode::OK }),
            ["kafka", brokers, topic, linger] => kafka(brokers, topic, &[("linger.ms", linger)]),
            ["nats", url, prefix] => nats(url, prefix).await,
            ["journal", directory] => journal(Path::new(directory)),
            _ => panic!("no such baseline: {words:?}"),
        };
        axum::serve(listen().await, routes(handler)).await.unwrap();
    });
}

/// librdkafka's name of the bound on requests that are on their way to a broker.
const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";

type Handler = axum::routing::MethodRouter;

/// Listens, and says where.
async fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    eprintln!(r#"{{"message":"listening","listener":"webhooks","address":"{address}"}}"#);
    listener
}

fn routes(handler: Handler) -> Router {
    Router::new().route("/hooks/bench", handler)
}

/// Awaits one publish per request, with the promises that Hookway asks of Kafka. The client's own thread wakes whoever
/// waits for an answer.
fn kafka(brokers: &str, topic: &str, settings: &[(&str, &str)]) -> Handler {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("acks", "all").set("enable.idempotence", "true");
    config.set("partitioner", "murmur2_random");
    config.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let producer: FutureProducer = config.create().unwrap();
    let topic: Arc<str> = topic.into();
    let keys = Keys::default();
    post(move |body: Bytes| async move {
        let key = keys.next();
        let record = FutureRecord::to(&topic).key(&key).payload(&body[..]);
        match producer.send_result(record) {
            Ok(delivery) => answer(delivery.await.unwrap().map_err(|(error, _)| error)),
            Err((error, _)) => answer(Err::<(), _>(error)),
        }
    })
}

/// Awaits one acknowledgement of JetStream per request.
async fn nats(url: &str, prefix: &str) -> Handler {
    let jetstream = jetstream::new(async_nats::connect(url).await.unwrap());
    let prefix: Arc<str> = prefix.into();
    let keys = Keys::default();
    post(move |body: Bytes| async move {
        let subject = format!("{prefix}.{}", keys.next());
        match jetstream.publish(subject, body).await {
            Ok(acknowledgement) => answer(acknowledgement.await),
            Err(error) => answer(Err::<(), _>(error)),
        }
    })
}

/// Awaits one group commit per request.
fn journal(directory: &Path) -> Handler {
    let commit = Arc::new(GroupCommit::open(directory));
    post(move |_: Bytes| async move { answer(commit.append().await) })
}

/// The keys of a fixed set of objects, in turn.
#[derive(Clone, Default)]
struct Keys(Arc<AtomicU64>);

impl Keys {
    fn next(&self) -> String {
        format!("issue:{REPOSITORY}:{}", self.0.fetch_add(1, Ordering::Relaxed) % ISSUES)
    }
}

fn answer<T, E: Display>(result: Result<T, E>) -> StatusCode {
    match result {
        Ok(_) => StatusCode::OK,
        Err(error) => {
            eprintln!("not published: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
