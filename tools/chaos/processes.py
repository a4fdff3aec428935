"""The processes that chaos happens to."""

import os
import signal
import subprocess
import threading
import time


class Child:
    """A process that is started again and again with the same command."""

    def __init__(self, name, command, log, prefix=()):
        self.name = name
        self.command = [*prefix, *command]
        self.log = log
        self.process = None
        self.starts = 0

    def start(self):
        self.starts += 1
        with open(self.log, "ab") as log:
            # A group of its own: `ip netns exec` and the command inside die together.
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.is_running:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """SIGKILL; true when there was something to kill."""
        was_running = self.is_running
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        return was_running

    def stop_politely(self, seconds=20):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        end = time.monotonic() + seconds
        while self.is_running and time.monotonic() < end:
            time.sleep(0.05)
        self.kill()


class Supervisor:
    """Starts services again that ended by themselves, as systemd would."""

    def __init__(self, children):
        self.children = children
        self.restarts = 0
        self.lock = threading.Lock()  # held while chaos kills and starts
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.stopping.wait(0.5):
            with self.lock:
                for child in self.children:
                    if not child.is_running:
                        self.restarts += 1
                        child.start()

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join()
