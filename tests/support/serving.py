"""A server of heed on the loopback, and clients that say what they like to it. The build folder is the first argument of
the program that uses this.
"""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HEED = Path(sys.argv[1]).resolve() / "heed"


class Server:
    patience = 20  # seconds that a client waits for its next bytes

    def __init__(self, *arguments, before=None, port=0):
        command = [HEED, "serve", *map(str, arguments), "--port", str(port)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=before)
        self.first = self.process.stderr.readline()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.first)[1])
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        for _ in range(500):
            if self.ask("GET", "/health")[0] == 200:
                break
            time.sleep(0.01)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=self.patience)

    def raw(self, data):
        """What comes back on a connection that sends just this, and then listens."""
        with self.connect() as client:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
            return parsed(client)

    def ask(self, method, path, body=None, **headers):
        return self.raw(message(method, path, body, **headers))

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def message(method, path, body=None, **headers):
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Host": "localhost", "Connection": "close"}
    if body is not None:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + data


def parsed(client):
    """status, headers and body of the next answer on a connection; status 0: it was closed."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n\r\n" not in data and (part := client.recv(65536)):
            data += part
    if b"\r\n\r\n" not in data:
        return 0, {}, data
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    status = int(lines[0].split()[1])
    length = headers.get("content-length")
    with contextlib.suppress(ConnectionResetError):
        while (length is None or len(body) < int(length)) and (part := client.recv(65536)):
            body += part
    return status, headers, body


def refused(answer, status, *words):
    got, headers, body = answer
    assert got == status, (got, status, body)
    error = json.loads(body)["error"]
    assert error["code"] == status and error["message"], error
    for word in words:
        assert word in error["message"], (word, error)


def served(server):
    status, _, body = server.post("/v1/predict", {"input": "a b c"})
    assert status == 200, (status, body)
    return json.loads(body)["predictions"][0]


@contextlib.contextmanager
def folder_of_runs():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run = lambda *arguments: subprocess.run([HEED, *arguments], check=True, capture_output=True, timeout=120)
        run("data", "copy", "-n", "300", "--length", "2,6", "-o", "copy.tsv")
        run("data", "reviews", "-n", "100", "-o", "reviews.tsv")
        Path("text.txt").write_text("the cat sat on the mat\nthe dog sat on the log\n" * 20)
        run("train", "translate", "--data", "copy.tsv", "--run", "copy", "--tokens", "characters", "--width", "16",
            "--steps", "30")
        run("train", "classify", "--data", "reviews.tsv", "--run", "reviews", "--width", "16", "--steps", "5")
        run("train", "lm", "--data", "text.txt", "--run", "lm", "--tokens", "characters", "--width", "16", "--steps", "20")
        yield
