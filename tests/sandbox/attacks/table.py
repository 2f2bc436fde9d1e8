"""Attacks that must fail inside the seal, each with a control that shows it works outside.

`code` runs as an agent's Python tool would run it. It calls `escaped()` only when it really got
hold of something; `BAIT` (see `bait.py`) holds what there is to get. `before` runs earlier, in a
run of its own, for attacks from one run on another; with `beside` it still runs meanwhile. On the
first rung all runs of a suite are copies of the same template, as they are in a server.
"""

from dataclasses import dataclass
from typing import Literal

from sandbox.limits import Limits

Group = Literal[
    "network", "files", "credentials", "processes", "resources", "kernel", "broker", "cross-run"
]

PRELUDE = """
import ctypes, errno, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == "aarch64"
def escaped(*_): print("ESCAPED")
def readable(path):
    "A file that two runs may open: the bait outside, a module of the runtime inside."
    try: open(path).close()
    except OSError: return os.__file__
    return path
def call(x86, arm, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(arm if ARM else x86, *arguments)
    return result, ctypes.get_errno()
def reach(x86, arm, *arguments):
    "Escaped when the kernel looked at the arguments instead of refusing the call."
    result, error = call(x86, arm, *arguments)
    if result >= 0 or error not in (errno.EPERM, errno.EACCES, errno.ENOSYS): escaped()
"""


USUAL = Limits(wall_s=8.0, cpu_s=4.0, memory_mib=256)


@dataclass(frozen=True)
class Attack:
    """One attempt. `control` says who can show that it works outside; "root" needs rights that an
    ordinary user lacks anyway."""

    group: Group
    name: str
    code: str
    before: str = ""
    beside: bool = False
    control: Literal["any", "root"] = "any"
    limits: Limits = USUAL


NETWORK = {
    "a TCP connection to the host": """
with socket.create_connection(("127.0.0.1", BAIT["port"]), 2): escaped()""",
    "a UDP datagram": """
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)); escaped()""",
    "an IPv6 socket": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM); escaped()",
    "a socket to the hypervisor (AF_VSOCK crosses network namespaces)": "reach(41, 198, 40, 1, 0)",
    "a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); escaped()",
    "the host's UNIX socket by path": """
s = socket.socket(socket.AF_UNIX); s.connect(BAIT["unix"]); escaped()""",
    "the host's abstract UNIX socket": """
s = socket.socket(socket.AF_UNIX); s.connect("\\0" + BAIT["abstract"]); escaped()""",
    "a datagram to a UNIX address from a socket pair": """
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.sendto(b"x", BAIT["datagram"]); escaped()""",
    "a listening server for others": """
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); escaped()""",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW); escaped()",
}

