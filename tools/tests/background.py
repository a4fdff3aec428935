"""What runs on a thread of its own as long as a `with` block."""

import threading


class Background:
    """`_run` begins with the block and is to return soon after `_ending` is set, at the block's end."""

    def __init__(self):
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
