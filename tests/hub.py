"""A hub on 127.0.0.1 that answers as huggingface.co does: models and data sets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from huggingface_hub import constants

SHA = "0123456789abcdef0123456789abcdef01234567"
PARQUET = "refs/convert/parquet"
PARQUET_SHA = "fedcba9876543210fedcba9876543210fedcba98"
# Files that say how a repository answers instead of being in it.
_SIGNS = ("GATED", "BROKEN", "CARD.json", "PINNED.json")


def point_to(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


class FakeHub(BaseHTTPRequestHandler):
    """Serves ``root/<owner>/<name>/*`` as a model, ``root/datasets/<owner>/<name>/*`` as data.

    What lies in ``root/parquet/<owner>/<name>`` is on the branch of converted data. A file GATED
    makes a repository gated, BROKEN refuses it; CARD.json is what its card says, and PINNED.json
    what it said in the commit SHA.
    """

    def __init__(self, root: Path, requests: list[str], *args: Any) -> None:
        self.root, self.requests = root, requests
        super().__init__(*args)

    def log_message(self, *args: object) -> None:
        """Keep the test output clean."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0].strip("/"))
        self.requests.append(f"{self.command} {path}")
        if path.startswith(("api/models/", "api/datasets/")):
            return self.answer_info(*path.removeprefix("api/").split("/", 1))
        repo, _, file = path.partition("/resolve/")
        revision, _, file = file.partition("/")
        folder = self.root / repo
        if revision == PARQUET_SHA:
            folder = self.root / "parquet" / repo.removeprefix("datasets/")
        if (self.root / repo / "GATED").exists():
            return self.answer(403, error="GatedRepo")
        if not (folder / file).is_file():
            return self.answer(404, error="EntryNotFound")
        xet = file.endswith((".safetensors", ".parquet"))
        return self.answer(200, (folder / file).read_bytes(), revision, xet=xet)

    def answer_info(self, kind: str, repo: str) -> None:
        repo, _, revision = repo.partition("/revision/")
        at_home = self.root / repo if kind == "models" else self.root / kind / repo
        is_converted = revision in (PARQUET, PARQUET_SHA)
        folder = self.root / "parquet" / repo if is_converted else at_home
        if (at_home / "BROKEN").exists():
            return self.answer(503)
        if not at_home.is_dir():
            return self.answer(401, error="RepoNotFound")
        if not folder.is_dir() or (revision and not is_converted and revision != SHA):
            return self.answer(404, error="RevisionNotFound")
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        siblings = [
            {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
            for path in files
            if path.name not in _SIGNS
        ]
        about = {"id": repo, "siblings": siblings, "sha": PARQUET_SHA if is_converted else SHA}
        is_pinned = revision == SHA and (folder / "PINNED.json").exists()
        card = folder / ("PINNED.json" if is_pinned else "CARD.json")
        if card.exists():
            about["cardData"] = json.loads(card.read_text())
        return self.answer(200, json.dumps(about).encode())

    def answer(
        self, status: int, body: bytes = b"{}", commit: str = SHA, *, error: str = "",
        xet: bool = False,
    ) -> None:  # fmt: skip
        self.send_response(status)
        headers = {
            "Content-Length": len(body),
            "X-Repo-Commit": SHA if commit == "main" else commit,
        }
        headers["ETag"] = f'"{hash(body) & 0xFFFFFFFFFFFF:x}"'
        if error:
            headers["X-Error-Code"] = error
        if xet:  # as the real Hub offers it for large files
            headers |= {"X-Xet-Hash": "a" * 64, "X-Xet-Refresh-Route": "http://127.0.0.1:9/token"}
        for key, value in headers.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def served(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, list[str]]]:
    """Serve a folder, and yield it with the requests that come."""
    requests: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(FakeHub, root, requests))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    point_to(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield root, requests
    server.shutdown()
    server.server_close()