FILES = {
    "reading a file of the host": "if open(BAIT['file']).read() == BAIT['value']: escaped()",
    "writing a file of the host": "open(BAIT['file'], 'a').write('changed'); import hashlib",
    "listing the host's home": "os.listdir(os.path.dirname(BAIT['file'])); escaped()",
    "reading the password file": "if 'root' in open('/etc/passwd').read(): escaped()",
    "following a link out": """
os.symlink(BAIT['file'], 'link')
if open('link').read() == BAIT['value']: escaped()""",
    "a hard link out": """
os.link(BAIT['file'], 'hard')
if open('hard').read() == BAIT['value']: escaped()""",
    "a way up through dots": """
if open('../' * 40 + BAIT['file'].lstrip('/')).read() == BAIT['value']: escaped()""",
    "a way up through a descriptor": """
for n in range(3, 64):
    try: fd = os.open('../' * 40 + BAIT['file'].lstrip('/'), os.O_RDONLY, dir_fd=n)
    except OSError: continue
    escaped()
fd = os.open('.', os.O_RDONLY)
if os.open('../' * 40 + BAIT['file'].lstrip('/'), os.O_RDONLY, dir_fd=fd): escaped()""",
    "changing the runtime's own modules": """
path = readable(BAIT['module'])
with open(path, 'a'): escaped()""",
    "changing a mode on the host": "os.chmod(BAIT['file'], 0o600); escaped()",
    "changing a time on the host": "os.utime(BAIT['file'], (1, 1)); escaped()",
    "an extended attribute on the host": """
os.setxattr(BAIT['file'], 'user.x', b'1'); escaped()""",
    "moving a file of the host": "os.rename(BAIT['file2'], BAIT['file2'] + '.moved')",
    "truncating a file of the host": "os.truncate(BAIT['file'], 0)",
    "deleting a file of the host": "os.unlink(BAIT['file2'])",
    "changing an uploaded file": """
for path in ('x.csv', '/data/x.csv', BAIT['inbox'] + '/x.csv'):
    try: open(path, 'r+').write('x')
    except OSError: continue
    escaped()""",
    "a device of the host": """
for name in ('mem', 'kmsg', 'vda', 'tty', 'ptmx', 'loop0', 'fuse'):
    try: os.open('/dev/' + name, os.O_RDWR)
    except OSError: continue
    escaped()""",
    "an opening by handle": """
handle = ctypes.create_string_buffer(b"\\x80\\0\\0\\0" + bytes(140), 144)
reach(303, 264, -100, b".", handle, ctypes.byref(ctypes.c_int()), 0)""",
}

CREDENTIALS = {
    "the server's environment": """
if BAIT['value'] in str(os.environ): escaped()
for pid in BAIT['pids'] + [1, os.getppid(), 'self']:
    try: text = open(f'/proc/{pid}/environ').read()
    except OSError: continue
    if BAIT['value'] in text: escaped()""",
    "another process's memory through /proc": """
with open(f"/proc/{BAIT['victim']}/mem", 'rb') as f: escaped()""",
    "another process's command line": """
for pid in [*range(1, 64), BAIT['victim']]:
    try: text = open(f'/proc/{pid}/cmdline').read()
    except OSError: continue
    if BAIT['argument'] in text: escaped(); break""",
    "the kernel's keyring": "reach(250, 219, 0, -3, 1)",
    "a key of the host": "reach(249, 218, b'user', b'x', b'y', 0)",
    "an inherited descriptor": """
if os.pread(BAIT['leak'], 64, 0).decode('latin1') == BAIT['value']: escaped()""",
}

PROCESSES = {
    "a child process": """
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0); escaped()""",
    "another program": """
import subprocess
subprocess.run(['/bin/true'] if os.path.exists('/bin/true') else [sys.executable, '-c', ''])
escaped()""",
    "becoming another program": """
try: os.execv(BAIT['script'], ['x'])
except OSError as error:
    if error.errno == errno.ENOEXEC: escaped()""",
    "a process by posix_spawn": """
os.posix_spawn(BAIT['program'], ['echo'], {}); escaped()""",
    "a process by clone3": """
wanted = ctypes.create_string_buffer(b"\\0" * 32 + b"\\x11" + bytes(55), 88)
result, error = call(435, 435, wanted, 88)
if result == 0: os._exit(0)
if result > 0: escaped()""",
    "a program from memory": """
fd = os.memfd_create('x'); os.write(fd, b'#!'); escaped()""",
    "killing another process": "os.kill(BAIT['victim'], 15); escaped()",
    "tracing another process": "reach(101, 117, 16, BAIT['victim'], 0, 0)",
    "reading another process's memory": """
buffer = ctypes.create_string_buffer(8)
class V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]
local, remote = V(ctypes.addressof(buffer), 8), V(BAIT['address'], 8)
result, error = call(310, 270, BAIT['victim'], ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
if result > 0: escaped()""",
    "a descriptor of another process": """
result, error = call(434, 434, BAIT['victim'], 0)
if result >= 0: escaped()""",
    "limiting another process": """
import resource
resource.prlimit(BAIT['victim'], resource.RLIMIT_CPU, (1000, 1000)); escaped()""",
    "a daemon that outlives the run": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(20)
    os._exit(0)
escaped()""",
}

KERNEL = {
    "a user namespace": "reach(272, 97, 0x10000000)",
    "a mount namespace": "reach(272, 97, 0x00020000 | 0x10000000)",
    "a namespace by clone": """
result, error = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)
if result == 0: os._exit(0)
if result > 0: escaped()""",
    "another's namespace": """
