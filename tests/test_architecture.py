"""The house rules of ARCHITECTURE.rst, checked on the source itself."""

import ast
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "mailsys"

FILE_LINES = 400
FUNCTION_LINES = 40
EMPTY_WORDS = re.compile(r"Manager|Handler|Processor|Helper|Util|Engine|Misc|Common|Base(?![a-z0-9])")
EMPTY_MODULES = re.compile(r"(^|_)(manager|handler|helper|utils?|common|misc|base)s?(_|$)")

EVERYTHING = frozenset({"*"})
# What any station may use; the stations meet only through ``interfaces``.
SHARED = frozenset({"message", "interfaces", "config", "journal", "disk", "sqlite", "threads", "net"})

# Who may import whom inside mailsys.  ARCHITECTURE.rst shows the same.
MAY_IMPORT = {
    "message": frozenset(),
    "wire": frozenset({"message"}),
    "disk": frozenset(),
    "sqlite": frozenset({"disk"}),
    "tls": frozenset(),
    "process": frozenset({"disk"}),
    "interfaces": frozenset({"message"}),
    "threads": frozenset({"interfaces"}),
    "space": frozenset({"interfaces"}),
    "config": frozenset({"message", "tls"}),
    "journal": frozenset({"message", "interfaces", "disk", "sqlite", "threads"}),
    "logs": frozenset({"config", "journal"}),
    "net": frozenset({"message", "interfaces", "wire", "tls"}),
    "agent": frozenset({"message", "interfaces", "config", "journal", "wire", "net"}),
    "receive": SHARED | {"wire"},
    "read": SHARED | {"wire"},
    "send": SHARED | {"wire"},
    "judge": SHARED | {"dkim"},
    "dkim": SHARED,
    "publish": SHARED | {"dkim"},
    "route": SHARED,
    "intake": SHARED,
    "queue": SHARED,
    "submit": SHARED,
    "notices": SHARED | {"dkim", "publish"},
    "store": SHARED,
    "accounts": SHARED | {"wire"},
    "extensions": SHARED,
    "plugins": SHARED,
    "testing": SHARED | {"extensions"},
    "lab": frozenset({"message", "config"}),
    "control": EVERYTHING,
    "stations": EVERYTHING,
    "dry_stations": EVERYTHING,
    "admissions": EVERYTHING,
    "conversations": EVERYTHING,
    "outgoing": EVERYTHING,
    "own_records": EVERYTHING,
    "paths": EVERYTHING,
    "stores": EVERYTHING,
    "listeners": EVERYTHING,
    "status": EVERYTHING,
    "service": EVERYTHING,
    "tap": EVERYTHING,
    "__main__": frozenset({"control"}),
}
# The roots, where all is wired: nobody imports them but one another.
ROOTS = frozenset(
    {
        "stations",
        "dry_stations",
        "admissions",
        "conversations",
        "outgoing",
        "own_records",
        "paths",
        "stores",
        "listeners",
        "status",
        "service",
        "tap",
        "control",
    }
)

# Packages from outside the standard library that the pure layers may use.
PURE = {"message": {"idna"}, "wire": set()}
# Programs that are run as processes of their own, and so have reactors of their own.
PROGRAMS = {"lab/nameserver.py", "lab/brokenserver.py"}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
TREES = {path: ast.parse(path.read_text(), filename=str(path)) for path in MODULES}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def violations(rule):
    """Everything that the rule, a generator of (line, words) for a file and its tree, finds in all files."""
    return [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {words}"
        for path, tree in TREES.items()
        for line, words in rule(path, tree)
    ]


def imports(nodes):
    """Every import among the nodes as (dotted name, line); ``from a import b`` gives a.b and is absolute."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (f"{'.' * node.level}{node.module or ''}.{alias.name}", node.lineno) for alias in node.names
            )


def at_import_time(tree):
    """The nodes that run when the module is imported: all but the insides of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, FUNCTION):
            yield node
            yield from at_import_time(node)


