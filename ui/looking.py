"""Looks at the record, for API and pages alike: recorded before anything is shown, and told to
those whose turns are looked at. Nothing here shows a real value except `revealed`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.audit.reveal import Reveal
from guardrails.audit.saved import filled
from guardrails.audit.trace_rows import Page, Trace, TraceFilter
from guardrails.errors import BadInput, NotPermitted
from ui.identity import Person

if TYPE_CHECKING:
    from ui.wiring import App

WORD = 200  # characters
LONGEST_DAYS = 3_660
ARRIVAL_SECONDS = 0.5  # spans are written together, some tenths of a second after a turn


def _word(description: str) -> str:
    field: str = Field("", max_length=WORD, description=description)
    return field


class TraceQuery(BaseModel):
    """What a reviewer asks for, in words of an address or a form; empty fields do not filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: str = _word("allowed, masked, blocked or flagged")
    pseudonym: str = _word("whose turns, `p_…`")
    department: str = _word("of the person")
    agent: str = _word("agent's id")
    version: str = _word("agent's version")
    model: str = _word("model that answered")
    location: str = _word("where the model runs")
    rule: str = _word("deciding rule")
    kind: str = _word("kind of personal data found")
    tool: str = _word("tool that was used")
    data_class: str = _word("public, internal, confidential or restricted")
    conversation: str = _word("conversation's id")
    trace: str = _word("trace's id or its beginning")
    text: str = _word("words of the masked request; also `tr_…` or `p_…`")
    days: str = _word("only the last so many days")
    since: str = _word("not before, ISO 8601")
    until: str = _word("before, ISO 8601")
    purpose: str = _word("chat, evaluation or try-out")
    cost_over: str = _word("cost more than, in currency units")
    slower_ms: str = _word("took longer than, milliseconds")

    def filter(self) -> TraceFilter:
        """The filter. Raises BadInput("bad-filter") with the field's name."""
        text = self.text.strip()
        pseudonym, trace = self.pseudonym.strip(), self.trace.strip()
        if text.startswith("tr_"):
            text, trace = "", text
        elif text.startswith("p_"):
            text, pseudonym = "", text
        days = _number("days", self.days)
        if days is not None and not 0 < days <= LONGEST_DAYS:
            raise BadInput("bad-filter", field="days")
        since = _moment("since", self.since)
        if since is None and days is not None:
            since = datetime.now(UTC) - timedelta(days=days)
        return TraceFilter(
            verdict=self.verdict,
            person=pseudonym,
            department=self.department,
            agent=self.agent,
            version=self.version,
            model=self.model,
            location=self.location,
            rule=self.rule,
            kind=self.kind,
            tool=self.tool,
            data_class=self.data_class,
            conversation=self.conversation,
            trace_id=trace,
            text=text,
            since=since,
            until=_moment("until", self.until),
            purpose=self.purpose,
            cost_over=_number("cost_over", self.cost_over),
            slower_than_ms=_number("slower_ms", self.slower_ms),
        )

    def asked(self) -> dict[str, str]:
        """The fields that say something."""
        return {name: value for name, value in self.model_dump().items() if value}


@dataclass(frozen=True, slots=True)
class Revealed:
    """Real values of one turn, for one person and a limited time."""

    reveal: Reveal
    request: str
    reply: str


def searched(
    app: "App", person: Person, filter: TraceFilter, after: str | None, limit: int
) -> Page:
    """One page of traces; the search is on record first."""
    me = app.record.pseudonym(person.id)
    # the words searched for may name a person: how many is enough for the record
    used = filled(filter) | ({"text": len(filter.text.split())} if filter.text else {})
    app.ledger.record(Act("audit.search", me, payload=used))
    app.spans.flush(ARRIVAL_SECONDS)  # a turn that has just ended is in the list
    page = app.traces.page(filter, after, limit)
    targeted = bool(filter.person or filter.conversation or filter.trace_id)
    app.record.reveals.listed(
        {row.person: row.trace_id for row in page.rows}, by=me, targeted=targeted
    )
    return page


def opened(app: "App", person: Person, trace_id: str) -> Trace:
    """One trace, masked; the look is on record first. Raises BadInput("trace-not-found")."""
    found = app.traces.get(trace_id)
    if found is None and app.spans.flush(ARRIVAL_SECONDS):
        found = app.traces.get(trace_id)
    if found is None:
        raise BadInput("trace-not-found")
    app.record.reveals.viewed(found.row, by=app.record.pseudonym(person.id))
    return found


def revealed(app: "App", person: Person, identity: str) -> Revealed:
    """Real values, for who asked for them and while it is granted; recorded, told to the author.

    Raises NotPermitted("no-reveal") for anybody else and any other time, BadInput: no-such-reveal,
    trace-not-found.
    """
    me = app.record.pseudonym(person.id)
    wanted = app.record.reveals.get(identity)
    if wanted.requester != me:
        raise NotPermitted("no-reveal", trace=wanted.trace_id)
    allowed = app.record.reveals.allowed(wanted.trace_id, to=me)
    found = app.traces.get(wanted.trace_id)
    if found is None:
        raise BadInput("trace-not-found")
    conversation = found.row.conversation
    replies = [
        str(text)
        for span in found.spans
        if span.kind == "LLM" and (text := span.attributes.get("app.detail.received"))
    ]
    return Revealed(
        allowed,
        app.sessions.restore(conversation, found.row.request),
        app.sessions.restore(conversation, replies[-1]) if replies else "",
    )


def _number(field: str, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise BadInput("bad-filter", field=field) from None
    if not 0 <= value < 1e12:
        raise BadInput("bad-filter", field=field)
    return value


def _moment(field: str, text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        # a time without a zone is the server's own, as its pages show times
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise BadInput("bad-filter", field=field) from None
