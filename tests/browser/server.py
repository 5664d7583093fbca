"""The app in a server process of its own, as `make run` starts it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 120.0  # seconds; two busy cores need about ten


@dataclass(frozen=True)
class Server:
    """A server that answers, with the file that its output goes to."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serve(folder: Path, app: Path = ROOT / "app.py") -> Iterator[Server]:
    """Serve the app on a free loopback port with an empty home in `folder`; ends with the block."""
    server = start(folder, app)
    try:
        wait_until_healthy(server)
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def start(folder: Path, app: Path = ROOT / "app.py") -> Server:
    """Start the server process and return at once."""
    port = _free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(f"http://127.0.0.1:{port}", log, process)


def wait_until_healthy(server: Server) -> None:
    """Return when the server answers its health check; fail with its log when it does not."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{server.log.read_text(errors='replace')}")


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment with a home of the server's own and without MNIST."""
    environment = {key: value for key, value in os.environ.items() if key != "MNIST_DATA_DIR"}
    environment |= {
        "DIGIT_LAB_HOME": str(folder / "digit-lab-home"),
        "KERAS_HOME": str(folder / "keras-home"),
        "PYTHONUNBUFFERED": "1",
    }
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
