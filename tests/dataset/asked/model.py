"""A model behind a real endpoint on the loopback: it captions, words and judges by fixed rules, and counts its calls.

What it says depends on the request alone, so that the same request gets the same reply whenever it comes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARKS = re.compile(r"BEGIN DATA ([0-9a-f]{16})\n(.*)\nEND DATA \1")
CAPTIONS = (
    "Chest radiograph. There is a small pleural effusion on the left. No pneumothorax. Mild cardiomegaly.",
    "Chest radiograph showing a large right pneumothorax. The left lung is clear. No pleural effusion.",
    "Frontal chest radiograph with consolidation in the right lower lobe. A pacemaker is present. No cardiomegaly.",
    "Axial CT of the head with a large haematoma in the left frontal lobe. No hydrocephalus. No skull fracture.",
    "Axial CT of the head. There is an infarct in the right parietal lobe. No haemorrhage. No mass.",
    "Chest radiograph. Moderate pleural effusion on the right. No consolidation. Severe cardiomegaly.",
)


class Model:
    """How it answers, and what it was asked. A test may set other rules than the usual ones."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.prompts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.delay_s = 0.0
        self.caption: Callable[[bytes], str] = _caption
        self.wording: Callable[[Mapping[str, Any]], str] = _wording
        self.premise: Callable[[Mapping[str, Any]], str] = lambda data: "true"
        self.answer: Callable[[Mapping[str, Any]], str] = lambda data: "follows"
        self.url = ""

    def reply(self, call: Mapping[str, Any]) -> str:
        text, image = _parts(call["messages"][-1]["content"])
        found = MARKS.search(text)
        data = json.loads(found[2]) if found else {}
        kind, said = self._say(text, data, image)
        with self.lock:
            self.calls[kind] += 1
            self.prompts[hashlib.sha256(text.encode() + (image or b"")).hexdigest()] += 1
        time.sleep(self.delay_s)
        return said

    def _say(self, text: str, data: Mapping[str, Any], image: bytes | None) -> tuple[str, str]:
        if "[PREMISE]" in text:
            return "word", self.wording(data)
        if "Decide what the description makes of the phrase" in text:
            return "premise", _verdict(self.premise(data))
        if "every statement of the answer follows" in text:
            return "answer", _verdict(self.answer(data))
        if "Correct it" in text:
            return "revise", json.dumps({"caption": data["caption"], "changed": False})
        assert image is not None
        return "caption", self.caption(image)


def _parts(content: Any) -> tuple[str, bytes | None]:
    if isinstance(content, str):
        return content, None
    text = next(part["text"] for part in content if part["type"] == "text")
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return text, base64.b64decode(urls[0].partition(",")[2]) if urls else None


def _caption(image: bytes) -> str:
    return CAPTIONS[hashlib.sha256(image).digest()[0] % len(CAPTIONS)]


def _verdict(word: str) -> str:
    return json.dumps({"reason": "because it is so", "verdict": word})


def _wording(data: Mapping[str, Any]) -> str:
    polar = data["form"].startswith("a question that is answered by yes")
    yes, no = ("Yes, ", "No, ") if polar else ("", "Not so: ")
    true, false = data["premise"]["true"], data["premise"]["false"]
    return json.dumps(
        {
            "question": f"Looking at it once more: {data['example']}",
            "true_answer": f"{yes}one sees {true} here.",
            "true_wrong": f"{no}there is nothing like {true}.",
            "false_answer": f"{no}what one sees is {true}.",
            "false_wrong": f"{yes}one sees {false} here.",
        }
    )


@contextmanager
def served(model: Model) -> Iterator[Model]:
    """The model on a port of its own until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            choice = {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": model.reply(call)},
            }
            usage = {"prompt_tokens": 100, "completion_tokens": 20}
            body = json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
