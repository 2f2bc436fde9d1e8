"""Evaluation: test cases of one's own agents, and runs of them."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from agents import cases
from agents.evaluate import Report, compare
from agents.evaluation_runs import RunRecord
from agents.judging import draft
from agents.spec import AgentSpec, Case
from guardrails.errors import BadInput
from ui.desk import as_role
from ui.identity import Person
from ui.routes.common import Limits, Services, acting, actor, allowed, limited
from ui.routes.publishing_shapes import CaseFrom, CaseIn, CountIn, RunDetail, RunIn, RunRow
from ui.routes.shapes import Done

router = APIRouter(tags=["evaluation"])
Author = Annotated[Person, allowed("agents.build")]

_CSV: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/agents/{agent}/cases")
def list_cases(agent: str, app: Services, person: Author) -> list[Case]:
    """The test cases of an agent that the caller may see."""
    return list(app.catalog.get(agent, person.id).spec.cases)


@router.put("/agents/{agent}/cases")
def put_case(agent: str, given: Case, app: Services, person: Author) -> Case:
    """Add a case to one's own draft, or change the one with this id."""
    spec = cases.put(_own(app, agent, person), cases.judgeable(given))
    app.catalog.save(spec, person.id)
    return given


@router.post("/agents/{agent}/cases")
def add_case(agent: str, given: CaseIn, app: Services, person: Author) -> Case:
    """The same from texts, as a form or a row of a table gives them; lists are joined by `||`."""
    values = {name: str(value) for name, value in given.model_dump(exclude={"json_schema"}).items()}
    own = _own(app, agent, person)
    values["id"] = values["id"] or cases.free("case-1", {case.id for case in own.cases})
    if given.json_schema is not None:
        values["json_schema"] = json.dumps(given.json_schema)
    case = cases.from_cells(values)
    app.catalog.save(cases.put(own, case), person.id)
    return case


@router.delete("/agents/{agent}/cases/{case}")
def delete_case(agent: str, case: str, app: Services, person: Author) -> Done:
    """Remove a case from one's own draft."""
    app.catalog.save(cases.remove(_own(app, agent, person), case), person.id)
    return Done()


@router.post("/agents/{agent}/cases/import", openapi_extra=_CSV)
async def import_cases(agent: str, request: Request, app: Services, person: Author) -> list[Case]:
    """Add the cases of a CSV table. Its head row names fields of CaseIn, `input` among them, in any
    order; lists are joined by `||`. One row that cannot be read refuses the table and is named."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadInput("bad-request")
    async with request.form(max_files=1, max_fields=2, max_part_size=64 * 1024) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadInput("bad-request")
        data = await file.read(cases.MAX_CSV + 1)
    spec = await run_in_threadpool(_own, app, agent, person)
    made = cases.from_csv(data)
    more = cases.extend(spec, made)
    await run_in_threadpool(app.catalog.save, more, person.id)
    return list(more.cases[-len(made) :])  # as they are kept: a taken id got a number


@router.post("/agents/{agent}/cases/from-conversation")
def case_from_conversation(agent: str, given: CaseFrom, app: Services, person: Author) -> Case:
    """Make one answer of the caller's own conversation a case: a good one to keep, or a bad one."""
    kept = app.conversations.messages(given.conversation, person.id)
    answer = next((m for m in kept if m.number == given.message and m.role == "assistant"), None)
    asked = [m for m in kept if m.role == "user" and m.number < given.message]
    if answer is None or not asked:
        raise BadInput("no-such-answer")
    spec = _own(app, agent, person)
    case = cases.from_turn(asked[-1].text, answer.text, person.language, good=given.good)
    more = cases.extend(spec, [case])
    app.catalog.save(more, person.id)
    return more.cases[-1]


@router.post("/agents/{agent}/cases/draft")
async def draft_cases(
    agent: str, given: CountIn, app: Services, rates: Limits, person: Author
) -> list[Case]:
    """Let the model propose cases; they are added to the draft, to be read and mended."""
    limited(rates.evaluate, person)
    spec = await run_in_threadpool(_own, app, agent, person)
    by = actor(person)

    async def ask(writer: AgentSpec, case: Case) -> Any:
        return await app.desk.ask(writer, case, by)

    made = await draft(spec, given.n, person.language, ask)
    if not made:
        raise BadInput("nothing-drafted")
    await run_in_threadpool(app.catalog.save, cases.extend(spec, made), person.id)
    return made


@router.post("/agents/{agent}/evaluations")
async def start_run(
    agent: str, given: RunIn, app: Services, rates: Limits, person: Author
) -> RunRow:
    """Run the cases in the background, in the sandbox, as every message runs."""
    limited(rates.evaluate, person)
    record = await run_in_threadpool(app.catalog.get, agent, person.id)
    role = as_role(actor(person), person.granted, given.role)
    run = await app.desk.evaluations.start(
        record.spec, actor(person), which=given.which, repeats=given.repeats, role=role
    )
    return _row(run)


@router.get("/agents/{agent}/evaluations")
def runs(agent: str, app: Services, person: Author) -> list[RunRow]:
    """Runs of an agent that the caller may see, newest first; others' runs stay theirs."""
    app.catalog.get(agent, person.id)
    return [_row(run) for run in app.desk.evaluations.of(agent) if _may_see(app, run, person)]


@router.get("/evaluations/{run}")
def run(run: str, app: Services, person: Author) -> RunDetail:
    """One run with its results and the difference to the one before."""
    found = seen(app, run, person)
    results = app.desk.evaluations.results(run)
    before = app.desk.evaluations.before(found)
    older = app.desk.evaluations.results(before.id) if before else []
    figures = app.desk.evaluations.summary(results)
    changed = compare(
        Report(found.agent, "", tuple(older)), Report(found.agent, "", tuple(results))
    )
    return RunDetail(
        **_row(found).model_dump(),
        passed=figures.passed,
        flaky=figures.flaky,
        tokens=figures.tokens,
        cost=figures.cost,
        seconds=figures.seconds,
        changed=dict(changed) if before else {},
        results=[asdict(result) for result in results],
    )


@router.post("/evaluations/{run}/cancel")
async def cancel_run(run: str, app: Services, person: Author) -> RunRow:
    """Stop a run of one's own; what is done stays."""
    found = await run_in_threadpool(seen, app, run, person)
    if found.by != person.id:
        raise BadInput("no-such-run", id=run[:40])
    return _row(await app.desk.evaluations.cancel(run))


def seen(app: Any, run: str, person: Person) -> RunRecord:
    """A run, for who started it, and for champions that of an agent in review."""
    found: RunRecord = app.desk.evaluations.get(run)
    if not _may_see(app, found, person):
        raise BadInput("no-such-run", id=run[:40])
    return found


def _may_see(app: Any, run: RunRecord, person: Person) -> bool:
    if run.by == person.id:
        return True
    if "champion" not in acting(person).roles:
        return False
    requests = app.desk.publishing.of(agent=run.agent)
    return any(request.evidence.get("run") == run.id for request in requests)


def _own(app: Any, agent: str, person: Person) -> AgentSpec:
    record = app.catalog.get(agent, person.id)
    if record.status != "draft":
        raise BadInput("not-your-draft", id=agent[:64])
    spec: AgentSpec = record.spec
    return spec


def _row(run: RunRecord) -> RunRow:
    values = asdict(run)
    return RunRow.model_validate({name: values[name] for name in RunRow.model_fields})
