"""The house keeps its shape: floors of import, light rooms, lazy heavy libraries, short files, docstrings."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from nucleate.cli.verbs import VERBS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "nucleate"

# Imports run downward, never sideways: a module may use its own room and the floors below it.
FLOORS = (
    {"errors", "configuration"},
    {"geometry", "elements", "parallel", "memory"},
    {"crystals"},
    {"files"},  # below the two that convert crystals with it, and write with its `replacing`
    {"models", "evaluation", "drawing"},
    {"training", "generation", "report", "explorer", "datasets", "weights"},
    {"recipes"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# Rooms that must run on a bare GPU box, and all that they may import besides the standard library.
LIGHT_ROOMS = {"models", "training", "generation"}
LIGHT_LIBRARIES = {"nucleate", "torch", "numpy", "pyarrow", "safetensors", "rich", "jaxtyping", "filelock"}
LANGUAGE_LIBRARIES = {
    "sites.py": {"moyopy"},  # symmetry of training crystals; sampling does without
    "hub.py": {"huggingface_hub"},
    "pretrained.py": {"transformers", "peft"},
    "text_language.py": {"transformers"},
    "vllm_backend.py": {"vllm"},
}
"""What single files of the language family import beside these."""

# Imported inside the functions that use them.
HEAVY_LIBRARIES = {
    "chgnet",
    "umap",
    "dscribe",
    "pymatgen",
    "ase",
    "scipy",
    "matplotlib",
    "moyopy",
    "numba",
    "smact",
    "matminer",
    "pandas",
    "spglib",
    "sklearn",
    "zstandard",
}

PACKAGED_AS = {"sklearn": "scikit-learn", "umap": "umap-learn", "huggingface_hub": "huggingface-hub"}
"""Libraries whose package has another name."""

# Modules of compiled kernels, which need numba to be imported, import `compiled` from here; they are as heavy as numba.
COMPILED = "nucleate.evaluation.compiled"

FILES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """Name of a module of the package."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path) for path in FILES}


class Import(NamedTuple):
    """One import: the dotted name, its line, and whether it runs when the module is imported."""

    name: str
    line: int
    at_top: bool


def imports(path: Path) -> Iterator[Import]:
    """All imports of a file; `from a import b` gives `a.b` when that is a module of this package."""
    yield from _imports(ast.parse(path.read_text()), at_top=True)


def _imports(node: ast.AST, *, at_top: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, node.lineno, at_top) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: imports are written in full"
        module = node.module or ""
        modules = {f"{module}.{alias.name}" for alias in node.names} & MODULES
        yield from (Import(name, node.lineno, at_top) for name in sorted(modules or {module}))
    for child in ast.iter_child_nodes(node):
        runs = at_top and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _imports(child, at_top=runs and not _only_for_types(node, child))


def _only_for_types(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and child in node.body


def room(path: Path) -> str:
    """Top folder or module of a file within the package; empty for the package's own `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def tops(name: str) -> str:
    return name.split(".")[0]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_room_has_a_floor():
    rooms = {room(path) for path in FILES} - {""}
    assert rooms <= FLOOR.keys(), "say in FLOORS where a new room stands"


def test_imports_run_downward():
    wrong = []
    for path in FILES:
        own = room(path)
        for found in imports(path):
            if tops(found.name) != "nucleate" or "." not in found.name:
                continue
            other = found.name.split(".")[1]
            if other in FLOOR and own and other != own and FLOOR[other] >= FLOOR[own]:
                wrong.append(f"{where(path, found.line)}: {own} imports {other}")
    assert not wrong


def test_the_package_itself_imports_nothing():
    assert list(imports(PACKAGE / "__init__.py")) == []


def test_rooms_for_a_bare_gpu_box_import_few_libraries():
    allowed = LIGHT_LIBRARIES | sys.stdlib_module_names
    wrong = [
        f"{where(path, found.line)}: {found.name}"
        for path in FILES
        if room(path) in LIGHT_ROOMS
        for found in imports(path)
        if tops(found.name) not in allowed and tops(found.name) not in LANGUAGE_LIBRARIES.get(path.name, ())
    ]
    assert not wrong


def test_heavy_libraries_are_imported_where_they_are_used():
    wrong = [
        f"{where(path, found.line)}: {found.name}"
        for path in FILES
        for found in imports(path)
        if found.at_top and tops(found.name) in HEAVY_LIBRARIES and dotted(path) != COMPILED
    ]
    assert not wrong


def test_kernels_are_imported_where_they_are_used_and_not_by_kernels():
    """A kernel that called one of another module would not be compiled again when that one changes."""
    kernels = {dotted(path) for path in FILES if any(found.name == COMPILED for found in imports(path))}
    assert kernels
    wrong = [
        f"{where(path, found.line)}: {found.name}"
        for path in FILES
        for found in imports(path)
        if found.at_top and found.name in kernels
    ]
    assert not wrong


def test_every_imported_library_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + [need for needs in project["optional-dependencies"].values() for need in needs]
    names = {re.split(r"[\[<>=!~ ]", need)[0] for need in declared}
    wrong = [
        f"{where(path, found.line)}: {found.name}"
        for path in FILES
        for found in imports(path)
        if PACKAGED_AS.get(tops(found.name), tops(found.name)) not in names | sys.stdlib_module_names
    ]
    assert not wrong


def test_nothing_prints():
    wrong = [
        where(path, node.lineno)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def test_files_are_short():
    def limit(path: Path) -> int:
        return 600 if path.parent.name == "networks" else 400

    lengths = {path: len(path.read_text().splitlines()) for path in FILES}
    assert not [f"{path.relative_to(ROOT)}: {n} lines" for path, n in lengths.items() if n > limit(path)]


def test_everything_public_says_what_it_is():
    wrong = [
        f"{where(path, node.lineno)}: {node.name}"
        for path in FILES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    wrong += [
        str(path.relative_to(ROOT))
        for path in FILES
        if not (ast.get_docstring(ast.parse(path.read_text())) or "").strip()
    ]
    assert not wrong


@pytest.mark.parametrize("module", ["nucleate", "nucleate.cli", *(f"nucleate.cli.{verb}" for verb in VERBS)])
def test_the_command_line_starts_without_torch(module):
    script = f"import sys, {module}; sys.stdout.write(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pyarrow", *HEAVY_LIBRARIES}.intersection(loaded)