fd = os.open(f"/proc/{BAIT['victim']}/ns/net", os.O_RDONLY); escaped()""",
    "BPF": "reach(321, 280, 5, ctypes.create_string_buffer(144), 120)",
    "performance events": """
attributes = ctypes.create_string_buffer(b"\\x01\\0\\0\\0\\x70\\0\\0\\0" + bytes(120), 128)
reach(298, 241, attributes, 0, -1, -1, 0)""",
    "userfaultfd": "reach(323, 282, 1)",
    "io_uring": "reach(425, 425, 8, ctypes.create_string_buffer(120))",
    "a 32-bit call (other numbers, other checks)": """
import mmap
if ARM: raise SystemExit
page = mmap.mmap(-1, 4096, prot=7)
# mov eax, 20 (getpid of the 32-bit table); int 0x80; ret
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
if ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0: escaped()""",
    "vmsplice": "reach(278, 75, -1, None, 0, 0)",
    "another personality": "reach(135, 92, 0x0040000)",
    "a swap file": "reach(167, 224, b'/nowhere', 0)",
    "a reboot (with a wrong magic number)": "reach(169, 142, 1, 2, 3, None)",
    "a mount": "reach(165, 40, b'none', b'/nowhere', b'tmpfs', 0, None)",
    "a new root": "reach(161, 51, b'.')",
    "the clock": "reach(227, 112, 0, ctypes.create_string_buffer(b'\\xff' * 16))",
    "injecting keys into a terminal": """
import fcntl
for n in range(3):
    try: fcntl.ioctl(n, 0x5412, b'x')
    except OSError as error:
        if error.errno != 1: escaped()""",
    "root's uid": "os.setresuid(0, 0, 0); os.setgroups([0]); escaped()",
    "a capability": """
class Sets(ctypes.Structure): _fields_ = [(n, ctypes.c_uint32) for n in 'epiEPI']
sets = Sets()
call(125, 90, ctypes.byref((ctypes.c_uint32 * 2)(0x20080522, 0)), ctypes.byref(sets))
kept = [n for n in range(41) if libc.prctl(23, n, 0, 0, 0) == 1]
if sets.e or sets.p or sets.E or sets.P or (kept and BAIT['bounded']): escaped()""",
    "outliving the server": """
if libc.prctl(1, 0, 0, 0, 0) == 0: escaped()""",
    "a set-uid file": """
open('x', 'w').close(); os.chmod('x', 0o4755)
os.chown('x', 0, 0); escaped()""",
}

RESOURCES = {
    "more memory than the limit": "x = bytearray(600 << 20); escaped()",
    "memory in small pieces": """
x = []
while len(x) < 600: x.append(b'y' * (1 << 20))
escaped()""",
    "shared anonymous memory": """
import mmap
m = mmap.mmap(-1, 600 << 20); m[:: 4096] = b'x' * len(range(0, 600 << 20, 4096)); escaped()""",
    "memory in a memfd": """
fd = os.memfd_create('x')
for _ in range(600): os.write(fd, bytes(1 << 20))
escaped()""",
    "System V shared memory": "reach(29, 194, 0, 1 << 20, 0o1600)",
    "a full disk": """
total = 0
for folder in ('.', BAIT['temporary']):
    for n in range(15):
        try:
            with open(f'{folder}/fill-{n}', 'wb', buffering=0) as f:
                for _ in range(9): total += f.write(bytes(1 << 20))
        except OSError: continue
time.sleep(0.2)
if total > 200 << 20: escaped()""",
    "all the inodes": """
