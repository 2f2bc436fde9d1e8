"""The other end of the socket is hostile: it ends alone, quickly, and takes nothing with it.

Each attack on the broker has its control beside it: what a careless broker would have done.
"""

import array
import asyncio
import base64
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.execute import Execution, run_on
from sandbox.launch.self_check import launcher_for
from sandbox.limits import Limits
from sandbox.pool import Pool
from sandbox.wire import WireError

LIMITS = Limits(wall_s=15.0, cpu_s=10.0, memory_mib=192)
CHANNEL = """
import os, socket, stat, struct, json
fd = next(n for n in range(3, 64) if os.path.exists('/') and _is_socket(n))
end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fd)
def frame(value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack('!I', len(body)) + body
"""
HEAD = (
    "import os, stat\n"
    "def _is_socket(n):\n"
    "    try: return stat.S_ISSOCK(os.fstat(n).st_mode)\n"
    "    except OSError: return False\n"
) + CHANNEL


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    launcher = launcher_for("bubblewrap") or launcher_for("landlock")
    if launcher is None:
        pytest.fail("no rung is available here")
    one = Pool(launcher, {"bare": 1}, LIMITS, runs=tmp_path)
    await one.start()
    yield one
    await one.close()


async def attack(pool: Pool, code: str, limits: Limits = LIMITS) -> Execution:
    sealed = await pool.warm("bare")
    try:
        return await run_on(sealed, HEAD + code, limits)
    finally:
        await sealed.kill()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("a length of four gigabytes", "end.sendall(b'\\xff\\xff\\xff\\xff')"),
        ("bytes that are no JSON", "end.sendall(frame(b'\\x80\\x04\\x95'))"),
        ("a pickle", "import pickle; end.sendall(frame(pickle.dumps({'t': 'done'})))"),
        ("a hundred thousand brackets", "end.sendall(frame(b'[' * 100000))"),
        ("deep nesting", "end.sendall(frame(b'{\"t\":' * 50 + b'1' + b'}' * 50))"),
        ("a list", "end.sendall(frame([1, 2]))"),
        ("an unknown frame", "end.sendall(frame({'t': 'open', 'path': '/etc/passwd'}))"),
        ("a frame without a type", "end.sendall(frame({}))"),
        ("a wrong type of field", "end.sendall(frame({'t': 'output', 'text': 5}))"),
        ("a status of its own", "end.sendall(frame({'t': 'done', 'status': 'trusted'}))"),
        ("a file that is no base64", "end.sendall(frame({'t':'file','name':'a','data':'!'}))"),
        (
            "more files than its limit",
            "[end.sendall(frame({'t':'file','name':str(n),'data':''})) for n in range(50)]",
        ),
        ("half a frame", "end.sendall(b'\\0\\0\\0\\x10{'); os._exit(0)"),
        ("a closed socket", "end.shutdown(socket.SHUT_RDWR); import time; time.sleep(9)"),
    ],
)
async def test_a_broken_protocol_ends_this_run_alone(pool: Pool, what: str, code: str) -> None:
    began = time.monotonic()
    done = await attack(pool, code)
    assert done.status == "killed", what
    assert time.monotonic() - began < 14
    assert (await attack(pool, "print('next')")).output == "next\n"


def test_control_a_careless_broker_breaks_on_deep_json() -> None:
    with pytest.raises(RecursionError):
        json.loads(b"[" * 100_000)


async def test_a_file_larger_than_its_limit_ends_the_run(pool: Pool) -> None:
    code = """
import base64
data = base64.b64encode(bytes(300000)).decode()
for _ in range(40): end.sendall(frame({'t':'file','name':'a.txt','data':data,'more':True}))"""
    done = await attack(pool, code, Limits(file_bytes=1_000_000))
    assert done.status == "killed"
    assert done.artefacts == ()


async def test_a_flood_of_frames_is_slowed_and_then_ended(pool: Pool) -> None:
    code = """
while True: end.sendall(frame({'t':'output','text':'x'}) * 500)"""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.05)
            beats += 1

    heart = asyncio.create_task(beat())
    done = await attack(pool, code, Limits(wall_s=3.0, cpu_s=3.0))
    heart.cancel()
    assert done.status in ("timeout", "killed")
    assert beats >= 5  # everybody else was served meanwhile
    assert len(done.output) <= 64 * 1024


async def test_a_run_that_does_not_read_does_not_hold_up_the_broker(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.sealed.SEND_S", 0.5)
    sealed = await pool.warm("bare")
    await sealed.begin(LIMITS)
    await sealed.send({"t": "python", "code": "import time; time.sleep(14)", "limits": {}})
    with pytest.raises(WireError, match=r"not-reading|gone"):
        for _ in range(50):
            await sealed.send({"t": "noise", "text": "x" * 900_000})
    await sealed.kill()
    assert (await sealed.wait()).misbehaved in ("not-reading", "")


async def test_descriptors_sent_over_the_socket_are_not_taken(pool: Pool) -> None:
    before = set(os.listdir("/proc/self/fd"))
    code = """
import array
fds = array.array('i', [os.open('/dev/null', os.O_RDONLY) for _ in range(8)])
end.sendmsg([frame({'t':'output','text':'with'})], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
import time; time.sleep(0.5)"""
    sealed = await pool.warm("bare")
    count = len(os.listdir("/proc/self/fd"))
    done = await run_on(sealed, HEAD + code, LIMITS)
    assert done.output.startswith("with")
    assert len(os.listdir("/proc/self/fd")) <= count + 4  # the pool's next process, no more
    await sealed.kill()
    del before


def test_control_a_careless_broker_takes_descriptors() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open("/dev/null", "rb") as null:
        fds = array.array("i", [null.fileno()])
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        _, taken, _, _ = socket.recv_fds(ours, 1, 4)
        assert len(taken) == 1
        os.close(taken[0])


async def test_a_claimed_identity_is_worth_nothing(pool: Pool) -> None:
    code = "end.sendall(frame({'t':'output','text':'mine','run':'other','pid':1}))"
    one, two = await asyncio.gather(attack(pool, code), attack(pool, "print('two')"))
    assert one.output == "mine"
    assert two.output == "two\n"


async def test_a_forged_report_gets_no_more_than_output(pool: Pool) -> None:
    data = base64.b64encode(b"<svg onload='x()'>").decode()
    code = f"""
end.sendall(frame({{'t':'file','name':'../../../etc/cron.d/x.svg','data':{data!r}}}))
end.sendall(frame({{'t':'file','name':'../../../etc/cron.d/x.txt','data':''}}))
end.sendall(frame({{'t':'done','status':'ok','files':10**9}}))
import time; time.sleep(5)"""
    began = time.monotonic()
    done = await attack(pool, code)
    assert [artefact.name for artefact in done.artefacts] == ["x.txt"]
    assert done.dropped == 1
    assert time.monotonic() - began < 5


async def test_links_and_devices_in_the_work_folder_do_not_leave(pool: Pool) -> None:
    code = """
os.symlink('/etc/passwd', 'link.txt')
os.symlink('/dev/zero', 'zero.txt')
os.mkdir('folder.txt')
open('real.txt', 'w').write('real')
try: os.mkfifo('pipe.txt')
except OSError: pass"""
    done = await attack(pool, code)
    assert [artefact.name for artefact in done.artefacts] == ["real.txt"]


def test_control_a_careless_broker_follows_links(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    assert "root" in (tmp_path / "link.txt").read_text("utf-8")
