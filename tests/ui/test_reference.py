"""Documents that are generated cannot drift."""

from ui.reference import DOCS, api_reference, cli_reference, identity_reference, settings_reference


def test_the_api_reference_is_what_the_code_says() -> None:
    assert (DOCS / "api.md").read_text("utf-8") == api_reference()


def test_the_command_reference_is_what_the_code_says() -> None:
    assert (DOCS / "cli.md").read_text("utf-8") == cli_reference()


def test_the_table_of_roles_is_what_the_code_says() -> None:
    assert (DOCS / "identity.md").read_text("utf-8") == identity_reference()


def test_the_settings_are_what_the_code_says() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == settings_reference()
