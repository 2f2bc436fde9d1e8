"""`atelier agent`: packages in and out, tests in the sandbox, asking to publish, going back."""

from pathlib import Path

from tests.ui.test_cli import as_json, atelier
from tests.upstream import Say, Upstream

EXAMPLE = Path(__file__).parents[2] / "examples" / "meeting-summariser.agent.zip"


def brought_in(home: Path) -> str:
    done = atelier(home, "agent", "import", str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_example_package_comes_in_and_goes_out_again(tmp_path: Path) -> None:
    agent = brought_in(tmp_path / "home")
    assert agent.startswith("meeting-summariser-x")
    out = tmp_path / "out.agent.zip"
    done = atelier(tmp_path / "home", "agent", "export", agent, "--out", str(out))
    assert done.returncode == 0 and out.stat().st_size > 1000, done.stderr


def test_what_is_no_package_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(b"PK nonsense")
    done = atelier(tmp_path / "home", "agent", "import", str(file))
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout


def test_tests_run_in_the_sandbox_and_failures_are_the_exit_code(tmp_path: Path) -> None:
    with Upstream(Say("Subject: something else")) as upstream:
        base = {"ATELIER_MODEL_BASE": upstream.base}
        done = atelier(
            tmp_path, "agent", "test", "email-drafter", "--which", "own", "--json", **base
        )
    results = as_json(done)
    assert done.returncode == 1 and len(results) >= 3, done.stderr
    assert all(result["runs"] == 1 for result in results)


def test_asking_to_publish_waits_for_somebody_else(tmp_path: Path) -> None:
    agent = brought_in(tmp_path)
    with Upstream(Say("Summary")) as upstream:
        base = {"ATELIER_MODEL_BASE": upstream.base}
        done = atelier(tmp_path, "agent", "publish", agent, "--notes", "For all", **base)
    assert done.returncode == 0 and done.stdout.startswith("rq-"), done.stderr
    back = atelier(tmp_path, "agent", "rollback", agent, "1.0.0")
    assert back.returncode == 2  # nothing is live yet


def test_a_template_is_nobodys_to_publish(tmp_path: Path) -> None:
    done = atelier(tmp_path, "agent", "publish", "email-drafter")
    assert done.returncode == 2
