#!/usr/bin/env python3
"""Style as a failing check: every rule names what to write instead.

usage: tools/tidy/tidy.py [ROOT]

Reads the files that git knows below ROOT (default: the repository this script lies in) and prints one line per finding,
`file:line: rule: reason`. Exit status 0 when there is none, 1 otherwise. Standard library only.
"""

import os
import re
import subprocess
import sys

# A C module belongs to one Swift target; SwiftPM does not stop a target that only reaches it transitively.
C_MODULE_OWNERS = {
    "CZeroMQ": "SinewZeroMQ",
    "CMessagePack": "SinewMessagePack",
    "CZlib": "SinewArrayFiles",
    "CLibCrypto": "SinewArrayFiles",
    "CSinewKernels": "SinewKernels",
    "CAllocationCounter": "SinewModels",
}
LINES_MAX = 500
SOURCE_SUFFIXES = (".swift", ".c", ".h", ".py", ".sh")

# Targets that hold decisions or arithmetic only: no clocks, no sleeping, no Foundation.
PURE_TARGETS = ("Sources/SinewCore/", "Sources/SinewKernels/")

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?(\w+)"
)
SLEEP = re.compile(r"\b(?:Task\s*\.\s*sleep|Thread\s*\.\s*sleep|usleep|nanosleep|sleep)\s*\(")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|not implemented", re.IGNORECASE)
LIMIT = re.compile(r"^    package var (\w+)(?: =|: UInt64 =)")
LIMITS_SOURCE, LIMITS_DOCUMENT = "Sources/SinewCore/Limits.swift", "deploy/LIMITS.md"
UNSAFE_PROMISE = re.compile(r"@unchecked\s+Sendable|\bnonisolated\s*\(\s*unsafe\s*\)")


def code_only(text):
    """Blanks out comments and the contents of string literals of Swift or C source, keeping every line break."""
    out = []
    index, count = 0, len(text)
    while index < count:
        two = text[index : index + 2]
        if two == "//":
            end = text.find("\n", index)
            end = count if end < 0 else end
            out.append(" " * (end - index))
            index = end
        elif two == "/*":
            depth, end = 1, index + 2
            while end < count and depth:  # Swift's block comments nest
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
            out.append(re.sub(r"[^\n]", " ", text[index:end]))
            index = end
        elif text[index] == '"' or (text[index] == "#" and re.match(r'#+"', text[index:])):
            hashes = len(text[index:]) - len(text[index:].lstrip("#"))
            start = index + hashes
            quote = '"""' if text.startswith('"""', start) else '"'
            closing = quote + "#" * hashes
            end = start + len(quote)
            while end < count and not text.startswith(closing, end):
                if quote == '"' and text[end] == "\n":
                    break
                end += 2 if hashes == 0 and text[end] == "\\" else 1
            end = min(count, end + len(closing))
            out.append(re.sub(r"[^\n]", " ", text[index:end]))
            index = end
        else:
            out.append(text[index])
            index += 1
    return "".join(out)


