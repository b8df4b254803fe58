"""Runs a command beside a real Trino on loopback: `with_trino.py COMMAND…`.

The server and its Hive plugin come from Maven and are unpacked once, under `target/trino`. The command finds the cluster by
MANTISSA_TRINO_URL, and in MANTISSA_TRINO_LAKES the folder that the catalogue `lake` sees as `local:///`. Over TLS the cluster
asks who is there: MANTISSA_TRINO_TLS is a folder with the files `url`, `ca.pem`, and for the user `mantissa` `password` and `jwt`. Where no JDK that
Trino runs on, or no Maven, is installed, it says so and ends with 0: nothing was run, and nothing is wrong.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

VERSION = "476"
LEAST_JAVA = 24
ROOT = Path(__file__).parent / "../../.."
UNPACKED = ROOT / "target/trino" / VERSION
STARTS_WITHIN_S = 120
#: Of Trino's heap; it is ready with less, and the largest lake of the tests is some MB.
HEAP = "1536M"


def java_home() -> Path | None:
    """The first JDK that is new enough, of those that the environment names and those that are installed."""
    named = [os.environ.get("MANTISSA_JAVA_HOME"), os.environ.get("JAVA_HOME")]
    candidates = [Path(home) for home in named if home]
    if java := shutil.which("java"):
        candidates.append(Path(java).resolve().parent.parent)
    for installed in ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines"):
        if Path(installed).is_dir():
            candidates += sorted(path for path in Path(installed).iterdir() if path.is_dir())
    for home in candidates:
        for at in (home, home / "Contents/Home"):
            if (major_of(at) or 0) >= LEAST_JAVA and (at / "bin/java").exists():
                return at
    return None


def major_of(home: Path) -> int | None:
    try:
        release = (home / "release").read_text()
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(found.group(1)) if found else None


def fetch(artifact: str, kind: str) -> Path:
    """From Maven's own store, into which it is brought where it is not there."""
    coordinates = f"io.trino:{artifact}:{VERSION}:{kind}"
    get = ["mvn", "--batch-mode", "-q", "dependency:get", "-Dtransitive=false", f"-Dartifact={coordinates}"]
    subprocess.run(get, check=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = ["mvn", "--batch-mode", "-q", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
        subprocess.run(copy, check=True)
        copied = next(Path(folder).iterdir())
        kept = UNPACKED.parent / copied.name
        shutil.move(copied, kept)
    return kept


def unpack() -> Path:
    if (UNPACKED / ".complete").exists():
        return UNPACKED
    print(f"fetching Trino {VERSION} from Maven, about 450 MB, once", flush=True)
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.parent.mkdir(parents=True, exist_ok=True)
    server, hive = fetch("trino-server-core", "tar.gz"), fetch("trino-hive", "zip")
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent) as folder:
        with tarfile.open(server) as archive:
            # Not every Python 3.11 knows filters.
            archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        unpacked = next(Path(folder).iterdir())
        with zipfile.ZipFile(hive) as archive:
            archive.extractall(unpacked / "plugin")
        (unpacked / "plugin" / f"trino-hive-{VERSION}").rename(unpacked / "plugin/hive")
        shutil.move(unpacked, UNPACKED)
    server.unlink()
    hive.unlink()
    (UNPACKED / ".complete").touch()
    return UNPACKED


def configure(etc: Path, port: int, data: Path, lakes: Path):
    files = {
        "node.properties": f"""
            node.environment=test
            node.data-dir={data}
            node.bind-ip=127.0.0.1
            node.internal-address=127.0.0.1
        """,
        "jvm.config": f"-server\n-Xmx{HEAP}\n-XX:+ExitOnOutOfMemoryError\n-Djdk.attach.allowAttachSelf=true\n",
        "config.properties": f"""
            coordinator=true
            node-scheduler.include-coordinator=true
            http-server.http.port={port}
            discovery.uri=http://127.0.0.1:{port}
        """,
        "log.properties": "io.trino=WARN\n",
        "catalog/lake.properties": f"""
            connector.name=hive
            hive.metastore=file
            hive.metastore.catalog.dir=local:///.metastore
            hive.partition-projection-enabled=true
            fs.native-local.enabled=true
            local.location={lakes}
        """,
    }
    for name, text in files.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text("".join(f"{line.strip()}\n" for line in text.strip().splitlines()))


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def jwt_for(user: str, key: bytes) -> str:
    head = base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = base64url(json.dumps({"sub": user, "exp": int(time.time()) + 24 * 3600}).encode())
    signed = f"{head}.{claims}"
    return f"{signed}.{base64url(hmac.digest(key, signed.encode(), 'sha256'))}"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def configure_tls(home: Path, etc: Path, tls: Path):
    """A certificate of its own, a user with a password, and a key for tokens; all of this run only."""
    port, password, key = free_port(), secrets.token_urlsafe(), secrets.token_bytes(32)
    store, store_key = etc / "keystore.p12", secrets.token_hex()
    keytool = [home / "bin/keytool", "-keystore", store, "-storepass", store_key, "-alias", "trino"]
    made = ["-genkeypair", "-keyalg", "EC", "-validity", "2", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"]
    subprocess.run([*keytool, *made, "-storetype", "PKCS12"], check=True, capture_output=True)
    subprocess.run([*keytool, "-exportcert", "-rfc", "-file", tls / "ca.pem"], check=True, capture_output=True)
    salt, iterations = secrets.token_bytes(16), 10_000
    hashed = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, iterations, 64)
    (etc / "password.db").write_text(f"mantissa:{iterations}:{salt.hex()}:{hashed.hex()}\n")
    (etc / "jwt.key").write_text(base64.b64encode(key).decode())
    (etc / "password-authenticator.properties").write_text(
        f"password-authenticator.name=file\nfile.password-file={etc / 'password.db'}\n"
    )
    with (etc / "config.properties").open("a") as config:
        config.write(
            f"http-server.https.enabled=true\nhttp-server.https.port={port}\n"
            f"http-server.https.keystore.path={store}\nhttp-server.https.keystore.key={store_key}\n"
            "http-server.authentication.type=PASSWORD,JWT\nhttp-server.authentication.allow-insecure-over-http=true\n"
            f"http-server.authentication.jwt.key-file={etc / 'jwt.key'}\n"
            f"internal-communication.shared-secret={secrets.token_hex()}\n"
        )
    (tls / "url").write_text(f"https://127.0.0.1:{port}")
    (tls / "password").write_text(password)
    (tls / "jwt").write_text(jwt_for("mantissa", key))


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/v1/info", timeout=5) as answer:
            return not json.load(answer)["starting"]
    except (urllib.error.URLError, OSError, ValueError):
        return False


def wait_until_ready(server: subprocess.Popen, url: str, log: Path):
    began = time.monotonic()
    while not is_ready(url):
        if server.poll() is not None or time.monotonic() - began > STARTS_WITHIN_S:
            sys.exit(f"Trino did not start; its log ends:\n{log.read_text()[-4000:]}")
        time.sleep(0.5)


def run_beside(home: Path, trino: Path, command: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="mantissa-trino-") as folder:
        folder = Path(folder)
        lakes, tls, log = folder / "lakes", folder / "tls", folder / "log"
        lakes.mkdir()
        tls.mkdir()
        port = free_port()
        configure(folder / "etc", port, folder / "data", lakes)
        configure_tls(home, folder / "etc", tls)
        url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "JAVA_HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
        launcher = [trino / "bin/launcher", "run", "--etc-dir", folder / "etc"]
        with log.open("w") as told:
            server = subprocess.Popen(
                launcher, env=environment, stdout=told, stderr=told, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            wait_until_ready(server, url, log)
            print(f"Trino {VERSION} is ready on {url}", flush=True)
            found = {"MANTISSA_TRINO_URL": url, "MANTISSA_TRINO_LAKES": str(lakes), "MANTISSA_TRINO_TLS": str(tls)}
            ended = subprocess.run(command, env={**os.environ, **found}).returncode
            if server.poll() is not None:
                print(f"Trino ended by itself, with {server.returncode}; its log ends:\n{log.read_text()[-4000:]}")
                return ended or 1
            return ended
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def main() -> int:
    # So that the server is stopped then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    home = java_home()
    if home is None:
        print(f"not run on Trino: no JDK {LEAST_JAVA} or newer was found (name one with MANTISSA_JAVA_HOME)")
        return 0
    if shutil.which("mvn") is None:
        print("not run on Trino: Maven, which brings it, is not installed")
        return 0
    return run_beside(home, unpack(), sys.argv[1:])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        sys.exit(f"`{failed.cmd[0]}` failed with {failed.returncode}: Trino {VERSION} could not be had from Maven")
