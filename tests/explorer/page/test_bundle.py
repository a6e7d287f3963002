"""The bundle in the package is the one that its sources build."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

import nucleate.explorer.page as page

FOLDER = Path(page.__file__).parent


def test_the_bundle_was_built_from_these_sources():
    digest = sha256()
    viewer = FOLDER.parents[1] / "drawing" / "viewer.js"
    sources = [*sorted((FOLDER / "src").glob("*.js")), viewer, FOLDER / "package.json"]
    for path in sources:
        digest.update(path.read_bytes())
    first, _, _ = (FOLDER / "bundle.js").read_text(encoding="utf-8").partition("\n")
    assert f"sources {digest.hexdigest()} " in first, "cd src/nucleate/explorer/page && npm ci && npm run build"


def test_the_sources_build_the_bundle():
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "esbuild").is_dir():
        pytest.skip("Node.js or the packages of package.json are absent")
    done = subprocess.run([node, "build.mjs", "--check"], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_bundle_cannot_close_its_element_and_names_the_licences_of_others():
    bundle = (FOLDER / "bundle.js").read_text(encoding="utf-8")
    assert "</script" not in bundle.lower()
    for name, version in json.loads((FOLDER / "package.json").read_text())["dependencies"].items():
        assert name in bundle.partition("\n")[0]
        assert f"{name} {version}" in (FOLDER / "NOTICE").read_text()


def test_the_lock_names_no_registry():
    assert not re.search(r"https?://", re.sub(r'"(url|funding)": .*', "", (FOLDER / "package-lock.json").read_text()))


def test_modules_are_short():
    lengths = {path.name: len(path.read_text().splitlines()) for path in (FOLDER / "src").glob("*.js")}
    assert not {name: length for name, length in lengths.items() if length > 400}
