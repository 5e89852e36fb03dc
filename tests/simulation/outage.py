"""An outage of the broker as LIKE MAGIC would live through it, once with a spool and once without.

    outage.py HOOKWAY NATS_SERVER MINUTES

Starts a NATS server and two Hookways before it, one with `spool`, and plays LIKE MAGIC to each: two events a second, each sent
again after 5, 10, 20 ... 300 seconds until it hears a 2xx, fifteen times at most; more than 150 failures within 15 minutes
switch the subscription off. After a minute the server is killed, after MINUTES more it is started again. Prints what each
subscription lived through, and what stands in its stream in the end. Real time: an outage of 60 minutes takes 64.
"""

import asyncio
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

SECRET = "the secret of the hotel"
EVENTS_A_SECOND = 2
ATTEMPTS = 15
MOST_FAILURES, WINDOW = 150, 900
BEFORE, AFTER = 60, 120

CONFIG = """
listen: 127.0.0.1:0
admin: 127.0.0.1:0
log: {{ format: json }}
sources: {{ hotel: {{ preset: likemagic, secrets: [ env:HOTEL_SECRET ] }} }}
sinks:
  bus: {{ nats: {{ servers: [ "{url}" ], stream: {stream} }} }}
  aside: {{ journal: {{ dir: aside }} }}
routes: [ {{ to: {{ sink: bus, subject: {stream} }} }} ]
quarantine: {{ sink: aside }}
{spool}
"""


class Subscription:
    """LIKE MAGIC's side: what it has sent, and whether it still does."""

    def __init__(self, port):
        self.port = port
        self.failures = collections.deque()
        self.off = None
        self.accepted, self.given_up, self.unsent, self.failed = set(), 0, 0, 0
        self.slowest = 0.0

    def fail(self, start):
        """Notes a failed attempt, and switches off where the rule says so."""
        now = time.monotonic()
        self.failed += 1
        self.failures.append(now)
        while self.failures[0] < now - WINDOW:
            self.failures.popleft()
        if len(self.failures) > MOST_FAILURES and self.off is None:
            self.off = now - start

    async def post(self, number):
        """Sends an event once and returns its status; 0 without an answer."""
        body = json.dumps({
            "id": f"e{number}", "objectId": f"RES-{number % 50}", "objectType": "RESERVATION",
            "topic": "RESERVATION_UPDATED", "timestamp": "2026-01-31T18:00:00Z", "context": {"number": number},
        })
        head = (
            f"POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write((head + body).encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return int(answer.split(b" ")[1])
        except (OSError, asyncio.TimeoutError, IndexError, ValueError):
            return 0

    async def deliver(self, number, start):
        """Sends an event until it is accepted, as the page on retries says."""
        pause = 5
        for _ in range(ATTEMPTS):
            if self.off is not None:
                break
            begun = time.monotonic()
            status = await self.post(number)
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if 200 <= status < 300:
                self.accepted.add(f"e{number}")
                return
            self.fail(start)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 300)
        if self.off is None:
            self.given_up += 1
        else:
            self.unsent += 1

    async def live(self, seconds, start):
        """Sends events for so long, and waits for their retries."""
        tasks = []
        for number in range(int(seconds * EVENTS_A_SECOND)):
            due = start + number / EVENTS_A_SECOND
            await asyncio.sleep(max(0, due - time.monotonic()))
            tasks.append(asyncio.create_task(self.deliver(number, start)))
        # Who is switched off sends nothing more; all others may still wait for their longest pause.
        done, waiting = await asyncio.wait(tasks, timeout=330 if self.off is None else 5)
        for task in waiting:
            task.cancel()
        self.given_up += len(waiting)
        return len(done) + len(waiting)