def check_swift(path, text):
    """Yields (line, rule, reason) for one Swift file."""
    code = code_only(text).split("\n")
    lines = text.split("\n")
    in_tests = path.startswith("Tests/")
    for number, line in enumerate(code, 1):
        matched = IMPORT.match(line)
        if matched:
            access, module = matched.groups()
            owner = C_MODULE_OWNERS.get(module)
            if owner and not path.startswith((f"Sources/{owner}/", f"Tests/{owner}Tests/")):
                yield number, "c-import", f"{module} belongs to {owner}: call {owner} instead"
            elif owner and access in ("public", "package"):
                yield number, "c-import", f"write `internal import {module}`: C types stay inside {owner}"
            if module in ("Foundation", "FoundationEssentials") and path.startswith(PURE_TARGETS):
                yield number, "foundation", "this target decides or computes only: use the standard library"
        if re.search(r"\btry!", line):
            yield number, "force-try", "write `try` in a throwing function, or handle the error and say what to do next"
        if UNSAFE_PROMISE.search(line):
            nearby = lines[max(0, number - 4) : number]
            if not any("//" in near for near in nearby):
                yield number, "bare-unchecked", "state the invariant (which lock or thread guards what) in a comment beside it"
        if in_tests and SLEEP.search(line):
            yield number, "sleep-in-test", "wait for the event itself, with a generous deadline"
        elif path.startswith(PURE_TARGETS) and SLEEP.search(line):
            yield number, "sleep", "time comes in as an argument: return the next deadline instead"
        if "ZMQ_HEARTBEAT" in line:
            yield number, "zmq-heartbeat", "libzmq 4.3.4 aborts with it: use our own beats"
    if path == "Package.swift" or path.endswith("/Package.swift"):
        for number, line in enumerate(code, 1):
            if "unsafeFlags" in line:
                yield number, "unsafe-flags", "a package with it cannot be a dependency: use an attribute or a define"


def check(path, text):
    """Yields (line, rule, reason) for one file of the repository."""
    name = path.rsplit("/", 1)[-1]
    if name == "Placeholder.swift":
        yield 1, "placeholder", "delete it now that the target has files of its own"
    if "/generated/" not in path.lower().replace("_", "") and name != "Package.swift" and not path.endswith(".hex"):
        count = text.count("\n")
        if count > LINES_MAX:
            yield LINES_MAX + 1, "file-length", f"{count} lines: one subject per file, at most {LINES_MAX}"
    if not path.startswith("tools/tidy/"):
        for number, line in enumerate(text.split("\n"), 1):
            found = UNFINISHED.search(line)
            if found:
                yield number, "unfinished", f"`{found.group()}`: finish it, or open an issue and leave the line out"
    if path.endswith(".swift"):
        yield from check_swift(path, text)


def check_limits(source, document):
    """Yields (path, line, rule, reason) for limits that operators are not told of, and for names in their tables that are no limits."""
    limits = {}
    for number, line in enumerate(source.split("\n"), 1):
        found = LIMIT.match(line)
        if found:
            limits[found.group(1)] = number
    told = {name: number for number, line in enumerate(document.split("\n"), 1)
            for name in re.findall(r"`([a-z]\w*)`", line)}
    for name in limits.keys() - told.keys():
        yield LIMITS_SOURCE, limits[name], "limit-untold", f"say in {LIMITS_DOCUMENT} what an operator sees when {name} is hit"
    # Metrics and commands are named too; a limit has a capital inside.
    for name in (name for name in told.keys() - limits.keys() if re.search("[A-Z]", name)):
        yield LIMITS_DOCUMENT, told[name], "limit-unknown", f"{name} is no limit of {LIMITS_SOURCE}"


def tracked_files(root):
    """Source files that git tracks or would track, so that a new file is checked before its first commit."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True,
    ).stdout.decode()
    return sorted(path for path in set(listed.split("\0")) if path.endswith(SOURCE_SUFFIXES))


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings = files = 0
    for path in tracked_files(root):
        full = os.path.join(root, path)
        if not os.path.isfile(full) or os.path.islink(full):
            continue
        with open(full, encoding="utf-8") as file:
            text = file.read()
        files += 1
        for line, rule, reason in check(path, text):
            print(f"{path}:{line}: {rule}: {reason}")
            findings += 1
    texts = []
    for path in (LIMITS_SOURCE, LIMITS_DOCUMENT):
        full = os.path.join(root, path)
        if os.path.isfile(full):
            with open(full, encoding="utf-8") as file:
                texts.append(file.read())
    if len(texts) == 2:
        for path, line, rule, reason in sorted(check_limits(*texts)):
            print(f"{path}:{line}: {rule}: {reason}")
            findings += 1
    print(f"tidy: {files} files, {findings} finding{'' if findings == 1 else 's'}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
