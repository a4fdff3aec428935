"""Each rule of tidy has a file that breaks it and a twin that does not. Run: python3 -m unittest discover -s tools/tidy"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tidy  # noqa: E402

# rule, path, text that breaks it, text that does not
CASES = [
    ("c-import", "Sources/SinewWorker/A.swift", "import CZeroMQ\n", "package import SinewZeroMQ\n"),
    ("c-import", "Sources/SinewWorker/A.swift", "internal import func CZlib.inflate\n", "// import CZlib\n"),
    ("c-import", "Sources/SinewZeroMQ/A.swift", "public import CZeroMQ\n", "internal import CZeroMQ\n"),
    ("foundation", "Sources/SinewCore/A.swift", "import Foundation\n", "import DequeModule\n"),
    ("force-try", "Sources/SinewBody/A.swift", "let a = try! f()\n", 'let a = "try! f()"\n'),
    ("bare-unchecked", "Sources/SinewBody/A.swift", "final class A: @unchecked Sendable {}\n",
     "// `state` is only touched by the socket thread.\nfinal class A: @unchecked Sendable {}\n"),
    ("sleep-in-test", "Tests/SinewCoreTests/A.swift", "try await Task.sleep(for: .seconds(1))\n",
     "try await reply.wait()\n"),
    ("sleep-in-test", "Tests/SinewCoreTests/A.swift", "usleep(10)\n", "/* usleep(10) */\n"),
    ("sleep", "Sources/SinewCore/A.swift", "await Task.sleep(for: d)\n", "let nextDeadline = d\n"),
    ("unfinished", "Sources/SinewBody/A.swift", "// TODO later\n", "// Nothing left to do here.\n"),
    ("unfinished", "tools/train/a.py", "raise Exception('not implemented')\n", "raise ValueError('shape')\n"),
    ("file-length", "Sources/SinewBody/A.swift", "\n" * 501, "\n" * 500),
    ("placeholder", "Sources/SinewBody/Placeholder.swift", "", None),
    ("zmq-heartbeat", "Sources/SinewZeroMQ/A.swift", "set(ZMQ_HEARTBEAT_IVL, 1)\n", "// never ZMQ_HEARTBEAT_IVL\n"),
    ("unsafe-flags", "Package.swift", "cSettings: [.unsafeFlags([])]\n", "cSettings: [.define(\"A\")]\n"),
]


class Rules(unittest.TestCase):
    def test_each_rule_finds_its_breach_and_lets_the_twin_pass(self):
        for rule, path, breach, twin in CASES:
            with self.subTest(rule=rule, path=path):
                self.assertIn(rule, [found for _, found, _ in tidy.check(path, breach)])
                if twin is not None:
                    self.assertEqual([], list(tidy.check(path, twin)))

    def test_a_limit_that_operators_are_not_told_of_is_found_and_so_is_a_name_that_is_none(self):
        source = "    package var callsMax = 1\n    package var blockSize: UInt64 = 2\n    package var violated: String? { nil }\n"
        self.assertEqual([], list(tidy.check_limits(source, "| `callsMax`, `blockSize` | 1 |\n")))
        found = [(path, line, rule) for path, line, rule, _ in tidy.check_limits(source, "\n`blockSize` `callMax`\n")]
        self.assertEqual([(tidy.LIMITS_SOURCE, 1, "limit-untold"), (tidy.LIMITS_DOCUMENT, 2, "limit-unknown")], found)

    def test_the_line_is_the_line_of_the_breach(self):
        text = 'let a = """\n  try! in text \\(b)\n  """\nlet c = #"try!"#\nlet d = try! e()\n'
        self.assertEqual([(5, "force-try")], [(line, rule) for line, rule, _ in tidy.check("Sources/A/A.swift", text)])

    def test_untracked_files_are_checked_and_ignored_ones_are_not(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["git", "init", "-q", root], check=True)
            for name, text in ((".gitignore", "out/\n"), ("new.swift", "let a = try! b()\n"), ("out/x.swift", "try!\n")):
                path = os.path.join(root, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertEqual(["new.swift"], tidy.tracked_files(root))
            done = subprocess.run([sys.executable, tidy.__file__, root], capture_output=True, text=True)
            self.assertEqual(1, done.returncode)
            self.assertIn("new.swift:1: force-try", done.stdout)


if __name__ == "__main__":
    unittest.main()
