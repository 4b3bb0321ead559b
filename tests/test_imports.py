"""The rooms of the design hold: imports point one way, and nothing dangerous is called."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[1]
PAGE = "streamlit_app"

GROUND = {
    "config", "disks", "errors", "hub", "interrupts", "lazily", "memory", "numerics", "pairs",
    "poolings", "precision", "pretrain_config", "progress", "registry", "rereading", "settings",
    "source_code", "starters", "wording",
}  # fmt: skip
SOURCES = {"data", "encoders", "runs"}
SCIENCE = {"tokenising", "hidden_states", "projection", "separability"}
WORK = GROUND | SOURCES | SCIENCE
ALL = {
    *WORK,
    "api",
    "comparison",
    "exploring",
    "relabelling",
    "cluster",
    "training",
    "checks",
    "pretraining",
    "jobs",
    "charts",
    "views",
    "instrument",
    "export",
    "bench",
    "cache",
    "ui",
    "commands",
    "__main__",
    PAGE,
}
# What each room may import of layerviz, besides itself. A new room needs a line here.
MAY_IMPORT = {
    "config": {"errors", "registry", "settings"},
    "disks": {"errors"},
    "errors": {"wording"},
    "pretrain_config": {"config", "errors", "registry", "settings"},
    "hub": {"errors", "progress"},
    "interrupts": set(),
    "lazily": set(),
    "memory": set(),
    "numerics": set(),
    "pairs": {"wording"},
    "poolings": {"registry"},
    "precision": {"config"},
    "progress": {"errors"},
    "registry": {"errors"},
    "rereading": set(),
    "settings": {"errors"},
    "source_code": set(),
    "starters": set(),
    "wording": set(),
    "data": GROUND,
    "encoders": GROUND,
    "runs": GROUND | {"data"},
    **dict.fromkeys(SCIENCE, GROUND | SOURCES),
    "hidden_states": GROUND | SOURCES | {"tokenising"},
    "comparison": WORK,
    "exploring": WORK,
    "relabelling": WORK,
    "cluster": GROUND,
    "training": WORK | {"cluster"},
    "checks": WORK | {"training"},
    "pretraining": WORK | {"training"},
    "jobs": WORK | {"training", "exploring", "checks"},
    "charts": {"config", "lazily", "pairs", "poolings", "wording"},
    "views": WORK | {"charts"},
    "instrument": {"charts", "config", "lazily", "projection", "views", "wording"},
    "export": WORK | {"charts", "views", "instrument"},
    "bench": ALL - {"cache", "ui", PAGE, "commands", "__main__", "api"},
    "commands": ALL - {"cache", "ui", PAGE, "__main__", "api"},
    "api": ALL - {"cache", "ui", PAGE, "__main__"},
    "": {"api", "errors", "lazily"},
    "__main__": {"commands", "interrupts"},
    "cache": ALL - {"ui", PAGE, "api"},
    "ui": ALL - {PAGE, "api"},
    PAGE: ALL - {"api"},
}
OFF_THE_PAGE = {"api", "commands", "__main__", "bench", "pretraining"}
# Who may import a package that should stay in few hands.
KEEPERS = {
    "streamlit": {PAGE, "cache", "ui"},
    "transformers": {"encoders", "hidden_states", "tokenising", "training", "pretraining"},
    **{name: set() for name in ("pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")},
}

# Which modules may make objects of foreign files: what is checked there cannot be passed by.
DOORS = {
    "from_pretrained": frozenset({"layerviz.encoders.opening"}),
    "hf_hub_download": frozenset({"layerviz.encoders.hub", "layerviz.data.hub_data"}),
    **dict.fromkeys(
        ("load_adapter", "load_state_dict_from_url", "get_class_from_dynamic_module", "pipeline",
         "SentenceTransformer", "get_kernel", "load_kernel", "load_library", "snapshot_download"),
        frozenset[str](),
    ),
}  # fmt: skip


@cache
def sources() -> dict[str, Path]:
    """Return every module of the program by its dotted name."""
    paths = [ROOT / "streamlit_app.py", *sorted((ROOT / "layerviz").rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def floor_of(module: str) -> str:
    """Return the part of ``ui`` that a module belongs to; "" outside it and for its top."""
    parts = module.removesuffix(".__init__").split(".")
    return parts[2] if parts[:2] == ["layerviz", "ui"] and len(parts) > 3 else ""


def room_of(module: str) -> str:
    """Return the part of the program that a module belongs to; "" for the package itself."""
    parts = module.removesuffix(".__init__").split(".")
    return parts[0] if parts[0] != "layerviz" else ".".join(parts[1:2])


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they reach"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(module: str, source: str) -> list[str]:
    """Return what a module imports or calls against the rules."""
    tree = ast.parse(source)
    room = room_of(module)
    found = []
    for name in imported(tree):
        package = name.split(".")[0]
        if package in KEEPERS and room not in KEEPERS[package]:
            found.append(f"imports {package}")
        if package in ("layerviz", PAGE):
            other = room_of(name)
            known = other in MAY_IMPORT
            if known and other != room and other not in MAY_IMPORT[room]:
                found.append(f"imports {other}")
            floor, other_floor = floor_of(module), floor_of(f"{name}.x")
            if floor and other_floor not in ("", "parts", floor):
                found.append(f"imports ui.{other_floor}")
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="torch"), attr="load"):
                found.append("torch.load")
            case ast.ImportFrom(module="torch", names=names) if "load" in {n.name for n in names}:
                found.append("torch.load")
            case ast.Attribute(attr="read_pickle" | "to_pickle" as call):
                found.append(call)
            case ast.keyword(arg="allow_pickle" | "trust_remote_code" as argument, value=value):
                if not (isinstance(value, ast.Constant) and value.value is False):
                    found.append(argument)
            case ast.keyword(arg="unsafe_allow_html"):
                found.append("unsafe_allow_html")
            case ast.Call(func=ast.Name(id="eval" | "exec" as call)):
                found.append(call)
            case ast.Call(func=ast.Attribute(attr=call) | ast.Name(id=call)) if (
                module not in DOORS.get(call, {module})
            ):
                found.append(call)
    return found


@pytest.mark.parametrize("module", sources())
def test_a_module_keeps_to_its_room(module: str) -> None:
    assert faults(module, sources()[module].read_text(encoding="utf-8")) == []


def module_of(name: str) -> str:
    """Return the module in which a dotted name is; "" if it is in none of the program."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        for module in (".".join(parts[:end]), ".".join([*parts[:end], "__init__"])):
            if module in sources():
                return module
    return ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {
        module: {module_of(name) for name in imported(ast.parse(path.read_text("utf-8")))}
        - {module, ""}
        for module, path in sources().items()
        if module != "layerviz.__init__"  # what it offers in Python is loaded once it is asked for
    }
    TopologicalSorter(imports).prepare()  # raises a CycleError that names the circle


