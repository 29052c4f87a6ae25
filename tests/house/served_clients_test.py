#!/usr/bin/env python3
"""The programs that others wrote, against a server: OpenAI's Python client, whole and streamed, and schemathesis, which makes
requests up from /openapi.json and finds no answer that deviates from it. Each is skipped where it is not installed.

    served_clients_test.py BUILD
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
from serving import Server, folder_of_runs  # noqa: E402

KEY = "a-key-of-the-test"


def of_openai(server):
    import openai
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key=KEY, max_retries=0, timeout=30)
    assert [model.id for model in client.models.list()] == ["copy", "reviews", "lm"]
    ask = {"model": "lm", "messages": [{"role": "user", "content": "the cat"}], "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**ask, logprobs=True)
    said = whole.choices[0].message.content
    assert said and whole.usage.completion_tokens == 12 and whole.choices[0].finish_reason == "length", whole
    assert len(whole.choices[0].logprobs.content) == 12 and whole.choices[0].logprobs.content[0].logprob <= 0
    parts = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    assert "".join(part.choices[0].delta.content for part in parts if part.choices) == said
    assert parts[-1].usage.completion_tokens == 12 and not parts[-1].choices
    top = client.chat.completions.create(**ask, logprobs=True, top_logprobs=3).choices[0].logprobs.content
    for each in top:  # the most probable was said
        assert [len(each.top_logprobs), each.top_logprobs[0].token, each.top_logprobs[0].logprob] == [3, each.token, each.logprob], each
        assert each.top_logprobs[0].logprob >= each.top_logprobs[1].logprob >= each.top_logprobs[2].logprob, each
    parts = client.chat.completions.create(**ask, logprobs=True, top_logprobs=3, stream=True)
    assert [each for part in parts if (told := part.choices[0].logprobs) for each in told.content] == top
    drawn = client.completions.create(model="lm", prompt="the ", max_tokens=8, seed=7, top_p=0.01, logprobs=2).choices[0].logprobs
    for token, value, best in zip(drawn.tokens, drawn.token_logprobs, drawn.top_logprobs, strict=True):
        assert len(best) == 2 and best[token] == value == max(best.values()), (token, value, best)  # two, though one alone might be drawn
    whole = client.completions.create(model="copy", prompt="a b c", logprobs=2).choices[0]  # of a beam
    parts = list(client.completions.create(model="copy", prompt="a b c", logprobs=2, stream=True))
    assert len(parts) == 1 and parts[0].choices[0].logprobs == whole.logprobs and len(whole.logprobs.top_logprobs[0]) >= 2
    try:
        client.chat.completions.create(**ask, top_logprobs=3)
        raise AssertionError("top_logprobs want logprobs")
    except openai.BadRequestError as error:
        assert "logprobs" in error.message
    several = client.completions.create(model="lm", prompt=["the ", "a "], max_tokens=5, n=2, seed=7)
    assert [choice.index for choice in several.choices] == [0, 1, 2, 3]
    again = client.completions.create(model="lm", prompt=["the ", "a "], max_tokens=5, n=2, seed=7)
    assert [choice.text for choice in again.choices] == [choice.text for choice in several.choices]
    vectors = [client.embeddings.create(model="reviews", input=["good", "bad"], **how).data for how in ({}, {"encoding_format": "float"})]
    for packed, plain in zip(*vectors, strict=True):
        assert len(plain.embedding) > 1 and all(abs(a - b) < 1e-6 for a, b in zip(packed.embedding, plain.embedding, strict=True))
    try:
        client.completions.create(model="none", prompt="a")
        raise AssertionError("there is no such model")
    except openai.NotFoundError as error:
        assert "no model" in error.message
    wrong = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="wrong", max_retries=0)
    try:
        wrong.models.list()
        raise AssertionError("the key is wrong")
    except openai.AuthenticationError:
        pass


def of_schemathesis(server):
    import schemathesis  # noqa: F401
    program = Path(sys.executable).parent / "schemathesis"
    # What the schema cannot say is refused too: a text without words, an option that this model has not.
    done = subprocess.run([program, "run", f"http://127.0.0.1:{server.port}/openapi.json", "--max-examples", "15", "--seed", "1",
                           "--header", f"Authorization: Bearer {KEY}", "--exclude-path", "/v1/reload",
                           "--exclude-checks", "positive_data_acceptance", "--no-color"],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


with folder_of_runs():
    Path("keys").write_text(f"{KEY}\n")
    with Server("copy", "reviews", "lm", "--api-key-file", "keys") as server:
        for client in (of_openai, of_schemathesis):
            try:
                client(server)
                print(f"{client.__name__}: ok")
            except ImportError as missing:
                print(f"{client.__name__}: skipped: {missing}")
