"""A project's life after its first bake: without hooks, over itself, offline, updated by cruft."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations import CHOICES
from tests.conftest import Bake
from tests.settings import ROOT
from tests.template.locks import UV

README = ROOT / "README.md"
OFFLINE = ["unshare", "--net", "--map-root-user"]


def can_cut_the_network() -> bool:
    return (
        bool(shutil.which(OFFLINE[0]))
        and not subprocess.run([*OFFLINE, "true"], capture_output=True).returncode
    )


def tree(project: Path) -> dict[str, bytes]:
    """Relative name -> content of every file; folders with a slash and no content."""
    return {
        path.relative_to(project).as_posix() + "/" * path.is_dir(): (
            b"" if path.is_dir() else path.read_bytes()
        )
        for path in project.rglob("*")
    }


def run(*words: str | Path, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, env=os.environ | more
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def cookiecutter(
    template: Path, folder: Path, *words: str, prefix: list[str] | None = None
) -> Path:
    command = [*(prefix or []), sys.executable, "-m", "cookiecutter", "--no-input", *words]
    run(*command, "--output-dir", folder, template, cwd=folder)
    return folder / "my_project"


def test_env_is_private_random_and_ignored(bake: Bake):
    one, other = bake(), bake()
    env = one / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    key = env.read_text().partition("SECRET_KEY=")[2].splitlines()[0]
    assert len(key) >= 50
    assert key not in (other / ".env").read_text()
    assert key not in "".join(
        text.decode(errors="replace") for name, text in tree(one).items() if name != ".env"
    )
    assert ".env" in (one / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("database", CHOICES["database"])
def test_the_closing_words_make_the_database_as_the_readme_does(bake: Bake, capfd, database: str):
    project = bake(database=database)
    words = [line.strip() for line in capfd.readouterr().out.splitlines()]
    start = (project / "README.md").read_text().partition("\n## Start\n")[2].partition("\n## ")[0]
    *first, run = (block.splitlines() for block in re.findall(r"```sh\n(.*?)```", start, re.S))
    assert len(first) == (database != "sqlite")
    commands = [*itertools.chain(*first), *run[:2]]
    at = words.index("cd my_project") + 1
    assert words[at : at + len(commands) + 1] == [*commands, ""]


def test_what_tools_left_in_the_template_does_not_come_along(template: Path, tmp_path: Path):
    source = shutil.copytree(template, tmp_path / "source")
    inside = source / "{{cookiecutter.project_slug}}"
    for name in (
        ".ruff_cache/0.1/1",
        "tests/.pytest_cache/v/x",
        "scheduler/.mypy_cache/x.json",
        "scheduler/__pycache__/x.pyc",
        "config/__pycache__/x.pyc",
    ):
        (inside / name).parent.mkdir(parents=True)
        (inside / name).write_text("{{ left }}")
    project = cookiecutter(source, tmp_path)
    assert [name for name in tree(project) if "cache" in name] == []


def test_the_project_s_own_tests_ask_no_env(bake: Bake):
    """Whatever a developer tries out in it."""
    project = bake(project_slug="tried_out")
    (project / ".env").write_text(
        "METRICS_TOKEN=x\nHTTPS=false\nADMIN_URL=x/\nSENTRY_DSN=x\nALLOWED_HOSTS=x\n"
    )
    some = (
        "tests/test_health.py",
        "tests/test_admin_permissions.py::test_a_permission_opens_its_routes_and_no_other[None]",
        "tests/test_settings.py::test_production_passes_the_deployment_check_once_static_files_are_there",
    )
    run(sys.executable, "-m", "pytest", "-q", *some, cwd=project)


def test_a_project_baked_without_hooks_works(bake: Bake, template: Path, tmp_path: Path):
    """The same project, but for .env and the folders that an option left empty."""
    bare = tree(cookiecutter(template, tmp_path, "--accept-hooks", "no"))
    whole = tree(bake())
    assert whole.keys() - bare.keys() == {".env"}
    assert all(name.endswith("/") for name in bare.keys() - whole.keys())
    assert {name: bare[name] for name in whole if name != ".env"} == {
        name: text for name, text in whole.items() if name != ".env"
    }


def test_baking_over_a_project_of_the_same_answers_changes_nothing(template: Path, tmp_path: Path):
    project = cookiecutter(template, tmp_path)
    (project / "mine.txt").write_text("kept")
    before = tree(project)
    assert cookiecutter(template, tmp_path, "--overwrite-if-exists") == project
    assert tree(project) == before


def test_an_existing_folder_is_not_touched(template: Path, tmp_path: Path):
    (tmp_path / "my_project").mkdir()
    with pytest.raises(AssertionError, match="already exists"):
        cookiecutter(template, tmp_path)
    assert tree(tmp_path) == {"my_project/": b""}


def test_a_post_hook_that_fails_leaves_nothing(template: Path, tmp_path: Path):
    source = shutil.copytree(template, tmp_path / "source")
    with (source / "hooks" / "post_gen_project.py").open("a", encoding="utf-8") as hook:
        hook.write('\nraise OSError("No space left on device")\n')
    folder = tmp_path / "projects"
    folder.mkdir()
    with pytest.raises(AssertionError, match="No space left on device"):
        cookiecutter(source, folder)
    assert tree(folder) == {}


def test_a_post_hook_that_fails_over_a_project_leaves_that_project(template: Path, tmp_path: Path):
    project = cookiecutter(template, tmp_path)
    (project / "mine.txt").write_text("kept")
    before = tree(project)
    source = shutil.copytree(template, tmp_path / "source")
    with (source / "hooks" / "post_gen_project.py").open("a", encoding="utf-8") as hook:
        hook.write('\nraise OSError("No space left on device")\n')
    with pytest.raises(AssertionError, match="No space left on device"):
        cookiecutter(source, tmp_path, "--overwrite-if-exists")
    assert tree(project) == before


RUNNERS = {"uvx": [Path(UV).with_name("uvx")], "pipx": [shutil.which("pipx"), "run"]}


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_the_readme_s_ways_to_run_cookiecutter_without_installing_it_work(
    runner: str, template: Path, tmp_path: Path
):
    command = [*RUNNERS[runner], "cookiecutter"]
    if command[0] is None:
        pytest.skip(f"{runner} is not installed")
    assert f"{runner} {'run ' * (runner == 'pipx')}cookiecutter" in README.read_text()
    run(*command, "--no-input", "--output-dir", tmp_path, template, cwd=tmp_path)
    assert (tmp_path / "my_project" / ".env").exists()


@pytest.mark.skipif(not can_cut_the_network(), reason="unshare --net is not permitted here")
def test_baking_needs_no_network(template: Path, tmp_path: Path):
    assert (cookiecutter(template, tmp_path, prefix=OFFLINE) / ".env").exists()


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project that cruft made from a tagged release, committed and worked on."""
    if not shutil.which("git"):
        pytest.skip("cruft needs git")
    source = shutil.copytree(template, tmp_path / "source")
    commit(source, "release")
    run("git", "tag", "1.0.0", cwd=source)
    options = ("--no-input", "--checkout", "1.0.0", "--output-dir", tmp_path)
    run("cruft", "create", *options, source, cwd=tmp_path, **CRUFT)
    project = tmp_path / "my_project"
    (project / "home" / "mine.py").write_text("MINE = True\n")
    (project / "uv.lock").write_text("# the user's own\n")
    commit(project, "project")
    return project


