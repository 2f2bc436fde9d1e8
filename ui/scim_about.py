"""What this side of SCIM can do, for directories that ask (RFC 7643, sections 5 to 7)."""

from typing import Any

from ui.scim_user import ENTERPRISE, USER

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
CONFIGURATION = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"


def configuration(base: str) -> dict[str, Any]:
    """ServiceProviderConfig."""
    no = {"supported": False}
    return {
        "schemas": [CONFIGURATION],
        "patch": {"supported": True},
        "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 200},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Provisioning key",
                "description": "Authorization: Bearer, with a key made on the page Access.",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base}/ServiceProviderConfig",
        },
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """ResourceTypes."""
    return [
        {
            "schemas": [TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "schemaExtensions": more,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema, more in (
            ("User", USER, [{"schema": ENTERPRISE, "required": False}]),
            ("Group", GROUP, []),
        )
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    """Schemas, with the attributes that are kept and no others."""
    emails = [_attribute("value"), _attribute("type"), _attribute("primary", "boolean")]
    name = [_attribute(each) for each in ("formatted", "familyName", "givenName")]
    found = (
        (
            USER,
            "User",
            [
                _attribute("userName", required=True, uniqueness="server"),
                _attribute("displayName"),
                _attribute("name", "complex", subAttributes=name),
                _attribute("emails", "complex", multiValued=True, subAttributes=emails),
                _attribute("title"),
                _attribute("preferredLanguage"),
                _attribute("active", "boolean"),
                _attribute("groups", "complex", multiValued=True, mutability="readOnly"),
            ],
        ),
        (ENTERPRISE, "EnterpriseUser", [_attribute("department")]),
        (
            GROUP,
            "Group",
            [
                _attribute("displayName", required=True, uniqueness="server"),
                _attribute(
                    "members", "complex", multiValued=True, subAttributes=[_attribute("value")]
                ),
            ],
        ),
    )
    return [
        {
            "schemas": [SCHEMA],
            "id": id_,
            "name": title,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{id_}"},
        }
        for id_, title, attributes in found
    ]


def _attribute(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    } | more
