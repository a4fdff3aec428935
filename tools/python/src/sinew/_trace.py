"""The W3C trace context of a client's calls."""

from __future__ import annotations

import re
import secrets

from ._generated.trace import CallMetadata

#: Version 00 ends behind the flags; later versions may say more. All zero is invalid, and so is version ff.
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?", re.ASCII)


def traceparent_or_new(text: str) -> str:
    """The trace context in version 00; a new one when the text is malformed."""
    match = _TRACEPARENT.fullmatch(text)
    if match is None or (match[1] == "00" and match[5] is not None):
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return f"00-{match[2]}-{match[3]}-{match[4]}"


def metadata_frame(traceparent: str | None) -> bytes | None:
    """What each call says beside its request; None for nothing."""
    return None if traceparent is None else CallMetadata(traceparent).encode()
