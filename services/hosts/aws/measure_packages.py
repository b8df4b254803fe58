"""Sizes and cold starts of the functions' packages, against budgets.toml.

A cold start is measured as Lambda sees it: from the start of the process until it asks the Runtime API for its first
event. The Runtime API, and the bucket that the configuration is read from, are answered by this script, on loopback.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
FUNCTIONS = HERE / "../../../pulumi/generated/functions.json"
TOPOLOGY = HERE / "../../../contracts/topology.json"
GIVE_UP_AFTER_S = 10


def configuration() -> bytes:
    """The archive that a deployment without destinations has."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("mantissa.toml", "")
    return archive.getvalue()


class Answers(BaseHTTPRequestHandler):
    """The Runtime API, which has no event, and a bucket with one object."""

    def do_GET(self):
        if self.path.endswith("/runtime/invocation/next"):
            self.server.asked_at = time.monotonic()
            self.server.asked.set()
            self.server.over.wait(GIVE_UP_AFTER_S)
            return
        self.send_response(200)
        self.send_header("content-length", str(len(self.server.configuration)))
        self.end_headers()
        self.wfile.write(self.server.configuration)

    def log_message(self, *_):
        pass


def environment(function: dict, port: int) -> dict:
    """What the deployment would give the function."""
    topology = json.loads(TOPOLOGY.read_text())
    at = f"http://127.0.0.1:{port}"
    queues = [queue["name"] for queue in topology["queues"] + topology["aws_queues"]]
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": function["name"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["memory_mb"]),
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_ENDPOINT_URL": at,
        "MANTISSA_FUNCTION": function["name"],
        "MANTISSA_TABLE_PREFIX": "measured-",
        "MANTISSA_QUEUES": json.dumps({"base": f"{at}/0/measured-", "names": queues}),
        "MANTISSA_TOPICS": json.dumps({topic["name"]: f"arn:aws:sns:us-east-1:0:{topic['name']}" for topic in topology["topics"]}),
        "MANTISSA_LAKE_BUCKET": "measured",
        "MANTISSA_CONFIGURATION": "s3://measured/configuration.zip",
        "MANTISSA_ATHENA": json.dumps({"workgroup": "measured", "database": "measured"}),
        "MANTISSA_SECRET_PREFIX": "measured/",
        "MANTISSA_EVENT_BUS": "measured",
    }


def start_once(bootstrap: Path, function: dict) -> tuple[float, float]:
    """Milliseconds until the first event is asked for, and the peak of memory until then in MB."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.asked, server.over, server.configuration = threading.Event(), threading.Event(), configuration()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    began = time.monotonic()
    process = subprocess.Popen([bootstrap], env=environment(function, server.server_address[1]))
    try:
        if not server.asked.wait(GIVE_UP_AFTER_S):
            sys.exit(f"{function['name']} did not ask for an event within {GIVE_UP_AFTER_S} s")
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return (server.asked_at - began) * 1000, peak_kb * 1024 / 1e6
    finally:
        process.kill()
        process.wait()
        server.over.set()
        server.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="the folder with <binary>/bootstrap.zip")
    parser.add_argument("--starts", type=int, default=10, help="cold starts of each function (default 10)")
    parser.add_argument("--sizes-only", action="store_true", help="for packages of another architecture")
    arguments = parser.parse_args()
    budgets = tomllib.loads((HERE / "budgets.toml").read_text())
    beyond = []
    print(f"{'function':<20} {'zip MB':>8} {'init ms':>9} {'worst ms':>9} {'memory MB':>10}")
    for function in json.loads(FUNCTIONS.read_text()):
        package = arguments.packages / function["binary"] / "bootstrap.zip"
        size = package.stat().st_size / 1e6
        if size > budgets["zip_mb"]:
            beyond.append(f"{function['name']}: the zip has {size:.1f} MB, the budget is {budgets['zip_mb']}")
        if arguments.sizes_only:
            print(f"{function['name']:<20} {size:>8.2f}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(package) as zipped:
                zipped.extract("bootstrap", folder)
            bootstrap = Path(folder) / "bootstrap"
            os.chmod(bootstrap, 0o755)
            starts = [start_once(bootstrap, function) for _ in range(arguments.starts)]
        times = [init for init, _ in starts]
        memory = max(peak for _, peak in starts)
        print(f"{function['name']:<20} {size:>8.2f} {statistics.median(times):>9.1f} {max(times):>9.1f} {memory:>10.1f}")
        if memory > budgets["init_memory_mb"]:
            beyond.append(f"{function['name']}: {memory:.1f} MB of memory, the budget is {budgets['init_memory_mb']}")
    if beyond:
        sys.exit("\n".join(beyond))


if __name__ == "__main__":
    main()
