"""How often and how soon a client may try again.

Source: gRPC proposal A6, “client retries”: token bucket, exponential backoff with ±20 % jitter, the server's pushback first.
"""

from __future__ import annotations

import random

ATTEMPTS_MAX = 5
BACKOFF_INITIAL = 0.05
BACKOFF_MAX = 2.0
_TOKENS_MAX = 100.0
_TOKEN_RATIO = 0.1


class RetryBudget:
    """A failure costs a token, a success gives a tenth of one back; below half of them no call is tried again."""

    def __init__(self, seed: int | None = None) -> None:
        self._tokens = _TOKENS_MAX
        self._random = random.Random(seed)

    @property
    def allows_retry(self) -> bool:
        """Below half of the tokens most calls fail, and retries would only add load."""
        return self._tokens > _TOKENS_MAX / 2

    def note_success(self) -> None:
        self._tokens = min(_TOKENS_MAX, self._tokens + _TOKEN_RATIO)

    def note_failure(self) -> None:
        self._tokens = max(0.0, self._tokens - 1)

    def backoff(self, attempts: int, pushback: float | None) -> float:
        """Seconds before the next attempt. Pushback is kept in full and only lengthened, or a whole fleet of clients would come
        back in the same millisecond."""
        if pushback is not None:
            return pushback * (1 + 0.2 * self._random.random())
        wait = min(BACKOFF_INITIAL * 2.0 ** min(max(attempts, 1) - 1, 16), BACKOFF_MAX)
        return wait * (0.8 + 0.4 * self._random.random())
