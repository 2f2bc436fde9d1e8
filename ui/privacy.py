"""What a person may know, take away and have erased of themself. Who may ask is the entrance's."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from agents.conversation_tables import messages
from guardrails.audit.ledger import Act
from guardrails.audit.tables import traces
from guardrails.store import cut_log
from guardrails.vault_store import erase_owner, vault_entries
from ui import drafts, said
from ui.identity import Person

if TYPE_CHECKING:
    from ui.wiring import App

MOST = 5000  # conversations in one export


@dataclass(frozen=True)
class KeptOfMe:
    """How much is kept: counts, and since when (None: nothing)."""

    conversations: int
    messages: int
    masked_values: int
    drafts: int
    traces: int
    looks: int
    since: datetime | None


def kept(app: "App", person: Person) -> KeptOfMe:
    """Count what is kept about one person."""
    own = app.conversations.mine(person.id, limit=MOST)
    ids = [each.id for each in own]
    who = app.record.pseudonym(person.id)
    with app.engine.connect() as db:

        def count(table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
            query = sa.select(sa.func.count()).select_from(table).where(*where)
            return int(db.execute(query).scalar_one())

        return KeptOfMe(
            conversations=len(own),
            messages=count(messages, messages.c.conversation.in_(ids)),
            masked_values=count(
                vault_entries,
                vault_entries.c.conversation.in_(ids),
                vault_entries.c.value.is_not(None),
            ),
            drafts=len(app.catalog.mine(person.id)),
            traces=count(traces, traces.c.person == who),
            looks=len(app.record.reveals.who_saw(who, limit=MOST)),
            since=min((each.started for each in own), default=None),
        )


def export(app: "App", person: Person) -> bytes:
    """A ZIP of everything that is theirs: conversations with real values, agents, looks, account,
    and what they said beside conversations (`ui.said`).

    GDPR articles 15 and 20: readable by people (Markdown) and by programs (JSON).
    """
    app.ledger.record(Act("export", person.id, payload={"what": "own data"}))
    who = app.record.pseudonym(person.id)
    account = app.people.get(person.id)
    about = {
        "made": datetime.now(UTC),
        "pseudonym": who,
        "account": asdict(account) if account else {"id": person.id, "name": person.name},
        "kept": asdict(kept(app, person)),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about-me.json", _json(about))
        archive.writestr(
            "who-looked.json",
            _json([asdict(each) for each in app.record.reveals.who_saw(who, limit=MOST)]),
        )
        for name, rows in said.export(app, person.id).items():
            archive.writestr(f"{name}.json", _json(rows))
        for record in app.catalog.mine(person.id):
            archive.writestr(f"agents/{record.id}.json", _json(record.spec.model_dump(mode="json")))
        for each in app.conversations.mine(person.id, limit=MOST):
            told = _told(app, person, each.id)
            archive.writestr(
                f"conversations/{each.id}.json", _json({**asdict(each), "messages": told})
            )
            archive.writestr(f"conversations/{each.id}.md", _markdown(told))
    return packed.getvalue()


def erase(app: "App", person: Person) -> int:
    """Forget the person's conversations, files, real values, drafts, opinions and recorded content.

    An agent of theirs that colleagues use stays until it is withdrawn: it is the house's by then.

    The acts stay in the ledger as signed tombstones, so that it still verifies. Returns how many
    conversations went. Raises NotPermitted("on-hold") before anything is touched.
    """
    who = app.record.pseudonym(person.id)
    app.spans.flush()  # what is still on its way to the store must not arrive after the erasure
    app.record.retention.erase(who, by=who)
    app.learning.forget(person.id)
    app.impacts.forget(who)
    said.forget(app, person.id)
    gone = 0
    while own := app.conversations.mine(person.id, limit=MOST):
        for each in own:
            app.sessions.forget(each.id)
            app.conversations.delete(each.id, person.id)
            gone += 1
    erase_owner(app.engine, who)  # what is left of conversations that are not there any more
    app.record.saved.forget(who)
    app.record.exports.forget(who)
    for record in app.catalog.mine(person.id):
        if not drafts.is_live(app, record.id):
            drafts.forget(app, record.id, person.id)
    cut_log(app.engine)
    return gone


def _told(app: "App", person: Person, conversation: str) -> list[Mapping[str, Any]]:
    return [
        {
            "number": one.number,
            "role": one.role,
            "at": one.at,
            "text": app.sessions.restore(conversation, one.text),
            "trace": one.trace_id,
        }
        for one in app.conversations.messages(conversation, person.id)
    ]


def _markdown(told: list[Mapping[str, Any]]) -> str:
    return "\n\n".join(
        f"## {one['role']} · {one['at']:%Y-%m-%d %H:%M}\n\n{one['text']}" for one in told
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
