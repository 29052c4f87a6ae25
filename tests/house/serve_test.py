#!/usr/bin/env python3
"""Serves runs with the program, and asks it as its clients do, the bad ones too: each gets a status and a JSON error, and
the next request is served.

    serve_test.py BUILD
"""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
from serving import HEED, Server, folder_of_runs, message, parsed, refused, served  # noqa: E402

KEY = "a-key-of-the-test"
os.environ["HEED_THREADS"] = "2"  # both lanes


# ---- what is promised ----------------------------------------------------------------------------------------------------


def answers_are_those_of_predict(server):
    lines = ["a b c", "c a", "b", "c c a b"]
    said = subprocess.run([HEED, "predict", "copy"], input="\n".join(lines) + "\n", capture_output=True, text=True).stdout
    status, _, body = server.post("/v1/predict", {"input": lines})
    answers = json.loads(body)["predictions"]
    assert status == 200 and [answer["output"] for answer in answers] == said.splitlines(), (body, said)
    one = json.loads(server.post("/v1/predict", {"input": "a b c", "options": {"alignment": True, "n_best": 2}})[2])
    best = one["predictions"][0]
    assert len(best["alignment"]) == len(best["tokens"]) and len(best["others"]) == 1
    labels = json.loads(server.post("/v1/predict", {"model": "reviews", "input": "the food was good ."})[2])
    assert abs(sum(labels["predictions"][0]["probabilities"].values()) - 1) < 1e-3


def it_says_where_it_listens(server):
    assert "curl" in server.first and f":{server.port}" in server.first
    status, headers, body = server.ask("GET", "/v1/models")
    models = json.loads(body)["data"]
    assert status == 200 and [model["id"] for model in models] == ["copy", "reviews", "lm"], models
    status, headers, body = server.ask("HEAD", "/health")
    assert status == 200 and body == b"" and int(headers["content-length"]) > 0
    assert server.ask("GET", "/")[0] == 200


def completions_are_openais(server):
    ask = {"model": "lm", "prompt": "the cat", "max_tokens": 8, "seed": 3, "temperature": 0.8, "n": 2, "logprobs": 1}
    status, _, body = server.post("/v1/completions", ask)
    answer = json.loads(body)
    assert status == 200 and len(answer["choices"]) == 2, body
    usage = answer["usage"]
    assert usage["prompt_tokens"] == 7 and usage["completion_tokens"] <= 16, usage
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    first = answer["choices"][0]
    assert len(first["logprobs"]["tokens"]) == len(first["logprobs"]["token_logprobs"])
    assert first["finish_reason"] in ("length", "stop") and first["index"] == 0
    again = json.loads(server.post("/v1/completions", ask)[2])
    assert [choice["text"] for choice in again["choices"]] == [choice["text"] for choice in answer["choices"]]
    ask = {"model": "lm", "messages": [{"role": "user", "content": "the "}], "temperature": 0, "max_tokens": 12}
    whole = json.loads(server.post("/v1/chat/completions", ask)[2])["choices"][0]["message"]["content"]
    stop = whole[3]
    before = whole[:whole.index(stop)]
    cut = json.loads(server.post("/v1/chat/completions", ask | {"stop": stop})[2])["choices"][0]
    assert cut["message"]["content"] == before and cut["finish_reason"] == "stop", (cut, whole)
    status, headers, body = server.post("/v1/chat/completions",
                                        ask | {"stream": True, "stream_options": {"include_usage": True}})
    assert status == 200 and headers["content-type"] == "text/event-stream", headers
    events = events_of(body)
    assert events[-1] == "[DONE]" and json.loads(events[-2])["usage"]["completion_tokens"] > 0
    parts = [json.loads(event)["choices"][0] for event in events[:-2]]
    assert "".join(part["delta"]["content"] for part in parts) == whole, (parts, whole)
    assert parts[-1]["finish_reason"] == "length" and len(parts) > 5
    events = events_of(server.post("/v1/chat/completions", ask | {"stream": True, "stop": [stop]})[2])
    assert "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events[:-1]) == before
    said = json.loads(server.post("/v1/completions", {"model": "copy", "prompt": "a b c"})[2])["choices"][0]["text"]
    assert said == served(server)["output"]
    refused(server.post("/v1/completions", {"model": "reviews", "prompt": "a"}), 400, "/v1/predict")


