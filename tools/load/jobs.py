#!/usr/bin/env python3
"""How many trainings a second the service gets through, and whether all are done once, while its workers are killed.

    tools/bench --jobs [--count 1000] [--workers 4] [--kill-every 10] [--database sqlite|postgres|ADDRESS]
                       [--queue embedded|rabbitmq] [--far]

Accepts the jobs first, then starts the workers, each a process of its own on the same database, and kills one of them
(SIGKILL) again and again; another takes its place at once, as a supervisor would do it. With --far they work over HTTP,
each in a folder of its own. Servers come from tools/services.
Prints the figures, and exits 1 where a job was lost, failed, or done twice.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EMAIL, PASSWORD = "load@example.org", "correct horse battery"


class Service:
    """The server that takes the jobs, with no worker of its own."""

    def __init__(self, ranker, database, queue, directory):
        self.ranker, self.database, self.queue, self.directory = ranker, database, queue, directory
        subprocess.run(
            [ranker, "users", "add", EMAIL, "--admin", "--database", database], cwd=directory, input=PASSWORD + "\n",
            text=True, check=True, stdout=subprocess.DEVNULL,
        )
        self.process = self.serve("server", workers=0)
        self.address = self.process.stdout.readline().split()[-1]
        self.token = None
        self.token = self.json("/api/v1/sessions", {"email": EMAIL, "password": PASSWORD})["token"]

    def serve(self, name, workers):
        return subprocess.Popen(
            [self.ranker, "serve", "--port", "0", "--workers", str(workers), "--threads", "1", "--data-root", ".",
             "--models-dir", "models", "--database", self.database, "--queue", self.queue],
            cwd=self.directory, stdout=subprocess.PIPE, stderr=open(self.directory / f"{name}.log", "ab"), text=True,
        )  # fmt: skip

    def work(self, name, far):
        """A worker of the same database, or over HTTP with a folder of its own."""
        if not far:
            return self.serve(name, workers=1)
        token = self.json("/api/v1/tokens", {"name": name, "worker": True})["token"]
        return subprocess.Popen(
            [self.ranker, "worker", "--server", self.address, "--threads", "1", "--models-dir", name],
            cwd=self.directory, stdout=subprocess.DEVNULL, stderr=open(self.directory / f"{name}.log", "ab"),
            env={**os.environ, "RANKER_TOKEN": token},
        )  # fmt: skip

    def json(self, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def count(self, status):
        return self.json(f"/api/v1/jobs?status={status}&limit=1")["total"]

    def all(self, status):
        jobs = []
        while True:
            page = self.json(f"/api/v1/jobs?status={status}&limit=500&offset={len(jobs)}")
            jobs += page["jobs"]
            if len(jobs) >= page["total"]:
                return jobs


def measure(arguments, database, queue, directory):
    service = Service(str(arguments.binaries / "ranker"), database, queue, directory)
    workers, kills = [], 0
    try:
        began = time.monotonic()
        for _ in range(arguments.count):
            service.json("/api/v1/jobs", {"kind": "popular", "model_name": "load"})
        accepted = time.monotonic() - began

        began = time.monotonic()
        workers = [service.work(f"worker-{number}", arguments.far) for number in range(arguments.workers)]
        next_kill = began + arguments.kill_every
        while service.count("completed") + service.count("failed") + service.count("cancelled") < arguments.count:
            time.sleep(0.25)
            if arguments.kill_every and time.monotonic() >= next_kill:
                number = random.randrange(len(workers))
                workers[number].kill()
                workers[number].wait()
                workers[number] = service.work(f"worker-{number}", arguments.far)
                kills += 1
                next_kill += arguments.kill_every
            if time.monotonic() - began > arguments.patience:
                print(f"given up after {arguments.patience} s", file=sys.stderr)
                break
        seconds = time.monotonic() - began

        completed = service.all("completed")
        versions = service.json("/api/v1/models/load")["versions"]
        ended = 0
        for job in completed:
            events = service.json(f"/api/v1/jobs/{job['id']}/history")["events"]
            ended += sum(event["body"].get("status") == "completed" for event in events if event["kind"] == "status")
    finally:
        for process in workers + [service.process]:
            process.send_signal(signal.SIGTERM)
        for process in workers + [service.process]:
            process.wait()
    lost = arguments.count - len(completed)
    numbers = sorted(version["version"] for version in versions)
    twice = ended - len(completed)
    again = sum(job["attempt"] > 1 for job in completed)
    print(f"accepted     {arguments.count / accepted:8.1f} jobs/s, one after the other")
    print(f"trained      {arguments.count / seconds:8.2f} jobs/s with {arguments.workers} workers, {seconds:.0f} s in all")
    print(f"killed       {kills:6} workers; {again} jobs took more than one attempt")
    print(f"completed    {len(completed):6} of {arguments.count}; lost or failed {lost}; completed twice {twice}")
    print(f"versions     {len(numbers):6}, from {numbers[0]} to {numbers[-1]}")
    return lost == 0 and twice == 0 and numbers == list(range(1, arguments.count + 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True, help="the folder of the built ranker")
    parser.add_argument("--count", type=int, default=1000, help="jobs of the kind popular, on its sample")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=10, metavar="SECONDS", help="0 kills none")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgres (of tools/services), or an address")
    parser.add_argument("--queue", default="embedded", choices=["embedded", "rabbitmq"])
    parser.add_argument("--far", action="store_true", help="workers over HTTP, each with a folder of its own")
    parser.add_argument("--patience", type=float, default=3600, metavar="SECONDS")
    arguments = parser.parse_args()
    arguments.binaries = arguments.binaries.resolve()
    with tempfile.TemporaryDirectory(prefix="rankerkit-load-") as name:
        directory = Path(name)
        services = directory / "services"
        # The servers' own users have to get there.
        os.chmod(directory, 0o711)

        def started(service):
            said = subprocess.run(
                [ROOT / "tools/services", "start", "--directory", services, service], check=True, text=True,
                stdout=subprocess.PIPE,
            )  # fmt: skip
            return said.stdout.strip().split("=", 1)[1]

        database, queue = arguments.database, arguments.queue
        try:
            if database == "sqlite":
                database = "service.db"
            elif database == "postgres":
                database = started("postgres")
            if queue == "rabbitmq":
                queue = started("rabbitmq")
            good = measure(arguments, database, queue, directory)
        finally:
            if services.exists():
                subprocess.run([ROOT / "tools/services", "stop", "--remove", "--directory", services], check=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
