"""The message that shows a case, as the case remembers it, and when Slack gets another chance. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE, HOUR = 60, 60 * 60
UNSHOWN = timedelta(days=3)


class Moment(StrEnum):
    """What people must hear of at once, in a message of its own: an edit notifies nobody."""

    KEY_USED = "key_used"
    STORE_DOWN = "store_down"
    STOPPED = "stopped"
    LAST_CALL = "last_call"
    KEEP_LAPSED = "keep_lapsed"


@dataclass(frozen=True)
class Notice:
    """One such moment, remembered before it is said and after. No two of a case have one `about`.

    `uses`: how many uses of keys it covers. `told_at`: when Slack took it; without a `ts` it stands in
    another message, which counts or says it too.
    """

    moment: Moment
    about: str
    at: datetime
    uses: int = 0
    told_at: datetime | None = None
    channel: str = ""
    ts: str = ""
    over_at: datetime | None = None
    is_settled: bool = False

    @property
    def is_due(self) -> bool:
        """To be said: it was not, and it still holds."""
        return self.told_at is None and self.over_at is None

    @property
    def is_stale(self) -> bool:
        """Its message still says what is over."""
        return bool(self.ts) and self.over_at is not None and not self.is_settled


@dataclass(frozen=True)
class SlackMessage:
    """Where the case is shown, and what of its story the thread already tells.

    `failures`: turns in a row in which Slack did not take it. `refused`: Slack's word, if only a
    person can change that.
    """

    channel: str = ""
    ts: str = ""
    shown: str = ""
    thread_lines: int = 0
    plain_blocks: bool = False
    is_behind: bool = False
    retry_after: int = 0
    failures: int = 0
    refused: str = ""
    notices: tuple[Notice, ...] = ()

    def wait(self, seconds: float) -> int:
        """Seconds until Slack gets another chance, at most those until the next turn anyway.

        A minute, then twice as long each time: up to an hour if only a person can help, else up
        to ten minutes, and more often if the next turn is near.
        """
        if not self.failures:
            return 1
        longest = HOUR if self.refused else max(MINUTE, min(seconds / 24, 10 * MINUTE))
        pause = min(MINUTE << min(self.failures - 1, 10), longest)
        return int(min(max(pause, self.retry_after), seconds))

    def is_awaited(self, closed_at: datetime | None, now: datetime) -> bool:
        """The end of the case is still to be shown; after some days its run ends all the same."""
        return self.is_behind and (closed_at is None or now - closed_at < UNSHOWN)