def events_of(body):
    data, rest = b"", body
    while rest:  # chunks
        size, rest = rest.split(b"\r\n", 1)
        data, rest = data + rest[:int(size, 16)], rest[int(size, 16) + 2:]
    return [event[len("data: "):] for event in data.decode().split("\n\n") if event]


def embeddings_and_tokens(server):
    answer = json.loads(server.post("/v1/embeddings", {"model": "reviews", "input": ["good food", "bad"]})[2])
    vectors = [each["embedding"] for each in answer["data"]]
    assert len(vectors) == 2 and len(vectors[0]) == len(vectors[1]) > 1 and answer["usage"]["prompt_tokens"] >= 3, answer
    refused(server.post("/v1/embeddings", {"model": "lm", "input": "a"}), 400, "none")
    texts = json.loads(server.post("/v1/tokenize", {"model": "copy", "input": "a b"})[2])["texts"]
    assert [token["token"] for token in texts[0]["tokens"]], texts


def what_is_explained(server):
    """What heed explain writes of the same run, for each task; and what makes no sense is refused."""
    asked = {"copy": "a b c", "reviews": "the food was good .", "lm": "the cat"}
    for model, text in asked.items():
        subprocess.run([HEED, "explain", model, text, "-o", f"{model}.json", "--method", "occlusion"], check=True)
        status, _, body = server.post("/v1/explain", {"model": model, "input": text, "method": "occlusion"})
        assert status == 200 and json.loads(body) == json.loads(Path(f"{model}.json").read_text()), (model, body[:500])
    seen = json.loads(server.post("/v1/explain", {"input": "a b", "target": "c", "layer": "0", "head": 0})[2])
    assert seen["title"].endswith("c") and len(seen["attention"][0]["weights"][0]) > 0, seen["title"]
    post = lambda body: server.post("/v1/explain", body)
    refused(post({"input": ""}), 400, "empty")
    refused(post({"input": "a", "method": "guessing"}), 400, "gradients")
    refused(post({"input": "a", "layer": "nowhere"}), 400, "layer")
    refused(post({"input": "a", "head": 99}), 400, "head")
    refused(post({"model": "reviews", "input": "a", "target": "blue"}), 400, "label")
    refused(post({"input": "a " * 600}), 400, "512")
    served(server)


def how_training_goes(server):
    """The numbers of metrics.jsonl, also of a line that is not whole yet; never a path that the client made up."""
    get = lambda name: server.ask("GET", f"/v1/runs/{name}/metrics")
    before = json.loads(get("lm")[2])
    lines = [json.loads(line) for line in Path("lm/metrics.jsonl").read_text().splitlines()]
    wanted = [[line["step"], line["loss"]] for line in lines if "loss" in line]
    assert before["model"] == "lm" and before["curves"]["loss"] == wanted and wanted, before
    with open("lm/metrics.jsonl", "a") as file:
        file.write('{"step": 1000, "loss": 0.5}\n{"step": 1001, "lo')
    after = json.loads(get("%6cm")[2])["curves"]
    assert after["loss"] == wanted + [[1000, 0.5]], after
    for name in ["none", "..", "lm%2f..%2fcopy", "%2e%2e", "%zz", "%"]:
        refused(get(name), 404)
    refused(server.ask("GET", "/v1/runs//metrics"), 404)
    refused(server.ask("GET", "/v1/runs/lm/../copy/metrics"), 404)
    refused(server.ask("POST", "/v1/runs/lm/metrics", {}), 405)


def it_describes_itself(server):
    status, _, body = server.ask("GET", "/openapi.json")
    page = json.loads(body)
    assert status == 200 and page["openapi"].startswith("3.")
    for path, operations in page["paths"].items():
        if "get" in operations:
            status, headers, body = server.ask("GET", path.replace("{model}", "copy"))
            content = operations["get"]["responses"][str(status)]["content"]
            assert headers["content-type"].split(";")[0] in content, path
    text = server.ask("GET", "/metrics")[2].decode()
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [-+0-9.e]+", line), line
    assert 'heed_requests_total{path="/v1/predict",status="200"}' in text


