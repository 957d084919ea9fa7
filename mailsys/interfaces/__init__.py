"""Where the stations meet: every interface, and the values that cross them.

A station knows the others only by what stands here; ``mailsys.stations`` introduces them.  Import
from ``mailsys.interfaces`` itself; the modules below it only keep each meeting place on one page.
Methods named "from a worker thread" block and are never called by the reactor's thread.
"""

from mailsys.interfaces.connections import (
    ConnectionEnded,
    HostStops,
    IConnection,
    IConversation,
    Peer,
    Session,
    TimedOut,
)
from mailsys.interfaces.intake import (
    Acceptance,
    IIntake,
    IMailDrop,
    MailboxAction,
    NotStored,
)
from mailsys.interfaces.judging import (
    ACCEPT,
    Disposition,
    IGreetingPause,
    IJudge,
    IJudgePipeline,
    Report,
    Verdict,
)
from mailsys.interfaces.logins import (
    ILogins,
    LoginUnavailable,
)
from mailsys.interfaces.machine import (
    IWorkers,
)
from mailsys.interfaces.mailboxes import (
    IMailbox,
    IMailStore,
    IQuota,
    MailboxInUse,
    NotRemoved,
    StoredMessage,
)
from mailsys.interfaces.names import (
    Answer,
    IResolver,
    MailExchange,
    NamesUnavailable,
    NoSuchName,
    TLSARecord,
)
from mailsys.interfaces.routing import (
    Account,
    DirectoryUnavailable,
    IDirectory,
    IRouter,
    Refused,
    Route,
    ToMailboxes,
)
from mailsys.interfaces.sending import (
    Attempt,
    IDelivery,
)
from mailsys.interfaces.story import (
    IJournal,
    JournalEvent,
)

__all__ = [
    "ACCEPT",
    "Acceptance",
    "Account",
    "Answer",
    "Attempt",
    "ConnectionEnded",
    "DirectoryUnavailable",
    "Disposition",
    "HostStops",
    "IConnection",
    "IConversation",
    "IDelivery",
    "IDirectory",
    "IGreetingPause",
    "IIntake",
    "IJournal",
    "IJudge",
    "IJudgePipeline",
    "ILogins",
    "IMailDrop",
    "IMailStore",
    "IMailbox",
    "IQuota",
    "IResolver",
    "IRouter",
    "IWorkers",
    "JournalEvent",
    "LoginUnavailable",
    "MailExchange",
    "MailboxAction",
    "MailboxInUse",
    "NamesUnavailable",
    "NoSuchName",
    "NotRemoved",
    "NotStored",
    "Peer",
    "Refused",
    "Report",
    "Route",
    "Session",
    "StoredMessage",
    "TLSARecord",
    "TimedOut",
    "ToMailboxes",
    "Verdict",
]
