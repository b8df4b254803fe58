"""Prints which sentences of each port's contract hold on which adapter, from what the test run before it wrote.

One machine's adapters, the fakes and Trino have a test a sentence; emulators have one test each, which prints its own counts.
Fails where a sentence was not asked without a reason, or an emulator was not there for a test that needs it.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

REPORT = Path(__file__).parent / "../target/nextest/default/junit.xml"
#: Suites of tests a sentence: the binary, what stands before the port in a test's name, and the port where it does not.
ADAPTERS = {
    "mantissa-ports::conformance": ("memory", "", None),
    "mantissa-embedded::conformance": ("one machine", "", None),
    "mantissa-tests::aws": ("Athena's protocol", "athena::", "query_engine"),
}
EMULATORS = {"conformance::adapters_conform_on_ministack": "MiniStack", "conformance::adapters_conform_on_moto": "moto"}
COLUMNS = ["memory", "one machine", "MiniStack", "moto", "Athena's protocol"]
COUNTS = re.compile(
    r"^\s+(\w+)\s+(\d+) hold\s+(\d+) broken by the emulator\s+(\d+) not asked\s+(\d+) failed$", re.MULTILINE
)
#: What an emulator breaks and how, what is not asked and why, what failed.
REMARK = re.compile(r"^  (\w+::\w+: .+)$", re.MULTILINE)
#: Tests that need an emulator: where it is missing they pass and prove nothing. Trino is for `make parity`.
NEEDS_EMULATOR = re.compile(r"^(walk|faults|handed|outbox|seal_races|athena)::")
SKIPPED = re.compile(r"^\s*skipped: (?!no Trino)(.+)$", re.MULTILINE)
#: Why there is nothing to ask.
NOT_THERE = {
    ("query_engine", "MiniStack"): "its Athena is DuckDB, which knows no Trino SQL; beside it an endpoint of ours speaks Athena's protocol",
    ("query_engine", "moto"): "its Athena answers what it is told to",
}
#: Sentences that an adapter is rightly not asked, and why.
PARTLY = {("query_engine", "memory"): "it is told its answers: of it only the life of a query is asked"}
#: The engines on one machine, over files and over batches in memory, are asked alike.
TWICE = {("query_engine", "one machine")}


def sentences(suites: Path) -> dict[str, set[str]]:
    """Every port that has a suite, and the names of its sentences."""
    # The clock is the process's own; both clocks are asked beside the fakes.
    others = {"mod", "fixture", "samples", "clock"}
    files = {path.stem: path.read_text() for path in sorted(suites.glob("*.rs")) if path.stem not in others}
    return {port: set(re.findall(r"^pub async fn (\w+)", text, re.MULTILINE)) for port, text in files.items()}


def port_of(test: str, known: dict[str, set[str]], otherwise: str | None) -> str | None:
    """`query_engine::files::…` and `queue::…`; a queue's tests are of two suites."""
    *modules, sentence = test.split("::")
    named = otherwise or next((module for module in modules if module in known), None)
    candidates = [port for port in known if named and port.startswith(named)]
    return next((port for port in candidates if sentence in known[port]), None)


class Table:
    """What was found, by port and adapter."""

    def __init__(self, known: dict[str, set[str]]):
        self.known = known
        self.hold: dict[tuple[str, str], int] = defaultdict(int)
        self.rest: dict[tuple[str, str], list[str]] = {}
        self.n_rest: dict[tuple[str, str], int] = defaultdict(int)
        self.failed: dict[tuple[str, str], int] = defaultdict(int)
        self.remarks: list[str] = []
        self.skipped: list[str] = []

    def read(self, suite: str, case: ElementTree.Element):
        name, failed = case.get("name"), case.find("failure") is not None
        said = case.findtext("system-out") or ""
        skipped = SKIPPED.search(said + (case.findtext("system-err") or ""))
        if NEEDS_EMULATOR.match(name) and skipped:
            self.skipped.append(name)
        elif emulator := EMULATORS.get(name):
            for port, hold, broken, not_asked, n_failed in COUNTS.findall(said):
                key = (port, emulator)
                self.hold[key] = int(hold)
                self.rest[key] = [f"{n} {how}" for n, how in ((broken, "broken by it"), (not_asked, "not asked")) if n != "0"]
                self.n_rest[key] = int(broken) + int(not_asked)
                self.failed[key] = int(n_failed)
            self.remarks += [f"{emulator}: {remark}" for remark in REMARK.findall(said)]
        elif adapter := ADAPTERS.get(suite):
            column, prefix, otherwise = adapter
            port = port_of(name, self.known, otherwise) if name.startswith(prefix) else None
            if port and skipped:
                self.n_rest[port, column] += 1
                self.rest[port, column] = [f"{self.n_rest[port, column]} not asked"]
                self.remarks.append(f"{column}: {port}::{name.split('::')[-1]}: {skipped[1]}")
            elif port:
                (self.failed if failed else self.hold)[port, column] += 1

    def cell(self, port: str, column: str) -> str:
        key = (port, column)
        if key not in self.hold and key not in self.failed:
            return "-"
        hold = f"2 × {self.hold[key] // 2}" if key in TWICE and self.hold[key] % 2 == 0 else str(self.hold[key])
        failed = [f"{self.failed[key]} FAILED"] if self.failed[key] else []
        return ", ".join([hold, *self.rest.get(key, []), *failed])

    def missing(self) -> list[str]:
        """Sentences that nobody asked, though nothing says why."""
        problems = []
        for port, names in self.known.items():
            for column in COLUMNS:
                key = (port, column)
                if key in NOT_THERE or key in PARTLY or (column == "Athena's protocol" and port != "query_engine"):
                    continue
                asked = self.hold[key] + self.n_rest[key] + self.failed[key]
                expected = len(names) * (2 if key in TWICE else 1)
                if asked != expected:
                    problems.append(f"{port} on {column}: {asked} of {expected} sentences were asked")
        return problems

    def print(self):
        print("Sentences of each port's contract that hold")
        width = max(map(len, self.known))
        widths = [max(len(column), *(len(self.cell(port, column)) for port in self.known)) for column in COLUMNS]
        print("  ".join([" " * width, *(column.ljust(size) for column, size in zip(COLUMNS, widths))]).rstrip())
        for port in self.known:
            cells = [self.cell(port, column).ljust(size) for column, size in zip(COLUMNS, widths)]
            print("  ".join([port.ljust(width), *cells]).rstrip())
        for (port, column), why in (NOT_THERE | PARTLY).items():
            print(f"  {port} on {column}: {why}")
        print("  query_engine on Trino is asked by `make parity`.")
        for remark in self.remarks:
            print(f"  {remark}")


def main() -> int:
    if not REPORT.exists():
        print(f"no {REPORT}: run the tests first", file=sys.stderr)
        return 1
    table = Table(sentences(Path(__file__).parent / "../services/platform/ports/src/conformance"))
    for suite in ElementTree.parse(REPORT).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            table.read(suite.get("name"), case)
    table.print()
    problems = table.missing() + [f"{name} was skipped: what it needs was not there" for name in table.skipped]
    for problem in problems:
        print(f"  not shown: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
