"""The rules: in plain words, as versions, as drafts that are checked, rehearsed and approved.

Whoever wrote on a draft cannot approve it. Every step is in the ledger before it is made.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from guardrails.actor import pseudonym
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from guardrails.policy.forms import changed
from guardrails.policy.known import completions
from guardrails.policy.lifecycle import Version
from guardrails.policy.text import pieces, switched
from ui.identity import Person
from ui.messages import Language
from ui.routes.common import Limits, Services, allowed, cleared, limited
from ui.routes.policies_shapes import (
    Because,
    Edit,
    Given,
    NewDraft,
    Period,
    ProblemRow,
    ProgressRow,
    Reason,
    RuleBook,
    RuleEdit,
    RuleEdits,
    RuleRow,
    SlotRow,
    VersionRow,
    VersionWhole,
)
from ui.rulebook import RuleView, officers, rulebook, told

if TYPE_CHECKING:
    from ui.wiring import App

router = APIRouter(prefix="/policies", tags=["policies"])

Viewer = Annotated[Person, allowed("policies.view")]
Editor = Annotated[Person, allowed("policies.edit")]
Approver = Annotated[Person, allowed("policies.approve")]


@router.get("")
def policies(app: Services, person: Viewer) -> RuleBook:
    """The rules in force in plain words, by subject, and how often each decided a turn."""
    active = app.rules.active()
    text = active.text if active else ""
    return RuleBook(
        version=active.number if active else 0,
        hash=active.hash if active else "",
        problem=app.rules.problem(),
        rules=[_rule(view) for view in rulebook(app, text, person.language)],
    )


@router.get("/words")
def policy_words(app: Services, person: Viewer) -> list[str]:
    """Words that a rule may use, for completion."""
    own = [f'"{name}"' for name in _names(app)]
    return [*completions(app.rules.product().schema_text), *own]


@router.post("/check")
def check_policy(given: Given, app: Services, person: Editor, limits: Limits) -> list[ProblemRow]:
    """What is wrong with a text, with lines and the nearest valid name. Keeps nothing."""
    limited(limits.screen, person)
    return _problems(app, given.text, person.language)


@router.get("/versions")
def policy_versions(app: Services, person: Viewer) -> list[VersionRow]:
    """Every version, newest first. Version 1 came with the product."""
    names = officers(app, person.language)
    return [VersionRow(**_short(version, names)) for version in app.rules.all()]


@router.get("/versions/{number}")
def policy_version(number: int, app: Services, person: Viewer) -> VersionWhole:
    """One version with its text."""
    return _whole(app, app.rules.get(number), person)


@router.get("/versions/{number}/diff")
def policy_diff(
    number: int, app: Services, person: Viewer, against: Annotated[int | None, Query()] = None
) -> dict[str, str]:
    """What a version changes against another one, or against the rules in force."""
    return {"diff": app.rules.diff(number, against)}


@router.post("/drafts")
def start_draft(given: NewDraft, app: Services, person: Editor) -> VersionWhole:
    """Begin a draft."""
    text = given.text
    if text is None and given.based_on is not None:
        text = app.rules.get(given.based_on).text
    made = app.rules.draft(
        by=pseudonym(app.keys, person.id), note=cleared(app, given.note), text=text
    )
    return _whole(app, made, person)


@router.put("/drafts/{number}")
def edit_draft(number: int, given: Edit, app: Services, person: Editor) -> VersionWhole:
    """Save a draft, also one that is not valid yet. Refused when somebody saved it meanwhile."""
    text = app.rules.get(number).text if given.text is None else given.text
    saved = app.rules.edit(
        number,
        text,
        by=pseudonym(app.keys, person.id),
        note=None if given.note is None else cleared(app, given.note),
        revision=given.revision,
    )
    return _whole(app, saved, person)


@router.put("/drafts/{number}/rules")
def edit_draft_rules(number: int, given: RuleEdits, app: Services, person: Editor) -> VersionWhole:
    """Switch rules of a draft on or off, or change their values; all other text stays."""
    text = app.rules.get(number).text
    for change in given.changes:
        text = _changed(app, text, change)
    by = pseudonym(app.keys, person.id)
    saved = app.rules.edit(number, text, by=by, revision=given.revision)
    return _whole(app, saved, person)


@router.post("/drafts/{number}/rehearse")
def rehearse_draft(
    number: int, given: Period, app: Services, person: Editor, limits: Limits
) -> ProgressRow:
    """Begin to decide past turns by the draft's rules; ask `rehearsal` how far it is."""
    limited(limits.rehearse, person)
    by = pseudonym(app.keys, person.id)
    return ProgressRow(**asdict(app.rehearsals.start(number, by=by, days=given.days)))