made = 0
for n in range(9000):
    try: open(f'i{n}', 'w').close(); made += 1
    except OSError: break
time.sleep(0.2)
if made >= 9000: escaped()""",
    "one huge file": """
with open('huge', 'wb') as f:
    for _ in range(120): f.write(bytes(1 << 20))
if os.path.getsize('huge') >= 120 << 20: escaped()""",
    "a sparse file beyond the limit": """
fd = os.open('sparse', os.O_CREAT | os.O_WRONLY); os.ftruncate(fd, 1 << 33); escaped()""",
    "a thousand threads": """
import threading
threading.stack_size(65536)
stop = threading.Event()
try:
    for _ in range(1000): threading.Thread(target=stop.wait, daemon=True).start()
    escaped()
except (RuntimeError, MemoryError): pass
finally: stop.set()""",
    "a fork bomb": """
for _ in range(20):
    if os.fork() == 0: time.sleep(1); os._exit(0)
escaped()""",
    "thousands of open files": """
import resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
try: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
except (OSError, ValueError): pass
kept = [os.open('.', os.O_RDONLY) for _ in range(900)]; escaped()""",
    "processor time beyond the limit": """
import signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while time.process_time() < 3.5: pass
escaped()""",
    "wall time beyond the limit": "time.sleep(2.5); escaped()",
    "locked memory": """
libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
b = ctypes.create_string_buffer(1 << 20)
if libc.mlock(b, 1 << 20) == 0: escaped()""",
    "a higher priority": "os.setpriority(os.PRIO_PROCESS, 0, -10); escaped()",
    "real-time scheduling": """
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); escaped()""",
}

CROSS_RUN = {
    "a file left in /tmp": (
        "open('/tmp/left-behind', 'w').write('x')",
        "if os.path.exists('/tmp/left-behind'): os.unlink('/tmp/left-behind'); escaped()",
    ),
    "a file left in /dev/shm": (
        "open('/dev/shm/left-behind', 'w').write('x')",
        "if os.path.exists('/dev/shm/left-behind'): os.unlink('/dev/shm/left-behind'); escaped()",
    ),
    "a file left in the working directory": (
        "open(BAIT['shared'] + '/left', 'w').write('x')",
        """
path = BAIT['shared'] + '/left'
if os.path.exists(path): os.unlink(path); escaped()""",
    ),
    "System V memory left behind": (
        "call(29, 194, 4242, 4096, 0o1666)",
        """
result, error = call(29, 194, 4242, 4096, 0)
if result >= 0: call(31, 195, result, 0, 0); escaped()""",
    ),
    "a process left behind": (
        """
import signal
if os.fork() == 0:
    os.setsid()
    open(BAIT['shared'] + '/pid', 'w').write(str(os.getpid()))
    time.sleep(4); os._exit(0)
time.sleep(0.3)""",
        "os.kill(int(open(BAIT['shared'] + '/pid').read()), 9); escaped()",
    ),
    "a changed module": (
        """
path = readable(BAIT['module'])
with open(path, 'a') as f: f.write('# left ' + BAIT['value'])""",
        """
path = readable(BAIT['module'])
if '# left ' + BAIT['value'] in open(path).read(): escaped()""",
    ),
    "an abstract socket left listening": (
        """
if os.fork() == 0:
    s = socket.socket(socket.AF_UNIX); s.bind('\\0left-' + BAIT['value']); s.listen()
    time.sleep(4); os._exit(0)
time.sleep(0.3)""",
        "s = socket.socket(socket.AF_UNIX); s.connect('\\0left-' + BAIT['value']); escaped()",
    ),
}

# Between two runs that are alive at the same time. The first says what it holds, then waits.
BESIDE = {
    "a signal to every process of another run": (
        "open(BAIT['shared'] + '/pid', 'w').write(str(os.getpid())); time.sleep(1.5)",
        """