def test_a_layer_imports_only_what_it_may():
    def rule(path, tree):
        layer = layer_of(path)
        for name, line in imports(ast.walk(tree)):
            top, _, rest = name.partition(".")
            target = rest.partition(".")[0]
            if top != "mailsys" or target in {layer, "__version__", ""}:
                continue
            if not MAY_IMPORT[layer] & {target, "*"} or (
                target in ROOTS and layer not in ROOTS | {"__main__"}
            ):
                yield line, f"{layer} must not import {name}"

    assert violations(rule) == []


def test_imports_are_absolute():
    assert (
        violations(lambda _, tree: (i[::-1] for i in imports(ast.walk(tree)) if i[0].startswith("."))) == []
    )


def test_pure_layers_need_the_standard_library_alone():
    def rule(path, tree):
        layer = layer_of(path)
        for name, line in imports(ast.walk(tree)) if layer in PURE else ():
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names | PURE[layer] | {"mailsys"}:
                yield line, f"{layer} must not need {name}"

    assert violations(rule) == []


def test_nobody_takes_the_reactor_from_the_air():
    """The reactor is an argument; only a root or a program may fetch it, inside a function."""

    def rule(path, tree):
        may_fetch = layer_of(path) in ROOTS or str(path.relative_to(PACKAGE)) in PROGRAMS
        nodes = at_import_time(tree) if may_fetch else ast.walk(tree)
        for name, line in imports(nodes):
            if name.startswith("twisted.internet.reactor"):
                yield line, "imports the global reactor"

    assert violations(rule) == []


def test_a_file_has_one_idea_and_a_function_one_step():
    def rule(path, tree):
        if (lines := path.read_text().count("\n")) > FILE_LINES:
            yield 1, f"the file has {lines} lines"
        for node in ast.walk(tree):
            if isinstance(node, FUNCTION) and (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines"

    assert violations(rule) == []


def test_names_say_what_a_thing_does():
    def rule(path, tree):
        if EMPTY_MODULES.search(path.stem):
            yield 1, "the module's name does not say what it is about"
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and EMPTY_WORDS.search(node.name):
                yield node.lineno, f"{node.name} does not say what it does"

    assert violations(rule) == []


def test_only_the_command_line_prints():
    def rule(path, tree):
        for node in ast.walk(tree) if layer_of(path) not in {"control", "lab"} else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield node.lineno, "events go to the journal or the log"

    assert violations(rule) == []


def test_the_rules_would_notice():
    """Each rule on a file that breaks it, so that none is true for ever."""
    broken = ast.parse(
        "class A:\n from twisted.internet import reactor\ndef f():\n from mailsys import tap\n"
    )
    assert ("twisted.internet.reactor", 2) in list(imports(at_import_time(broken)))
    assert ("mailsys.tap", 4) not in list(imports(at_import_time(broken)))
    assert ("mailsys.tap", 4) in list(imports(ast.walk(broken)))
    assert EMPTY_WORDS.search("SessionManager")
    assert EMPTY_WORDS.search("BaseSession")
    assert not EMPTY_WORDS.search("Database")
    assert EMPTY_MODULES.search("smtp_utils")


def test_every_layer_is_in_the_picture():
    assert {layer_of(path) for path in MODULES} <= set(MAY_IMPORT)


def test_the_page_shows_the_same_layers(repository):
    """ARCHITECTURE.rst has a block of lines ``layer: what it imports``; it must not drift from the rule."""
    page = (repository / "ARCHITECTURE.rst").read_text()
    block = re.search(r"^Layers\n-+\n.*?::\n\n((?: {4}[^\n]*\n)+)", page, re.MULTILINE | re.DOTALL).group(1)
    shown = {}
    for line in block.strip().splitlines():
        layers, _, imports = line.partition(":")
        for layer in layers.split():
            shown[layer] = set(imports.split("(")[0].split())
    shared = shown.pop("shared")
    assert shared == SHARED
    for layer, imports in shown.items():
        if "shared" in imports:
            shown[layer] = imports - {"shared"} | shared
    assert shown == {layer: set(allowed) for layer, allowed in MAY_IMPORT.items() if layer != "__main__"}


def test_the_checkout_has_no_package_named_twisted(repository):
    """With an ``__init__.py`` in either folder, Twisted or the plugin would not be found."""
    assert not (repository / "twisted" / "__init__.py").exists()
    assert not (repository / "twisted" / "plugins" / "__init__.py").exists()
