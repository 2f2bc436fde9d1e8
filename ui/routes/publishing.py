"""Publishing: requests, reviews, what is live, stars and reports."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from agents.agent_records import AgentRecord
from agents.cases import extend, from_turn
from agents.publishing_records import Comment, Live, PublishRequest, Release
from agents.versions import changes
from guardrails.errors import BadInput
from ui.figures import figures
from ui.identity import Person
from ui.routes.common import Limits, Services, acting, actor, allowed, cleared, limited
from ui.routes.publishing_shapes import (
    CommentIn,
    CommentRow,
    LiveRow,
    Made,
    NoteIn,
    PublishedRow,
    RatingIn,
    RatingRow,
    ReasonIn,
    ReportIn,
    ReportRow,
    RequestDetail,
    RequestIn,
    RequestRow,
    VersionIn,
    WithdrawnRow,
)
from ui.routes.shapes import Done

if TYPE_CHECKING:
    from agents.publishing_records import Report

router = APIRouter(tags=["publishing"])
Author = Annotated[Person, allowed("agents.build")]
Reviewer = Annotated[Person, allowed("review.decide")]
Everyone = Annotated[Person, allowed("agents.use")]


@router.post("/agents/{agent}/requests")
async def ask_to_publish(
    agent: str, given: RequestIn, app: Services, rates: Limits, person: Author
) -> RequestRow:
    """Ask to publish the draft as it is now; evidence is collected in the background."""
    limited(rates.evaluate, person)
    by = actor(person)
    request = await run_in_threadpool(
        app.desk.publishing.request,
        agent,
        by,
        audience=await run_in_threadpool(resolved, app, given.audience),
        bump=given.bump,
        notes=await run_in_threadpool(cleared, app, given.notes),
    )
    if request.state == "checking":
        app.desk.check(request, by, tests=given.tests)
    return _row(app, request, person)


@router.get("/requests")
def my_requests(app: Services, person: Author) -> list[RequestRow]:
    """The caller's own requests, newest first."""
    return [_row(app, each, person) for each in app.desk.publishing.of(owner=person.id)]


@router.get("/reviews")
def reviews(app: Services, person: Reviewer) -> list[RequestRow]:
    """What waits for a decision, oldest first; changed documents of live agents among it."""
    app.desk.publishing.reopen()
    return [_row(app, each, person) for each in app.desk.publishing.queue()]


@router.get("/requests/{request}")
def request(request: str, app: Services, person: Author) -> RequestDetail:
    """One request, for its author and for reviewers."""
    found = app.desk.publishing.seen(request, acting(person))
    before = compared_with(app, found)
    return RequestDetail(
        **_row(app, found, person).model_dump(),
        evidence=dict(found.evidence),
        spec=found.spec.model_dump(mode="json"),
        changes=[asdict(each) for each in changes(before.spec if before else None, found.spec)],
        comments=[_comment(app, each) for each in app.desk.opinions.comments(found.id)],
    )


@router.delete("/requests/{request}")
def take_back(request: str, app: Services, person: Author) -> RequestRow:
    """Take back one's own request."""
    return _row(app, app.desk.publishing.cancel(request, actor(person)), person)


@router.post("/requests/{request}/approve")
def approve(request: str, given: NoteIn, app: Services, person: Reviewer) -> RequestRow:
    """Release what was requested. Nobody approves their own."""
    note = cleared(app, given.note)
    return _row(app, app.desk.publishing.approve(request, actor(person), note), person)


@router.post("/requests/{request}/return")
def send_back(request: str, given: NoteIn, app: Services, person: Reviewer) -> RequestRow:
    """Return a request with a note."""
    note = cleared(app, given.note)
    return _row(app, app.desk.publishing.send_back(request, actor(person), note), person)


@router.post("/requests/{request}/comments")
def comment(request: str, given: CommentIn, app: Services, person: Author) -> CommentRow:
    """Say something about a line, as author or reviewer."""
    found = app.desk.publishing.seen(request, acting(person))
    text, line = cleared(app, given.text), cleared(app, given.line)
    return _comment(app, app.desk.opinions.comment(found.id, person.id, text, line))


