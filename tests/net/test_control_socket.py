"""Row 60: the control socket against its format: who may ask, what is a request, what is not."""

import json
import os
import shutil
import socket
import stat
import tempfile

import pytest
from net_house import until
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailsys.control.ask import NoAnswer, ask
from mailsys.net import control_socket
from mailsys.net.control_path import FRAME_OCTETS
from mailsys.net.control_socket import CannotAnswer, ControlSocket

SECONDS = 10


async def echo(request):
    return {"heard": request["text"]}


async def refuse(_request):
    raise CannotAnswer("not today")


async def break_down(_request):
    raise RuntimeError("a secret of ours")


ANSWERS = {"echo": echo, "refuse": refuse, "break": break_down}


@pytest.mark.row(60)
class ControlSocketTests(TestCase):
    """A real socket, in a folder whose path is longer than an address can be."""

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.data = os.path.join(folder, "d" * 120)
        os.makedirs(self.data, 0o700)
        self.control = ControlSocket(reactor, self.data, ANSWERS)
        self.control.open()

    def tearDown(self):
        return Deferred.fromCoroutine(self.control.close())

    def ask(self, command, **members):
        return deferToThread(ask, self.data, command, SECONDS, **members)

    def raw(self, octets):
        """What comes back for octets, up to the end."""

        def run():
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(SECONDS)
                client.connect(f"/proc/self/fd/{folder}/control")
                try:
                    client.sendall(octets)
                    heard = b""
                    while piece := client.recv(65536):
                        heard += piece
                except (ConnectionResetError, BrokenPipeError):
                    return None
                return heard

        folder = os.open(self.data, os.O_PATH)
        return deferToThread(run).addBoth(lambda result: (os.close(folder), result)[1])

    async def test_a_question_and_its_answer(self):
        assert await self.ask("echo", text="höre") == {"heard": "höre"}
        assert await self.ask("echo", text="again") == {"heard": "again"}

    def test_only_its_owner_sees_it(self):
        found = os.stat(os.path.join(self.data, "control"))
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o600

    async def test_what_it_cannot_or_does_not_know(self):
        for command, words in (("refuse", "not today"), ("fly", "does not know the command")):
            with pytest.raises(NoAnswer, match=words):
                await self.ask(command)

    async def test_an_error_of_ours_is_not_told(self):
        with pytest.raises(NoAnswer, match="something went wrong in the server") as caught:
            await self.ask("break")
        assert "secret" not in str(caught.value)
        assert len(self.flushLoggedErrors(RuntimeError)) == 1

    async def test_garbage_ends_that_connection_alone(self):
        for octets in (
            b"GET / HTTP/1.0\r\n\r\n",
            b"\n",
            b"[1]\n",
            b'"status"\n',
            b"\xff\xfe\n",
            b"[" * 60_000 + b"\n",
            b"9" * 60_000 + b"\n",
            b"x" * (FRAME_OCTETS + 1),
            b'{"command": "echo", "text": "' + b"x" * 10_000_000,
        ):
            assert not await self.raw(octets)
            assert await self.ask("echo", text="still here") == {"heard": "still here"}

    async def test_one_request_a_connection(self):
        request = json.dumps({"command": "echo", "text": "x"}).encode() + b"\n"
        assert (await self.raw(request * 5)).count(b"\n") == 1

    async def test_who_says_nothing_does_not_stay(self):
        self.patch(control_socket, "PATIENCE_SECONDS", 0.1)
        assert not await self.raw(b'{"command": ')
        await until(lambda: not self.control._factory.connections)

    async def test_another_user_is_not_let_in(self):
        self.control._factory.users = {os.geteuid() + 1}
        with pytest.raises(NoAnswer):
            await self.ask("echo", text="x")
        assert not self.control._factory.connections

    async def test_there_are_not_too_many(self):
        self.patch(control_socket, "CONNECTIONS", 1)
        folder = os.open(self.data, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as idle:
            idle.connect(f"/proc/self/fd/{folder}/control")
            await until(lambda: len(self.control._factory.connections) == 1)
            with pytest.raises(NoAnswer):
                await self.ask("echo", text="x")
        os.close(folder)
        await until(lambda: not self.control._factory.connections)
        assert await self.ask("echo", text="now") == {"heard": "now"}

    async def test_a_name_that_a_killed_server_left_is_taken_over(self):
        await self.control.close()
        with socket.socket(socket.AF_UNIX) as left:
            folder = os.open(self.data, os.O_PATH)
            left.bind(f"/proc/self/fd/{folder}/control")
            os.close(folder)
        self.control = ControlSocket(reactor, self.data, ANSWERS)
        self.control.open()
        assert await self.ask("echo", text="x") == {"heard": "x"}

    async def test_no_name_is_left(self):
        await self.control.close()
        assert os.listdir(self.data) == []
        with pytest.raises(NoAnswer, match="No such file"):
            await self.ask("echo", text="x")
