"""Databases beside the one in use, on the same PostgreSQL server: made ready there, then renamed.

A restore by the button loads a backup into `<name>_next`, checks it there, and the next start
renames: the present one to `<name>_before_…`, the new one to its name. Nothing is overwritten, and
each step can be repeated. Needs the right to create databases; without it nothing is changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from guardrails.errors import BadInput, GuardrailError

_LONGEST = 40  # of the name: PostgreSQL cuts names at 63 bytes


def beside(url: str, ending: str) -> str:
    """The address of another database of the same server."""
    place = sa.make_url(url)
    name = f"{(place.database or '')[:_LONGEST]}_{ending}"
    return place.set(database=name).render_as_string(hide_password=False)


def fresh(url: str, at: str) -> None:
    """Create an empty database, seen from `url`; one that was left behind goes first.

    Raises BadInput("restore-by-command") when its user may not.
    """
    drop(url, at)
    try:
        with _commands(url) as run:
            run(f"CREATE DATABASE {_name(at)} TEMPLATE template0 ENCODING 'UTF8'")
    except sa.exc.DBAPIError as error:
        raise BadInput("restore-by-command") from error


def drop(url: str, at: str) -> None:
    """Delete a database, seen from `url`, when there is one. Raises BadInput as `fresh` does."""
    try:
        with _commands(url) as run:
            run(f"DROP DATABASE IF EXISTS {_name(at)}")
    except sa.exc.DBAPIError as error:
        raise BadInput("restore-by-command") from error


def there(url: str) -> bool:
    """True when this database can be opened."""
    engine = sa.create_engine(url)
    try:
        with engine.connect():
            return True
    except sa.exc.OperationalError:
        return False
    finally:
        engine.dispose()


def swap(url: str, new: str, old: str) -> None:
    """Put `new` in the place of `url`, which becomes `old`. Goes on where it was interrupted.

    Raises GuardrailError("store-in-use") while another server or program has one of them open:
    then everything is as it was, or the next call ends it.
    """
    try:
        if there(new):
            if not there(old):
                with _commands(new) as run:
                    run(f"ALTER DATABASE {_name(url)} RENAME TO {_name(old)}")
            with _commands(old) as run:
                run(f"ALTER DATABASE {_name(new)} RENAME TO {_name(url)}")
    except sa.exc.DBAPIError as error:
        raise GuardrailError("store-in-use") from error


def _name(url: str) -> str:
    name = sa.make_url(url).database or ""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _commands(url: str) -> Iterator["_Run"]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield _Run(connection)
    finally:
        engine.dispose()


class _Run:
    """Runs one statement that takes no parameters; names are quoted by `_name`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str) -> None:
        # exec_driver_sql reads a percent sign as a parameter
        self._connection.exec_driver_sql(statement.replace("%", "%%"))
