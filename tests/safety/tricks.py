"""What a hostile strategy tries: bodies of `on_quote`, each with what must be told of it; `{tcp}`, `{udp}`, `{home}` are filled in.

A trick that gets what it wants raises ACHIEVED. One without words to be told is not stopped: it gains nothing, and goes on.
"""

from __future__ import annotations

REFUSED = "PermissionError"
LATE = "did not return within"
GONE = "ended by itself with code 1|closed its pipe to the desk"
CTYPES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *given):
    if libc.syscall(number, *given) >= 0:
        raise RuntimeError('ACHIEVED')
    raise OSError(ctypes.get_errno(), 'refused')
"""
FRAME = """
import os, struct, sys
def found():
    frame = sys._getframe()
    while frame:
        if 'answers' in frame.f_locals and 'number' in frame.f_locals:
            return frame.f_locals
        frame = frame.f_back
def forged(kind=20, number=None, body=b'', size=None):
    own = found()
    head = struct.pack('<BII', kind, own['number'] if number is None else number, len(body) if size is None else size)
    os.write(own['answers'], head + body)
"""


def raw(number: int, *given: str) -> str:
    """A system call of x86_64 by its number."""
    return f"{CTYPES}call({', '.join([str(number), *given])})"


PROCESSES = {
    "fork bomb": ("import os\nwhile True: os.fork()", REFUSED),
    "threads": ("import threading\nwhile True: threading.Thread(target=input).start()", "can't start new thread"),
    "subprocess": ("import subprocess\nsubprocess.run(['true'])", REFUSED),
    "multiprocessing": ("import multiprocessing as m\nm.get_context('fork').Process(target=print).start()", REFUSED),
    "a pool of processes": ("import multiprocessing as m\nm.get_context('spawn').Pool(2)", REFUSED),
    "an own program in memory": ("import os\nos.memfd_create('x')", REFUSED),
    "another program instead": ("import os, sys\nos.execv(sys.executable, ['python'])", REFUSED),
    "kills the desk": ("import os\nos.kill(os.getppid(), 9)", REFUSED),
    "kills everything": ("import os\nos.kill(-1, 9)", REFUSED),
    "stops the desk by its group": ("import os\nos.killpg(0, 19)", REFUSED),
    "ends itself": ("import signal\nsignal.raise_signal(9)", "ended by SIGKILL|PermissionError"),
    "leaves": ("import os\nos._exit(0)", "ended by itself with code 0"),
    "leaves the desk's care": (f"{CTYPES}call(157, 1, 0, 0, 0, 0)", REFUSED),
    "leaves its session": ("import os\nos.setsid()", REFUSED),
    "raises its own limits": ("import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1))", "PermissionError|ValueError"),
    "takes more of the machine": ("import os\nos.nice(-20)", REFUSED),
    "an alarm for later": ("import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.1)", "PermissionError|itimer_error"),
    "calls of i386": (
        "import ctypes, mmap\ncode = mmap.mmap(-1, 4096, prot=7)\ncode.write(bytes.fromhex('b814000000cd80c3'))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
        "ended by SIGSYS|PermissionError",
    ),
    "another filter": (raw(317, "0", "0", "0"), REFUSED),
    "traces the desk": (raw(101, "16", "os.getppid()", "0", "0"), REFUSED),
    "reads the desk's memory by a call": (raw(310, "os.getppid()", "0", "0", "0", "0", "0"), REFUSED),
    "takes the desk's descriptors": (raw(438, "3", "0", "0"), REFUSED),
    "a ring of calls": (raw(425, "4", "ctypes.create_string_buffer(120)"), REFUSED),
    "faults of its own": (raw(323, "1"), REFUSED),
    "programs for the kernel": (raw(321, "0", "0", "0"), REFUSED),
    "keys of the kernel": (raw(250, "0", "-3", "0"), REFUSED),
    "counters of the kernel": (raw(298, "0", "0", "-1", "-1", "0"), REFUSED),
    "shared memory of old": (raw(29, "0", "4096", "0o1777"), REFUSED),
    "a namespace": (raw(272, "0x10000000"), REFUSED),
    "another root": ("import os\nos.chroot('/')", REFUSED),
}
RESOURCES = {
    "loops": ("while True: pass", LATE),
    "sleeps": ("import time\ntime.sleep(1e6)", LATE),
    "eats memory": ("kept = [bytearray(1 << 26) for _ in range(10_000)]", "MemoryError"),
    "eats memory at once": ("kept = bytearray(1 << 40)", "MemoryError"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "recursion without a limit": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return max(range(3), key=lambda k: f(n + 1))\nf(0)",
        "ended by SIGSEGV|MemoryError|RecursionError|did not return",
    ),
    "crashes": ("import ctypes\nctypes.string_at(8)", "ended by SIGSEGV"),
    "prints without end": (
        "while True: print('x' * 1000, flush=True)",
        "printed more than 1 MiB at once|BlockingIOError",
    ),
    "writes gigabytes to its output": (
        "import os\nwhile True:\n    try: os.write(1, b'x' * 65536)\n    except BlockingIOError: pass",
        "printed more than 1 MiB at once",
    ),
    "thousands of commands": (
        "for _ in range(3_000): ctx.buy_lots(quote.symbol, 1)",
        "3,000 commands in answer to one event",
    ),
    "commands without end": ("while True: ctx.buy_lots(quote.symbol, 1)", f"{LATE}|MemoryError"),
    "swallows signals": (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        LATE,
    ),
    "silences the traceback": (
        "import faulthandler, signal\nfaulthandler.disable()\ntry: faulthandler.unregister(signal.SIGUSR2)\nexcept OSError: pass\n"
        "while True: pass",
        LATE,
    ),
    "spins in a finaliser": ("class D:\n    def __del__(self):\n        while True: pass\nD()", LATE),
    "a file that grows": ("import os\nos.ftruncate(1, 1 << 40)", "Error"),
    "exits": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "exits later": (
        "import atexit, sys\ndef f():\n    while True: pass\natexit.register(f)\nsys.exit(3)",
        "SystemExit: 3",
    ),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "an error that cannot be told": ("class E(BaseException):\n    def __str__(self): raise self\nraise E", "E"),
    "an error that steers a terminal": ("raise ValueError('\\x1b[2J' * 100_000)", r"ValueError: \?\[2J|\?\[2J"),
    "an error as long as a book": ("raise ValueError('x' * (1 << 26))", "xxx"),
}
TALK = {
    "closes everything": ("import os\nos.closerange(0, 1024)", GONE),
    "closes its answer": ("import os\nfor fd in range(3, 1024):\n    try: os.close(fd)\n    except OSError: pass", GONE),
    "puts nothing in place of its answer": (
        "import os\nnull = os.open('/dev/null', os.O_RDONLY)\nfor fd in range(3, 1024):\n    try: os.dup2(null, fd)\n    except OSError: pass",
        f"{LATE}|{GONE}|Too many open files",
    ),
    "writes garbage": (
        "import os\nfor fd in range(3, 1024):\n    try: os.write(fd, b'x' * 100)\n    except OSError: pass",
        "into its pipe that are no answer",
    ),
    "answers by itself too": (f"{FRAME}forged()", "into its pipe"),
    "answers and spins": (f"{FRAME}forged()\nwhile True: pass", f"{LATE}|of CPU time"),
    "answers for later": (f"{FRAME}forged(number=found()['number'] + 1)", "into its pipe"),
    "an answer without end": (f"{FRAME}forged(size=2**32 - 1)", "into its pipe that are no answer"),
    "an answer of another kind": (f"{FRAME}forged(kind=99)", "into its pipe that are no answer"),
    "a failure that is none": (f"{FRAME}forged(kind=21, body=b'not msgpack')\nraise ValueError", "its answer|into its pipe"),
    "half an answer": (f"{FRAME}forged(size=1000, body=b'x')\nwhile True: pass", LATE),
    "reads its questions away": (f"{FRAME}os.read(found()['requests'], 100)", LATE),
    "commands of its own making": (
        "import sys\nsys.modules['__main__'].packed = lambda rows: b'\\x15' * 1000",
        "which are no commands|is not one that a bot may send",
    ),
    "commands of another bot": (
        "import gc\nfor one in gc.get_objects():\n    if type(one).__name__ == 'View': one.bot = 1\nctx.buy_lots(quote.symbol, 1)",
        "is not one that a bot may send",
    ),
    "commands of another account": (
        "import gc\nfor one in gc.get_objects():\n    if type(one).__name__ == 'View': one.account = 7\nctx.buy_lots(quote.symbol, 1)",
        "is not one that a bot may send",
    ),
    "money from nowhere": (
        "from paperdesk.domain import commands\nfrom paperdesk.domain.instruments import Asset\n"
        "row = commands.deposit(0, Asset(0, 'USDT', 8), 10**12)\nrow['bot'] = 2\nctx.commands.append(row)",
        "no commands that a bot may send",
    ),
    "ends the other bot": (
        "from paperdesk.domain import commands\nctx.commands.append(commands.stop_bot(0, 1, 0))",
        "is not one that a bot may send|Error",
    ),
    "breaks the house's words": ("import builtins\nbuiltins.len = None", "."),
    "breaks the house's modules": ("import sys\nfor name in list(sys.modules):\n    if name.startswith('paperdesk'): del sys.modules[name]", None),
    "traces the house": ("import sys\nsys.settrace(lambda *given: 1 / 0)", "ZeroDivisionError|ended by itself"),
    "forgets how to answer": ("import sys\nsys.modules['__main__'].write = lambda *given: None", LATE),
    "a command that is no command": ("ctx.commands.append(b'x' * 1000)", "."),
    "deals with a market that is not there": ("ctx.buy_lots('DOGE/USDT', 1)", "KeyError"),
    "collects without end": ("import gc\ngc.disable()\ngc.set_threshold(1)", None),
}  # fmt: skip
FILES = {
    "opens the home": ("open('{home}/log').read()", REFUSED),
    "opens passwords": ("open('/etc/passwd').read()", REFUSED),
    "lists the root": ("import os\nos.listdir('/')", REFUSED),
    "lists the home": ("import os\nos.listdir('{home}')", REFUSED),
    "its environment": ("import os\nraise RuntimeError(f'environment {{dict(os.environ)}}')", "environment {}"),
    "the desk's environment": ("import os\nopen(f'/proc/{{os.getppid()}}/environ').read()", REFUSED),
    "the first process's environment": ("open('/proc/1/environ').read()", REFUSED),
    "the desk's memory": ("import os\nopen(f'/proc/{{os.getppid()}}/mem', 'rb')", REFUSED),
    "its own memory": ("open('/proc/self/mem', 'r+b')", REFUSED),
    "writes beside": ("open('{home}/forged', 'w')", REFUSED),
    "a temporary file": ("import tempfile\ntempfile.TemporaryFile()", "FileNotFoundError|PermissionError"),
    "makes a folder": ("import os\nos.mkdir('{home}/forged')", REFUSED),
    "makes a link": ("import os\nos.symlink('/', '{home}/forged')", REFUSED),
    "makes a device": ("import os\nos.mkfifo('{home}/forged')", REFUSED),
    "removes the log": ("import os\nos.unlink('{home}/log')", REFUSED),
    "renames the log": ("import os\nos.rename('{home}/log', '{home}/forged')", REFUSED),
    "empties the log": ("import os\nos.truncate('{home}/log', 0)", REFUSED),
    "opens the log to all": ("import os\nos.chmod('{home}/log', 0o777)", REFUSED),
    "makes the log old": ("import os\nos.utime('{home}/log', (0, 0))", REFUSED),
    "changes the house's code": ("from paperdesk.domain import reasons\nopen(reasons.__file__, 'a')", REFUSED),
    "changes Python's code": ("import os\nopen(os.__file__, 'a')", REFUSED),
    "shared memory": (
        "from multiprocessing import shared_memory\nshared_memory.SharedMemory('forged', True, 4096)",
        REFUSED,
    ),
    "a database": ("import sqlite3\nsqlite3.connect('{home}/forged')", "unable to open|PermissionError"),
    "maps its output": ("import mmap\nmmap.mmap(1, 10)", "Error"),
}
NETWORK = {
    "a socket": ("import socket\nsocket.create_connection(('127.0.0.1', {tcp}))", REFUSED),
    "a datagram": ("import socket\nsocket.socket(2, 2).sendto(b'x', ('127.0.0.1', {udp}))", REFUSED),
    "a name": ("import socket\nsocket.getaddrinfo('canary.test', 80)", "gaierror|PermissionError"),
    "a socket of the C library": (
        f"{CTYPES}if libc.socket(2, 1, 0) < 0: raise OSError(ctypes.get_errno(), 'refused')",
        REFUSED,
    ),
    "a socket by its number": (raw(41, "2", "1", "0"), REFUSED),
    "a pair of sockets": ("import socket\nsocket.socketpair()", REFUSED),
    "a local socket": ("import socket\nsocket.socket(socket.AF_UNIX)", REFUSED),
    "sends over its pipes": (
        "import os, socket, stat\nfor fd in range(64):\n    try: mode = os.fstat(fd).st_mode\n    except OSError: continue\n"
        "    if stat.S_ISSOCK(mode): raise RuntimeError('ACHIEVED')\nsocket.socket(2, 1, 0, fileno=3).sendmsg([b'x'], [(1, 1, b'')])",
        "Error",
    ),
    "asyncio": (
        "import asyncio\nasync def f(): await asyncio.open_connection('127.0.0.1', {tcp})\nasyncio.run(f())",
        REFUSED,
    ),
    "uvloop": (
        "import asyncio, uvloop\nasync def f(): await asyncio.open_connection('127.0.0.1', {tcp})\nuvloop.run(f())",
        ".",
    ),
    "urllib": ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{tcp}/')", REFUSED),
    "ssl": ("import ssl\nssl.get_server_certificate(('127.0.0.1', {tcp}))", REFUSED),
    "mail": ("import smtplib\nsmtplib.SMTP('127.0.0.1', {tcp})", REFUSED),
    "aiohttp": (
        "import asyncio, aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s: await s.get('http://127.0.0.1:{tcp}/')\n"
        "asyncio.run(f())",
        ".",
    ),
    "the desk's own door": (
        "import asyncio\nfrom paperdesk.safety.door import Door\nasync def f():\n    async with Door() as door:\n"
        "        await door.get('https://data-api.binance.vision/api/v3/ping')\nasyncio.run(f())",
        ".",
    ),
    "polars": ("import polars\npolars.read_csv('http://127.0.0.1:{tcp}/x.csv')", "."),
    "polars in the cloud": ("import polars\npolars.scan_parquet('http://127.0.0.1:{tcp}/x.parquet').collect()", "."),
    "pyarrow": (
        "import pyarrow.fs as f\nf.S3FileSystem(endpoint_override='127.0.0.1:{tcp}', access_key='x', secret_key='x', scheme='http',"
        " region='x', connect_timeout=2, request_timeout=2).get_file_info('b/x')",
        ".",
    ),
    "compiled code": (
        "import numba, ctypes\nsocket = ctypes.CDLL(None).socket\nsocket.argtypes = [ctypes.c_int] * 3\n"
        "@numba.njit\ndef f(): return socket(2, 1, 0)\nif f() < 0: raise PermissionError",
        ".",
    ),
}
TRICKS = {**PROCESSES, **RESOURCES, **TALK, **FILES, **NETWORK}
NEEDS = {"uvloop": "uvloop", "pyarrow": "pyarrow"}
"""Packages without which a trick cannot be tried."""
