"""When a recipient is tried again, and when we give up: functions of attempts and age, and of nothing else.

Ages are differences of the machine's clock, which may be set; so age alone ends nothing that was not
tried a few times.
"""

from __future__ import annotations

from mailsys.config.retry import RetrySchedule

LEAST_ATTEMPTS = 3  # before age alone ends it
FIRST_BACK_OFF_SECONDS = 60.0
JITTER = 0.1  # of a wait, more or less, so that what came together does not return together


def next_attempt(
    schedule: RetrySchedule, attempts: int, at: float, now: float, chance: float
) -> float | None:
    """When to try again what was handed in at ``at``, after so many attempts; None to give up.

    ``chance`` is from 0 to 1.  The last attempt is at the end of the schedule.
    """
    wait = wait_after(schedule, attempts)
    if wait is None or (has_expired(schedule, at, now) and attempts >= LEAST_ATTEMPTS):
        return None
    due = now + wait * (1 + JITTER * (2 * chance - 1))
    if schedule.until is not None and now < at + schedule.until < due:
        return at + schedule.until
    return due


def wait_after(schedule: RetrySchedule, attempts: int) -> float | None:
    """Seconds to wait after this many failed attempts; None when there is none to come."""
    if attempts <= len(schedule.waits):
        return schedule.waits[max(attempts, 1) - 1]
    return schedule.then


def lifetime(schedule: RetrySchedule) -> float:
    """How old a message may become, in seconds."""
    return schedule.until if schedule.until is not None else sum(schedule.waits)


def has_expired(schedule: RetrySchedule, at: float, now: float) -> bool:
    """Is it older than the schedule goes?"""
    return now - at >= lifetime(schedule)


def longest_wait(schedule: RetrySchedule) -> float:
    """Nobody waits longer than this for the next attempt, but by a sender's own wish."""
    return max(*schedule.waits, schedule.then or 0.0) * (1 + JITTER)


def back_off(schedule: RetrySchedule, failures: int) -> float:
    """Seconds to leave a destination alone that could not be reached so many times in a row."""
    return min(FIRST_BACK_OFF_SECONDS * 2.0 ** min(failures - 1, 20), schedule.waits[0])
