import pytest

from mailsys.interfaces import Account, Refused, ToMailboxes
from mailsys.message.address import parse_address
from mailsys.plugins import csv_router
from mailsys.testing import PluginMakerContract, RouterContract, read_settings, result_of, services

TABLE = (
    "# address, where to\n"
    "sales@example.org, ann@example.org, Bob@example.org, ann@example.org\n"
    '"old@example.org","550 5.1.6 This address has moved, to new@example.org"\n\n'
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ways.csv"
    path.write_text(TABLE)
    return path


def made(file):
    settings = read_settings(csv_router.csv_router, {"file": str(file)})
    return csv_router.make(settings, services(file.parent))


class TestMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return csv_router.csv_router

    @pytest.fixture
    def table(self, file):
        return {"file": str(file)}


class TestRouter(RouterContract):
    known = ("sales@example.org", "old@example.org")
    unknown = ("ann@example.org", "sales@example.net")

    @pytest.fixture
    def router(self, file):
        return made(file)


def test_mailboxes_each_once_and_a_refusal(file):
    router = made(file)
    sales = result_of(router.route(parse_address("Sales@example.org")))
    assert isinstance(sales, ToMailboxes)
    assert sales.accounts == tuple(Account(parse_address(f"{one}@example.org")) for one in ("ann", "bob"))
    old = result_of(router.route(parse_address("old@example.org")))
    assert isinstance(old, Refused)
    assert str(old.reply) == "550 5.1.6 This address has moved, to new@example.org"


@pytest.mark.parametrize("line", ["a@b.example", "not an address,a@b.example", "a@b.example,451 4.1.1 later"])
def test_a_mistake_names_its_line_and_the_old_table_stays(file, line):
    router = made(file)
    file.write_text(f"{TABLE}{line}\n")
    with pytest.raises(ValueError, match=r"ways\.csv, line 5: "):
        router.reconfigure(csv_router.Settings(str(file)))
    assert result_of(router.route(parse_address("sales@example.org"))) is not None
