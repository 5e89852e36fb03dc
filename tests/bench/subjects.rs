//! What is measured for each sink: Hookway, the peers that users would write instead, and bare handlers that do no more
//! than answer or publish.

use crate::{
    brokers::Store,
    hookway,
    measure::{Drive, Subject},
    scene::Scene,
    server::Server,
    suite::{Kind, Plan},
    support::{brokers::Brokers, process},
    usage,
};
use std::{env, net::SocketAddr, path::Path, process::Command};

/// The subjects' names.
pub(crate) mod names {
    pub(crate) const OK: &str = "bare handler that answers 200";
    pub(crate) const LINGER_0: &str = "bare rdkafka handler, linger 0";
    pub(crate) const LINGER_5: &str = "bare rdkafka handler, linger 5";
    pub(crate) const PER_CORE_2: &str = "bare rdkafka handler, a runtime per core, 2 in flight";
    pub(crate) const PER_CORE_5: &str = "bare rdkafka handler, a runtime per core, 5 in flight";
    pub(crate) const NATS: &str = "bare async-nats handler";
    pub(crate) const JOURNAL: &str = "bare handler with a group commit";
    pub(crate) const DISK: &str = "the disk's own group commits";
    pub(crate) const GO_KAFKA: &str = "Go with franz-go";
    pub(crate) const GO_NATS: &str = "Go with nats.go";
    pub(crate) const HOOKWAY: &str = "Hookway";
    pub(crate) const SPOOL: &str = "Hookway, with a spool";
    pub(crate) const SPOOLING: &str = "Hookway, spooling";
    pub(crate) const BESIDE: &str = "Hookway, the build beside it";
}

/// What makes the level `available`.
const SPOOL: &str = "spool: { dir: spool, allow_volatile: true }\n";

/// All subjects of one sink, alive, with what they write to.
pub(crate) struct Subjects {
    pub(crate) all: Vec<Subject>,
    pub(crate) store: Store,
    /// The broker's process, where it is ours.
    pub(crate) broker: Option<u32>,
    pub(crate) hookway: Option<Watched>,
    scene: Scene,
}

/// What else is known of the running Hookway.
pub(crate) struct Watched {
    pub(crate) admin: SocketAddr,
    /// Resident after the start, in megabytes.
    pub(crate) idle: f64,
}

impl Subjects {
    /// Starts them, and the broker.
    pub(crate) async fn start(kind: Kind, scene: Scene, brokers: &Brokers, plan: &Plan) -> Self {
        match kind {
            Kind::Kafka => Self::kafka(scene, brokers, plan).await,
            Kind::Nats => Self::nats(scene, brokers, plan).await,
            Kind::Journal => Self::journal(scene, plan).await,
        }
    }

    async fn kafka(scene: Scene, brokers: &Brokers, plan: &Plan) -> Self {
        let kafka = brokers.kafka();
        let stems = ["linger-0", "linger-5", "per-core-2", "per-core-5", "go", "hookway"];
        let topics = stems.map(|stem| brokers.name(stem));
        let [linger_0, linger_5, per_core_2, per_core_5, go, topic] = &topics;
        let mut subjects = Self::none(scene, Store::kafka(kafka, &topics, &[]), kafka.pid());
        let at = kafka.bootstrap();
        subjects.bare(names::OK, &["ok"]);
        subjects.bare(names::LINGER_0, &["kafka", at, linger_0, "0"]);
        subjects.bare(names::LINGER_5, &["kafka", at, linger_5, "5"]);
        subjects.bare(names::PER_CORE_2, &["kafka-per-core", at, per_core_2, "2"]);
        subjects.bare(names::PER_CORE_5, &["kafka-per-core", at, per_core_5, "5"]);
        subjects.go(names::GO_KAFKA, &["kafka", at, go], plan);
        let sink = format!("{{ kafka: {{ brokers: [ \"{at}\" ] }} }}");
        subjects.hookway(&sink, &format!(", topic: {topic}"), plan).await
    }

    async fn nats(scene: Scene, brokers: &Brokers, plan: &Plan) -> Self {
        let nats = brokers.nats();
        let streams = ["bare", "go", "hookway"].map(|stem| brokers.name(stem));
        let [bare, go, stream] = &streams;
        let mut subjects = Self::none(scene, Store::nats(nats, &streams).await, nats.pid());
        subjects.bare(names::OK, &["ok"]);
        subjects.bare(names::NATS, &["nats", nats.url(), bare]);
        subjects.go(names::GO_NATS, &["nats", nats.url(), go], plan);
        let sink = format!("{{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}", nats.url());
        subjects.hookway(&sink, &format!(", subject: \"{stream}.{{key}}\""), plan).await
    }

    async fn journal(scene: Scene, plan: &Plan) -> Self {
        let mut subjects = Self::none(scene, Store::Disk, None);
        subjects.bare(names::OK, &["ok"]);
        subjects.all.push(Subject { name: names::DISK, drive: Drive::Disk(process::home("disk")) });
        subjects.bare(names::JOURNAL, &["journal", "records"]);
        if plan.hookway && scene == Scene::Shared {
            // Nothing listens on port 1 of the loopback device: all goes to disk.
            let away = "{ nats: { servers: [ 'nats://127.0.0.1:1' ], stream: away } }";
            let config = hookway::config(hookway::SOURCE, away, ", subject: \"away.{key}\"") + SPOOL;
            let (server, _) = hookway::start(Path::new(hookway::PROGRAM), &config, scene).await;
            subjects.add(names::SPOOLING, server);
        }
        subjects.hookway("{ journal: { dir: bus } }", "", plan).await
    }

    fn none(scene: Scene, store: Store, broker: Option<u32>) -> Self {
        Self { all: Vec::new(), store, broker, hookway: None, scene }
    }

    fn add(&mut self, name: &'static str, server: Server) {
        self.all.push(Subject { name, drive: Drive::Http(server) });
    }

    /// Starts a bare handler; on less than the whole machine only what users run is measured.
    fn bare(&mut self, name: &'static str, words: &[&str]) {
        if self.scene == Scene::Shared {
            let mut command = Command::new(env::current_exe().unwrap());
            command.arg("bare").args(words);
            self.add(name, Server::start(command, process::home("bare")));
        }
    }

    fn go(&mut self, name: &'static str, words: &[&str], plan: &Plan) {
        if let Some(program) = &plan.go {
            let mut command = Command::new(program);
            command.args(words).env("PEER_SECRET", hookway::endpoint().secret);
            self.add(name, Server::start(self.scene.start(command), process::home("go")));
        }
    }

    async fn hookway(mut self, sink: &str, to: &str, plan: &Plan) -> Self {
        let config = hookway::config(hookway::SOURCE, sink, to);
        if let Some(program) = &plan.beside {
            let (server, _) = hookway::start(program, &config, self.scene).await;
            self.add(names::BESIDE, server);
        }
        if plan.hookway {
            let (server, admin) = hookway::start(Path::new(hookway::PROGRAM), &config, self.scene).await;
            self.hookway = Some(Watched { admin, idle: usage::memory(server.pid()).resident });
            self.add(names::HOOKWAY, server);
        }
        if plan.hookway && self.scene == Scene::Shared && !sink.contains("journal") {
            let (server, _) =
                hookway::start(Path::new(hookway::PROGRAM), &(config + SPOOL), self.scene).await;
            self.add(names::SPOOL, server);
        }
        self
    }
}
