"""Finding makers in folders, and what is said of those that are missing, broken or there twice."""

import importlib
import sys
from types import ModuleType

import pytest
from plugin_makers import Maker, installed
from twisted.plugin import getPlugins

import mailsys.plugins
from mailsys.config.settings import Wrong
from mailsys.extensions.find import find_plugins
from mailsys.interfaces import IJudge, IPluginMaker, IRouter, NoSettings

GOOD = """
from mailsys.interfaces import IJudge, PluginMaker
NAME = PluginMaker(IJudge, "NAME", "json", "says nothing")
again = NAME
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of plugins in a folder of the test's own, which it may fill with ``write``."""
    folder = tmp_path / "drop-ins"
    folder.mkdir()
    package = ModuleType("plugins_of_a_test")
    package.__path__ = [str(folder)]
    package.write = lambda name, text: (folder / name).write_text(text)
    package.folder = folder
    monkeypatch.setitem(sys.modules, package.__name__, package)
    yield package
    for name in [name for name in sys.modules if name.startswith(f"{package.__name__}.")]:
        del sys.modules[name]


def test_a_maker_is_found_once_with_its_file(package):
    package.write("good.py", GOOD.replace("NAME", "acme"))
    finding = find_plugins(package)
    [found] = finding.plugins
    assert (found.maker.name, found.maker.makes) == ("acme", IJudge)
    assert found.file == str(package.folder / "good.py")
    assert finding.broken == ()
    assert found.maker.settings() is NoSettings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("x = int('9' * 100000)", "ValueError: Exceeds the limit"),
    ],
)
def test_a_broken_file_is_told_and_hides_no_other(package, text, reason):
    package.write("broken.py", text)
    package.write("good.py", GOOD.replace("NAME", "acme"))
    finding = find_plugins(package)
    assert [found.maker.name for found in finding.plugins] == ["acme"]
    [broken] = finding.broken
    assert broken.file == str(package.folder / "broken.py")
    assert broken.reason.startswith(reason)


def test_strange_objects_in_a_module_do_no_harm(package):
    package.write(
        "strange.py",
        "class Strange:\n    def __getattr__(self, name):\n        raise RuntimeError(name)\n"
        "    def __eq__(self, other):\n        raise RuntimeError\n    __hash__ = None\n"
        "strange = Strange()\n" + GOOD.replace("NAME", "acme"),
    )
    assert [found.maker.name for found in find_plugins(package).plugins] == ["acme"]


def test_twisted_finds_the_same(tmp_path, monkeypatch):
    """Our own look follows Twisted's convention: a folder on the path, without an __init__.py."""
    folder = tmp_path / "mailsys" / "plugins"
    folder.mkdir(parents=True)
    (folder / "acme_of_a_test.py").write_text(GOOD.replace("NAME", "acme"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(mailsys.plugins, "__path__", [*mailsys.plugins.__path__])
    importlib.reload(mailsys.plugins)
    try:
        ours = [found.maker for found in find_plugins(mailsys.plugins).plugins if found.maker.name == "acme"]
        theirs = [maker for maker in getPlugins(IPluginMaker, mailsys.plugins) if maker.name == "acme"]
        assert len(ours) == 1
        assert set(ours) == set(theirs)
    finally:
        sys.modules.pop("mailsys.plugins.acme_of_a_test", None)


# ---------------------------------------------------------------------- what is said


def refusal(call, *arguments):
    with pytest.raises(Wrong) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_missing_plugin_names_the_file_that_it_may_be_in():
    plugins = installed(broken=[("/x/acme.py", "ModuleNotFoundError: No module named 'ldap'")])
    assert refusal(plugins.demand, "acme", "route.routers") == (
        "is no router that is installed; install the plugin, or take the name out; perhaps it is in"
        " /x/acme.py, which cannot be loaded (ModuleNotFoundError: No module named 'ldap')"
    )


def test_settings_that_cannot_be_imported():
    plugins = installed(Maker("acme", IJudge, settings=ImportError("no ldap here")))
    assert refusal(plugins.settings, "acme") == (
        "cannot be loaded (ImportError: no ldap here); mend what /somewhere/mailsys/plugins/acme.py needs,"
        " or take its name out of the configuration"
    )


class NotDeclared:
    """No dataclass."""


def test_settings_that_are_no_declaration():
    plugins = installed(Maker("acme", IJudge, settings=NotDeclared))
    assert "has settings that nobody can read" in refusal(plugins.settings, "acme")


def test_two_of_one_name_and_one_of_ours():
    plugins = installed(Maker("acme", IJudge), Maker("acme", IRouter), Maker("hop_count", IJudge))
    assert list(map(str, plugins.faults())) == [
        "The plugin acme of /somewhere/mailsys/plugins/acme.py has the name of the one of"
        " /somewhere/mailsys/plugins/acme.py; remove one of the two.",
        "The plugin hop_count of /somewhere/mailsys/plugins/hop_count.py has the name of the one of"
        " mailsys (judge.judges); remove one of the two.",
    ]
