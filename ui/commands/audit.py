"""`atelier audit`: traces, one trace, and proof that nothing was altered.

Whoever can read the home may run this; every look is written to the ledger first. `verify` also
works away from the home, with a copy of the store, the checkpoints and the public key alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ui.commands.common import FOUND_WANTING, Voice, settings_now, visible

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from guardrails.audit.ledger import Ledger
    from guardrails.audit.search import Traces
    from guardrails.audit.trace_rows import Trace

Verdict = Literal["", "allowed", "masked", "blocked", "flagged"]
File = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("audit.help"), no_args_is_help=True)
    to.add_typer(group, name="audit")

    @group.command("list", help=voice("audit.list"))
    def show_all(
        verdict: Annotated[Verdict, typer.Option(help=voice("audit.verdict"))] = "",
        agent: Annotated[str, typer.Option(help=voice("audit.agent"))] = "",
        text: Annotated[str, typer.Option(help=voice("audit.text"))] = "",
        limit: Annotated[int, typer.Option(min=1, max=200, help=voice("audit.limit"))] = 20,
        after: Annotated[str, typer.Option(help=voice("audit.after"))] = "",
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from guardrails.audit.ledger import Act
        from guardrails.audit.trace_rows import TraceFilter

        filter_ = TraceFilter(verdict=verdict, agent=agent, text=text)
        with _record() as (ledger, traces):
            used = {"verdict": verdict, "agent": agent, "words": len(text.split())}
            ledger.record(Act("audit.search", "system", payload=used))
            page = traces.page(filter_, after or None, limit)
        if as_json:
            voice.json({"rows": [asdict(row) for row in page.rows], "next": page.next})
            return
        heads = ("trace", "when", "person", "agent", "verdict", "request")
        voice.table(
            heads,
            [
                (r.short, f"{r.when:%Y-%m-%d %H:%M}", r.person, r.agent, r.verdict, r.request[:60])
                for r in page.rows
            ],
        )
        if page.next:
            voice.note("audit.more", after=page.next)

    @group.command(help=voice("audit.show"))
    def show(
        trace_id: Annotated[str, typer.Argument(metavar="TRACE", help=voice("audit.trace"))],
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from guardrails.audit.ledger import Act
        from guardrails.errors import BadInput

        with _record() as (ledger, traces):
            found = traces.get(trace_id)
            if found is None:
                raise BadInput("trace-not-found")
            row = found.row
            ledger.record(
                Act(
                    "trace.view",
                    "system",
                    trace_id=row.trace_id,
                    conversation=row.conversation,
                    subject=row.person,
                )
            )
        if as_json:
            voice.json(asdict(found))
        else:
            _print(voice, found)

    @group.command(help=voice("audit.verify"))
    def verify(
        database: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help=voice("audit.database"))
        ] = None,
        checkpoints: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help=voice("audit.checkpoints"))
        ] = None,
        public_key: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help=voice("audit.public-key"))
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        _verify(voice, database, checkpoints, public_key, as_json)

    @group.command(help=voice("audit.key"))
    def key() -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public, _mac = _keys()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        voice.result(pem.decode().strip())


def _verify(
    voice: Voice,
    database: Path | None,
    checkpoints: Path | None,
    public_key: Path | None,
    as_json: bool,
) -> None:
    from guardrails.audit.verify import open_copy, verify
    from guardrails.store import open_engine

    settings = settings_now()
    if public_key is None:
        key, mac = _keys()
    else:
        key, mac = _read_key(public_key), None
    engine = open_copy(database) if database else open_engine(settings.database_url)
    kept = checkpoints or settings.checkpoint_file or settings.home / "checkpoints.jsonl"
    try:
        result = verify(engine, key, kept, mac_key=mac)
    finally:
        engine.dispose()
    if as_json:
        voice.json(asdict(result))
    elif result.ok:
        voice.result(voice("audit.intact", n=result.rows, proven=result.proven_to))
    elif result.first_bad is not None:
        voice.result(voice("audit.broken", seq=result.first_bad.seq, what=result.first_bad.what))
    if not result.ok:
        raise typer.Exit(FOUND_WANTING)


def _keys() -> tuple["Ed25519PublicKey", bytes]:
    from guardrails.errors import BadInput
    from guardrails.keys import load_keys

    settings = settings_now()
    given = settings.master_key.get_secret_value() if settings.master_key else None
    file = settings.home / "master.key"
    if given is None and not file.exists():
        raise BadInput("no-such-home", home=str(settings.home))
    keys = load_keys(file, given)
    return keys.signing().public_key(), keys.derive("ledger-chain")


def _read_key(file: Path) -> "Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from guardrails.errors import BadInput

    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm, OSError) as error:
        raise BadInput("bad-public-key", file=file.name) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("bad-public-key", file=file.name)
    return key


@contextmanager
def _record() -> Iterator[tuple["Ledger", "Traces"]]:
    from guardrails.audit.search import Traces
    from ui.commands.people import opened

    with opened() as (engine, _keys, ledger):
        yield ledger, Traces(engine)


def _print(voice: Voice, found: "Trace") -> None:
    row = found.row
    for name, value in (
        ("trace", row.trace_id),
        ("when", f"{row.when:%Y-%m-%d %H:%M:%S %Z}"),
        ("person", row.person),
        ("agent", f"{row.agent} {row.version}"),
        ("model", row.model),
        ("verdict", f"{row.verdict} {row.rule}"),
        ("request", row.request),
    ):
        voice.result(f"{voice(f'column.{name}')}: {visible(value)}")
    for span in found.spans:
        took = f"{span.start_ms:9.1f} {span.duration_ms:9.1f} ms"
        voice.result(f"{took}  {span.kind:9} {visible(span.name)}  {span.verdict} {span.rule}")
    for act in found.ledger:
        voice.result(
            f"#{act.seq} {act.step:7} {act.kind:12} {act.verdict} {act.rule} {act.hash[:12]}"
        )
