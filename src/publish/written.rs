//! How an event is written into a sink's records.

use super::{Sink, Sinks, message_id::message_id};
use crate::{
    event::{
        Event,
        envelope::{self, Binding, Origin},
    },
    record::{Record, SinkFormat, Target},
};
use bytes::Bytes;
use std::sync::OnceLock;

impl Sinks {
    /// Returns the event as one document, as the quarantine holds it.
    pub fn document(&self, event: &Event) -> Bytes {
        envelope::structured(event, self.origin(self.path))
    }

    fn origin(&self, path: &'static str) -> Origin<'_> {
        Origin { replica: &self.replica, path }
    }

    pub(super) fn record(
        &self,
        sink: &Sink,
        event: &Event,
        target: Target,
        path: &'static str,
        document: &OnceLock<Bytes>,
    ) -> Record {
        let origin = self.origin(path);
        let (headers, value) = match sink.form.format {
            // A quarantined event keeps its request, for which headers have no room.
            SinkFormat::Binary if event.quarantine.is_none() => {
                (envelope::binary_headers(event, origin, sink.form.binding), event.data.clone())
            }
            SinkFormat::Binary | SinkFormat::Structured => (
                envelope::structured_headers(),
                document.get_or_init(|| envelope::structured(event, origin)).clone(),
            ),
        };
        let message_id = match sink.form.binding {
            Binding::Kafka => String::new(),
            Binding::Nats => message_id(event, &target.destination),
        };
        Record {
            destination: target.destination,
            key: event.key.clone(),
            headers,
            value,
            timestamp_ms: event.recorded.as_millisecond(),
            in_turn: event.in_turn,
            message_id,
        }
    }
}
