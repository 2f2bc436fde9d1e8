"""Every setting in one typed place: environment (`ATELIER_*`) over `atelier.toml` over defaults."""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from guardrails.errors import BadInput

PREFIX = "ATELIER_"


class Settings(BaseModel):
    """What an operator can choose. Names are the environment's, lower case, without the prefix."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("atelier")),
        description="Where all state lives; a throw-away home is one variable.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(7860, ge=0, le=65535, description="Port to listen on.")
    language: Literal["en", "fr"] = Field("en", description="Language before a person chooses.")
    database: str = Field("", description="SQLAlchemy URL; empty means SQLite in the home.")
    model: str = Field(
        "practice",
        description="`practice`, `fallback`, a path to a .gguf file, or any litellm model name.",
    )
    model_base: str = Field("", description="Base address of an OpenAI-compatible server.")
    model_location: Literal["", "local", "eu", "us", "other"] = Field(
        "", description="Where the model runs, for the data-class rules; empty means unknown."
    )
    model_timeout: float = Field(120.0, gt=0, description="Seconds to wait for a model.")
    model_cache: Path | None = Field(
        None,
        description="Folder that homes share for embedded models; empty means the user's cache.",
    )
    model_fetch: bool = Field(
        True, description="Fetch the practice model in the background when it is not there."
    )
    secrets_file: Path | None = Field(
        None, description="File of NAME=value lines with provider keys, mode 0600."
    )
    master_key: SecretStr | None = Field(
        None, description="Base64 master key of 32 bytes; else a key file in the home."
    )
    checkpoint_file: Path | None = Field(
        None, description="Where signed ledger checkpoints go; another disk is best."
    )
    checkpoint_url: str = Field(
        "", description="Address that gets each signed checkpoint by HTTP(S); empty means none."
    )
    checkpoint_method: Literal["POST", "PUT"] = Field(
        "POST", description="How checkpoints are sent; PUT adds `/<number>.json` to the address."
    )
    checkpoint_token: SecretStr | None = Field(
        None, description="Bearer token for the checkpoint address."
    )
    otlp_endpoint: str = Field("", description="OTLP/HTTP collector for spans; empty means none.")
    otlp_metrics_endpoint: str = Field(
        "", description="OTLP/HTTP collector for metrics; empty means none."
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="Bearer token for `/metrics`; without one it answers this machine only.",
    )
    alert_webhook: str = Field(
        "", description="Address that gets each alert as JSON by HTTP POST; empty means none."
    )
    alert_mail_to: str = Field(
        "", description="Addresses that get each alert by e-mail, with commas; empty means none."
    )
    mail_server: str = Field("", description="SMTP server as `host:port`; empty means no e-mail.")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to the SMTP server is protected."
    )
    mail_from: str = Field("atelier@localhost", description="Sender of e-mails.")
    mail_user: str = Field("", description="Name at the SMTP server; empty means no sign-in.")
    mail_password: SecretStr | None = Field(None, description="Password at the SMTP server.")
    pool_size: int = Field(4, ge=1, le=64, description="Warm sealed agent processes to keep.")
    unsafe_no_sandbox: bool = Field(
        False, description="Developers only: run agents without the seal; every trace is marked."
    )
    public_url: str = Field(
        "", description="Address that people use, behind a proxy; for the provider's redirection."
    )
    oidc_issuer: str = Field("", description="Identity provider's issuer; empty means none.")
    oidc_client_id: str = Field("", description="This product's client id at the provider.")
    oidc_client_secret: SecretStr | None = Field(None, description="The client's secret.")
    oidc_roles: str = Field(
        "", description="`group=role` pairs with commas; empty makes everybody staff."
    )
    oidc_groups_claim: str = Field("groups", description="Claim that lists a person's groups.")
    oidc_person_claim: str = Field(
        "sub", description="Claim that equals SCIM's externalId (Entra ID: `oid`)."
    )
    oidc_scope: str = Field(
        "openid profile email", description="Scopes to ask the identity provider for."
    )
    kinds_file: Path | None = Field(
        None,
        description="File of the organisation's own kinds; empty means `kinds.yaml` in the home.",
    )
    web_allow: str = Field(
        "",
        description="Hosts that agents may read (`example.com`, `*.example.com`, `host:8443`), "
        "with commas; `private:` before one allows the own network. Empty allows none.",
    )
    smtp_server: str = Field(
        "", description="Mail server, `host` or `host:port`; empty means none."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to the mail server is encrypted."
    )
    smtp_user: str = Field(
        "",
        description="Name at the mail server; SMTP_PASSWORD in the secrets file is its password.",
    )
    smtp_sender: str = Field("", description="Address that approved e-mails are sent from.")
    mail_recipients: str = Field(
        "",
        description="Domains and addresses that e-mails may go to, with commas. Empty allows none.",
    )
    upload_limit_mib: int = Field(25, ge=1, le=1024, description="Largest upload, MiB.")
    backup_limit_mib: int = Field(
        8192, ge=1, le=1_048_576, description="Largest backup to restore from the page, MiB."
    )

    @property
    def own_kinds(self) -> Path:
        """The file of the organisation's own kinds of data."""
        return self.kinds_file or self.home / "kinds.yaml"

    @property
    def database_url(self) -> str:
        """The store's SQLAlchemy URL."""
        return self.database or f"sqlite:///{self.home / 'atelier.db'}"


def load_settings(environment: dict[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read the settings. Raises BadInput: unknown-setting (with the nearest key), bad-setting."""
    environment = dict(os.environ) if environment is None else environment
    path = file or Path(environment.get("ATELIER_CONFIG", "atelier.toml"))
    values: dict[str, object] = {}
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput("bad-settings-file", file=str(path), why=str(error)) from error
        for key in values:
            _known(key, key, str(path))
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != "ATELIER_CONFIG":
            key = name.removeprefix(PREFIX).lower()
            _known(key, name, "environment")
            values[key] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise BadInput("bad-setting", key=key, why=first["msg"]) from error


def _known(key: str, shown: str, where: str) -> None:
    fields = list(Settings.model_fields)
    if key in fields:
        return
    nearest = (difflib.get_close_matches(key, fields, 1, 0.4) or ["home"])[0]
    if where == "environment":
        nearest = PREFIX + nearest.upper()
    raise BadInput("unknown-setting", key=shown, where=where, nearest=nearest)
