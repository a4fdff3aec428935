"""`sinew top` as people use it: in a real pseudo-terminal, in a pipe, with keys, signals and a broker that goes away."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from fleet import PATIENCE, SINEW, Fleet, Load, wait_until

ALTERNATE, NORMAL = b"\x1b[?1049h", b"\x1b[?1049l"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture(scope="module")
def fleet():
    with Fleet() as fleet:
        fleet.worker("north")
        fleet.worker("south")
        fleet.wait_for_workers(2)
        yield fleet


class Terminal:
    """The command in a pseudo-terminal of its own, and what stands on its screen."""

    def __init__(self, *arguments, columns=80, lines=24, environment=None):
        self.controller, terminal = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(terminal)
        self.terminal = terminal
        self.output = b""
        self.process = subprocess.Popen(
            [SINEW, "top", *map(str, arguments)], stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, env={**os.environ, "TERM": "xterm", **(environment or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.terminal)
        os.close(self.controller)

    def resize(self, columns, lines):
        self.size = (columns, lines)
        fcntl.ioctl(self.controller, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while select.select([self.controller], [], [], 0.05)[0]:
            self.output += os.read(self.controller, 65536)

    def screen(self):
        """The lines that were drawn last."""
        self.read()
        drawn = self.output.rsplit(b"\x1b[H", 1)[-1].split(b"\x1b[J")[0].decode()
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).rstrip("\r") for line in drawn.split("\r\n")]

    def wait_for(self, what, condition):
        def look():
            screen = self.screen()
            assert self.process.poll() is None, f"it ended: {self.output[-2000:]!r}"
            return screen if condition(screen) else None
        return wait_until(what, look)

    def wait_for_line(self, start):
        return self.wait_for(f"a line {start!r}", lambda screen: any(line.startswith(start) for line in screen))

    def press(self, keys):
        os.write(self.controller, keys.encode())

    def end(self):
        """Waits for the end; the exit status."""
        wait_until("the end", lambda: (self.read(), self.process.poll() is not None)[1])
        self.read()
        return self.process.returncode

    def is_as_before(self):
        return termios.tcgetattr(self.terminal) == self.before


def top(fleet, **options):
    return Terminal("--broker", fleet.client_endpoint, **options)


def test_it_shows_every_worker_and_gives_the_terminal_back(fleet):
    with top(fleet) as terminal:
        screen = terminal.wait_for_line("> north")
        assert any(line.startswith("  south") for line in screen)
        assert len(screen) == 24 and all(len(line) <= 80 for line in screen)
        assert not terminal.is_as_before()
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_as_before()
        assert terminal.output.count(ALTERNATE) == terminal.output.count(NORMAL) == 1
        assert terminal.output.rindex(SHOWN) > terminal.output.rindex(HIDDEN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_give_the_terminal_back(fleet, number):
    with top(fleet) as terminal:
        terminal.wait_for_line("> north")
        terminal.process.send_signal(number)
        assert terminal.end() == 0
        assert terminal.is_as_before()
        assert terminal.output.rindex(NORMAL) > terminal.output.rindex(ALTERNATE)


def test_control_c_ends_it(fleet):
    with top(fleet) as terminal:
        terminal.wait_for_line("> north")
        terminal.press("\x03")
        assert terminal.end() == 0
        assert terminal.is_as_before()


def test_control_z_stops_it_with_the_terminal_in_order_and_it_goes_on(fleet):
    with top(fleet) as terminal:
        terminal.wait_for_line("> north")
        # Its group would be orphaned in a session of its own, and the system does not stop orphans: so we hold the other end.
        terminal.press("\x1a")
        wait_until("the normal screen", lambda: (terminal.read(), terminal.output.count(NORMAL) == 1)[1])
        wait_until("the old settings or a way back", lambda: terminal.is_as_before() or terminal.output.count(ALTERNATE) == 2)
        os.killpg(terminal.process.pid, signal.SIGCONT)
        wait_until("the alternate screen", lambda: (terminal.read(), terminal.output.count(ALTERNATE) >= 2)[1])
        terminal.wait_for_line("> north")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_as_before()


def test_keys_select_sort_and_help(fleet):
    with top(fleet, columns=120) as terminal:
        terminal.wait_for_line("> north")
        terminal.press("\x1b[B")
        terminal.wait_for_line("> south")
        terminal.press("s")
        terminal.wait_for("the sort mark", lambda screen: any("PEOPLE/S*" in line for line in screen))
        terminal.press("?")
        terminal.wait_for_line("sinew top: keys")
        terminal.press("x")
        terminal.wait_for_line("> south")


def test_it_follows_the_size_of_the_window(fleet):
    with top(fleet) as terminal:
        assert not any("GFLOP" in line for line in terminal.wait_for_line("> north"))
        terminal.resize(130, 30)
        terminal.process.send_signal(signal.SIGWINCH)
        screen = terminal.wait_for("the wide table", lambda screen: any("GFLOP" in line for line in screen))
        assert len(screen) == 30


def test_a_worker_is_drained_when_yes_is_pressed_and_only_then():
    with Fleet() as fleet:
        fleet.worker("stays")
        leaving = fleet.worker("leaves")
        fleet.wait_for_workers(2)
        with top(fleet) as terminal:
            terminal.wait_for_line("> leaves")
            terminal.press("d")
            terminal.wait_for_line("drain leaves? ")
            terminal.press("n")
            terminal.wait_for_line("leaves stays")
            assert leaving.process.poll() is None
            terminal.press("d")
            terminal.wait_for_line("drain leaves? ")
            terminal.press("y")
            terminal.wait_for("one worker", lambda screen: not any(line[2:].startswith("leaves ") for line in screen[4:-1]))
        assert leaving.process.wait(PATIENCE) == 0


def test_with_keys_anyone_may_look_and_only_operators_may_drain(tmp_path):
    roles = {"broker": None, "hand": "worker", "anna": "client", "otto": "operator"}
    for name, role in roles.items():
        subprocess.run([SINEW, "keys", "generate", tmp_path / f"{name}.key"], check=True, capture_output=True)
        if role:
            subprocess.run([SINEW, "keys", "authorize", tmp_path / f"{name}.key.pub", "--role", role, "--authorized-keys", tmp_path / "authorized"],
                           check=True, capture_output=True)
    server = tmp_path / "broker.key.pub"
    with Fleet("--key", tmp_path / "broker.key", "--authorized-keys", tmp_path / "authorized") as fleet:
        worker = fleet.worker("guarded", "--key", tmp_path / "hand.key", "--broker-key", server)
        for name in ("anna", "otto"):
            with Terminal("--broker", fleet.client_endpoint, "--key", tmp_path / f"{name}.key", "--broker-key", server) as terminal:
                terminal.wait_for_line("> guarded")
                terminal.press("d")
                terminal.wait_for_line("drain guarded? ")
                terminal.press("y")
                if name == "anna":
                    terminal.wait_for_line("guarded stays: ")
                    assert worker.process.poll() is None
                else:
                    assert worker.process.wait(PATIENCE) == 0


def test_a_broker_that_goes_away_is_said_and_found_again():
    with Fleet() as fleet:
        fleet.worker("north")
        with top(fleet) as terminal:
            terminal.wait_for_line("> north")
            fleet.broker.kill()
            terminal.wait_for_line("no news: ")
            fleet.start_broker()
            terminal.wait_for("news", lambda screen: screen[-1].startswith(("q quit", "north is gone")))
            terminal.wait_for_line("> north")


def test_a_pipe_gets_the_state_once_as_plain_text(fleet):
    done = fleet.run("top")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("sinew top  broker ")
    assert sum(line.split()[:2] in (["north", "serving"], ["south", "serving"]) for line in lines) == 2


def test_no_color_leaves_only_the_cursor_movements(fleet):
    with top(fleet, environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for_line("> north")
        assert not re.search(rb"\x1b\[[0-9;]*m", terminal.output)


def test_json_is_a_line_per_interval_until_nobody_reads(fleet):
    process = subprocess.Popen(
        [SINEW, "top", "--json", "--interval", "0.3", "--broker", fleet.client_endpoint], stdout=subprocess.PIPE, text=True)
    try:
        moments = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    times = [moment["time_unix_us"] for moment in moments]
    assert times == sorted(set(times))
    assert [worker["name"] for worker in moments[-1]["workers"]] == ["north", "south"]


def test_rates_are_the_growth_of_the_count_and_the_count_is_the_clients(tmp_path):
    with Fleet() as fleet:
        fleet.worker("north")
        fleet.wait_for_workers(1)
        with Load(fleet, tmp_path, count=256) as load:
            wait_until("people solved", lambda: load.solved > 0)
            process = subprocess.Popen(
                [SINEW, "top", "--json", "--interval", "2.2", "--broker", fleet.client_endpoint], stdout=subprocess.PIPE, text=True)
            try:
                moments = [json.loads(process.stdout.readline()) for _ in range(3)]
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
        for earlier, later in zip(moments, moments[1:]):
            seconds = (later["time_unix_us"] - earlier["time_unix_us"]) / 1e6
            assert later["persons_per_second"] == pytest.approx((later["items_done"] - earlier["items_done"]) / seconds, rel=0.02, abs=0.1)
        # Nothing is under way any more: the broker counted what the client got.
        assert load.failure is None
        assert fleet.status()["broker"]["items_done"] == load.solved


def test_without_a_broker_it_says_what_to_start():
    started = time.monotonic()
    done = subprocess.run(
        [SINEW, "top", "--broker", "tcp://127.0.0.1:1"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode in (69, 75)
    assert "127.0.0.1:1" in done.stderr
    assert time.monotonic() - started < PATIENCE
