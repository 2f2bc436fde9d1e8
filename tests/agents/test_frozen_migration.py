"""A home of before: what colleagues read on the day of the upgrade is what the version holds."""

import datetime as dt
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from agents.files import AgentFiles
from agents.publishing_tables import contents, requests
from guardrails.audit.tables import traces
from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from guardrails.migrate import FOLDER, upgrade
from guardrails.store import open_engine

NOW = dt.datetime(2026, 11, 22, 9, 0)


@pytest.fixture
def before(tmp_path: Path) -> sa.Engine:
    """A store as revision 0008 left it, with an agent of two versions and two open requests."""
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.commit()
    spec = json.dumps({"knowledge": ["a.md"]})
    document = "INSERT INTO knowledge_documents (id, scope, owner, name, digest, pages, words,"
    document += " complete, added) VALUES (?, ?, 'ana', ?, ?, 0, 1, 1, ?)"
    release = (
        "INSERT INTO agent_releases VALUES ('lv', ?, 'h', ?, 'everyone', '', ?, 'chi', '', ?, ?)"
    )
    asked = "INSERT INTO publish_requests VALUES (?, 'lv', 'ana', '', '', '1.2.0', 'everyone', '',"
    asked += " ?, 'h', '[]', ?, 'waiting', ?, '', NULL, '')"
    found = json.dumps({"documents": {"leave.md": "d2", "a.md": "f1", "sample.md": "s1"}})
    with engine.begin() as db:
        run = db.exec_driver_sql
        run(document, (1, "agent:lv:docs", "leave.md", "d2", NOW))
        run(document, (2, "agent:lv:en", "a.md", "f1", NOW))
        run("INSERT INTO knowledge_passages VALUES (2, 0, 1, '', '', 'text', x'00')")
        run("INSERT INTO agent_files VALUES ('lv', 'a.md', 'f1', 3, x'00')")
        run("INSERT INTO agent_files VALUES ('lv', 'same.md', 'f1', 3, x'00')")
        run(release, ("1.0.0", spec, "rq-1", json.dumps({"leave.md": "d1", "a.md": "f1"}), NOW))
        run(release, ("1.1.0", spec, "rq-2", json.dumps({"leave.md": "d1", "a.md": "f1"}), NOW))
        run(
            "INSERT INTO agent_live VALUES ('lv', 'ana', '', '1.1.0', 'everyone', 'live', '', ?)",
            (NOW,),
        )
        run(asked, ("rq-3", spec, found, NOW))
        run(asked, ("rq-4", spec, found, NOW + dt.timedelta(hours=1)))
    return engine


def test_a_home_of_before_goes_on_as_it_was(before: sa.Engine) -> None:
    upgrade(before)
    files = AgentFiles(before, Keys(bytes(32)))
    assert files.held("rq-2") == {"leave.md": "d2", "a.md": "f1", "same.md": "f1"}
    assert files.held("rq-1") == {"a.md": "f1", "same.md": "f1"}
    assert files.lacking("rq-1", {"leave.md": "d1", "a.md": "f1"}) == ["leave.md"]
    with before.connect() as db:
        open_ = sa.select(requests.c.id, requests.c.documents).where(requests.c.state == "waiting")
        assert [tuple(row) for row in db.execute(open_)] == [
            ("rq-4", {"leave.md": "d2", "a.md": "f1", "sample.md": "s1"})
        ]
        assert len(db.execute(sa.select(contents)).all()) == 1
        assert db.execute(sa.select(traces.c.purpose)).all() == []
    # its content was not sealed by this key: it is found, and refused as damaged
    with pytest.raises(GuardrailError, match="file-damaged"):
        files.read("lv", "a.md")
    before.dispose()
