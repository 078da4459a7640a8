"""The time that a phase with a known largest count still takes, by its pace so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from etsopt.common.language import Text, _

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_SHOWN_S = 1.0
"""Shorter times are not worth a word [s]."""


class TimeEstimate:
    """Lines of progress with the time that is left of their phase.

    Parameters
    ----------
    clock
        Returns the time [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase, self._first, self._done, self._began = "", 0, 0, 0.0

    def shown(self, line: str) -> str:
        """Return a line of `etsopt.common.progress` in the language of the command, with the time that is left."""
        left = self._left_s(line)
        if left is None or left < LEAST_SHOWN_S:
            return str(line)
        minutes, seconds = divmod(round(left), 60)
        text = _("{line}, at most {minutes}:{seconds:02} left", line=line, minutes=minutes, seconds=seconds)
        return str(text)

    def _left_s(self, line: str) -> float | None:
        """Return the time left at the pace since the phase began [s]; None without a count, or at its first one."""
        values = line.values if isinstance(line, Text) else {}
        if "of" not in values:
            self._phase = ""
            return None
        phase, done, now = values["phase"], int(values["done"]), self._clock()
        if phase != self._phase or done < self._done:
            self._phase, self._first, self._began = phase, done, now
        self._done = done
        if done == self._first:
            return None
        return (now - self._began) * max(int(values["of"]) - done, 0) / (done - self._first)
