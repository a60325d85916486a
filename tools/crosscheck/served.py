"""`ranker serve`, for what tests it from outside."""

import json
import subprocess
import urllib.request


class Server:
    """`ranker serve` on a free port."""

    def __init__(self, binaries, directory, *options):
        self.ranker = str(binaries / "ranker")
        self.directory = directory
        arguments = ["serve", "--port", "0", "--data-root", "data", "--database", "service.db", *options]
        self.process = subprocess.Popen(
            [self.ranker, *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=open(directory / "log", "wb"), text=True,
        )
        self.address = self.process.stdout.readline().split()[-1]
        self.link = None

    def first_link(self):
        """The link to make the first account by, which the first start prints."""
        self.link = self.link or self.process.stdout.readline().split()[-1]
        return self.link

    def add_user(self, email, password, *options):
        """Makes an account past the server; a token of it."""
        subprocess.run(
            [self.ranker, "users", "add", email, "--database", "service.db", *options],
            cwd=self.directory, input=password + "\n", text=True, check=True, capture_output=True)
        return self.post("/api/v1/sessions", {"email": email, "password": password})["token"]

    def get(self, path, token=None):
        return self.send(path, token)

    def post(self, path, body, token=None):
        return self.send(path, token, json.dumps(body).encode())

    def send(self, path, token=None, data=None):
        """The JSON that the server answers with."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers), timeout=60) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)
