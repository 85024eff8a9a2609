"""Ways out, tried for real: a program that raises a wall around itself (or none) and then tries what it was told to.

`python attempts.py POLICY NAME,NAME TCP UDP ABSTRACT HOME PARENT` prints a line `name: reached` or `name: why not` for each; POLICY `none`
raises no wall, and `up` runs that command first, which raises its own. An attempt that returns has reached what it should not. Without
arguments (`python -m tests.safety.attempts`) every attempt is made behind every policy, and a table says what refused it.
"""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import mmap
import multiprocessing
import os
import platform
import smtplib
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

from paperdesk.app.cli import main as paperdesk
from paperdesk.safety import wall

COMMAND = "up"
"""Named like a policy: what a run of one process has raised around itself."""
CONNECTING = """import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).sendall(b"hello")
"""
WAIT_S = 5
SEIZE = 0x4206
LIBC = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "x86_64": {"socket": 41, "connect": 42, "ptrace": 101},
    "aarch64": {"socket": 198, "connect": 203, "ptrace": 117},
}


class AttemptError(Exception):
    """An attempt that the kernel refused without a Python exception of its own."""


class Ways:
    """Every attempt as a method; the arguments of the program are its surroundings."""

    def __init__(self, tcp: str, udp: str, abstract: str, home: str, parent: str) -> None:
        self.tcp, self.udp, self.abstract, self.parent = int(tcp), int(udp), "\0" + abstract, int(parent)
        self.home = Path(home)
        self.url = f"http://127.0.0.1:{tcp}/x.parquet"

    def tcp_socket(self) -> None:
        socket.create_connection(("127.0.0.1", self.tcp), WAIT_S).sendall(b"hello")

    def raw_calls(self) -> None:
        numbers = CALLS[platform.machine()]
        made = LIBC.syscall(numbers["socket"], socket.AF_INET, socket.SOCK_STREAM, 0)
        address = (
            socket.AF_INET.to_bytes(2, sys.byteorder) + self.tcp.to_bytes(2, "big") + socket.inet_aton("127.0.0.1")
        )
        if made < 0 or LIBC.syscall(numbers["connect"], made, address + bytes(8), 16):
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def c_library(self) -> None:
        made = LIBC.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
        address = (
            socket.AF_INET.to_bytes(2, sys.byteorder) + self.tcp.to_bytes(2, "big") + socket.inet_aton("127.0.0.1")
        )
        if made < 0 or LIBC.connect(made, address + bytes(8), 16):
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def fast_open(self) -> None:
        with socket.socket() as made:
            made.sendto(b"hello", 0x20000000, ("127.0.0.1", self.tcp))

    def multipath(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as made:
            made.connect(("127.0.0.1", self.tcp))

    def six(self) -> None:
        with socket.socket(socket.AF_INET6) as made:
            made.connect(("::ffff:127.0.0.1", self.tcp))

    def http_client(self) -> None:
        http.client.HTTPConnection("127.0.0.1", self.tcp, timeout=WAIT_S).request("GET", "/")

    def url_opener(self) -> None:
        try:
            urllib.request.urlopen(self.url, timeout=WAIT_S)
        except http.client.RemoteDisconnected:
            return

    def event_loop(self) -> None:
        async def reach() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", self.tcp)
            writer.write(b"hello")
            await writer.drain()

        asyncio.run(reach())

    def tls_client(self) -> None:
        with socket.create_connection(("127.0.0.1", self.tcp), WAIT_S) as made:
            try:
                ssl.create_default_context().wrap_socket(made, server_hostname="canary.test")
            except ssl.SSLError:
                return

    def mail_client(self) -> None:
        try:
            smtplib.SMTP("127.0.0.1", self.tcp, timeout=WAIT_S)
        except smtplib.SMTPException:
            return

    def uv_loop(self) -> None:
        import uvloop  # type: ignore[import-untyped,import-not-found,unused-ignore]

        async def reach() -> None:
            await asyncio.open_connection("127.0.0.1", self.tcp)

        uvloop.run(reach())

    def spawned(self) -> None:
        child = os.posix_spawn(sys.executable, [sys.executable, "-c", CONNECTING, str(self.tcp)], os.environ)
        self._ended(child)

    def program_in_memory(self) -> None:
        place = os.memfd_create("program", 0)
        with Path(os.path.realpath(sys.executable)).open("rb") as program, os.fdopen(os.dup(place), "wb") as copy:
            copy.write(program.read())
        child = os.fork()
        if child == 0:
            try:
                os.execve(place, [sys.executable, "-c", CONNECTING, str(self.tcp)], os.environ)
            except OSError:
                os._exit(1)
        self._ended(child)

    def worker_pool(self) -> None:
        worker = multiprocessing.get_context("fork").Process(target=self.tcp_socket)
        worker.start()
        worker.join()
        if worker.exitcode:
            raise AttemptError("the worker was refused")

    def message_of_udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.sendmsg([b"hello"], [], 0, ("127.0.0.1", self.udp))

    def datagram_endpoint(self) -> None:
        async def reach() -> None:
            loop = asyncio.get_running_loop()
            way, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", self.udp))
            way.sendto(b"hello")
            way.close()

        asyncio.run(reach())

    def turned_listener(self) -> None:
        with socket.socket() as made:
            made.bind(("127.0.0.1", 0))
            made.listen()
            made.shutdown(socket.SHUT_RDWR)
            made.connect(("127.0.0.1", self.tcp))

    def stolen_socket(self) -> None:
        whole = LIBC.syscall(434, self.parent, 0)
        taken = LIBC.syscall(438, whole, 3, 0)
        if whole < 0 or taken < 0:
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def packets(self) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3) as made:
            made.bind(("lo", 0))

    def fault_handler(self) -> None:
        made = LIBC.syscall({"x86_64": 323, "aarch64": 282}[platform.machine()], 1)
        if made < 0:
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def environment_of_first(self) -> None:
        Path("/proc/1/environ").read_bytes()
        Path(f"/proc/{self.parent}/environ").read_bytes()

    def _ended(self, child: int) -> None:
        """Wait for a child; one that failed was refused."""
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise AttemptError("the child was refused")

    def datagram(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.sendto(b"hello", ("127.0.0.1", self.udp))

    def name_service(self) -> None:
        question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07canary1\x04test\0\0\x01\0\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.connect(("127.0.0.1", self.udp))
            made.send(question)

    def abstract_socket(self) -> None:
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(self.abstract)

    def polars_http(self) -> None:
        self._polars(self.url, None)

    def polars_s3(self) -> None:
        endpoint = {"aws_endpoint_url": f"http://127.0.0.1:{self.tcp}", "aws_allow_http": "true", "aws_region": "x"}
        keys: dict[str, object] = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self._polars("s3://bucket/x.parquet", {**endpoint, **keys, "max_retries": 0})

    def _polars(self, where: str, options: dict[str, object] | None) -> None:
        import polars

        polars.scan_parquet(where, storage_options=options or {"max_retries": 0}).collect()

    def pyarrow_s3(self) -> None:
        import pyarrow.fs  # type: ignore[import-untyped,import-not-found,unused-ignore]

        where = f"127.0.0.1:{self.tcp}"
        keys = {"access_key": "x", "secret_key": "x", "scheme": "http", "region": "x"}
        pyarrow.fs.S3FileSystem(endpoint_override=where, connect_timeout=2, request_timeout=2, **keys).get_file_info(
            "b/x"
        )

    def curl(self) -> None:
        subprocess.run(["curl", "--silent", "--max-time", str(WAIT_S), self.url], check=True, capture_output=True)

    def other_python(self) -> None:
        subprocess.run([sys.executable, "-c", CONNECTING, str(self.tcp)], check=True, capture_output=True)

    def fork(self) -> None:
        child = os.fork()
        if child == 0:
            try:
                self.tcp_socket()
            except OSError:
                os._exit(1)
            os._exit(0)
        self._ended(child)

    def other_namespace(self) -> None:
        for name in ("net", "user", "mnt"):
            place = os.open(f"/proc/{self.parent}/ns/{name}", os.O_RDONLY)
            if LIBC.setns(place, 0) and name == "net":
                raise AttemptError(os.strerror(ctypes.get_errno()))
        self.tcp_socket()

    def new_namespace(self) -> None:
        if LIBC.unshare(0x10000000):
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def ring(self) -> None:
        made = LIBC.syscall(425, 4, ctypes.create_string_buffer(120))
        if made < 0:
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def netlink(self) -> None:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def machines(self) -> None:
        socket.socket(40, socket.SOCK_STREAM)

    def trace(self) -> None:
        LIBC.syscall.restype = ctypes.c_long
        if LIBC.syscall(CALLS[platform.machine()]["ptrace"], SEIZE, self.parent, 0, 0):
            raise AttemptError(os.strerror(ctypes.get_errno()))

    def memory_of_parent(self) -> None:
        where = int(Path(f"/proc/{self.parent}/maps").read_text().split("-")[0], 16)
        with Path(f"/proc/{self.parent}/mem").open("rb", 0) as memory:
            memory.seek(where)
            memory.read(8)

    def write_log(self) -> None:
        with (self.home / "log").open("ab") as log:
            log.write(b"forged")

    def remove_log(self) -> None:
        (self.home / "log").rename(self.home / "gone")
        (self.home / "gone").rename(self.home / "log")

    def read_home(self) -> None:
        (self.home / "log").read_bytes()

    def old_calls(self) -> None:
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid of i386); int 0x80; ret
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


def run_command(home: Path) -> None:
    """A short run of `paperdesk up`, as the installed script does it, in this process."""
    given = sys.argv
    sys.argv = [
        "paperdesk",
        *"up --feed sim --speed max --events 2000 --strategy quoter --json --home".split(),
        str(home),
    ]
    try:
        paperdesk()
    except SystemExit as end:
        assert end.code == 0, end.code
    finally:
        sys.argv = given


def main(policy: str, names: str, *surroundings: str) -> None:
    ways = Ways(*surroundings)
    if policy == COMMAND:
        run_command(ways.home.parent / "desk")
    elif policy != "none":
        wall.raise_wall(wall.POLICIES[policy])
    for name in names.split(","):
        way: Callable[[], None] = getattr(ways, name)
        try:
            way()
            said = "reached"
        except BaseException as error:
            said = f"{type(error).__name__} {error}".splitlines()[0]
        os.write(1, f"{name}: {said}\n".encode())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        from tests.safety.canary import table

        print(table())
