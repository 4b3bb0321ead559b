"""Signing in with a provider that speaks OpenID Connect: each person sees runs of their own."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from made_runs import dataset_of, made
from playwright.sync_api import Browser, Page, expect

from layerviz import runs
from layerviz.bench import browser as real
from layerviz.ui.parts.signing_in import LOGIN_VARIABLE

jwt = pytest.importorskip("joserfc.jwt", reason="Authlib is not installed: nobody can sign in")
jwk = pytest.importorskip("joserfc.jwk")
pytest.importorskip("authlib")

CLIENT, SECRET = "layerviz", secrets.token_urlsafe(24)
ALICE, BOB = "alice@example.org", "bob@example.org"


class Provider:
    """A provider without passwords: whoever is `at_the_keyboard` signs in."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.at_the_keyboard = ALICE
        self.key = jwk.RSAKey.generate_key(2048, {"kid": "1"})
        self.codes: dict[str, dict[str, Any]] = {}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent back to."""
        assert query["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"nonce": query.get("nonce"), "email": self.at_the_keyboard}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        asked = self.codes.pop(form["code"])
        access = secrets.token_urlsafe(16)
        half = hashlib.sha256(access.encode()).digest()[:16]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": hashlib.sha256(asked["email"].encode()).hexdigest(),
            "email": asked["email"],
            "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            "iat": now,
            "exp": now + 600,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return {"access_token": access, "token_type": "Bearer", "expires_in": 600,
                "id_token": signed}  # fmt: skip


@contextmanager
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_response(302)
                self.send_header("Location", one.authorize(query))
                self.end_headers()
            elif address.path == "/keys":
                self.answer({"keys": [one.key.as_dict(private=False)]})
            else:
                self.answer(one.discovery())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(one.token({name: values[0] for name, values in parse_qs(body).items()}))

        def answer(self, content: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one = Provider(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()


def test_each_person_signs_in_and_sees_runs_of_their_own(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOGIN_VARIABLE, "1")
    root, port = tmp_path / "runs", real.free_port()
    with provider() as one:
        settings = tmp_path / "secrets.toml"
        settings.write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_urlsafe(48)}"\nclient_id = "{CLIENT}"\n'
            f'client_secret = "{SECRET}"\n'
            f'server_metadata_url = "{one.issuer}/.well-known/openid-configuration"\n'
        )
        of_alice = runs.folder_of_user(
            root.resolve(), one.issuer, hashlib.sha256(ALICE.encode()).hexdigest(), ALICE
        )
        run = made(of_alice, dataset_of("toy"), "one", {1: 0.5, 4: 2.0})
        options = ["--secrets.files", str(settings)]
        with real.serving(root, options, port=port) as served:
            page = browser.new_context().new_page()
            sign_in(page, f"{served.address}/?run={run.run_id}")
            sidebar = page.get_by_test_id("stSidebar")
            expect(sidebar.get_by_text(ALICE)).to_be_visible()
            expect(sidebar.get_by_role("button", name="one on toy")).to_be_visible()
            page.reload()  # the session outlives it
            expect(sidebar.get_by_text(ALICE)).to_be_visible()
            one.at_the_keyboard = BOB
            other = browser.new_context().new_page()
            sign_in(other, served.address)
            expect(other.get_by_test_id("stSidebar").get_by_text(BOB)).to_be_visible()
            other.goto(f"{served.address}/?run={run.run_id}")
            expect(other.get_by_text("There is no run")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            assert "Traceback" not in served.said()
