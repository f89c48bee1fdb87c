"""The plan of the house, held by walking the imports: who may lean on whom, and how large a room may grow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for top in ("exodash", "campaigns", "callbacks")
    for path in sorted((ROOT / top).rglob("*.py"))
    if "migrations" not in path.parts
]
GROUND, MOVERS, DOORS, WIRING = 1, 2, 3, 4
# The longest matching prefix decides.
FLOORS = {
    "campaigns.models": GROUND,
    "campaigns.text": GROUND,
    "campaigns.exotel": GROUND,
    "campaigns.bulk": GROUND,
    "campaigns.jobs": GROUND,
    "campaigns.leases": GROUND,
    "campaigns.recent": GROUND,
    "campaigns.failpoints": GROUND,
    "campaigns.apps": GROUND,
    "campaigns.audit": GROUND,
    "campaigns.sending": MOVERS,
    "campaigns.audience": MOVERS,
    "campaigns.insight": MOVERS,
    "campaigns.hooks": MOVERS,
    "campaigns.roles": MOVERS,
    "campaigns": DOORS,
    "callbacks": DOORS,
    "exodash": WIRING,
    "exodash.env": GROUND,
}
# Rooms of one floor do not know each other, but for these.
NEIGHBOURS = {
    ("campaigns.models", "campaigns.text"),
    ("campaigns.exotel", "campaigns.text"),
    ("campaigns.audit", "campaigns.models"),
    ("campaigns.bulk", "campaigns.models"),
    ("campaigns.leases", "campaigns.models"),
    ("campaigns.recent", "campaigns.models"),
    ("campaigns.recent", "campaigns.bulk"),
    ("campaigns.models", "campaigns.jobs"),  # what a webhook is to be told is stored with what it tells of, and rings
    ("callbacks", "campaigns"),  # what comes back shows itself in the console, which does not know it (see the next test)
}
DJANGO_FREE = ("campaigns/exotel/", "campaigns/text/")


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module):
    fitting = [room for room in FLOORS if module == room or module.startswith(room + ".")]
    return max(fitting, key=len)


def imports_of(tree):
    """(imported module, is inside a function) of every import."""
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in inside


def ours(module):
    return module.split(".")[0] in {"campaigns", "callbacks", "exodash"}


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def source(request):
    return request.param, ast.parse(request.param.read_text(encoding="utf-8"))


def test_imports_run_downward_or_stay_in_their_room(source):
    path, tree = source
    room = room_of(module_of(path))
    for imported, _ in imports_of(tree):
        if not ours(imported):
            continue
        other = room_of(imported)
        if other == room or (room, other) in NEIGHBOURS or FLOORS[other] < FLOORS[room]:
            continue
        same_door = FLOORS[room] == FLOORS[other] == DOORS and imported.split(".")[0] == room.split(".")[0]
        assert same_door, f"{path.relative_to(ROOT)} on floor {FLOORS[room]} imports {imported}"


def test_campaigns_never_imports_callbacks(source):
    path, tree = source
    if path.relative_to(ROOT).parts[0] == "campaigns":
        assert not [name for name, _ in imports_of(tree) if name.split(".")[0] == "callbacks"]


def test_no_function_imports_our_own_rooms(source):
    _, tree = source
    assert not [name for name, inside in imports_of(tree) if inside and ours(name)]


def test_the_wire_and_the_text_are_free_of_django(source):
    path, tree = source
    if str(path.relative_to(ROOT)).startswith(DJANGO_FREE):
        assert not [name for name, _ in imports_of(tree) if name.split(".")[0] in {"django", "rest_framework", "django_q"}]


def test_only_the_sending_room_writes_message_states(source):
    """The word for a new state of a message is written nowhere else."""
    path, _ = source
    room = room_of(module_of(path))
    if room not in {"campaigns.sending", "campaigns.models", "campaigns.insight"}:
        text = path.read_text(encoding="utf-8")
        assert "Message.objects.create" not in text and "UPDATE campaigns_message" not in text


def test_files_and_functions_stay_small(source):
    path, tree = source
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines: is there a room in it that wants its own door?"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} has {node.end_lineno - node.lineno + 1} lines"


def test_source_uses_no_assert(source):
    """``python -O`` takes asserts out: what must hold is raised."""
    _, tree = source
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def test_the_top_level_holds_only_what_the_plan_names():
    allowed = {
        "manage.py", "exodash", "campaigns", "callbacks", "templates", "static", "requirements.txt", "tests", "README.md",
        "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "requirements-dev.txt", "Makefile", "Procfile", "pyproject.toml",
        "docs", "benchmarks", "var",
    }  # fmt: skip
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} <= allowed