@router.post("/requests/{request}/check")
async def check_again(request: str, app: Services, rates: Limits, person: Author) -> Done:
    """Collect the evidence of an open request again."""
    limited(rates.evaluate, person)
    found = await run_in_threadpool(app.desk.publishing.seen, request, acting(person))
    if found.state not in ("checking", "waiting"):
        raise BadInput("request-over", state=found.state)
    app.desk.check(found, actor(person))
    return Done()


@router.get("/published")
def published(app: Services, person: Author) -> list[PublishedRow]:
    """The caller's published agents with their figures; a champion sees everybody's."""
    owner = "" if "champion" in acting(person).roles else person.id
    rows = []
    for live in app.desk.publishing.published(owner):
        release = app.desk.publishing.release(live.agent, live.version)
        use, stars = figures(app, live), app.desk.opinions.rating(live.agent)
        reports = app.desk.opinions.reports(live.agent)
        rows.append(
            PublishedRow(
                **_live(live).model_dump(),
                title=release.spec.title.to(person.language),
                owner=name_of(app, live.owner),
                uses=use.uses,
                people=use.people,
                cost=use.cost,
                rating=round(stars.mean, 2),
                ratings=stars.n,
                reports=sum(report.state == "open" for report in reports),
                versions=[each.version for each in app.desk.publishing.releases(live.agent)],
                drift=list(app.desk.publishing.drift(live.agent, app.models.info().label)),
            )
        )
    return rows


@router.post("/agents/{agent}/withdraw")
async def withdraw(agent: str, given: ReasonIn, app: Services, person: Author) -> WithdrawnRow:
    """Take an agent away from everybody at once and end its turns. Owner, champion, security."""
    reason = await run_in_threadpool(cleared, app, given.reason, urgent=True)
    live, ended = await app.desk.withdraw(agent, acting(person), reason)
    return WithdrawnRow(**_live(live).model_dump(), ended=ended)


@router.post("/agents/{agent}/rollback")
def rollback(agent: str, given: VersionIn, app: Services, person: Author) -> LiveRow:
    """Put an approved version back in service."""
    return _live(app.desk.publishing.rollback(agent, given.version, acting(person)))


@router.post("/agents/{agent}/copy")
def copy(agent: str, app: Services, person: Author) -> Made:
    """A private draft that begins as a copy; where it comes from is kept."""
    return Made(id=app.desk.copy(agent, person.id))


@router.put("/agents/{agent}/rating")
def rate(agent: str, given: RatingIn, app: Services, person: Everyone) -> RatingRow:
    """Give stars to a published agent that the caller may use; again replaces them."""
    record = app.catalog.get(agent, person.id)
    _colleagues(app, record, person)
    who = app.sessions.pseudonym(person.id)
    stars = app.desk.opinions.rate(agent, record.spec.version, who, given.stars)
    return RatingRow(mean=round(stars.mean, 2), n=stars.n)


@router.post("/agents/{agent}/reports")
def report(agent: str, given: ReportIn, app: Services, person: Everyone) -> ReportRow:
    """Report a problem with a published agent, with the answer that it is about."""
    record = app.catalog.get(agent, person.id)
    _colleagues(app, record, person)
    asked, trace = "", ""
    if given.conversation:
        kept = app.conversations.messages(given.conversation, person.id)
        if app.conversations.get(given.conversation, person.id).agent != agent:
            # what was said to another agent is none of this one's owner's business
            raise BadInput("conversation-not-found")
        about = [each for each in kept if given.message in (0, each.number)]
        trace = about[-1].trace_id if about else ""
        asked = next(
            (m.text for m in reversed(kept) if m.role == "user" and m.trace_id == trace), ""
        )
    if not given.text.strip() and not asked:
        raise BadInput("note-needed")
    words = app.screen.text(given.text, provenance="user").text
    made = app.desk.opinions.report(
        agent,
        record.spec.version,
        app.sessions.pseudonym(person.id),
        given.kind,
        words,
        asked,
        trace,
    )
    return _report(made)


