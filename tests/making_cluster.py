"""A Ray cluster on this machine for the tests that need one."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

_PORTS = (
    "port",
    "dashboard-agent-grpc-port",
    "metrics-export-port",
    "runtime-env-agent-port",
)
_START_SECONDS = 240  # on a busy machine


@contextlib.contextmanager
def running_cluster(*, num_cpus: int) -> Iterator[str]:
    """Start a cluster with so many workers, and stop it in the end.

    `ray.init` would start one, too, in this process, and never wait for what it started, of which
    Python warns. Ray gives its helpers fifteen seconds to name their ports, which a busy machine
    exceeds: so most ports are given.

    Yields:
        Its address.
    """
    # Not pytest's folder: the path of a socket may have 107 characters.
    folder = tempfile.mkdtemp(prefix="ray-")
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    address = f"127.0.0.1:{ports['port']}"
    command = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
        *("--node-ip-address=127.0.0.1", f"--num-cpus={num_cpus}", f"--temp-dir={folder}"),
        *("--include-dashboard=false", "--disable-usage-stats"),
        *(f"--{name}={number}" for name, number in ports.items()),
    ]
    os.environ |= {
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(),  # of this cluster, and of whoever connects
        "RAY_raylet_start_wait_time_s": str(_START_SECONDS),
    }
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            end = time.monotonic() + _START_SECONDS
            while b"Ray runtime started" not in _content(log):
                assert process.poll() is None, _content(log).decode()
                assert time.monotonic() < end, _content(log).decode()
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def _content(log: "tempfile._TemporaryFileWrapper[bytes]") -> bytes:
    return os.pread(log.fileno(), 1 << 20, 0)


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens at now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
