"""Known vulnerabilities of what is installed: `python -m tests.checks.audit`, by pip-audit and PyPI's advisories.

It fails if there are any. Where the advisories cannot be had it says NOT RUN, and does not.
"""

import json
import subprocess
import sys
from typing import Any, NamedTuple

#: Seconds that it may take.
TIMEOUT = 300
COMMAND = [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"]


class Verdict(NamedTuple):
    """What came of it."""

    text: str
    failed: bool


def main() -> None:
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        verdict = not_run(f"no answer within {TIMEOUT} s")
    else:
        verdict = judge(done.stdout, done.stderr)
    sys.stderr.write(f"{verdict.text}\n")
    sys.exit(verdict.failed)


def judge(output: str, errors: str) -> Verdict:
    """What pip-audit's output says."""
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return not_run((errors.strip() or "it says nothing").splitlines()[-1])
    audited = [one for one in found if "vulns" in one]
    if bad := [one for one in audited if one["vulns"]]:
        return Verdict("\n".join(_line(one, fault) for one in bad for fault in one["vulns"]), failed=True)
    if not audited or len(audited) < len(found) / 2:
        return not_run(f"of {len(found)} packages, {len(audited)} are known there")
    return Verdict(f"{len(audited)} packages have no known vulnerability", failed=False)


def not_run(reason: str) -> Verdict:
    """There are no advisories to be had."""
    return Verdict(f"NOT RUN: pip-audit, {reason}", failed=False)


def _line(package: dict[str, Any], fault: dict[str, Any]) -> str:
    fixed = ", ".join(fault.get("fix_versions") or ["none yet"])
    return f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}"


if __name__ == "__main__":
    main()
