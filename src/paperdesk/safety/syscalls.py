"""The kernel's entry points that the walls name, and how this process calls them without a wrapper of the C library.

Numbers from the kernel's own tables (`arch/x86/entry/syscalls/syscall_64.tbl`, `include/uapi/asm-generic/unistd.h`); they never change.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

_TABLE: Final = """
accept:43:202 accept4:288:242 access:21: acct:163:89 add_key:248:217 arch_prctl:158: bind:49:200 bpf:321:280
brk:12:214 capset:126:91 chdir:80:49 chroot:161:51 clock_getres:229:114 clock_gettime:228:113 clock_nanosleep:230:115
clock_settime:227:112 clone:56:220 clone3:435:435 close:3:57 connect:42:203 delete_module:176:106 dup:32:23 dup2:33:
dup3:292:24 epoll_create1:291:20 epoll_ctl:233:21 epoll_pwait:281:22 epoll_wait:232: eventfd2:290:19 execve:59:221
execveat:322:281 exit:60:93 exit_group:231:94 faccessat:269:48 faccessat2:439:439 fadvise64:221:223 fchdir:81:50
fcntl:72:25 finit_module:313:273 flock:73:32 fork:57: fsconfig:431:431 fsmount:432:432 fsopen:430:430 fspick:433:433
fstat:5:80 fstatfs:138:44 futex:202:98 getcpu:309:168 getcwd:79:17 getdents64:217:61 getegid:108:177 geteuid:107:175
getgid:104:176 getpid:39:172 getppid:110:173 getrandom:318:278 getrlimit:97:163 getrusage:98:165 gettid:186:178
gettimeofday:96:169 getuid:102:174 init_module:175:105 io_uring_enter:426:426 io_uring_register:427:427
io_uring_setup:425:425 ioctl:16:29 ioperm:173: iopl:172: kcmp:312:272 kexec_file_load:320:294 kexec_load:246:104
keyctl:250:219 landlock_add_rule:445:445 landlock_create_ruleset:444:444 landlock_restrict_self:446:446 listen:50:201
lseek:8:62 lstat:6: madvise:28:233 membarrier:324:283 mincore:27:232 mmap:9:222 mount:165:40 mount_setattr:442:442
move_mount:429:429 mprotect:10:226 mremap:25:216 munmap:11:215 nanosleep:35:101 newfstatat:262:79 open:2:
openat2:437:437
open_by_handle_at:304:265 open_tree:428:428 open_tree_attr:467:467 openat:257:56 perf_event_open:298:241
personality:135:92 pidfd_getfd:438:438 pipe:22: pipe2:293:59 pivot_root:155:41 poll:7: ppoll:271:73 prctl:157:167
pread64:17:67 prlimit64:302:261 process_madvise:440:440 process_vm_readv:310:270 process_vm_writev:311:271
pselect6:270:72 ptrace:101:117 quotactl:179:60 read:0:63 readlink:89: readlinkat:267:78 readv:19:65 reboot:169:142
request_key:249:218 restart_syscall:219:128 rseq:334:293 rt_sigaction:13:134 rt_sigreturn:15:139
sched_getaffinity:204:123 sched_yield:24:124 seccomp:317:277 select:23: sendmmsg:307:269 sendmsg:46:211 sendto:44:206
set_robust_list:273:99 setdomainname:171:162 sethostname:170:161 setns:308:268 settimeofday:164:170
sigaltstack:131:132 socket:41:198 stat:4: statfs:137:43 statx:332:291 swapoff:168:225 swapon:167:224 sysinfo:99:179
syslog:103:116 tgkill:234:131 time:201: times:100:153 umount2:166:39 uname:63:160 unshare:272:97 userfaultfd:323:282
vfork:58: write:1:64 writev:20:66
copy_file_range:326:285 fallocate:285:47 fchmod:91:52 fdatasync:75:83 fsync:74:82 ftruncate:77:46 get_robust_list:274:100
kill:62:129 memfd_create:319:279 mkdir:83: mkdirat:258:34 pidfd_send_signal:424:424 pwrite64:18:68 pwritev:296:70 rename:82:
renameat:264:38 renameat2:316:276 rmdir:84: rt_sigprocmask:14:135 rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240
sched_setaffinity:203:122 set_tid_address:218:96 tkill:200:130 umask:95:166 unlink:87: unlinkat:263:35
"""
"""`name:number on x86_64:number on aarch64`; empty where an architecture does without."""

ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine → column of the table, and AUDIT_ARCH as a filter sees it (`linux/audit.h`)."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def numbers(machine: str = platform.machine()) -> dict[str, int]:
    """Name → number on a machine; KeyError where it is neither x86_64 nor aarch64."""
    column = ARCHITECTURES[machine][0]
    rows = (entry.split(":") for entry in _TABLE.split())
    return {name: int(places[column]) for name, *places in rows if places[column]}


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call by name; its answer. OSError as the kernel refuses, ENOSYS where this machine has no such call."""
    try:
        number = numbers()[name]
    except KeyError:
        raise OSError(38, f"{name} on {platform.machine()}") from None
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = int(_LIBC.syscall(ctypes.c_long(number), *words))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return answer


def prctl(option: int, *arguments: int) -> int:
    """`prctl(2)`; OSError as the kernel refuses."""
    return call("prctl", option, *arguments, *([0] * (4 - len(arguments))))
