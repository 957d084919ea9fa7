"""Where the stations meet: every interface, and the values that cross them.

A station knows the others only by what stands here; ``mailsys.stations`` introduces them.  Import
from ``mailsys.interfaces`` itself; the modules below it only keep each meeting place on one page.
Methods named "from a worker thread" block and are never called by the reactor's thread.
"""

from mailsys.interfaces.commands import (
    CannotDo,
    ICommandedHost,
    IControlCommand,
)
from mailsys.interfaces.connections import (
    ConnectionEnded,
    HostStops,
    IConnection,
    IConversation,
    Peer,
    Session,
    TimedOut,
)
from mailsys.interfaces.headers import (
    IHeaderWriter,
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
from mailsys.interfaces.plugins import (
    IPluginMaker,
    IReconfigurable,
    IStartable,
    NoSettings,
    PluginFailed,
    PluginMaker,
    Services,
)
from mailsys.interfaces.routing import (
    Account,
    DirectoryUnavailable,
    IAccounts,
    IDirectory,
    IRouter,
    Refused,
    Route,
    ToDelivery,
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
    "CannotDo",
    "ConnectionEnded",
    "DirectoryUnavailable",
    "Disposition",
    "HostStops",
    "IAccounts",
    "ICommandedHost",
    "IConnection",
    "IControlCommand",
    "IConversation",
    "IDelivery",
    "IDirectory",
    "IGreetingPause",
    "IHeaderWriter",
    "IIntake",
    "IJournal",
    "IJudge",
    "IJudgePipeline",
    "ILogins",
    "IMailDrop",
    "IMailStore",
    "IMailbox",
    "IPluginMaker",
    "IQuota",
    "IReconfigurable",
    "IResolver",
    "IRouter",
    "IStartable",
    "IWorkers",
    "JournalEvent",
    "LoginUnavailable",
    "MailExchange",
    "MailboxAction",
    "MailboxInUse",
    "NamesUnavailable",
    "NoSettings",
    "NoSuchName",
    "NotRemoved",
    "NotStored",
    "Peer",
    "PluginFailed",
    "PluginMaker",
    "Refused",
    "Report",
    "Route",
    "Services",
    "Session",
    "StoredMessage",
    "TLSARecord",
    "TimedOut",
    "ToDelivery",
    "ToMailboxes",
    "Verdict",
]
