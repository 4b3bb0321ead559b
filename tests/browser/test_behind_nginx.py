"""The page behind nginx, with the very configuration that the page about serving gives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driving import WORK, choose_smallest_encoder, fine_tune, set_number, settled, status, upload
from playwright.sync_api import Browser, expect
from toy import as_csv, toy_rows
from waiting import wait_until

from layerviz import runs
from layerviz.bench import browser as real

SERVING = real.ROOT / ".readme" / "serving.md"
HOST = "lab.localhost"  # which browsers take for this machine
USER, PASSWORD = "ada", "layers"
AROUND = """
daemon off;
{user}
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {server}
}}
"""


def certificate(home: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={HOST}", "-keyout", home / f"{HOST}.key", "-out", home / f"{HOST}.pem"],
        check=True,
        capture_output=True,
    )  # fmt: skip


@contextmanager
def nginx(home: Path, behind: str) -> Iterator[str]:
    """Start nginx before a server as the page about serving says; yield the public address."""
    (block,) = re.findall(r"```nginx\n(.*?)```", SERVING.read_text(encoding="utf-8"), re.DOTALL)
    port = real.free_port()
    for ours, here in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "lab.example.org": HOST,
        "/etc/nginx": str(home),
        "127.0.0.1:8501": behind,
    }.items():
        assert ours in block
        block = block.replace(ours, here)
    user = "user root;" if os.getuid() == 0 else ""  # else it gives up what reads these files
    certificate(home)
    (home / "layerviz.users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (home / "nginx.conf").write_text(AROUND.format(home=home, server=block, user=user))
    command = ["nginx", "-e", str(home / "error.log"), "-c", str(home / "nginx.conf")]
    with subprocess.Popen([*command, "-p", str(home)]) as process:
        try:
            wait_until(lambda: (home / "nginx.pid").exists() or process.poll() is not None, 30)
            assert process.poll() is None, (home / "error.log").read_text()
            yield f"https://{HOST}:{port}"
        finally:
            process.terminate()


def options() -> tuple[list[str], str]:
    """Return what the page about serving starts the app with: options, and the path."""
    text = SERVING.read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"streamlit_app\.py (--server\.headless.*)", text)
    words = command.replace("lab.example.org", HOST).split()
    at = words.index("--server.baseUrlPath")
    return [*words[:at], *words[at + 2 :]], words[at + 1]


def test_a_file_is_uploaded_and_trained_on_through_a_proxy_with_login_and_path(
    browser: Browser, tmp_path: Path
) -> None:
    for program in ("nginx", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install {program})")
    given, path = options()
    root = tmp_path / "runs"
    with (
        real.serving(root, given, base_path=path) as served,
        nginx(tmp_path, served.address.removeprefix("http://").removesuffix(path)) as address,
    ):
        stranger = browser.new_context(ignore_https_errors=True)
        refused = stranger.request.get(f"{address}{path}/".replace(HOST, "127.0.0.1"))
        assert refused.status == 401
        stranger.close()

        context = browser.new_context(
            ignore_https_errors=True, http_credentials={"username": USER, "password": PASSWORD}
        )
        page = context.new_page()
        page.set_default_timeout(120_000)
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        reached = page.goto(f"{address}{path}")
        assert reached is not None
        assert reached.ok
        upload(page, as_csv(toy_rows(120)), "toy.csv")
        choose_smallest_encoder(page)
        set_number(page, "Epochs", 1)
        fine_tune(page)
        expect(status(page, "Done")).to_be_visible(timeout=WORK)
        page.reload()  # another connection finds the run again by its address
        expect(status(page, "Done")).to_be_visible()
        settled(page)
        (run,) = runs.list_runs(root)
        assert page.url.startswith(f"{address}{path}/?")
        assert f"run={run.run_id}" in page.url
        assert set(sockets) == {f"{address.replace('https', 'wss')}{path}/_stcore/stream"}
        context.close()