def keep_alive_and_pipelining(server):
    with server.connect() as client:
        ask = message("POST", "/v1/predict", {"input": "a b"}, Connection="keep-alive")
        client.sendall(ask + message("GET", "/health", Connection="keep-alive") + ask)
        data = b""
        while data.count(b"HTTP/1.1 200") < 3:
            part = client.recv(65536)
            assert part, data
            data += part
    with server.connect() as client:
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b'c\r\n{"input": "a\r\n4\r\n b"}\r\n0\r\n\r\n')
        assert parsed(client)[0] == 200


def bytes_behind_the_last_request(server):
    """To close while they lie unread would break the answer off."""
    with server.connect() as client:
        client.sendall(message("GET", "/", Connection="close") + b"x" * 200_000)
        time.sleep(.1)
        status, headers, body = parsed(client)
        assert status == 200 and len(body) == int(headers["content-length"]), len(body)


# ---- what must survive ---------------------------------------------------------------------------------------------------


def bad_bodies(server):
    post = lambda body: server.post("/v1/predict", body)
    refused(post(b"["), 400, "no JSON")
    refused(post(b"[" * 100_000), 400, "nested")
    refused(post(b'{"a":' * 100_000), 400, "nested")
    refused(post(b'{"input": "\xff\xfe"}'), 400, "UTF-8")
    refused(post(b'{"input": "\\ud800"}'), 400, "no JSON")
    refused(post(b'{"input": NaN}'), 400, "no JSON")
    refused(post(b'{"input": "a", "options": {"beam": 1e999}}'), 400, "number")
    refused(post({"input": "a", "options": {"beam": 10 ** 9}}), 400, "beam")
    refused(post({"input": "a", "options": {"beam": "many"}}), 400, "beam")
    refused(post({"input": "a", "options": {"bean": 1}}), 400, "bean")
    refused(post({"input": "x" * 100_000}), 400, "bytes")
    refused(post({"model": "none", "input": "a"}), 404, "model")
    refused(server.post("/v1/predict", {"input": "a"}, Content_Type="text/plain"), 415, "application/json")
    page = json.loads(server.ask("GET", "/openapi.json")[2])
    for path, operations in page["paths"].items():
        if path == "/v1/reload" or "post" not in operations:
            continue
        schema = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        fine = {"input": "a", "prompt": "a", "messages": [{"role": "user", "content": "a"}]}
        fine = {name: fine[name] for name in schema["properties"] if name in fine}
        for name in schema["properties"]:
            for wrong in [{"a": [1]}, [[]], [None], -1e300]:
                refused(server.post(path, fine | {name: wrong}), 400)
        refused(server.post(path, fine | {"surprise": 1}), 400, "surprise")
    served(server)


def bad_heads(server):
    raw = lambda text: server.raw(text.encode("latin-1"))
    head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for lies in ["Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: -1\r\n",
                 "Content-Length: 5, 5\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
                 "Content-Length: 99999999999999999999\r\n", "A b: c\r\n", "A: b\x00c\r\n"]:
        status, _, body = raw(head + lies + "\r\nhello")
        assert status in (400, 413), (lies, status, body)
        assert json.loads(body)["error"]["code"] == status
    refused(raw(head + "Content-Length: 1000000000\r\n\r\n"), 413)
    refused(raw("GET /health HTTP/1.1\r\nHost: localhost\r\nA: " + "x" * 50_000 + "\r\n\r\n"), 431)
    refused(raw("nonsense\r\n\r\n"), 400)
    assert 'heed_requests_total{path="-",status="431"} 1' in server.ask("GET", "/metrics")[2].decode()
    refused(raw("GET /health HTTP/1.1\r\n\r\n"), 400, "Host")
    refused(raw("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n"), 400, "Host")
    refused(server.ask("GET", "/health", Host="example.org"), 403, "Host")
    refused(server.ask("GET", "/health", Host="localhost.example.org:80"), 403, "Host")
    for path in ["/../../etc/passwd", "/%2e%2e/etc/passwd", "/v1/../health", "//health", "/v1/none"]:
        refused(server.ask("GET", path), 404)
    answer = server.ask("GET", "/v1/predict")
    refused(answer, 405)
    assert answer[1]["allow"] == "POST"
    answer = server.ask("GET", "/health?a=b%0d%0aSet-Cookie:%20a=b", X_Request_Id="a")
    assert answer[0] == 200 and "set-cookie" not in answer[1] and "access-control-allow-origin" not in answer[1]
    served(server)


