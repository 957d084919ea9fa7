"""Clients who do things at random and believe what they are told: what they believe must come true.

``Believer`` keeps the numbers, UIDs and flags of its folder as RFC 9051 lets a client keep them, and
complains as soon as a response contradicts what it was told before.
"""

import re

FOLDERS = ("INBOX", "Archive", "Work")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "\\Deleted", "Work", "$Junk")
_FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)$")
_UID = re.compile(r"UID (\d+)")
_FLAGS = re.compile(r"FLAGS \(([^)]*)\)")
_ID = re.compile(r'"<([^>]*)>"')


class Believer:
    """``ask`` sends a line and gives the lines up to the tagged response; ``drain`` what came by itself."""

    def __init__(self, name, random, ask, drain, *, qresync=False):
        self.name = name
        self.random = random
        self._ask = ask
        self._drain = drain
        self._tags = 0
        self.folder = ""
        self.uids = []  # by number; None while the UID is not known
        self.flags = {}  # by UID, as last told
        self.ids = {}  # (folder, UID) -> Message-ID, for ever
        self.is_idle = False
        self.qresync = qresync
        if qresync:
            self.command("ENABLE QRESYNC")

    # ------------------------------------------------------------------ hearing

    def command(self, text, *, numbered=False):
        self._tags += 1
        tag = f"t{self._tags}"
        *untagged, last = self._ask(f"{tag} {text}")
        for line in untagged:
            assert not (numbered and ("EXPUNGE" in line or "VANISHED" in line)), (self.name, text, line)
            self.hear(line)
        assert last.startswith(f"{tag} "), (self.name, text, last)
        return last

    def hear(self, line):
        words = line.split()
        if found := _FETCH.match(line):
            self._hear_fetch(int(found[1]), found[2])
        elif len(words) == 3 and words[2] == "EXISTS":
            assert int(words[1]) >= len(self.uids), "only EXPUNGE makes them fewer"
            self.uids += [None] * (int(words[1]) - len(self.uids))
        elif len(words) == 3 and words[2] == "EXPUNGE":
            assert not self.qresync
            del self.uids[int(words[1]) - 1]
        elif words[1] == "VANISHED":
            assert self.qresync
            self._vanish(expanded(words[-1]))

    def _vanish(self, gone):
        """Some may have come since, under UIDs that this client did not ask for: they are where these fit."""
        for uid in sorted(gone):
            if uid in self.uids:
                self.uids.remove(uid)
                continue
            before = [place for place, known in enumerate(self.uids) if known is not None and known < uid]
            place = before[-1] + 1 if before else 0
            assert self.uids[place] is None, (self.name, uid, self.uids)
            del self.uids[place]

    def _hear_fetch(self, number, items):
        assert 1 <= number <= len(self.uids), (self.name, number, len(self.uids))
        if found := _UID.search(items):
            uid = int(found[1])
            assert self.uids[number - 1] in (None, uid), (self.name, number, uid, self.uids)
            self.uids[number - 1] = uid
            known = [uid for uid in self.uids if uid is not None]
            assert known == sorted(set(known)), (self.name, self.uids)
            if flags := _FLAGS.search(items):
                self.flags[uid] = frozenset(flags[1].split()) - {"\\Recent"}
            if id := _ID.search(items):
                assert self.ids.setdefault((self.folder, uid), id[1]) == id[1], "a UID is used twice"

    # ------------------------------------------------------------------ doing

    def select(self, folder):
        self.leave_idle()
        self.uids, self.flags, self.folder = [], {}, folder
        assert " OK " in self.command(f"SELECT {folder}")
        self.look()

    def look(self):
        """Learn all there is."""
        if self.uids:
            self.command("FETCH 1:* (UID FLAGS ENVELOPE)", numbered=True)

    def leave_idle(self):
        if self.is_idle:
            self.is_idle = False
            for line in self._ask("DONE")[:-1]:
                self.hear(line)

    def act(self):
        """Something or other."""
        if self.is_idle:
            for line in self._drain():
                self.hear(line)
            if self.random.random() < 0.5:
                return
            self.leave_idle()
        getattr(self, self.random.choice(ACTIONS))()

    def _some(self):
        if not self.uids:
            return None
        first = self.random.randrange(len(self.uids)) + 1
        return f"{first}:{min(len(self.uids), first + self.random.randrange(4))}"

    def append(self):
        id = f"{self.name}.{self._tags}@x"
        message = f"Message-ID: <{id}>\r\n\r\nhello\r\n"
        folder = self.random.choice(FOLDERS)
        self.command(f"APPEND {folder} ({self.random.choice(FLAGS)}) {{{len(message)}+}}\r\n{message}")

    def store(self):
        if some := self._some():
            sign = self.random.choice(("+", "-", ""))
            silent = self.random.choice(("", ".SILENT"))
            flag = self.random.choice(FLAGS)
            before = {uid: self.flags.get(uid) for uid in self.uids}
            self.command(f"STORE {some} {sign}FLAGS{silent} ({flag})", numbered=True)
            if silent:
                self._believe_stored(some, sign, flag, before)

    def _believe_stored(self, some, sign, flag, before):
        first, last = map(int, some.split(":"))
        for uid in self.uids[first - 1 : last]:
            if uid is None or self.flags.get(uid) is None or self.flags.get(uid) != before.get(uid, uid):
                continue
            old = before[uid]
            self.flags[uid] = {"+": old | {flag}, "-": old - {flag}, "": frozenset({flag})}[sign]

    def fetch(self):
        if some := self._some():
            self.command(f"FETCH {some} (UID FLAGS)", numbered=True)

    def expunge(self):
        self.command("EXPUNGE")

    def noop(self):
        self.command("NOOP")

    def copy(self):
        if some := self._some():
            self.command(f"COPY {some} {self.random.choice(FOLDERS)}", numbered=True)

    def move(self):
        if (some := self._some()) and self.random.random() < 0.5:
            self.command(f"MOVE {some} {self.random.choice(FOLDERS)}")

    def change_folder(self):
        self.select(self.random.choice(FOLDERS))

    def idle(self):
        self._tags += 1
        for line in self._ask(f"t{self._tags} IDLE"):
            if not line.startswith("+"):
                self.hear(line)
        self.is_idle = True


ACTIONS = (
    *("append", "store") * 3,
    *("fetch", "expunge") * 2,
    *("noop", "copy", "move", "idle", "change_folder"),
)


def expanded(text):
    """The numbers of a set."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        found.update(range(int(first), int(last or first) + 1))
    return found
