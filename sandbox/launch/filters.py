"""The seccomp programs. A deny-list: everything else is for namespaces and limits to hold.

Allow-lists break with every C library and kernel release; these lists name what an agent never
needs and what other walls cannot hold (the channel is inherited, so `socket` is refused whole:
AF_VSOCK crosses network namespaces). On the first rung bubblewrap loads the template's program
before the interpreter starts; the second is loaded by each run once it has set itself up, because
it refuses the very calls that setting up needs. Both stay for the life of the process and all its
threads.
"""

import errno
import os
from collections.abc import Iterable
from functools import cache
from typing import Literal

Stage = Literal["template", "second", "node"]

# Calls into parts of the kernel that no agent and no data library needs.
ALWAYS = """
get_robust_list
ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_open
pidfd_getfd pidfd_send_signal
add_key request_key keyctl
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
kexec_load kexec_file_load init_module finit_module delete_module create_module query_module
get_kernel_syms reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup nfsservctl
lookup_dcookie uselib ustat sysfs _sysctl afs_syscall
settimeofday clock_settime clock_adjtime adjtimex stime
sethostname setdomainname iopl ioperm modify_ldt vm86 vm86old
name_to_handle_at open_by_handle_at fanotify_init fanotify_mark
unshare setns pivot_root chroot
open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_tree_attr
statmount listmount
socket connect bind listen accept accept4
shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
vmsplice migrate_pages move_pages mbind set_mempolicy set_mempolicy_home_node
lsm_set_self_attr
mknod mknodat
sched_setscheduler sched_setattr sched_setparam ioprio_set
inotify_init inotify_init1 inotify_add_watch flock
""".split()  # noqa: SIM905

# What a template makes runs with. It has no job, and what it makes loses them.
FOR_RUNS = ("unshare", "setns")

# Calls that the bootstrap uses and that are gone before anything untrusted is read.
AFTER_SETUP = """
execve execveat fork vfork memfd_create memfd_secret mount umount umount2
setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
setsid setpgid personality seccomp
""".split()  # noqa: SIM905

# Second rung: without namespaces, files and processes of the same owner are the host's own.
SHARED_HOST = """
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat
file_setattr
kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo setpriority sched_setaffinity
""".split()  # noqa: SIM905

# Newer than the oldest libseccomp that is supported; same number on every architecture.
NUMBERS = {
    "memfd_secret": 447,
    "process_mrelease": 448,
    "set_mempolicy_home_node": 450,
    "fchmodat2": 452,
    "statmount": 457,
    "listmount": 458,
    "lsm_set_self_attr": 460,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
    "quotactl_fd": 443,
}

CLONE_THREAD = 0x00010000
NAMESPACES = (
    0x00000080,  # CLONE_NEWTIME
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
LOW = 0xFFFFFFFF  # the kernel looks at 32 bits of an int; the rest is whatever the caller left
AF_UNIX = 1
NOT_STREAM = (2, 3, 4, 5, 6, 10)  # datagram, raw, rdm, seqpacket, dccp, packet
PR_SET_PDEATHSIG, PR_SET_SECCOMP = 1, 22
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15  # signals to others by way of a file
F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW = 6, 7, 37, 38  # record locks
F_SETLEASE, F_NOTIFY = 1024, 1026  # who else opens the runtime's files, and when


@cache
def program(stage: Stage, shared_host: bool = False) -> bytes:
    """The filter as BPF instructions for this machine's architecture.

    32-bit and x32 calls kill the process: their numbers would mean other calls.
    Raises RuntimeError or OSError when libseccomp is missing or refuses a rule.
    """
    import pyseccomp as seccomp  # looks for the C library when imported

    no = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)

    def deny(names: Iterable[str]) -> None:
        for name in names:
            number = _number(seccomp, name)
            if number is not None:
                rules.add_rule(no, number)

    deny(name for name in ALWAYS if stage != "template" or name not in FOR_RUNS)
    if shared_host:
        deny(SHARED_HOST)
        for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX):
            rules.add_rule(no, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, LOW, command))
    # 64-bit values: the kernel compares 32 bits of the request, so compare only those
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(no, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, LOW, request))
    # its flags are in memory, where a filter cannot read them; callers fall back to clone
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    if stage == "template":
        for flag in NAMESPACES[1:]:  # in clone, the bit of NEWTIME is part of the exit signal
            rules.add_rule(no, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    else:
        # Node's is loaded before Node itself is started; without a fork it can only take its place
        deny(name for name in AFTER_SETUP if stage == "second" or name != "execve")
        for command in (F_SETLEASE, F_NOTIFY):
            rules.add_rule(no, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, LOW, command))
        # a record lock on a file of the runtime would be a signal to another run. SQLite asks for
        # them and cannot do without a yes: it gets one, and nothing is locked. In a run there is
        # one process, so nobody is there to lock out
        for command in (F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW):
            lock = seccomp.Arg(1, seccomp.MASKED_EQ, LOW, command)
            rules.add_rule(seccomp.ERRNO(0), "fcntl", lock)
        rules.add_rule(no, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
        for flag in NAMESPACES[1:]:
            rules.add_rule(
                no,
                "clone",
                seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD | flag, CLONE_THREAD | flag),
            )
        # asyncio wakes itself through a pair of UNIX stream sockets. Nothing else may be made:
        # a datagram socket could send to an address without `connect`.
        rules.add_rule(no, "socketpair", seccomp.Arg(0, seccomp.GT, AF_UNIX))
        rules.add_rule(no, "socketpair", seccomp.Arg(0, seccomp.LT, AF_UNIX))
        for kind in NOT_STREAM:
            rules.add_rule(no, "socketpair", seccomp.Arg(1, seccomp.MASKED_EQ, 0xF, kind))
        rules.add_rule(no, "prlimit64", seccomp.Arg(0, seccomp.NE, 0))  # other processes'
        # on the second rung it is the only tie to the host: who cuts it would outlive a kill
        rules.add_rule(no, "prctl", seccomp.Arg(0, seccomp.MASKED_EQ, LOW, PR_SET_PDEATHSIG))
        rules.add_rule(no, "prctl", seccomp.Arg(0, seccomp.MASKED_EQ, LOW, PR_SET_SECCOMP))
    return _export(rules)


def _number(seccomp: object, name: str) -> int | None:
    resolve = seccomp.resolve_syscall  # type: ignore[attr-defined]
    native = seccomp.system_arch()  # type: ignore[attr-defined]
    try:
        number = int(resolve(native, name))
    except ValueError:
        number = -1
    if number >= 0:
        return number
    return NUMBERS.get(name)


def _export(rules: object) -> bytes:
    fd = os.memfd_create("filter")
    with os.fdopen(fd, "w+b") as file:
        rules.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        return file.read()
