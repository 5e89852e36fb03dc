"""Reads all that a Kafka topic or a JetStream stream holds, with clients that share no code with Hookway.

    reader.py kafka BOOTSTRAP TOPIC COUNT SECONDS
    reader.py nats URL STREAM COUNT SECONDS

Waits until at least COUNT messages are stored, reads to the end, so that one too many is seen too, and prints one
JSON object a line, bytes as base64. Fewer than COUNT after SECONDS: says so and exits 1.
"""

import asyncio
import base64
import json
import sys
import time


def text(data):
    """Returns bytes as base64, and None (a Kafka null) as None."""
    return None if data is None else base64.b64encode(data).decode()


def read_kafka(bootstrap, topic, count, deadline):
    """Reads every partition of a topic from its beginning, in order of partition and offset."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed", fetch_max_wait_ms=100
    )
    while not (numbers := consumer.partitions_for_topic(topic)):
        if time.monotonic() > deadline:
            sys.exit(f"topic {topic} does not exist")
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    records = []
    while True:
        for batch in consumer.poll(timeout_ms=200).values():
            records.extend(batch)
        if len(records) >= count:
            ends = consumer.end_offsets(partitions)
            if all(consumer.position(partition) >= ends[partition] for partition in partitions):
                break
        if time.monotonic() > deadline:
            sys.exit(f"{len(records)} records in topic {topic}, expected {count}")
    consumer.close(autocommit=False)
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        yield {
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
            "key": text(record.key),
            "headers": [[name, text(value)] for name, value in record.headers],
            "value": text(record.value),
        }


def header_lines(block):
    """Returns the name and value of each line of a NATS header block, repeated names and all."""
    lines = base64.b64decode(block).decode().split("\r\n")[1:]
    return [line.split(":", 1) for line in lines if line]


async def read_nats(url, stream, count, deadline):
    """Reads every message of a stream in order of sequence, as the server stores it."""
    import nats

    client = await nats.connect(url)
    context = client.jetstream()
    while (state := (await context.stream_info(stream)).state).messages < count:
        if time.monotonic() > deadline:
            sys.exit(f"{state.messages} messages in stream {stream}, expected {count}")
        await asyncio.sleep(0.05)
    messages = []
    for sequence in range(max(state.first_seq, 1), state.last_seq + 1):  # an empty stream says 0 to 0
        request = json.dumps({"seq": sequence}).encode()
        reply = await client.request(f"$JS.API.STREAM.MSG.GET.{stream}", request, timeout=5)
        answer = json.loads(reply.data)
        if answer.get("error", {}).get("err_code") == 10037:  # no message: it was removed
            continue
        message = answer["message"]
        messages.append(
            {
                "subject": message["subject"],
                "sequence": message["seq"],
                "headers": [[name, value.strip()] for name, value in header_lines(message.get("hdrs", ""))],
                "payload": message.get("data", ""),
            }
        )
    await client.close()
    return messages


def main():
    """Reads what the command line names and prints it."""
    kind, address, name, count, seconds = sys.argv[1:]
    deadline = time.monotonic() + float(seconds)
    if kind == "kafka":
        messages = read_kafka(address, name, int(count), deadline)
    else:
        messages = asyncio.run(read_nats(address, name, int(count), deadline))
    for message in messages:
        print(json.dumps(message))


main()
