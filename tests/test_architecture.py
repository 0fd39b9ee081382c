"""Who imports whom: no circles, nothing forbidden, no private names of other rooms, no torch where it is not needed.

The table of rooms in CONTRIBUTING.md says which room may import which; the tests read it.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

import skspec
from tests._data import ROOT

HEAVY = {"networks", "training", "oversampling", "estimators", "recipes", "cli"}  # these may need torch
OF_NETWORKS = {"torch", "safetensors"} | sys.stdlib_module_names


class Module(NamedTuple):
    """A source file: its dotted name, its room (empty for the package itself) and its code."""

    name: str
    room: str
    file: str
    nodes: list[ast.AST]


def read_package(package: Path) -> dict[str, Module]:
    """Modules of a package by dotted name."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        file = path.relative_to(package.parent).as_posix()
        name = ".".join(parts).removesuffix(".__init__")
        modules[name] = Module(
            name, (*name.split("."), "")[1], file, list(executed(ast.parse(path.read_text())))
        )
    return modules


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes below one, without the branches that only type checkers follow."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from executed(other)
        else:
            yield child
            yield from executed(child)


def imports(module: Module, modules: dict[str, Module]) -> Iterator[tuple[str, str]]:
    """Modules that a file imports anywhere, each with the name taken from it (empty for the module itself).

    A string that is the name of a module counts too, since lazy imports are tables of such strings. The package itself
    may name all its rooms so: it loads them for its users, not for itself.
    """
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                depth = node.level - module.file.endswith("/__init__.py")
                base = ".".join([*module.name.split(".")[: -depth or None], *filter(None, [base])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner, "") if inner in modules else (base, alias.name)
        elif isinstance(node, ast.Constant) and module.room and node.value in modules.keys() - {module.name}:
            yield node.value, ""


def arrows(modules: dict[str, Module]) -> Iterator[tuple[Module, Module, str]]:
    """Imports within the package: from, to, and the name."""
    for module in modules.values():
        for target, name in imports(module, modules):
            if target in modules and not (modules[target].room == "" and name == "__version__"):
                yield module, modules[target], name


def told(found: list[tuple[Module, Module, str]]) -> list[str]:
    """One line for each pair of files: ``from -> to: names``."""
    names = defaultdict(set)
    for source, target, name in found:
        names[source.file, target.file].add(name or "the module")
    return [
        f"{source} -> {target}: {', '.join(sorted(some))}" for (source, target), some in sorted(names.items())
    ]


def circle(modules: dict[str, Module], field: str) -> list[str]:
    """Imports of the first circle of modules or rooms (as `field` says); none where there is no circle."""
    graph = defaultdict(set)
    found = defaultdict(list)
    for source, target, name in arrows(modules):
        a, b = getattr(source, field), getattr(target, field)
        if a != b or field == "name":
            graph[a].add(b)
            found[a, b].append((source, target, name))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        nodes = error.args[1]  # each is imported by the next
        return [line for b, a in pairwise(nodes) for line in told(found[a, b])]
    return []


def forbidden(modules: dict[str, Module], may_import: dict[str, set[str]]) -> list[str]:
    """Imports across rooms that a table does not allow; the package itself goes by its own name there."""
    root = min(modules, key=len)
    return told(
        [
            (source, target, name)
            for source, target, name in arrows(modules)
            if source.room
            and source.room != target.room
            and (target.room or root) not in may_import.get(source.room, ())
        ]
    )


def is_private(name: object) -> bool:
    return isinstance(name, str) and bool(re.fullmatch(r"_(?!_)\w+", name))


def private_uses(modules: dict[str, Module]) -> list[str]:
    """Private modules, names and attributes of one room that another uses."""
    found = told(
        [
            (source, target, name)
            for source, target, name in arrows(modules)
            if source.room != target.room and any(map(is_private, [*target.name.split("."), name]))
        ]
    )
    homes = defaultdict(dict)
    for module in modules.values():
        for name in filter(is_private, defined_names(module)):
            homes[name].setdefault(module.room, module.file)
    for module in modules.values():
        for line, name in used_attributes(module):
            if is_private(name) and homes[name] and module.room not in homes[name]:
                found.append(f"{module.file}:{line} -> {', '.join(homes[name].values())}: {name}")
    return found


def defined_names(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            yield node.attr


def used_attributes(module: Module) -> Iterator[tuple[int, object]]:
    """Attributes of other objects, written out or in ``getattr`` and the like."""
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "getattr",
            "hasattr",
            "setattr",
            "delattr",
        ):
            owner, name, *_ = node.args
            if isinstance(name, ast.Constant) and not is_own(owner):
                yield node.lineno, name.value


def is_getattr(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in ("getattr", "hasattr", "setattr", "delattr")


def is_own(value: ast.expr) -> bool:
    if isinstance(value, ast.Name):
        return value.id in ("self", "cls")
    return isinstance(value, ast.Call) and ast.unparse(value) in ("super()", "type(self)")


def read_table(text: str) -> dict[str, set[str]]:
    """Rooms of the table in CONTRIBUTING.md, in its order, and the rooms that each may import."""
    table = {}
    for first, last in re.findall(r"^\| `(\w+)/?` \|.*\| (.*?) \|$", text, re.MULTILINE):
        above = set(table) if "every room above" in last else set()
        table[first] = above | set(re.findall(r"`(\w+)`", last))
    return table


# The package ----------------------------------------------------------------------------------------------

MODULES = read_package(ROOT / "skspec")
MAY_IMPORT = read_table((ROOT / "CONTRIBUTING.md").read_text())


def assert_none(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def test_every_room_is_in_the_table():
    assert set(MAY_IMPORT) == {module.room for module in MODULES.values()} - {""}
    assert set(MAY_IMPORT) > HEAVY


def test_a_room_may_only_import_from_rooms_above_it_in_the_table():
    above = {"skspec"}
    for room, known in MAY_IMPORT.items():
        assert known <= above, f"{room} is to import {sorted(known - above)}, further down or unknown"
        above.add(room)


@pytest.mark.parametrize("field", ["name", "room"])
def test_no_circle(field):
    assert_none(circle(MODULES, field))


def test_rooms_import_only_what_the_table_allows():
    assert_none(forbidden(MODULES, MAY_IMPORT))


def test_no_room_uses_private_names_of_another():
    assert_none(private_uses(MODULES))


def test_light_rooms_never_need_torch():
    light = MAY_IMPORT.keys() - HEAVY
    assert_none(
        [
            f"{room} may import {sorted(MAY_IMPORT[room] & HEAVY)}"
            for room in light
            if MAY_IMPORT[room] & HEAVY
        ]
    )
    assert_none([line for line in outside(light) if line.endswith((" torch", " skorch"))])


def test_networks_know_only_torch():
    assert MAY_IMPORT["networks"] == set()
    assert_none([line for line in outside({"networks"}) if line.split()[-1] not in OF_NETWORKS])


def outside(rooms: set[str]) -> list[str]:
    """Lines ``file -> package`` of what rooms import from other packages."""
    return sorted(
        {
            f"{module.file} -> {target.partition('.')[0]}"
            for module in MODULES.values()
            if module.room in rooms
            for target, _ in imports(module, MODULES)
            if target not in MODULES
        }
    )


# The checks themselves, on packages that break the rules -----------------------------------------------------


@pytest.fixture
def house(tmp_path):
    def build(**files):
        for name, code in files.items():
            path = tmp_path / "house" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
        for folder in {path.parent for path in (tmp_path / "house").rglob("*.py")} | {tmp_path / "house"}:
            (folder / "__init__.py").touch()
        return read_package(tmp_path / "house")

    return build


def test_circles_are_found(house):
    modules = house(
        attic__a="def f():\n    from house.cellar.b import g",  # nested imports count
        cellar__b="import house.hall",
        hall="from .attic.a import f",
        stairs="from house.attic import a\nif TYPE_CHECKING:\n    import house.street",
        street="import house.stairs",
    )
    expected = {
        "house/attic/a.py -> house/cellar/b.py: g",
        "house/cellar/b.py -> house/hall.py: the module",
        "house/hall.py -> house/attic/a.py: f",
    }
    assert set(circle(modules, "name")) == set(circle(modules, "room")) == expected


def test_a_circle_of_rooms_needs_no_circle_of_modules(house):
    modules = house(attic__a="import house.cellar.b", cellar__b="", cellar__c="from ..attic import a")
    assert circle(modules, "name") == []
    assert set(circle(modules, "room")) == {
        "house/attic/a.py -> house/cellar/b.py: the module",
        "house/cellar/c.py -> house/attic/a.py: the module",
    }


def test_lazy_tables_are_imports(house):
    modules = house(attic__a="HOME = {'b': 'house.cellar.b'}", cellar__b="import house.attic.a")
    assert len(circle(modules, "name")) == 2


def test_forbidden_imports_are_found(house):
    modules = house(
        attic__a="from house.cellar.b import g, h\nfrom house import __version__",
        cellar__b="from . import c\nimport house",
        cellar__c="import torch",
    )
    assert forbidden(modules, {"attic": {"cellar"}, "cellar": {"house"}}) == []
    assert forbidden(modules, {"attic": set(), "cellar": set()}) == [
        "house/attic/a.py -> house/cellar/b.py: g, h",
        "house/cellar/b.py -> house/__init__.py: the module",
    ]


def test_private_uses_are_found(house):
    modules = house(
        attic__a="class A:\n    def _hook(self):\n        self._state = 1\n    _field: int = 0",
        attic___hidden="_inner = 1",
        attic__own="from house.attic._hidden import _inner\nA()._state",
        cellar__b="from house.attic import _hidden\nfrom house.attic._hidden import x\nfrom house.attic.a import _g",
        cellar__c="self._hook()\nsuper()._hook()\ncls._field\nhasattr(self, '_state')\nrow._replace()\nx.__class__",
        cellar__d="a._hook()\na.b._state = 2\ngetattr(a, '_field', 0)",
    )
    assert private_uses(modules) == [
        "house/cellar/b.py -> house/attic/_hidden.py: the module, x",
        "house/cellar/b.py -> house/attic/a.py: _g",
        "house/cellar/d.py:1 -> house/attic/a.py: _hook",
        "house/cellar/d.py:2 -> house/attic/a.py: _state",
        "house/cellar/d.py:3 -> house/attic/a.py: _field",
    ]


def test_the_table_is_read():
    rows = "| `a/` | b, `x` | nothing |", "| `b` | c | `a` |", "| `c/` | d | every room above, `e` |"
    assert read_table("\n".join(["| room | what | may import |", "|---|---|---|", *rows])) == {
        "a": set(),
        "b": {"a"},
        "c": {"a", "b", "e"},
    }


# What an import costs ---------------------------------------------------------------------------------------


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()


def test_import_is_light():
    heavy = "[m for m in ('torch', 'skorch', 'sklearn', 'scipy', 'matplotlib') if m in sys.modules]"
    assert run(f"import sys, skspec; print({heavy})") == "[]"


def test_transformers_and_readers_do_not_pull_in_torch():
    names = "FluxNormalizer, LineIndices, LogWaveResampler, Spectra, make_spectra, read_spectra"
    heavy = "[m for m in ('torch', 'skorch') if m in sys.modules]"
    assert run(f"import sys; from skspec import {names}; print({heavy})") == "[]"


@pytest.mark.parametrize("name", skspec.__all__)
def test_public_names_load_and_are_documented(name):
    value = getattr(skspec, name)
    assert name in dir(skspec)
    if name != "__version__":
        assert value.__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Conv1dClassifier'"):
        _ = skspec.Conv1dClassifier
