//! Writes the configuration of a one-node Kafka: broker and controller in one process, on loopback.

use std::path::Path;

/// The node's configuration, in its folder.
pub(super) const SERVER: &str = "server.properties";

/// The node's log, in its folder.
pub(super) const LOG: &str = "server.log";

/// Writes the configuration into the node's folder. Where `entries` repeat a name, the last one counts.
pub(super) fn write(home: &Path, port: u16, controller: u16, entries: &[(&str, &str)]) {
    let mut text = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
log.dirs={}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.enable=false
",
        home.join("data").display()
    );
    // A killed node may come back only when its session has ended: 9 s by default.
    text.push_str("broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n");
    text.extend(entries.iter().flat_map(|(name, value)| [name, "=", value, "\n"]));
    std::fs::write(home.join(SERVER), text).expect("the node's configuration can be written");
}
