"""Acts that wait for a person: what I may decide, what waits of mine, yes and no."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agents.tools.registry import TOOLS
from guardrails.actor import pseudonym
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy.approvals import PERSON, Approval, may_decide
from guardrails.policy.catalogue import explain
from ui.identity import Person
from ui.messages import Language, catalogue, say
from ui.routes.common import Services, allowed
from ui.routes.shapes import Shape

Words = Mapping[str, Mapping[str, str]]  # of rules, as PolicySet.words

router = APIRouter(tags=["approvals"])

Own = Annotated[Person, allowed("conversations.own")]


class ApprovalRow(Shape):
    """One act that waits, or waited.

    `payload` is exactly what will be done: with real values for the person it is for, masked for
    everybody else. `state` is pending, approved, rejected, expired or withdrawn; `person` is a
    pseudonym. `conversation` is empty for everybody but the person it is for.
    """

    id: str
    conversation: str
    agent: str
    tool: str
    action: str
    payload: dict[str, Any]
    rule: str
    why: str
    approver: str
    approver_text: str
    state: str
    asked: datetime
    expires: datetime
    person: str
    mine: bool
    may_decide: bool
    note: str


class ApprovalPage(Shape):
    """`decide`: what the caller may decide; `waiting`: what waits of the caller's own turns."""

    decide: list[ApprovalRow]
    waiting: list[ApprovalRow]


class Answer(BaseModel):
    """A word to go with the decision; personal data in it is masked."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=500)] = ""


@router.get("/approvals")
def approvals(app: Services, person: Own) -> ApprovalPage:
    """What waits, oldest first."""
    rows = [approval_row(app, person, one) for one in app.approvals.waiting()]
    return ApprovalPage(
        decide=[row for row in rows if row.may_decide],
        waiting=[row for row in rows if row.mine],
    )


@router.get("/approvals/{approval}")
def approval(approval: str, app: Services, person: Own) -> ApprovalRow:
    """One of the caller's own, or one that the caller may decide."""
    row = approval_row(app, person, app.approvals.get(approval))
    if not (row.mine or row.may_decide):
        raise BadInput("no-such-approval")
    return row


@router.post("/approvals/{approval}/approve")
async def approve(approval: str, answer: Answer, app: Services, person: Own) -> ApprovalRow:
    """Say yes, once. The turn goes on: follow it at `/conversations/{conversation}/events`."""
    return await _decide(app, person, approval, True, answer.note)


@router.post("/approvals/{approval}/reject")
async def reject(approval: str, answer: Answer, app: Services, person: Own) -> ApprovalRow:
    """Say no. The agent is told and finishes without it. Everybody may reject their own."""
    return await _decide(app, person, approval, False, answer.note)


async def _decide(app: Any, person: Person, approval: str, yes: bool, note: str) -> ApprovalRow:
    if person.key:
        raise NotPermitted("needs-a-person")  # a program's key says yes to nothing

    def decide() -> Approval:
        asked: Approval = app.approvals.get(approval)
        by = pseudonym(app.keys, person.id)
        visible = asked.person == by or may_decide(asked, by, person.roles, person.department)
        if not visible and asked.approver == PERSON:
            raise BadInput("no-such-approval")  # whose turn it is is nobody else's business
        decided: Approval = app.approvals.decide(
            approval,
            yes,
            by=by,
            roles=frozenset(person.roles),
            department=person.department,
            note=app.screen.text(note, None).text if note else "",
        )
        return decided

    decided = await asyncio.to_thread(decide)
    if decided.turn:
        await app.sessions.go_on(decided.turn, decided.conversation)
    return await asyncio.to_thread(approval_row, app, person, decided)


def approval_row(app: Any, person: Person, asked: Approval) -> ApprovalRow:
    """An approval as `person` may see it."""
    by = pseudonym(app.keys, person.id)
    mine = asked.person == by
    may = may_decide(asked, by, frozenset(person.roles), person.department)
    payload = dict(asked.payload)
    if mine:
        payload = app.sessions.exact(asked.conversation, asked.action, payload)
    who = "self" if asked.approver == PERSON else asked.approver
    return ApprovalRow(
        id=asked.id,
        conversation=asked.conversation if mine else "",
        agent=asked.agent,
        tool=asked.action,
        action=action_text(asked.action, person.language),
        payload=payload,
        rule=asked.rule,
        why=why_text(asked.rule, asked.repeats, person.language, app.policy.policies.words),
        approver=who,
        approver_text=approver_text(who, person.language),
        state=asked.state,
        asked=_when(asked.asked),
        expires=_when(asked.expires),
        person=asked.person,
        mine=mine,
        may_decide=may and asked.state == "pending",
        note=asked.note,
    )


def why_text(rule: str, repeats: int, language: Language, own: Words | None = None) -> str:
    """Why a person is asked; first of all that it may have been done already (`repeats`)."""
    sentence = explain(rule, language, own=own).sentence
    return f"{say(language, 'approval.repeats', row=repeats)} {sentence}" if repeats else sentence


def action_text(tool: str, language: Language) -> str:
    """The tool's name for people."""
    known = TOOLS.get(tool)
    key = known.label_key if known else tool
    return say(language, key) if key in catalogue(language) else tool


def approver_text(who: str, language: Language) -> str:
    """Who decides, in words."""
    key = f"approval.who.{who}"
    return say(language, key) if key in catalogue(language) else who


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