def test_every_room_has_a_rule() -> None:
    assert {room_of(module) for module in sources()} - {""} <= set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("layerviz.runs", "import streamlit as st", "imports streamlit"),
        ("layerviz.jobs", "def f():\n    from streamlit import runtime", "imports streamlit"),
        ("layerviz.data.reading", "from transformers import AutoModel", "imports transformers"),
        ("layerviz.jobs", "from layerviz import cache", "imports cache"),
        ("layerviz.commands.fit", "from layerviz.ui.parts.state import jobs", "imports ui"),
        ("layerviz.bench.page", "from layerviz.commands import parser", "imports commands"),
        ("layerviz.__main__", "from layerviz import runs", "imports runs"),
        ("layerviz.cache", "import layerviz.ui.run.maps", "imports ui"),
        ("layerviz.charts.frames", "from layerviz import data", "imports data"),
        ("layerviz.data.building", "from layerviz.runs import Run", "imports runs"),
        ("layerviz.encoders.hub", "from layerviz import data", "imports data"),
        ("layerviz.projection", "from layerviz import training", "imports training"),
        ("layerviz.training", "from layerviz.jobs import Jobs", "imports jobs"),
        ("layerviz.ui.parts.state", "from layerviz.ui.run.maps import maps", "imports ui.run"),
        ("layerviz.ui.compare.page", "import layerviz.ui.run.page", "imports ui.run"),
        ("layerviz.runs", "import pickle", "imports pickle"),
        ("layerviz.runs", "import torch\ntorch.load('x', weights_only=True)", "torch.load"),
        ("layerviz.runs", "import numpy as np\nnp.load('x', allow_pickle=True)", "allow_pickle"),
        ("layerviz.encoders.hub", "load('x', trust_remote_code=True)", "trust_remote_code"),
        ("layerviz.encoders.masked", "AutoModel.from_pretrained(folder)", "from_pretrained"),
        ("layerviz.encoders.opening", "model.load_adapter(folder)", "load_adapter"),
        (
            "layerviz.ui.parts.style",
            "st.markdown('x', unsafe_allow_html=True)",
            "unsafe_allow_html",
        ),
    ],
)
def test_a_broken_rule_is_found(module: str, line: str, fault: str) -> None:
    assert faults(module, line) == [fault]


