"""Build the documents as a site, and fail on a dead link: ``make docs``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).parent.parent
TEMPLATE = "{{cookiecutter.project_slug}}"
FILES = ["LICENSE", "cookiecutter.json", "pyproject.toml"]
"""To which the README's badges lead: on the site to be downloaded."""
PAGES = ["bench/RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"]


def build(folder: Path) -> Path:
    """Build the site into that folder, and return its first page.

    The pages of a project are those of a fresh one, as the template renders them.

    Raises:
        CalledProcessError: Sphinx found a dead link or another fault, and printed it.
    """
    source = folder / "source"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source / "docs", ignore=shutil.ignore_patterns("_build"))
    for page in [*FILES, *PAGES]:
        (source / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, source / page)
    for page in source.rglob("*.md"):  # a project's pages: in a checkout unrendered, here rendered
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(f"{TEMPLATE}/docs/", "docs/project/"), encoding="utf-8")
    with tempfile.TemporaryDirectory() as baked:
        answers = {"database": "postgresql", "use_docker": "yes"}
        project = cookiecutter(
            str(ROOT), no_input=True, accept_hooks=False, extra_context=answers, output_dir=baked
        )
        shutil.copytree(Path(project) / "docs", source / "docs" / "project")
    html = folder / "html"
    words = ["-W", "--keep-going", "-n", "-q", "-c", str(source / "docs"), str(source), str(html)]
    subprocess.run([sys.executable, "-m", "sphinx", *words], check=True)  # noqa: S603  (our words)
    first = html / "docs" / "index.html"
    leads = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">'
    (html / "index.html").write_text(leads, encoding="utf-8")
    return first


if __name__ == "__main__":
    print(build(ROOT / "docs" / "_build"))
