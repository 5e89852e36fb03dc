"""Parses published messages with the official Python SDK of CloudEvents, which shares no code with Hookway.

Reads one message a line: {"headers": {name: value}, "key": text or null, "value": base64}, as Kafka or NATS carried it.
`ce_` headers mean Kafka's binary mode, `ce-` headers binary mode as HTTP and NATS write it, neither the structured
mode. Prints for each what the SDK understood; at the first it refuses, names it on standard error and exits 1.
"""

import base64
import datetime
import json
import sys

from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat


def parse(message):
    """Returns the event that the SDK makes of one message."""
    headers, value = message["headers"], base64.b64decode(message["value"], validate=True)
    if any(name.lower().startswith("ce-") for name in headers):
        return http.from_binary(http.HTTPMessage(headers=headers, body=value), JSONFormat())
    carried = {name: text.encode() for name, text in headers.items()}
    event = kafka.from_kafka(kafka.KafkaMessage(headers=carried, key=None, value=value), JSONFormat())
    # The SDK writes the record's key over `partitionkey`; here the two are compared instead.
    key = message.get("key")
    if key is not None and event.get_extension("partitionkey") != key:
        raise ValueError(f"partitionkey {event.get_extension('partitionkey')!r} differs from the record's key {key!r}")
    return event


def plain(value):
    """Returns a value as JSON can hold it."""
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value


for number, line in enumerate(sys.stdin, start=1):
    try:
        event = parse(json.loads(line))
    except Exception as error:  # whatever the SDK raises, the message is at fault
        detail = getattr(error, "errors", "")
        sys.exit(f"message {number}: {error} {detail}\n{line.strip()}")
    attributes = {name: plain(value) for name, value in event.get_attributes().items()}
    print(json.dumps({"attributes": attributes, "data": plain(event.get_data())}))