@router.get("/drafts/{number}/rehearsal")
def draft_rehearsal(number: int, app: Services, person: Viewer) -> ProgressRow:
    """How far a rehearsal is, and the last result for this very text."""
    result = app.rules.get(number).rehearsal
    progress = app.rehearsals.progress(number)
    if progress is not None and progress.state != "done":
        return ProgressRow(**asdict(progress), result=dict(result) if result else None)
    if result is None:
        return ProgressRow(state="none")
    looked_at = int(result["looked_at"])
    return ProgressRow(state="done", looked_at=looked_at, total=looked_at, result=dict(result))


@router.post("/drafts/{number}/submit")
def submit_draft(number: int, app: Services, person: Editor) -> VersionRow:
    """Ask a second person for approval; the text is frozen from here on."""
    return _row(app, app.rules.propose(number, by=pseudonym(app.keys, person.id)), person)


@router.post("/drafts/{number}/approve")
def approve_draft(number: int, app: Services, person: Approver) -> VersionRow:
    """Approve as a second person: nobody who wrote on it."""
    return _row(app, app.rules.approve(number, by=pseudonym(app.keys, person.id)), person)


@router.post("/drafts/{number}/return")
def return_draft(number: int, given: Because, app: Services, person: Approver) -> VersionRow:
    """Give a proposed version back to its author, with a note."""
    by = pseudonym(app.keys, person.id)
    return _row(app, app.rules.send_back(number, by=by, note=cleared(app, given.note)), person)


@router.post("/drafts/{number}/withdraw")
def withdraw_draft(number: int, app: Services, person: Editor) -> VersionRow:
    """Give up a draft of one's own. It is kept, and cannot come into force."""
    return _row(app, app.rules.withdraw(number, by=pseudonym(app.keys, person.id)), person)


@router.post("/versions/{number}/activate")
def activate_version(number: int, given: Reason, app: Services, person: Approver) -> VersionRow:
    """Put an approved version in force, or an earlier one back: from the next decision on."""
    by = pseudonym(app.keys, person.id)
    reason = cleared(app, given.reason, urgent=True)
    return _row(app, app.rules.activate(number, by=by, reason=reason), person)


@router.get("/versions/{number}/export")
def export_version(number: int, app: Services, person: Viewer) -> dict[str, str]:
    """A version's text and vocabulary, for review or tests elsewhere."""
    found = app.rules.get(number)
    payload = {"version": number, "policy": found.hash}
    app.ledger.record(Act("policy.export", person.id, payload=payload))
    return {
        "text": found.text,
        "schema": app.rules.product().schema_text,
        "hash": found.hash,
    }


def _changed(app: "App", text: str, change: RuleEdit) -> str:
    if change.rule not in {piece.id for piece in pieces(text)}:
        shipped = next((p for p in pieces(app.rules.product().text) if p.id == change.rule), None)
        if shipped is None:
            raise BadInput("no-such-rule", rule=change.rule)
        text = f"{text.rstrip()}\n\n{shipped.text}\n"
    for name, value in change.values.items():
        text = changed(text, change.rule, name, value)
    return text if change.on is None else switched(text, change.rule, change.on)


def _names(app: "App") -> list[str]:
    """Names of this installation that rules may use: departments, models, tools."""
    from agents.tools.registry import TOOLS

    departments = {account.department for account in app.people.all() if account.department}
    models = {app.models.own().name, *(one.name for one in app.connections.all())}
    return sorted(departments) + sorted(models) + sorted(TOOLS)


def _rule(view: RuleView) -> RuleRow:
    given = {
        name: getattr(view, name)
        for name in RuleRow.model_fields
        if name not in ("turns", "values")
    }
    rows = [
        SlotRow(
            name=slot.name,
            kind=slot.kind,
            of=slot.of,
            value=value if isinstance(value, int) else list(value),
        )
        for slot, value in view.slots
    ]
    return RuleRow(**given, turns=view.used.turns if view.used else 0, values=rows)


def _problems(app: "App", text: str, language: Language) -> list[ProblemRow]:
    return [
        ProblemRow(
            line=problem.line,
            rule=problem.rule,
            level=problem.level,
            code=problem.code,
            message=told(problem, language),
            name=problem.name,
            nearest=problem.nearest,
        )
        for problem in app.rules.problems(text)
    ]


def _short(version: Version, names: dict[str, str]) -> dict[str, Any]:
    given = {name: getattr(version, name) for name in VersionRow.model_fields}
    for who in ("author", "approved_by", "activated_by"):
        given[who] = names.get(given[who], given[who])
    given["editors"] = [names.get(who, who) for who in version.editors]
    return given


def _row(app: "App", version: Version, person: Person) -> VersionRow:
    return VersionRow(**_short(version, officers(app, person.language)))


def _whole(app: "App", version: Version, person: Person) -> VersionWhole:
    return VersionWhole(
        **_short(version, officers(app, person.language)),
        text=version.text,
        problems=_problems(app, version.text, person.language),
        rehearsal=dict(version.rehearsal) if version.rehearsal else None,
    )
