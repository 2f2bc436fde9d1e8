"""Parts of the product that are made at first use from others. Decides nothing itself."""

from functools import cached_property
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from guardrails.audit.ledger import Ledger
from guardrails.keys import Keys
from guardrails.processes import Processes
from ui.apikeys import ApiKeys
from ui.branding import Brand
from ui.desk import Desk
from ui.groups import Groups
from ui.impact import Impacts
from ui.learning import Learning
from ui.password_links import PasswordLinks
from ui.record import Record
from ui.restoring import Restoring
from ui.settings import Settings


class Parts:
    """What `ui.wiring.App` and a house of tests have alike; they bring the names below."""

    settings: Settings
    keys: Keys
    engine: sa.Engine
    ledger: Ledger
    checkpoint_file: Path
    processes: Processes

    @cached_property
    def groups(self) -> Groups:
        """Groups of people and the roles they give."""
        return Groups(self.engine)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Keys of programs and of provisioning."""
        return ApiKeys(self.engine)

    @cached_property
    def password_links(self) -> PasswordLinks:
        """Links to choose a password."""
        return PasswordLinks(self.engine)

    @cached_property
    def desk(self) -> Desk:
        """Publishing, evaluation and the files of agents."""
        return Desk(cast(Any, self))

    @cached_property
    def brand(self) -> Brand:
        """The house's own look."""
        return Brand(self.engine)

    @cached_property
    def record(self) -> Record:
        """Reveals, retention, alerts, exports of this store."""
        parts = (self.settings, self.engine, self.keys, self.ledger, self.checkpoint_file)
        return Record(*parts, self.processes.id)

    @cached_property
    def restoring(self) -> Restoring:
        """A restore by the button, and what the last one came to."""
        return Restoring(cast(Any, self))

    @cached_property
    def learning(self) -> Learning:
        """Which lessons each person has done."""
        return Learning(self.engine)

    @cached_property
    def impacts(self) -> Impacts:
        """What people report of time and quality."""
        return Impacts(self.engine)