@router.get("/agents/{agent}/reports")
def reports(agent: str, app: Services, person: Author) -> list[ReportRow]:
    """Reports about an agent, for its owner and for champions."""
    _mine(app, agent, person)
    return [_report(each) for each in app.desk.opinions.reports(agent)]


@router.post("/reports/{report}/case")
def report_to_case(report: int, app: Services, person: Author) -> ReportRow:
    """Make a report a test case of the owner's draft."""
    found = app.desk.opinions.report_by_id(report)
    owner = _mine(app, found.agent, person).owner
    draft = app.catalog.get(found.agent, owner)
    case = from_turn(
        found.input or found.text, "", person.language, good=False, name=f"report-{found.id}"
    )
    spec = extend(draft.spec, [case])
    settled = app.desk.opinions.settle(found.id, person.id, case=spec.cases[-1].id)
    app.catalog.save(spec, owner)  # after it is on record: the draft is perhaps somebody else's
    return _report(settled)


@router.post("/reports/{report}/close")
def report_close(report: int, app: Services, person: Author) -> ReportRow:
    """Close a report without a case."""
    found = app.desk.opinions.report_by_id(report)
    _mine(app, found.agent, person)
    return _report(app.desk.opinions.settle(found.id, person.id))


def compared_with(app: Any, request: PublishRequest) -> Release | None:
    """The release that a request is compared with: the live one, or the one before it."""
    desk = app.desk.publishing
    others = [each for each in desk.releases(request.agent) if each.request != request.id]
    live = desk.current(request.agent)
    if request.state in ("checking", "waiting") and live is not None:
        return desk.release(request.agent, live.version)  # type: ignore[no-any-return]
    older = [each for each in others if each.at <= (request.decided or request.asked)]
    return max(older, key=lambda each: each.at, default=None)


def name_of(app: Any, person: str) -> str:
    """How a person is shown: their name, else their id."""
    account = app.people.get(person)
    return account.name if account is not None else person


def resolved(app: Any, audience: str) -> str:
    """An audience with ids for what was typed. Raises BadInput("no-such-colleague") and others."""
    kind, _, value = audience.strip().partition(":")
    if kind == "person":
        account = app.people.find(value) or app.people.get(value)
        if account is None:
            raise BadInput("no-such-colleague", name=value[:60])
        return f"person:{account.id}"
    if kind == "group":
        found = app.groups.find(value)
        return f"group:{found.id if found else app.groups.get(value).id}"
    return audience


def _colleagues(app: Any, record: AgentRecord, person: Person) -> None:
    """Whether this is a colleague's published agent."""
    if record.status != "published":
        own = record.owner == person.id and app.desk.publishing.current(record.spec.id)
        raise BadInput("own-agent" if own else "not-published", id=record.spec.id)


def _mine(app: Any, agent: str, person: Person) -> Live:
    live: Live | None = app.desk.publishing.current(agent)
    if live is None or (live.owner != person.id and "champion" not in acting(person).roles):
        raise BadInput("agent-not-found", id=agent[:64])
    return live


def _row(app: Any, request: PublishRequest, person: Person) -> RequestRow:
    return RequestRow(
        id=request.id,
        agent=request.agent,
        title=request.spec.title.to(person.language),
        owner=name_of(app, request.owner),
        mine=request.owner == person.id,
        version=request.version,
        audience=request.audience,
        notes=request.notes,
        changed=list(request.changed),
        state=request.state,
        asked=request.asked,
        decided_by=name_of(app, request.decided_by) if request.decided_by else "",
        decided=request.decided,
        note=request.note,
        content=request.hash,
    )


def _comment(app: Any, comment: Comment) -> CommentRow:
    return CommentRow.model_validate({**asdict(comment), "by": name_of(app, comment.by)})


def _live(live: Live) -> LiveRow:
    values = asdict(live)
    return LiveRow.model_validate({name: values[name] for name in LiveRow.model_fields})


def _report(report: "Report") -> ReportRow:
    return ReportRow.model_validate(asdict(report))
