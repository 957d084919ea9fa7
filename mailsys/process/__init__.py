"""The process itself: who it is, what it may open, what it was handed, and who watches over it."""

from mailsys.process.data import CannotUse, check_data_folder, claim, make_data_folder, owner_of_claim, sign
from mailsys.process.inherited import InheritedSockets, first_environment
from mailsys.process.limits import (
    file_limit,
    forbid_core_dumps,
    keep_files_private,
    keep_what_is_loaded,
    raise_file_limit,
)
from mailsys.process.program import check_program
from mailsys.process.steady_time import keep_steady_time
from mailsys.process.supervisor import Supervisor
from mailsys.process.user import CannotBecome, become, check_user, user_named

__all__ = [
    "CannotBecome",
    "CannotUse",
    "InheritedSockets",
    "Supervisor",
    "become",
    "check_data_folder",
    "check_program",
    "check_user",
    "claim",
    "file_limit",
    "first_environment",
    "forbid_core_dumps",
    "keep_files_private",
    "keep_steady_time",
    "keep_what_is_loaded",
    "make_data_folder",
    "owner_of_claim",
    "raise_file_limit",
    "sign",
    "user_named",
]