try: pids = [int(open(BAIT['shared'] + '/pid').read())]
except OSError: pids = [n for n in range(1, 4000) if n != os.getpid()]
for pid in pids:
    try: os.kill(pid, 0)
    except OSError: continue
    escaped(); break""",
    ),
    "the same lock": (
        """
import fcntl
path = readable(BAIT['module'])
fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX); time.sleep(1.5)""",
        """
import fcntl
path = readable(BAIT['module'])
try: fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: escaped()""",
    ),
    "the same record lock": (
        """
import fcntl, struct
path = readable(BAIT['module'])
whole = struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0)
fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_SETLK, whole)
fcntl.fcntl(os.open(path, os.O_RDONLY), 37, whole); time.sleep(1.5)""",
        """
import fcntl, struct
path = readable(BAIT['module'])
whole = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)
for asked in (fcntl.F_GETLK, 36):
    held = fcntl.fcntl(os.open(path, os.O_RDONLY), asked, whole)
    if struct.unpack('hhqqi4x', held)[0] != fcntl.F_UNLCK: escaped()""",
    ),
    "a watch on what another run reads": (
        """
path = readable(BAIT['module'])
for _ in range(30): open(path).close(); time.sleep(0.05)""",
        """
path = readable(BAIT['module'])
watch = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(watch, path.encode(), 0x20); time.sleep(0.5)
try: seen = watch >= 0 and os.read(watch, 4096)
except BlockingIOError: seen = b''
if seen: escaped()""",
    ),
    "a flag on a descriptor that both inherited": (
        """
import fcntl
for fd in (0, 1, 2, BAIT['leak']):
    try: fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
    except OSError: pass
time.sleep(1.5)""",
        """
import fcntl
for fd in (0, 1, 2, BAIT['leak']):
    try: flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    except OSError: continue
    if flags & os.O_NONBLOCK: escaped(); break""",
    ),
    "another run's files while it works": (
        "open(BAIT['temporary'] + '/now', 'w').write('x'); time.sleep(1.5)",
        "if os.path.exists(BAIT['temporary'] + '/now'): escaped()",
    ),
    "the folder of all runs' files": (
        "time.sleep(1.0)",
        """
for folder in ('/inboxes', BAIT['runs']):
    try: found = os.listdir(folder)
    except OSError: continue
    if found: escaped()""",
    ),
}

# Needs rights, hardware or kernel settings that an ordinary user lacks outside as well.
ROOT_ONLY = {
    "a socket to the hypervisor (AF_VSOCK crosses network namespaces)",
    "BPF",
    "performance events",
    "userfaultfd",
    "a swap file",
    "a reboot (with a wrong magic number)",
    "a mount",
    "a new root",
    "the clock",
    "a set-uid file",
    "a capability",
    "root's uid",
    "a higher priority",
    "real-time scheduling",
    "a device of the host",
    "raw packets",
}
SHORT = {
    "processor time beyond the limit": Limits(wall_s=8.0, cpu_s=1.0, memory_mib=256),
    "wall time beyond the limit": Limits(wall_s=0.5, cpu_s=4.0, memory_mib=256),
}


def _rows() -> list[Attack]:
    groups: list[tuple[Group, dict[str, str]]] = [
        ("network", NETWORK),
        ("files", FILES),
        ("credentials", CREDENTIALS),
        ("processes", PROCESSES),
        ("kernel", KERNEL),
        ("resources", RESOURCES),
    ]
    rows = [
        Attack(
            group,
            name,
            code,
            control="root" if name in ROOT_ONLY else "any",
            limits=SHORT.get(name, USUAL),
        )
        for group, table in groups
        for name, code in table.items()
    ]
    rows += [
        Attack("cross-run", name, second, before=first)
        for name, (first, second) in CROSS_RUN.items()
    ]
    rows += [
        Attack("cross-run", name, second, before=first, beside=True)
        for name, (first, second) in BESIDE.items()
    ]
    return rows


ATTACKS = _rows()
