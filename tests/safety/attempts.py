"""Ways out, tried for real: a program that raises a wall around itself (or none) and then tries what it was told to.

`python attempts.py POLICY NAME,NAME TCP UDP ABSTRACT HOME PARENT` prints a line `name: reached` or `name: why not` for each; POLICY `none`
raises no wall. An attempt that returns has reached what it should not.
"""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import mmap
import os
import platform
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

from paperdesk.safety import wall

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
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise AttemptError("the child was refused")

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


def main(policy: str, names: str, *surroundings: str) -> None:
    ways = Ways(*surroundings)
    if policy != "none":
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
    main(*sys.argv[1:])
