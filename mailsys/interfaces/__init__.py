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
    Action,
    IDrop,
    IIntake,
    IMailDrop,
    MailboxAction,
    NotStored,
    QueueAction,
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
    ILoginExchange,
    ILogins,
    LoginFailed,
    LoginFault,
    LoginUnavailable,
)
from mailsys.interfaces.machine import (
    IFreeSpace,
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
from mailsys.interfaces.queue import (
    Batch,
    Changed,
    INotices,
    IQueueDrop,
    IQueueSpool,
    Notice,
    Order,
    Progress,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
    RecipientState,
    Selection,
    Verb,
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
from mailsys.interfaces.submission import (
    ICaughtAddresses,
    ISenders,
    ISendingLimits,
)

__all__ = [
    "ACCEPT",
    "Acceptance",
    "Account",
    "Action",
    "Answer",
    "Attempt",
    "Batch",
    "CannotDo",
    "Changed",
    "ConnectionEnded",
    "DirectoryUnavailable",
    "Disposition",
    "HostStops",
    "IAccounts",
    "ICaughtAddresses",
    "ICommandedHost",
    "IConnection",
    "IControlCommand",
    "IConversation",
    "IDelivery",
    "IDirectory",
    "IDrop",
    "IFreeSpace",
    "IGreetingPause",
    "IHeaderWriter",
    "IIntake",
    "IJournal",
    "IJudge",
    "IJudgePipeline",
    "ILoginExchange",
    "ILogins",
    "IMailDrop",
    "IMailStore",
    "IMailbox",
    "INotices",
    "IPluginMaker",
    "IQueueDrop",
    "IQueueSpool",
    "IQuota",
    "IReconfigurable",
    "IResolver",
    "IRouter",
    "ISenders",
    "ISendingLimits",
    "IStartable",
    "IWorkers",
    "JournalEvent",
    "LoginFailed",
    "LoginFault",
    "LoginUnavailable",
    "MailExchange",
    "MailboxAction",
    "MailboxInUse",
    "NamesUnavailable",
    "NoSettings",
    "NoSuchName",
    "NotRemoved",
    "NotStored",
    "Notice",
    "Order",
    "Peer",
    "PluginFailed",
    "PluginMaker",
    "Progress",
    "QueueAction",
    "QueueItem",
    "QueuedMessage",
    "QueuedRecipient",
    "RecipientState",
    "Refused",
    "Report",
    "Route",
    "Selection",
    "Services",
    "Session",
    "StoredMessage",
    "TLSARecord",
    "TimedOut",
    "ToDelivery",
    "ToMailboxes",
    "Verb",
    "Verdict",
]
