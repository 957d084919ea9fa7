"""What is spoken on each listener: the conversation of a service, made of the stations that it needs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailsys.intake.spool import spool_path
from mailsys.interfaces import IConversation
from mailsys.read.imap.conversation import IMAPConversation
from mailsys.read.imap.incoming import Incoming
from mailsys.read.pop3.conversation import POP3Conversation
from mailsys.receive.collector import Collector
from mailsys.receive.conversation import Conversation
from mailsys.receive.pace import Terms
from mailsys.receive.reception import Reception, Settings

if TYPE_CHECKING:
    from mailsys.stations import Stations


def conversations(stations: Stations, service: str) -> Callable[[], IConversation]:
    """What makes the conversations of a service, with the settings of this moment."""
    match service:
        case "pop3":
            pop3 = _pop3(stations)
            return lambda: pop3
        case "imap":
            imap = _imap(stations)
            return lambda: imap
    reception = _reception(stations, service)
    return lambda: Conversation(reception)


def _pop3(stations: Stations) -> POP3Conversation:
    limits = stations.configuration.limits
    return POP3Conversation(
        hostname=stations.configuration.hostname,
        store=stations.store,
        logins=stations.logins,
        journal=stations.journal,
        workers=stations.files,
        clock=stations.reactor,
        now=time.time,
        new_session_id=stations.ids.next,
        plaintext=stations.configuration.auth.plaintext,
        idle_seconds=limits.pop3_seconds,
        login_seconds=limits.login_seconds,
    )


def _imap(stations: Stations) -> IMAPConversation:
    limits = stations.configuration.limits

    def collector() -> Collector:
        path = os.path.join(spool_path(stations.paths.intake), f"{stations.ids.next()}.append")
        return Collector(stations.disk, stations.files, path, stations.message_memory)

    return IMAPConversation(
        hostname=stations.configuration.hostname,
        store=stations.folder_store(),
        logins=stations.logins,
        journal=stations.journal,
        workers=stations.files,
        incoming=Incoming(message_octets=limits.message_size, space=stations.space, collector=collector),
        clock=stations.reactor,
        now=time.time,
        new_session_id=stations.ids.next,
        plaintext=stations.configuration.auth.plaintext,
        idle_seconds=limits.imap_seconds,
        login_seconds=limits.login_seconds,
        without=stations.configuration.imap.without,
        first_folders=stations.first_folders,
    )


def _reception(stations: Stations, service: str) -> Reception:
    configuration = stations.configuration
    limits, admission = configuration.limits, stations.admissions[service]
    settings = Settings(
        hostname=configuration.hostname,
        service=service,
        message_octets=limits.message_size,
        recipients=limits.recipients,
        pace=Terms(limits.command_seconds, limits.data_seconds, limits.data_rate),
        errors=limits.errors,
        error_pause=limits.error_pause,
        plaintext=configuration.auth.plaintext,
        first_domain=stations.directory.first_domain,
        ahead_seconds=configuration.submission.ahead if service == "submission" else 0.0,
    )
    return Reception(
        settings=settings,
        judges=admission.judges,
        header_writers=stations.plugged_in.header_writers,
        signer=stations.signing,
        admission=admission,
        quota=stations.store.quota,
        intake=stations.intake,
        drop=stations.store.drop,
        caught=stations.users.caught,
        history=stations.senders.history,
        limits=stations.users.limits,
        deliveries=stations.plugged_in.deliveries,
        logins=stations.logins,
        strangers=stations.strangers,
        memory=stations.message_memory,
        journal=stations.journal,
        disk=stations.disk,
        workers=stations.files,
        space=stations.space,
        spool=spool_path(stations.paths.intake),
        new_id=stations.ids.next,
        now=time.time,
        clock=stations.reactor,
    )
