#!/usr/bin/env python3
"""Starts a training on a server (`ranker serve`), waits for it, gets the model, and asks it something: with Python's own
library only.

    RANKER_TOKEN=… tools/training_example.py als --data-path clicks.csv --parameter factors=60 --output als.onnx
    RANKER_TOKEN=… tools/training_example.py als --ask recommend --with '{"users": ["user_20"], "top_k": 5}'

A token comes from the server's account page.
"""

import argparse
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


class Server:
    def __init__(self, address, token):
        self.address = address.rstrip("/")
        self.token = token

    def open(self, path, form=None, body=None):
        """The answer to a GET, or to a POST of a form or of a JSON body."""
        headers = {"Authorization": f"Bearer {self.token}"}
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            body = error.read().decode()
            try:
                raise SystemExit(json.loads(body)["error"]["message"]) from None
            except (ValueError, KeyError):
                raise SystemExit(f"the server answered with status {error.code}") from None
        except urllib.error.URLError as error:
            raise SystemExit(f"{self.address} does not answer: {error.reason}") from None

    def json(self, path, form=None, body=None):
        with self.open(path, form, body) as answer:
            return json.load(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", help="the kind of training: als, popular, ncf, pairwise, classification, concept")
    parser.add_argument("--server", default=os.environ.get("RANKER_SERVER", "http://127.0.0.1:8080"))
    parser.add_argument("--data-path", default="", help="a path in the server's data folder (default: a sample)")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--output", help="where to write the model's first .onnx")
    parser.add_argument("--ask", metavar="QUESTION", help="put the model into use and ask it: recommend, predict, similar, "
                        "rank, classify, detect")
    parser.add_argument("--with", dest="body", type=json.loads, default={}, metavar="JSON", help="what it is asked")
    arguments = parser.parse_args()
    token = os.environ.get("RANKER_TOKEN")
    if not token:
        parser.error("set RANKER_TOKEN to a token of the server's account page")
    if any("=" not in parameter for parameter in arguments.parameter):
        parser.error("--parameter takes name=value")
    server = Server(arguments.server, token)

    form = dict(parameter.split("=", 1) for parameter in arguments.parameter)
    form.update(model_type=arguments.kind, data_path=arguments.data_path)
    job = server.json("/start_training/", form)["job_id"]

    last = None
    while True:
        status = server.json(f"/training_status/{job}")
        if status["status"] != last:
            last = status["status"]
            print(last, file=sys.stderr)
        if last in ("completed", "failed", "cancelled"):
            break
        time.sleep(0.5)
    print(json.dumps(status, indent=2))
    if last != "completed":
        raise SystemExit(status.get("error", f"the training is {last}"))

    versions = server.json("/api/v1/models")["versions"]
    version = next(version for version in versions if version["job_id"] == job)
    if arguments.output:
        name = next(name for name in version["files"] if name.endswith(".onnx"))
        path = f"/api/v1/models/{version['name']}/versions/{version['version']}/files/{name}"
        with server.open(path) as answer, open(arguments.output, "wb") as output:
            shutil.copyfileobj(answer, output)
        print(f"{name} of version {version['version']} is in {arguments.output}", file=sys.stderr)
    if arguments.ask:
        model = f"/api/v1/models/{version['name']}"
        server.json(f"{model}/versions/{version['version']}/promote", body={})
        print(json.dumps(server.json(f"{model}/{arguments.ask}", body=arguments.body), indent=2))


if __name__ == "__main__":
    main()