def public_definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """Return the functions and classes that a module offers to others, by name."""
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def wraps_its_namesake(name: str, definition: ast.stmt) -> bool:
    """Return whether a function calls another module's function of its own name, as caches do."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        for node in ast.walk(definition)
    )


def names_with_several_meanings(modules: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Return the public names that several modules define, each with its modules.

    A wrapper may be called as what it wraps; all benches have one interface, and so have all
    commands.
    """
    definers: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules.items():
        for name, definition in public_definitions(tree).items():
            if not wraps_its_namesake(name, definition):
                definers[name].append(module)
    return {
        name: places
        for name, places in definers.items()
        if len(places) > 1
        and {room_of(module) for module in places} not in ({"bench"}, {"commands"})
    }


def test_a_public_name_has_one_meaning() -> None:
    modules = {
        module: ast.parse(path.read_text(encoding="utf-8"))
        for module, path in sources().items()
        # Python gets the commands under their own names, which other rooms have for parts of them.
        if not module.endswith("__init__") and module != "layerviz.api.making"
    }
    assert names_with_several_meanings(modules) == {}


def test_a_name_with_two_meanings_is_found() -> None:
    one, other = ast.parse("def scores(): ..."), ast.parse("class scores: ...")
    wrapper = ast.parse("def scores(): return views.scores()")
    shared = names_with_several_meanings({"layerviz.views.one": one, "layerviz.jobs": other})
    assert shared == {"scores": ["layerviz.views.one", "layerviz.jobs"]}
    assert not names_with_several_meanings({"layerviz.views.one": one, "layerviz.cache": wrapper})


def test_what_is_allowed_is_no_fault() -> None:
    assert (
        faults("layerviz.ui.run.maps", "import streamlit\nfrom layerviz import cache, charts") == []
    )
    assert faults("layerviz.runs", "from layerviz import __version__\nimport layerviz.data") == []
    assert faults("layerviz.encoders.hub", "f(trust_remote_code=False)") == []


@pytest.mark.parametrize("module", [name for name in sources() if room_of(name) == "commands"])
def test_a_command_imports_what_is_heavy_only_when_it_runs(module: str) -> None:
    tree = ast.parse(sources()[module].read_text(encoding="utf-8"))
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and getattr(node, "module", None) != "layerviz.export"  # light: tests/test_export.py
    ]
    rooms = {room_of(name) for name in imported(tree) if name.startswith("layerviz")}
    assert rooms <= GROUND | {"commands", "projection"}


def options_in_errors(tree: ast.AST) -> Iterator[str]:
    """Yield what messages and hints of errors say in words of the command line."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "").endswith("Error"):
            for part in (one for words in call.args[:2] for one in ast.walk(words)):
                text = str(part.value) if isinstance(part, ast.Constant) else ""
                if re.search(r"(^|\W)--[a-z]", text):
                    yield text


def test_an_error_that_the_page_shows_names_no_option_in_its_words() -> None:
    shown = [name for name in sources() if room_of(name) not in OFF_THE_PAGE]
    texts = {name: sources()[name].read_text(encoding="utf-8") for name in shown}
    trees = {name: ast.parse(text) for name, text in texts.items() if "--" in text}
    told = {name: list(options_in_errors(tree)) for name, tree in trees.items()}
    assert {name: words for name, words in told.items() if words} == {}


def test_an_option_in_an_error_is_found() -> None:
    words = 'raise DataError(f"{name} is odd.", "Give --this" f" or {that}.", ["--those"])'
    assert list(options_in_errors(ast.parse(words))) == ["Give --this or "]


def test_the_command_line_answers_without_loading_torch_or_streamlit() -> None:
    heavy = ("torch", "streamlit", "transformers", "sklearn", "openTSNE", "umap")
    code = (
        "import sys, layerviz.__main__ as cli\n"
        "status = cli.main(['fit', '--encoder', 'scratch-bert', '--data', 'no-such-file.csv'])\n"
        f"print(status, [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2 []"
