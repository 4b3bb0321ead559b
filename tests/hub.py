"""A hub on 127.0.0.1 that answers as huggingface.co does: models and data sets."""

from __future__ import annotations

import base64
import hashlib
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
from huggingface_hub import ModelCard, constants

SHA = "0123456789abcdef0123456789abcdef01234567"
PARQUET = "refs/convert/parquet"
PARQUET_SHA = "fedcba9876543210fedcba9876543210fedcba98"
# Files that say how a repository answers instead of being in it.
_SIGNS = ("GATED", "BROKEN", "CARD.json", "PINNED.json", "PRIVATE")
_LARGE = (".safetensors", ".zip", ".png")  # which the Hub takes by themselves
OWNER, TOKEN = "ada", "hf_of_ada"  # who may push, to repositories of her own


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
        repo, _, of_tree = repo.partition("/tree/")
        repo, _, revision = repo.partition("/revision/")
        revision = revision or of_tree
        at_home = self.root / repo if kind == "models" else self.root / kind / repo
        is_converted = revision in (PARQUET, PARQUET_SHA)
        folder = self.root / "parquet" / repo if is_converted else at_home
        if (at_home / "BROKEN").exists():
            return self.answer(503)
        if not at_home.is_dir():
            return self.answer(401, error="RepoNotFound")
        if not folder.is_dir() or (not is_converted and revision not in ("", "main", SHA)):
            return self.answer(404, error="RevisionNotFound")
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        siblings = [
            {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
            for path in files
            if path.name not in _SIGNS
        ]
        if of_tree:
            tree = [
                {"type": "file", "path": one["rfilename"], "size": one["size"], "oid": "0" * 40}
                for one in siblings
            ]
            return self.answer(200, json.dumps(tree).encode())
        about: dict[str, Any] = {
            "id": repo,
            "siblings": siblings,
            "sha": PARQUET_SHA if is_converted else SHA,
            "private": (folder / "PRIVATE").exists(),
        }
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
        if self.command != "HEAD":
            self.wfile.write(body)

    # --- what is pushed

    def do_POST(self) -> None:
        path = unquote(self.path.partition("?")[0].strip("/"))
        self.requests.append(f"POST {path}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(401)
        if path == "api/repos/create":
            return self.create(json.loads(body))
        if path == "api/validate-yaml":
            ModelCard(json.loads(body)["content"])  # that it can be parsed
            return self.answer_json({"errors": [], "warnings": []})
        repo = path.removeprefix("api/models/").partition(".git/")[0]
        repo = repo.partition("/preupload/")[0].partition("/commit/")[0]
        if repo.partition("/")[0] != OWNER:
            return self.answer(403)
        if "/preupload/" in path:
            files = [
                {"path": file["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if file["path"].endswith(_LARGE) else "regular"}
                for file in json.loads(body)["files"]
            ]  # fmt: skip
            return self.answer_json({"files": files})
        if path.endswith("/info/lfs/objects/batch"):
            here = f"{constants.ENDPOINT}/uploads/"
            objects = [
                {**one, "actions": {"upload": {"href": f"{here}{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return self.answer_json({"transfer": "basic", "objects": objects})
        return self.commit(repo, [json.loads(line) for line in body.splitlines()])

    def do_PUT(self) -> None:
        path = self.path.strip("/")
        self.requests.append(f"PUT {path}")
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert hashlib.sha256(content).hexdigest() == path.removeprefix("uploads/")
        (self.root / "uploads").mkdir(exist_ok=True)
        (self.root / path).write_bytes(content)
        self.answer(200)

    def create(self, asked: dict[str, Any]) -> None:
        owner = asked.get("organization") or OWNER
        address = f"{constants.ENDPOINT}/{owner}/{asked['name']}"
        folder = self.root / owner / asked["name"]
        if owner != OWNER:
            return self.answer(403)
        if folder.is_dir():
            return self.answer(409, json.dumps({"url": address}).encode())
        folder.mkdir(parents=True)
        if asked.get("private") or asked.get("visibility") == "private":
            (folder / "PRIVATE").touch()
        return self.answer_json({"url": address})

    def commit(self, repo: str, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                continue
            if line["key"] == "deletedFile":
                (self.root / repo / value["path"]).unlink()
                continue
            file = self.root / repo / value["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            if line["key"] == "lfsFile":
                file.write_bytes((self.root / "uploads" / value["oid"]).read_bytes())
            else:
                file.write_bytes(base64.b64decode(value["content"]))
        address = f"{constants.ENDPOINT}/{repo}/commit/{SHA}"
        self.answer_json({"success": True, "commitOid": SHA, "commitUrl": address})

    def answer_json(self, content: dict[str, Any]) -> None:
        self.answer(200, json.dumps(content).encode())


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
