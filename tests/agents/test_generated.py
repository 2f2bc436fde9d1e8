"""What is generated from the templates is what is committed."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.package import import_agent
from agents.tools.registry import TOOLS
from examples.make_docs import ROOT, generated


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Path) -> None:
    assert path.read_bytes() == generated()[path], "run python -m examples.make_docs"


def test_the_example_package_can_be_imported() -> None:
    data = (ROOT / "examples" / "meeting-summariser.agent.zip").read_bytes()
    tools = frozenset(TOOLS)
    package = import_agent(
        data, tools=tools, has_secret=lambda _: False, suspicious=lambda _: False
    )
    assert package.spec.id == "meeting-summariser"


def test_the_parser_loads_nothing_that_the_seal_forbids() -> None:
    code = (
        "import sys, agents.knowledge.parse\n"
        "bad = {'guardrails', 'sandbox', 'ui', 'sqlalchemy', 'gradio', 'litellm', 'numpy'}\n"
        "print(sorted(bad & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
