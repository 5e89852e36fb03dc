"""Lives a pod's life: starts Hookway with the chart's rendered configuration and probes it as the kubelet would.

    probe.py [--root ROOT] --seconds N --answer STATUS HOOKWAY RENDERED.yaml

Each probe of the container is asked over IPv4 and IPv6 by turns: those of start and life must be good each time, that
of readiness once it was good, for N seconds from then on. Then the first source gets a signed sample, which must be
answered STATUS, and a signal must end the process with 0. The configuration is the rendered one but for its ports,
which the system chooses, and its brokers: nothing listens there. With ROOT, the process has that root and the image's
user; else all stands below a fresh directory.
"""

import argparse
import http.client
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import config
import yaml

USER = 65532
PATIENCE = 30
NOBODY = "127.0.0.1:1"
LISTENING = re.compile(r'"message":"listening","listener":"(\w+)","address":"[^"]*:(\d+)"')


def settled(text: str) -> str:
    """Returns the configuration with ports that the system chooses and brokers that are not there."""
    tree = yaml.safe_load(text)
    for name in ("listen", "admin"):
        tree[name] = re.sub(r":\d+$", ":0", tree[name])
    for sink in tree.get("sinks", {}).values():
        if "kafka" in sink:
            sink["kafka"]["brokers"] = [NOBODY]
            # The made-up file holds no certificate.
            sink["kafka"].get("options", {}).pop("ssl.ca.location", None)
        if "nats" in sink:
            sink["nats"]["servers"] = [f"nats://{NOBODY}"]
    return yaml.safe_dump(tree)


class Pod:
    """The running process, its log, and its ports."""

    def __init__(self, hookway: str, rendered: pathlib.Path, root: pathlib.Path, is_image: bool):
        text = settled(config.configuration(rendered))
        self.environment = config.lay_out(text, root)
        self.state = root / config.STATE[1:]
        self.root = root if is_image else None
        self.hookway, self.config = "/usr/local/bin/hookway", "/etc/hookway/hookway.yaml"
        if is_image:
            os.chown(self.state, USER, USER)
        else:
            self.hookway, self.config = hookway, f"{root}{self.config}"
            pathlib.Path(self.config).write_text(config.moved(text, root))
        self.log: list[str] = []
        self.ports: queue.Queue[tuple[str, int]] = queue.Queue()
        self.process = subprocess.Popen(self.command("run"), stderr=subprocess.PIPE, text=True, **self.place())
        threading.Thread(target=self.read, daemon=True).start()

    def command(self, *words: str) -> list[str]:
        """Returns a command line of the pod's Hookway."""
        return [self.hookway, *words, "--config", self.config]

    def place(self) -> dict:
        """Returns where a command runs, and as whom."""
        return {"env": self.environment, "cwd": self.state, "preexec_fn": self.enter if self.root else None}

    def enter(self) -> None:
        """Becomes the image's user in the image's root."""
        os.chroot(self.root)
        os.chdir(config.STATE)
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    def read(self) -> None:
        """Keeps the log, and hands on each port that is listened on."""
        for line in self.process.stderr:
            self.log.append(line)
            if found := LISTENING.search(line):
                self.ports.put((found[1], int(found[2])))

    def listening(self) -> dict[str, int]:
        """Returns the two ports by their listeners."""
        return dict(self.ports.get(timeout=PATIENCE) for _ in range(2))

    def trigger(self, source: str, preset: str, port: int) -> object:
        """Sends the preset's first sample, signed, and returns the status of the answer."""
        def run(*words: str) -> str:
            command = self.command("trigger", *words, "--source", source, "--json")
            return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **self.place()).stdout

        [listed] = json.loads(run(preset))
        return json.loads(run(f"{preset}.{listed['events'][0]}", "--url", f"http://127.0.0.1:{port}"))

    def end(self) -> int:
        """Ends it as a person would, without the pause for load balancers, and returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


def status(host: str, port: int, path: str, timeout: float) -> object:
    """Returns the status of a GET, or what went wrong."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError as error:
        return error
    finally:
        connection.close()


def probed(container: dict, port: int, seconds: float) -> list[str]:
    """Asks every probe again and again, and returns each answer that was not good. Readiness may take its time until it is
    good once, as a first look at a destination does; all must then be good for some seconds."""
    probes = {name: container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    hosts = ["127.0.0.1", "::1"] if pathlib.Path("/proc/net/if_inet6").exists() else ["127.0.0.1"]
    bad, end, is_ready, turn = [], time.monotonic() + PATIENCE, False, 0
    while time.monotonic() < end:
        host = hosts[turn % len(hosts)]
        for name, probe in probes.items():
            path = probe["httpGet"]["path"]
            seen = status(host, port, path, probe["timeoutSeconds"])
            if name == "readinessProbe" and not is_ready:
                is_ready = seen == 200
                end = time.monotonic() + seconds if is_ready else end
            elif seen != 200:
                bad.append(f"{name} {path} at {host}: {seen}")
        turn += 1
        time.sleep(0.25)
    return bad if is_ready else [*bad, f"never ready within {PATIENCE} s"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--answer", type=int, required=True)
    parser.add_argument("hookway")
    parser.add_argument("rendered", type=pathlib.Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        pod = Pod(given.hookway, given.rendered, given.root or pathlib.Path(fresh), bool(given.root))
        problems = []
        try:
            ports = pod.listening()
            problems += probed(config.container(given.rendered), ports["admin"], given.seconds)
            tree = yaml.safe_load(config.configuration(given.rendered))
            source, settings = next(iter(tree["sources"].items()))
            answer = pod.trigger(source, settings["preset"], ports["webhooks"])
            if answer.get("status") != given.answer:
                problems.append(f"a signed sample should be answered {given.answer}; seen: {answer}")
            if (code := pod.end()) != 0:
                problems.append(f"the exit code is {code}")
            problems += [f"a client's address is not its own: {line}" for line in pod.log if "::ffff:" in line]
        except (queue.Empty, ValueError, subprocess.TimeoutExpired) as error:
            problems.append(f"{type(error).__name__} {error}")
        finally:
            pod.process.kill()
            pod.process.wait()
    if problems:
        print("\n".join([*dict.fromkeys(problems), "the log:", *(line.rstrip() for line in pod.log[-30:])]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
