"""Whether the wearer is known to be upright: from walking, rising and sinking, never from the tilt, which a slip changes."""

from __future__ import annotations

from monitor.motion.attachment.seconds import WALK_WINDOW_S, Second, Seconds

LONGEST_MOVE_S = 6
"""A movement without a quiet second for longer than this may have led anywhere [I]."""
SANK_M = -0.12
"""A sensor that ends this much lower: the wearer may have sat down; onto a high stool it is some 0.15 m [I]."""
ROSE_M = (0.2, 0.8)
"""One that ends this much higher: the wearer rose from a seat. More is a lift [I]."""


class Stance:
    """Folded second by second; `upright` after walking or a rise, until a sinking or a movement that cannot be followed."""

    def __init__(self) -> None:
        self.upright = False
        self._rest = -1
        self._rest_s = 1
        self._moving_s = 0

    def second(self, now: Second, seconds: Seconds) -> None:
        """Take the next second, `seconds` holding its frames."""
        if now.walks:
            # The window's first half is walking for sure; steps bring no net speed up or down.
            self.upright, self._rest, self._rest_s = True, now.number - WALK_WINDOW_S + 1, WALK_WINDOW_S // 2
            self._moving_s = 0
        elif now.quiet:
            if self._moving_s or self._rest_s > 1:
                self._arrived(now, seconds)
            self._rest, self._rest_s, self._moving_s = now.number, 1, 0
        else:
            self._moving_s += 1
            if self._moving_s > LONGEST_MOVE_S:
                self.upright, self._rest = False, -1

    def _arrived(self, now: Second, seconds: Seconds) -> None:
        if self._rest < 0:
            return
        rise_m = seconds.rise_m(self._rest, self._rest_s, now.number)
        if ROSE_M[0] <= rise_m <= ROSE_M[1]:
            self.upright = True
        elif not rise_m > SANK_M or rise_m > ROSE_M[1]:
            self.upright = False