def test_make_update_brings_the_newer_version_without_rejects(project: Path):
    source = project.parent / "source"
    inside = source / "{{cookiecutter.project_slug}}"
    readme = inside / "README.md"
    readme.write_text(readme.read_text().replace("1.0.0", "1.1.0"))
    (inside / "scheduler" / "VERSION").write_text("1.1.0\n")
    (inside / "scheduler" / "later.py").write_text("LATER = True\n")
    commit(source, "1.1.0")
    key = (project / ".env").read_text()

    told = update(project)
    assert "The template's version here is 1.0.0." in told
    assert "+1.1.0" in told
    assert (project / "scheduler" / "VERSION").read_text() == "1.1.0\n"
    assert (project / "scheduler" / "later.py").exists()
    assert "1.1.0" in (project / "README.md").read_text().rpartition("\n---\n")[2]
    assert (project / "home" / "mine.py").exists()
    assert (project / ".env").read_text() == key
    assert not list(project.rglob("*.rej"))
    run("cruft", "check", cwd=project, **CRUFT)


def test_make_update_refuses_what_is_not_committed(project: Path):
    (project / "home" / "mine.py").write_text("MINE = False\n")
    told = update(project, fails=True)
    assert " M home/mine.py" in told
    assert "Commit or stash these changes first" in told


def test_make_update_tells_who_made_the_project_without_cruft(bake: Bake):
    assert "The end of README.md tells how to link it." in update(bake(), fails=True)


def update(project: Path, fails: bool = False) -> str:
    """What ``make update`` prints to somebody who looks first and then agrees."""
    done = subprocess.run(
        ["make", "update", f"UV={UV}", f"UV_PYTHON={sys.executable}"],
        cwd=project,
        env=os.environ | CRUFT | {"PAGER": "cat", "GIT_PAGER": "cat"},
        input="v\ny\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout


GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]
CRUFT = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def commit(folder: Path, message: str) -> None:
    run("git", "init", "-q", "--initial-branch", "main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run(*GIT, "commit", "-q", "--message", message, cwd=folder)