def nats(server, home):
    """Starts the server on its port, or a free one, and returns it with its address."""
    ports = home / "ports"
    ports.mkdir(exist_ok=True)
    known = home / "port"
    port = known.read_text() if known.exists() else "-1"
    process = subprocess.Popen(
        [server, "-a", "127.0.0.1", "-p", port, "-js", "-sd", str(home / "store"), "--ports_file_dir", str(ports)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        files = [file for file in ports.glob("*.ports") if file.stem.endswith(str(process.pid))]
        if files and files[0].stat().st_size:
            url = json.loads(files[0].read_text())["nats"][0]
            known.write_text(url.rsplit(":", 1)[1])
            return process, url
        time.sleep(0.05)
    sys.exit("the NATS server does not start")


def hookway(program, home, config):
    """Starts a Hookway and returns it with the port that it listens on."""
    home.mkdir()
    (home / "hookway.yaml").write_text(config)
    log = open(home / "log", "wb")
    process = subprocess.Popen(
        [program, "run", "--config", "hookway.yaml"], cwd=home, stderr=log, env={**os.environ, "HOTEL_SECRET": SECRET}
    )
    for _ in range(200):
        found = re.search(r'"listener":"webhooks","address":"127.0.0.1:(\d+)"', (home / "log").read_text())
        if found:
            return process, int(found[1])
        time.sleep(0.05)
    sys.exit("Hookway does not start:\n" + (home / "log").read_text())


async def streams(url, names=(), read=()):
    """Makes streams, and returns the ids in others."""
    import nats as client
    from nats.js.api import AckPolicy, ConsumerConfig

    connection = await client.connect(url)
    context = connection.jetstream()
    for name in names:
        await context.add_stream(name=name, subjects=[name])
    found = {}
    for name in read:
        ids, order = set(), collections.defaultdict(list)
        subscription = await context.pull_subscribe(name, stream=name, config=ConsumerConfig(ack_policy=AckPolicy.NONE))
        left = (await context.stream_info(name)).state.messages
        while left > 0:
            for message in await subscription.fetch(min(500, left), timeout=10):
                left -= 1
                event = json.loads(message.data)
                if event["id"] not in ids:
                    ids.add(event["id"])
                    order[event["partitionkey"]].append(event["data"]["context"]["number"])
        swapped = sum(1 for numbers in order.values() if numbers != sorted(numbers))
        found[name] = ids, swapped
    await connection.close()
    return found


async def main(program, server, minutes):
    """Lives through the outage, and prints what came of it."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="hookway-outage-"))
    node, url = nats(server, home)
    await streams(url, names=["spooled", "strict"])
    spool = {"spooled": "spool: { dir: spool, allow_volatile: true }", "strict": ""}
    processes, subscriptions = [], {}
    for name, line in spool.items():
        process, port = hookway(program, home / name, CONFIG.format(url=url, stream=name, spool=line))
        processes.append(process)
        subscriptions[name] = Subscription(port)
    await asyncio.sleep(3)
    start = time.monotonic()
    seconds = BEFORE + minutes * 60 + AFTER
    living = [asyncio.create_task(one.live(seconds, start)) for one in subscriptions.values()]
    await asyncio.sleep(BEFORE)
    node.kill()
    node.wait()
    await asyncio.sleep(minutes * 60)
    node, url = nats(server, home)
    sent = await asyncio.gather(*living)
    await asyncio.sleep(10)
    found = await streams(url, read=list(subscriptions))
    print("| | with a spool | without |")
    print("|---|---|---|")
    rows = collections.defaultdict(list)
    for (name, one), events in zip(subscriptions.items(), sent):
        ids, swapped = found[name]
        off = "no" if one.off is None else f"yes, {one.off - BEFORE:.0f} s into the outage"
        rows["events of the sender"].append(events)
        rows["failed attempts"].append(one.failed)
        rows["subscription switched off"].append(off)
        rows["events never sent, or given up"].append(one.unsent + one.given_up)
        rows["events that heard 2xx"].append(len(one.accepted))
        rows["of these not in the stream"].append(len(one.accepted - ids))
        rows["objects whose events changed places"].append(swapped)
        rows["slowest answer"].append(f"{one.slowest:.1f} s")
    for label, (spooled, strict) in rows.items():
        print(f"| {label} | {spooled} | {strict} |")
    for process in [*processes, node]:
        process.send_signal(signal.SIGTERM)
    for process in [*processes, node]:
        process.wait()


if __name__ == "__main__":
    asyncio.run(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), float(sys.argv[3])))