def metric(server, name):
    return float(re.search(rf"^{name} (.*)$", server.ask("GET", "/metrics")[2].decode(), re.M)[1])


def until(true):
    for _ in range(200):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about in two seconds")


def clients_that_vanish(server):
    silent = [server.connect() for _ in range(300)]
    served(server)
    ask = {"model": "lm", "prompt": "the ", "max_tokens": 1000, "temperature": 1, "stream": True}
    for _ in range(3):
        with server.connect() as client:
            client.sendall(message("POST", "/v1/completions", ask))
            client.recv(500)
    with server.connect() as client:
        client.sendall(message("POST", "/v1/predict", {"input": "a b"})[:-5])  # and no more
        client.shutdown(socket.SHUT_WR)
    served(server)
    for client in silent:
        client.close()
    until(lambda: metric(server, "heed_texts_under_way") == 0)


def company_changes_nothing(server):
    """Twenty texts at once, each asked in one of four ways: answered together, and each as if it were alone."""
    ways = [{}, {"beam": 2, "n_best": 2}, {"strategy": "greedy"}, {"strategy": "sample", "seed": 5, "alignment": True}]
    asked = [(text, n % 4) for n in range(4) for text in ["a b c", "c", "b a", "a a b b c", "c b a c"]]
    asked = [(text, (way + n) % 4) for n, (text, way) in enumerate(asked)]

    def ask(text, way):
        return json.loads(server.post("/v1/predict", {"input": text, "options": ways[way]})[2])["predictions"][0]

    alone = {each: ask(*each) for each in set(asked)}
    answers = {}
    threads = [threading.Thread(target=lambda n=n: answers.update({n: ask(*asked[n])})) for n in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, each in enumerate(asked):
        assert answers[n]["output"] == alone[each]["output"], (answers[n], alone[each])
        assert abs(answers[n]["score"] - alone[each]["score"]) < 1e-5


def who_comes_later_joins(server):
    """A long text is under way; one that is asked in another way is answered before it ends."""
    long = {"model": "lm", "prompt": "the ", "max_tokens": 1000, "temperature": 0, "stream": True}  # says no end
    with server.connect() as client:
        client.sendall(message("POST", "/v1/completions", long))
        client.recv(500)
        status, _, body = server.post("/v1/completions", {"model": "lm", "prompt": "a cat", "max_tokens": 3})
        assert status == 200, body
        until(lambda: metric(server, "heed_texts_under_way") == 1)  # the long one


def what_cannot_be_served_is_a_sentence(server):
    run = lambda *arguments: subprocess.run([HEED, "serve", *arguments], capture_output=True, text=True, timeout=20)
    result = run("nowhere", "--port", "0")
    assert result.returncode == 1 and "nowhere" in result.stderr, result.stderr
    result = run("copy", "--port", str(server.port))
    assert result.returncode == 1 and "another --port" in result.stderr, result.stderr
    result = run("copy", "--host", "example")
    assert result.returncode == 2 and "no address" in result.stderr, result.stderr


def slow_ones_are_shown_out():
    with Server("copy", "--idle-seconds", "0.3", "--body-seconds", "0.3", "--connections", "20") as server:
        with server.connect() as head, server.connect() as body, server.connect() as silent:
            head.sendall(b"GET /health HT")
            body.sendall(message("POST", "/v1/predict", {"input": "a"})[:-3])
            refused(parsed(head), 408, "in time")
            refused(parsed(body), 408, "in time")
            assert parsed(silent)[0] == 0
        many = [server.connect() for _ in range(25)]
        refused(parsed(many[-1]), 429)
        for client in many:
            client.close()
        time.sleep(0.1)
        served(server)


def no_files_left():
    with Server("copy", before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))) as server:
        many = [server.connect() for _ in range(60)]
        assert b"503" in many[-1].recv(100)
        for client in many:
            client.close()
        time.sleep(0.1)
        served(server)


