"""An export is recorded, told to those whose turns are in it, made as a file and kept for a day."""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa

from guardrails.audit import export
from guardrails.audit.exports import KEPT_SECONDS, Export, ExportKind, Exports
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.retention import Retention
from guardrails.audit.reveal import Reveals
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans
from guardrails.audit.tables import exports as table
from guardrails.audit.tables import ledger as ledger_table
from guardrails.audit.trace_rows import TraceFilter
from guardrails.errors import BadInput
from guardrails.keys import Keys

ASKER = "p_00000000a1"
AUTHOR = "p_0000000001"


@pytest.fixture
def ledger(store: sa.Engine, keys: Keys, tmp_path: Path) -> Iterator[Ledger]:
    opened, spans = Ledger(store, keys, checkpoint_file=tmp_path / "marks"), Spans(store, "test")
    for agent in ("hr", "mail", "mail"):
        with spans.root(f"invoke_agent {agent}", {"agent": agent, "person": AUTHOR}) as root:
            with root.span("LLM", "chat practice", {"model": "practice"}):
                opened.record(Act("model.call", AUTHOR, agent, trace_id=root.trace_id))
            root.set(request="Write to <PERSON_1>", model="practice")
    spans.close()
    yield opened
    opened.close()


@pytest.fixture
def exports(ledger: Ledger, tmp_path: Path) -> Iterator[Exports]:
    opened = Exports(ledger.engine, ledger, Reveals(ledger.engine, ledger), tmp_path / "exports")
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", ["ocsf", "csv", "otlp"])
def test_a_file_is_made_and_its_digest_kept(exports: Exports, kind: str) -> None:
    job = exports.start(kind, TraceFilter(agent="mail"), by=ASKER)  # type: ignore[arg-type]
    exports.close()
    done = exports.get(job.id)
    path = exports.file(job.id, by=ASKER)
    data = path.read_bytes()
    assert (done.state, done.bytes, done.digest) == (
        "ready", len(data), hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600
    lines = data.decode().splitlines()
    if kind == "csv":
        assert done.rows == 2
        assert {row["agent"] for row in csv.DictReader(lines)} == {"mail"}
    elif kind == "ocsf":
        assert [json.loads(line)["ai_agent"]["name"] for line in lines] == ["mail", "mail"]
    else:
        (batch,) = lines
        spans = json.loads(batch)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        assert len(spans) == 4
        assert all(len(span["traceId"]) == 32 for span in spans)


def test_asking_and_downloading_are_recorded_and_told_to_the_authors(
    exports: Exports, ledger: Ledger
) -> None:
    job = exports.start("csv", TraceFilter(text="Fontaine"), by=ASKER)
    job = exports.start("csv", TraceFilter(text="write"), by=ASKER)
    exports.close()
    exports.file(job.id, by=ASKER)
    with ledger.engine.connect() as connection:
        query = sa.select(ledger_table).where(ledger_table.c.kind.like("export%"))
        rows = connection.execute(query.order_by(ledger_table.c.seq)).all()
        first = ledger.sealer.open(connection, ASKER, rows[0].payload)
    assert [row.kind for row in rows] == ["export", "export", "export.download"]
    assert first is not None
    assert first["filter"] == {"text": 1}  # how many words, not which
    views = Reveals(ledger.engine, ledger).who_saw(AUTHOR)
    assert [(view.kind, view.viewer) for view in views] == [("exported", ASKER)]


def test_a_time_alone_exports_every_act_of_it_with_the_chain(
    exports: Exports, ledger: Ledger
) -> None:
    newest = Traces(ledger.engine).page().rows[0].when
    everything = [json.loads(line) for line in export.ocsf(ledger.engine)]
    late = TraceFilter(since=newest - timedelta(seconds=60))
    assert [json.loads(line) for line in export.ocsf(ledger.engine, filter=late)] == everything
    assert list(export.ocsf(ledger.engine, filter=TraceFilter(until=late.since))) == []
    one = [json.loads(x) for x in export.ocsf(ledger.engine, filter=TraceFilter(agent="mail"))]
    assert one == everything[1:]  # each with the hash of the row really before it


def test_a_file_has_its_day_and_what_a_crash_left_is_marked(
    exports: Exports, ledger: Ledger, tmp_path: Path
) -> None:
    job = exports.start("csv", TraceFilter(), by=ASKER)
    exports.close()
    later = Exports(
        ledger.engine, ledger, Reveals(ledger.engine, ledger), tmp_path / "exports",
        lambda: job.at + KEPT_SECONDS + 1,
    )  # fmt: skip
    assert later.purge() == 1
    with pytest.raises(BadInput, match="export-not-ready"):
        later.file(job.id, by=ASKER)
    assert list((tmp_path / "exports").iterdir()) == []
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(table).values(state="running"))
    (tmp_path / "exports" / job.name.replace(f"atelier-{job.id[:8]}", job.id)).write_text("half")
    assert later.recover() == 1
    assert later.get(job.id).state == "failed"
    assert list((tmp_path / "exports").iterdir()) == []
    later.close()


def test_files_with_an_erased_persons_turns_go_with_them(
    exports: Exports, ledger: Ledger, tmp_path: Path
) -> None:
    jobs = [
        exports.start(kind, TraceFilter(agent=agent), by=ASKER)
        for kind in get_args(ExportKind)
        for agent in ("mail", "nothing-of-that-name")
    ]
    exports.close()
    assert exports.forget("p_0000000009") == 0
    assert exports.forget(AUTHOR) == 3
    states = [exports.get(job.id).state for job in jobs]
    assert states == ["gone", "ready"] * 3
    assert len(list((tmp_path / "exports").iterdir())) == 3


def test_an_export_under_way_during_an_erasure_is_made_anew(
    ledger: Ledger, keys: Keys, tmp_path: Path
) -> None:
    retention = Retention(ledger.engine, ledger, keys)

    class Overtaken(Exports):
        """Has read everything when the erasure comes."""

        def _lines(self, job: Export) -> Iterator[str]:
            lines = [*super()._lines(job)]
            if any("PERSON_1" in line for line in lines):
                retention.erase(AUTHOR, by=AUTHOR)
            yield from lines

    reveals = Reveals(ledger.engine, ledger)
    exports = Overtaken(ledger.engine, ledger, reveals, tmp_path / "exports")
    job = exports.start("csv", TraceFilter(agent="mail"), by=ASKER)
    exports.close()
    done, text = exports.get(job.id), exports.file(job.id, by=ASKER).read_bytes()
    assert (done.state, done.rows) == ("ready", 2) and b"PERSON_1" not in text
    assert done.digest == hashlib.sha256(text).hexdigest()


def test_an_unknown_export_and_kind_are_refused(exports: Exports) -> None:
    with pytest.raises(BadInput, match="no-such-export"):
        exports.get("x")
    with pytest.raises(BadInput, match="no-such-export-kind"):
        exports.start("pdf", TraceFilter(), by=ASKER)  # type: ignore[arg-type]
