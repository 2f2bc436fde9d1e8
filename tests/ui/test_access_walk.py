"""Every API route, as every role and as nobody, against one table."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from fastapi.routing import APIRoute

from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House, open_house
from ui.access import MAY, ROLES, Permission, Role
from ui.api import ROUTERS

# route → the permission it needs; None is open to everybody
TABLE: dict[tuple[str, str], Permission | None] = {
    ("GET", "/health"): None,
    ("GET", "/status"): "status.view",
    ("GET", "/me"): "agents.use",
    ("POST", "/session"): None,
    ("GET", "/me/sessions"): "account.own",
    ("DELETE", "/me/sessions"): "account.own",
    ("DELETE", "/me/sessions/{session}"): "account.own",
    ("PUT", "/me/password"): "account.own",
    ("POST", "/password"): None,
    ("GET", "/people"): "people.manage",
    ("POST", "/people"): "people.manage",
    ("GET", "/people/{person_id}"): "people.manage",
    ("PUT", "/people/{person_id}"): "people.manage",
    ("DELETE", "/people/{person_id}"): "people.manage",
    ("POST", "/people/{person_id}/password"): "people.manage",
    ("POST", "/people/{person_id}/disable"): "people.manage",
    ("POST", "/people/{person_id}/enable"): "people.manage",
    ("DELETE", "/people/{person_id}/sessions"): "people.manage",
    ("GET", "/groups"): "people.manage",
    ("POST", "/groups"): "people.manage",
    ("GET", "/groups/{group}"): "people.manage",
    ("PUT", "/groups/{group}"): "people.manage",
    ("DELETE", "/groups/{group}"): "people.manage",
    ("PUT", "/groups/{group}/members"): "people.manage",
    ("GET", "/keys/scopes"): "keys.own",
    ("GET", "/keys"): "keys.own",
    ("POST", "/keys"): "keys.own",
    ("DELETE", "/keys/{key}"): "keys.own",
    ("GET", "/access/keys"): "access.manage",
    ("GET", "/access/provider"): "access.manage",
    ("GET", "/access/scim"): "access.manage",
    ("POST", "/access/scim"): "access.manage",
    ("POST", "/backup"): "backup.manage",
    ("GET", "/branding"): None,
    ("POST", "/branding"): "branding.manage",
    ("GET", "/branding/logo.png"): None,
    ("GET", "/branding/look.css"): None,
    ("GET", "/services"): "access.manage",
    ("POST", "/services"): "access.manage",
    ("POST", "/services/{service}/keys"): "access.manage",
    ("DELETE", "/services/{service}"): "access.manage",
    ("DELETE", "/session"): None,
    ("GET", "/session/oidc"): None,
    ("GET", "/session/oidc/callback"): None,
    ("POST", "/session/oidc/logout"): None,
    ("PUT", "/session/view"): "agents.use",
    ("PUT", "/session/language"): None,
    ("GET", "/agents"): "agents.use",
    ("GET", "/agents/{agent}"): "agents.use",
    ("DELETE", "/agents/{agent}"): "agents.build",
    ("GET", "/tools"): "models.manage",
    ("PUT", "/tools/{tool}"): "models.manage",
    ("POST", "/tools/sources/openapi"): "models.manage",
    ("POST", "/tools/sources/mcp"): "models.manage",
    ("POST", "/tools/sources/{source}/check"): "models.manage",
    ("POST", "/tools/sources/{source}/confirm"): "models.manage",
    ("PUT", "/tools/sources/{source}"): "models.manage",
    ("DELETE", "/tools/sources/{source}"): "models.manage",
    ("GET", "/agents/{agent}/knowledge"): "agents.build",
    ("POST", "/agents/{agent}/knowledge"): "agents.build",
    ("DELETE", "/agents/{agent}/knowledge/{document}"): "agents.build",
    ("POST", "/agents/{agent}/messages"): "agents.use",
    ("POST", "/agents/import"): "agents.build",
    ("GET", "/agents/{agent}/export"): "agents.build",
    ("POST", "/agents/{agent}/requests"): "agents.build",
    ("GET", "/requests"): "agents.build",
    ("GET", "/reviews"): "review.decide",
    ("GET", "/requests/{request}"): "agents.build",
    ("DELETE", "/requests/{request}"): "agents.build",
    ("POST", "/requests/{request}/approve"): "review.decide",
    ("POST", "/requests/{request}/return"): "review.decide",
    ("POST", "/requests/{request}/comments"): "agents.build",
    ("POST", "/requests/{request}/check"): "agents.build",
    ("GET", "/published"): "agents.build",
    ("POST", "/agents/{agent}/withdraw"): "agents.build",
    ("POST", "/agents/{agent}/rollback"): "agents.build",
    ("POST", "/agents/{agent}/copy"): "agents.build",
    ("PUT", "/agents/{agent}/rating"): "agents.use",
    ("POST", "/agents/{agent}/reports"): "agents.use",
    ("GET", "/agents/{agent}/reports"): "agents.build",
    ("POST", "/reports/{report}/case"): "agents.build",
    ("POST", "/reports/{report}/close"): "agents.build",
    ("GET", "/agents/{agent}/cases"): "agents.build",
    ("PUT", "/agents/{agent}/cases"): "agents.build",
    ("POST", "/agents/{agent}/cases"): "agents.build",
    ("DELETE", "/agents/{agent}/cases/{case}"): "agents.build",
    ("POST", "/agents/{agent}/cases/import"): "agents.build",
    ("POST", "/agents/{agent}/cases/from-conversation"): "agents.build",
    ("POST", "/agents/{agent}/cases/draft"): "agents.build",
    ("POST", "/agents/{agent}/evaluations"): "agents.build",
    ("GET", "/agents/{agent}/evaluations"): "agents.build",
    ("GET", "/evaluations/{run}"): "agents.build",
    ("POST", "/evaluations/{run}/cancel"): "agents.build",
    ("POST", "/conversations/{conversation}/stop"): "conversations.own",
    ("GET", "/conversations"): "conversations.own",
    ("GET", "/conversations/{conversation}"): "conversations.own",
    ("DELETE", "/conversations/{conversation}"): "conversations.own",
    ("GET", "/artefacts/{artefact}"): "conversations.own",
    ("POST", "/screen"): "screen.try",
    ("GET", "/screen/kinds"): "policies.edit",
    ("GET", "/sandbox"): "status.view",
    ("POST", "/sandbox/check"): "status.view",
    ("GET", "/sandbox/limits"): "status.view",
    ("PUT", "/sandbox/limits"): "policies.approve",
    ("POST", "/screen/kinds/try"): "policies.edit",
    ("PUT", "/screen/kinds"): "policies.edit",
    ("GET", "/audit/traces"): "traces.view",
    ("GET", "/audit/traces/{trace_id}"): "traces.view",
    ("POST", "/audit/verify"): "audit.verify",
    ("GET", "/audit/overview"): "traces.view",
    ("GET", "/audit/views"): "traces.view",
    ("POST", "/audit/views"): "traces.view",
    ("DELETE", "/audit/views/{name}"): "traces.view",
    ("POST", "/audit/traces/{trace_id}/reveal"): "audit.reveal",
    ("GET", "/audit/reveals"): "audit.reveal",
    ("GET", "/audit/reveals/{reveal}"): "audit.reveal",
    ("POST", "/audit/reveals/{reveal}/approve"): "audit.reveal",
    ("POST", "/audit/reveals/{reveal}/refuse"): "audit.reveal",
    ("GET", "/me/lessons"): "agents.use",
    ("PUT", "/me/lessons/{lesson}"): "agents.use",
    ("PUT", "/conversations/{conversation}/saved"): "conversations.own",
    ("GET", "/impact"): "impact.view",
    ("GET", "/me/kept"): "privacy.own",
    ("POST", "/me/export"): "privacy.own",
    ("POST", "/me/erase"): "privacy.own",
    ("GET", "/me/looked"): "privacy.own",
    ("POST", "/me/looked/read"): "privacy.own",
    ("GET", "/retention"): "retention.manage",
    ("PUT", "/retention/classes/{data_class}"): "retention.manage",
    ("POST", "/retention/holds"): "retention.manage",
    ("POST", "/retention/holds/{hold}/release"): "retention.manage",
    ("GET", "/alerts"): "alerts.view",
    ("POST", "/alerts/seen"): "alerts.view",
    ("POST", "/alerts/{alert}/seen"): "alerts.view",
    ("GET", "/alerts/rules"): "alerts.view",
    ("PUT", "/alerts/rules/{rule}"): "alerts.view",
    ("POST", "/alerts/test"): "alerts.view",
    ("POST", "/exports"): "audit.export",
    ("GET", "/exports"): "audit.export",
    ("GET", "/exports/{export}"): "audit.export",
    ("GET", "/exports/{export}/file"): "audit.export",
    ("GET", "/metrics"): None,
    ("GET", "/budgets"): "budgets.view",
    ("GET", "/budgets/mine"): "agents.use",
    ("PUT", "/budgets"): "models.manage",
    ("GET", "/exceptions"): "conversations.own",
    ("POST", "/exceptions"): "conversations.own",
    ("POST", "/exceptions/{exception}/grant"): "policies.approve",
    ("POST", "/exceptions/{exception}/refuse"): "policies.approve",
    ("POST", "/exceptions/{exception}/end"): "policies.approve",
    ("GET", "/approvals"): "conversations.own",
    ("GET", "/approvals/{approval}"): "conversations.own",
    ("POST", "/approvals/{approval}/approve"): "conversations.own",
    ("POST", "/approvals/{approval}/reject"): "conversations.own",
    ("GET", "/conversations/{conversation}/events"): "conversations.own",
    ("POST", "/conversations/{conversation}/feedback"): "conversations.own",
    ("POST", "/compare"): "agents.use",
    ("GET", "/compare/{comparison}"): "agents.use",
    ("POST", "/compare/{comparison}/vote"): "agents.use",
    ("GET", "/feedback"): "feedback.review",
    ("GET", "/feedback/mine"): "conversations.own",
    ("POST", "/feedback/{report}/close"): "feedback.review",
    ("POST", "/conversations/{conversation}/branch"): "conversations.own",
    ("POST", "/conversations/{conversation}/regenerate"): "conversations.own",
    ("GET", "/conversations/{conversation}/export"): "conversations.own",
    ("GET", "/models"): "agents.use",
    ("GET", "/models/connections"): "budgets.view",
    ("POST", "/models/connections"): "models.manage",
    ("PATCH", "/models/connections/{connection}"): "models.manage",
    ("DELETE", "/models/connections/{connection}"): "models.manage",
    ("PUT", "/models/connections/{connection}/key"): "models.manage",
    ("DELETE", "/models/connections/{connection}/key"): "models.manage",
    ("POST", "/models/connections/{connection}/check"): "models.manage",
    ("PUT", "/models/default"): "models.manage",
    ("GET", "/policies"): "policies.view",
    ("GET", "/policies/words"): "policies.view",
    ("POST", "/policies/check"): "policies.edit",
    ("GET", "/policies/versions"): "policies.view",
    ("GET", "/policies/versions/{number}"): "policies.view",
    ("GET", "/policies/versions/{number}/diff"): "policies.view",
    ("GET", "/policies/versions/{number}/export"): "policies.view",
    ("POST", "/policies/versions/{number}/activate"): "policies.approve",
    ("POST", "/policies/drafts"): "policies.edit",
    ("PUT", "/policies/drafts/{number}"): "policies.edit",
    ("PUT", "/policies/drafts/{number}/rules"): "policies.edit",
    ("POST", "/policies/drafts/{number}/rehearse"): "policies.edit",
    ("GET", "/policies/drafts/{number}/rehearsal"): "policies.view",
    ("POST", "/policies/drafts/{number}/submit"): "policies.edit",
    ("POST", "/policies/drafts/{number}/approve"): "policies.approve",
    ("POST", "/policies/drafts/{number}/return"): "policies.approve",
    ("POST", "/policies/drafts/{number}/withdraw"): "policies.edit",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(tmp_path)
    yield house
    house.close()


def test_the_table_names_every_route_and_no_other() -> None:
    routes = [cast(APIRoute, route) for router in ROUTERS for route in router.routes]
    found = {(method, route.path) for route in routes for method in route.methods or ()}
    assert found == set(TABLE)


@pytest.mark.parametrize(("route", "permission"), TABLE.items(), ids=lambda v: str(v))
async def test_a_route_answers_whom_the_table_names_and_nobody_else(
    house: House, route: tuple[str, str], permission: Permission | None
) -> None:
    cookies = with_accounts(house)
    app = served(house)
    method, path = route
    # a number where a number is wanted, a name that does not exist elsewhere
    path = re.sub(r"\{\w+\}", "1", path)
    who: list[Role | None] = [None, *ROLES]
    for role in who:
        headers = {"cookie": f"atelier_session={cookies[role]}"} if role else {}
        async with client(app) as web:
            answer = await web.request(method, path, json={}, headers=headers)
        code = "" if answer.is_success else answer.json()["code"]
        if permission is None or (role is not None and role in MAY[permission]):
            assert code not in ("not-signed-in", "not-permitted"), (role, route)
        elif role is None:
            assert (answer.status_code, code) == (401, "not-signed-in"), (role, route)
        else:
            assert (answer.status_code, code) == (403, "not-permitted"), (role, route)
