"""Builds the functions' packages: for x86_64, and for arm64 where Rust can be had for it."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE / "../../.."
BIN = Path(sys.executable).parent
ARM = "aarch64-unknown-linux-gnu"


def build(architecture: str, packages: Path):
    tools = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["cargo-lambda", "lambda", "build", "--profile", "dist", "--locked", f"--{architecture}"]
    command += ["--package", "mantissa-hosts-aws", "--output-format", "zip", "--lambda-dir", str(packages)]
    subprocess.run(command, cwd=ROOT, env=tools, check=True)


def measure(packages: Path, runs_here: bool):
    command = [sys.executable, HERE / "measure_packages.py", packages]
    subprocess.run(command + ([] if runs_here else ["--sizes-only"]), check=True)


def main():
    here = platform.machine()
    x86_64 = ROOT / "target/lambda/x86_64"
    build("x86-64", x86_64)
    measure(x86_64, here == "x86_64")
    if shutil.which("rustup") is None:
        print(f"arm64: not built, there is no rustup to add {ARM}")
        return
    added = subprocess.run(["rustup", "target", "add", ARM], capture_output=True, text=True)
    if added.returncode != 0:
        print(f"arm64: not built, `rustup target add {ARM}` failed: {added.stderr.strip().splitlines()[-1]}")
        return
    arm64 = ROOT / "target/lambda/arm64"
    build("arm64", arm64)
    measure(arm64, here == "aarch64")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