def leave_memory(server, more, word="VmData", kind=resource.RLIMIT_DATA):
    """What a server has, and so many bytes more."""
    pid = server.process.pid
    size = int(re.search(word + r":\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) << 10
    resource.prlimit(pid, kind, (size + more, resource.RLIM_INFINITY))


def no_memory_left():
    """A server at its limit of memory refuses what it cannot hold, and goes on."""
    with Server("copy") as server:
        served(server)
        leave_memory(server, 2 << 20)
        refusals = 0
        for _ in range(5):
            answer = server.post("/v1/predict", {"input": ["a b c a b c " * 20] * 64, "options": {"beam": 16}})
            if answer[0] != 200:
                refused(answer, 503, "memory")
                refusals += 1
            served(server)
        assert refusals > 0


def no_memory_left_for_many():
    """Whatever the next bytes are wanted for: nobody waits in vain, and with memory there again all is as before."""
    kinds = [("VmData", resource.RLIMIT_DATA), ("VmSize", resource.RLIMIT_AS)]
    for n, more in enumerate([1 << 17, 1 << 19, 1 << 21, 1 << 23, 1 << 24]):
        for run in ["copy", "lm", "reviews"]:
            with Server(run) as server:
                served(server)
                leave_memory(server, more, *kinds[n % 2])
                requests = [("/v1/predict", {"input": ["a b c a b c " * 30] * 40}),
                            ("/v1/predict", {"input": "a b c", "options": {} if run == "reviews" else {"beam": 12}}),
                            ("/v1/completions", {"prompt": "a b c " * 20, "max_tokens": 200, "stream": True}),
                            ("/v1/explain", {"input": "a b c a b"}), ("/v1/tokenize", {"input": ["a b c a b"] * 500})]
                with futures.ThreadPoolExecutor(6) as clients:
                    answers = list(clients.map(lambda request: server.post(*request)[0], requests * 4))
                assert set(answers) <= {200, 400, 503, 0}, answers  # 0: not even the memory to say so
                assert server.process.poll() is None, (run, more, server.log[-2:])
                resource.prlimit(server.process.pid, kinds[n % 2][1], (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                served(server)
                assert server.stop() == 0


def thousands_that_say_nothing():
    """Idle connections cost little, and whoever asks beside them is answered at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, hard - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server("copy", "--connections", "20000", "--idle-seconds", "60") as server:
        served(server)
        before = metric(server, "process_resident_memory_bytes")
        many = [server.connect() for _ in range(count)]
        served(server)
        begun = time.monotonic()
        served(server)
        took = time.monotonic() - begun
        assert metric(server, "heed_connections") > count
        each = (metric(server, "process_resident_memory_bytes") - before) / count
        print(f"   {count} idle connections: {each:.0f} bytes each, a request beside them takes {1000 * took:.1f} ms")
        assert each < 8192 and took < 1, (each, took)
        for client in many:
            client.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def a_gigabyte_is_refused(server):
    """Streamed, so that nobody knows before how much it will be."""
    before = metric(server, "process_resident_memory_bytes")
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = 0
    with server.connect() as client:
        head = message("POST", "/v1/predict", b"", Content_Length=None, Transfer_Encoding="chunked")
        client.sendall(head)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1 << 14):
                client.sendall(part)
                sent += len(part)
    assert sent < 1 << 26, f"took {sent} bytes"
    assert metric(server, "process_resident_memory_bytes") - before < 1 << 24
    served(server)


def killed_in_mid_request():
    """SIGKILL leaves nothing behind: the next one has the same port at once, and the same answers."""
    with Server("lm") as server:
        with server.connect() as client:
            client.sendall(message("POST", "/v1/completions", {"prompt": "the ", "max_tokens": 1000, "temperature": 1, "stream": True}))
            client.recv(100)
            server.process.kill()
            server.process.wait()
    with Server("lm", port=server.port) as again:
        assert again.port == server.port
        assert again.post("/v1/completions", {"prompt": "the ", "max_tokens": 5, "seed": 1})[0] == 200


def no_room_in_the_queue():
    with Server("lm", "--waiting", "2") as server:
        refused(server.post("/v1/predict", {"input": ["a", "b", "c"]}), 400, "3 texts")
        answers = []
        ask = lambda: answers.append(server.post("/v1/predict", {"input": ["a", "b"], "options": {"longest": 200}}))
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        busy = [answer for answer in answers if answer[0] != 200]
        assert 0 < len(busy) < 20, [answer[0] for answer in answers]
        for answer in busy:
            refused(answer, 503, "wait")
            assert answer[1]["retry-after"] == "1"
        assert server.post("/v1/predict", {"input": ["a", "b"]})[0] == 200


def keys_and_reloading():
    Path("keys").write_text(f"# the test's\n{KEY}\n")
    shutil.copytree("copy", "moved")
    with Server("moved", "--api-key-file", "keys", "--cors-origin", "https://example.org") as server:
        bearer = {"Authorization": f"Bearer {KEY}"}
        for wrong in [None, "Bearer ", "Bearer " + KEY[:-1], "Bearer " + KEY + "x", "Basic " + KEY]:
            refused(server.post("/v1/predict", {"input": "a"}, Authorization=wrong), 401, "Bearer")
        before = json.loads(server.post("/v1/predict", {"input": "a b c"}, **bearer)[2])
        assert server.ask("OPTIONS", "/v1/predict", Origin="https://example.org")[0] == 204
        assert server.ask("GET", "/health")[1]["access-control-allow-origin"] == "https://example.org"
        refused(server.post("/v1/reload", {}), 401)
        shutil.rmtree("moved")
        refused(server.post("/v1/reload", {}, **bearer), 409, "serves on")
        assert json.loads(server.post("/v1/predict", {"input": "a b c"}, **bearer)[2]) == before
        shutil.copytree("copy", "moved")
        answers = []
        ask = lambda: answers.append(server.post("/v1/predict", {"input": ["a b c"] * 20}, **bearer)[0])
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert server.post("/v1/reload", {}, **bearer)[0] == 200
        for thread in threads:
            thread.join()
        assert answers == [200] * 8, answers
    with Server("copy") as server:
        refused(server.post("/v1/reload", {}), 403, "--api-key-file")


def a_long_one_holds_nobody_up():
    """Who asks for little after somebody who asks for much is answered before: in the order of the log."""
    with Server("lm", "copy") as server:
        much = {"model": "lm", "prompt": ["the "] * 16, "n": 16, "max_tokens": 1000, "temperature": 1, "seed": 1}
        little = {"model": "lm", "messages": [{"role": "user", "content": "the "}], "max_tokens": 2, "temperature": 0}
        asks = {"/v1/completions": much, "/v1/chat/completions": little, "/v1/predict": {"model": "copy", "input": "a b c"}}
        clients = [server.connect() for _ in asks]
        for client, (path, body) in zip(clients, asks.items(), strict=True):
            client.sendall(message("POST", path, body))
        for client in clients[::-1]:
            with client:
                assert parsed(client)[0] == 200
        assert server.stop() == 0
        order = [path for line in server.log if (path := json.loads(line)["path"]) in asks]
        assert len(order) == 3 and order[-1] == "/v1/completions", order


def sigterm_answers_what_is_under_way():
    with Server("lm") as server:
        with server.connect() as client:
            client.sendall(message("POST", "/v1/completions", {"prompt": "the ", "max_tokens": 200, "temperature": 1,
                                                               "seed": 1, "stream": True}))
            client.recv(100)
            server.process.send_signal(signal.SIGTERM)
            data = b""
            while part := client.recv(65536):
                data += part
            assert b"[DONE]" in data
        assert server.process.wait(timeout=20) == 0


def sigterm_ends_it(server):
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log]
    assert lines and all("a b c" not in line and "nonsense" not in line for line in server.log)
    refusals = {line["status"]: line["reason"] for line in lines if "reason" in line}
    assert {400, 413, 431} <= set(refusals) and "longer than" in refusals[431], refusals
    assert {"time", "client", "method", "path", "status", "milliseconds"} <= set(lines[0]), lines[0]


with folder_of_runs():
    with Server("copy", "reviews", "lm") as server:
        for check in [it_says_where_it_listens, answers_are_those_of_predict, completions_are_openais,
                      embeddings_and_tokens, what_is_explained, how_training_goes, keep_alive_and_pipelining,
                      bytes_behind_the_last_request, bad_bodies,
                      bad_heads, a_gigabyte_is_refused, clients_that_vanish, company_changes_nothing,
                      who_comes_later_joins, it_describes_itself, what_cannot_be_served_is_a_sentence, sigterm_ends_it]:
            check(server)
            print("ok", check.__name__)
    for check in [slow_ones_are_shown_out, no_files_left, no_memory_left, no_memory_left_for_many,
                  thousands_that_say_nothing, killed_in_mid_request, no_room_in_the_queue, keys_and_reloading,
                  a_long_one_holds_nobody_up, sigterm_answers_what_is_under_way]:
        check()
        print("ok", check.__name__)
