"""Prints which sentences of each port's contract hold on which adapter, from what the test run before it wrote.

One machine's adapters and the fakes have a test a sentence; emulators have one test each, which prints its own counts.
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
COUNTS = re.compile(r"^\s+(\w+)\s+(\d+) hold\s+(\d+) broken by the emulator\s+(\d+) not asked$", re.MULTILINE)
#: Why there is nothing to ask.
NOT_THERE = {
    ("query_engine", "MiniStack"): "its Athena is DuckDB, which knows no Trino SQL",
    ("query_engine", "moto"): "its Athena answers what it is told to",
}


def sentences(suites: Path) -> dict[str, set[str]]:
    """Every port that has a suite, and the names of its sentences."""
    others = {"mod", "fixture", "samples", "clock"}
    files = {path.stem: path.read_text() for path in sorted(suites.glob("*.rs")) if path.stem not in others}
    return {port: set(re.findall(r"^pub async fn (\w+)", text, re.MULTILINE)) for port, text in files.items()}


def port_of(test: str, known: dict[str, set[str]], otherwise: str | None) -> str | None:
    """`query_engine::files::…` and `queue::…`; a queue's tests are of two suites."""
    *modules, sentence = test.split("::")
    named = otherwise or next((module for module in modules if module in known), None)
    candidates = [port for port in known if named and port.startswith(named)]
    return next((port for port in candidates if sentence in known[port]), None)


def main() -> int:
    if not REPORT.exists():
        print(f"no {REPORT}: run the tests first", file=sys.stderr)
        return 1
    known = sentences(Path(__file__).parent / "../services/platform/ports/src/conformance")
    table: dict[tuple[str, str], str] = {}
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for suite in ElementTree.parse(REPORT).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name, failed = case.get("name"), case.find("failure") is not None
            if emulator := EMULATORS.get(name):
                for port, hold, broken, not_asked in COUNTS.findall(case.findtext("system-out") or ""):
                    rest = [f"{n} {what}" for n, what in ((broken, "broken by it"), (not_asked, "not asked")) if n != "0"]
                    table[port, emulator] = ", ".join([hold, *rest])
            elif adapter := ADAPTERS.get(suite.get("name")):
                column, prefix, otherwise = adapter
                # What an adapter is asked twice, over files and over batches, is counted twice.
                if name.startswith(prefix) and (port := port_of(name, known, otherwise)):
                    counted[port, column][failed] += 1
    for key, (hold, failed) in counted.items():
        table[key] = f"{hold}, {failed} FAILED" if failed else str(hold)
    print("Sentences of each port's contract that hold")
    width = max(map(len, known))
    widths = [max(len(column), *(len(table.get((port, column), "-")) for port in known)) for column in COLUMNS]
    print("  ".join([" " * width, *(column.ljust(size) for column, size in zip(COLUMNS, widths))]).rstrip())
    for port in known:
        cells = [table.get((port, column), "-").ljust(size) for column, size in zip(COLUMNS, widths)]
        print("  ".join([port.ljust(width), *cells]).rstrip())
    for (port, column), why in NOT_THERE.items():
        if (port, column) not in table:
            print(f"  {port} on {column} is not asked: {why}")
    print("  The query engine in memory is told its answers: of it only the life of a query is asked.")
    print("  What emulators break, and what holds there by luck only, is named in the output of their tests.")
    print("  query_engine on Trino is asked by `make parity`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
