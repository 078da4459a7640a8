"""Supply chain of the package: pins, hashes, licences, builds, and no use of the network."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from benchmarks.reliability.every_command import COMMANDS, run
from benchmarks.reliability.row import Found
from benchmarks.reporting import ROOT
from tests.test_repository import HOSTS, INDEX, REQUIREMENTS, pins, text, tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BEGINNING = {"pip", "setuptools", "wheel"}
"""Initial package of an environment, part of Python; the metadata of some versions names no licence."""

OWN = {"etsopt", *BEGINNING}
"""Packages absent from the requirements files."""

LICENCES = re.compile(
    r"(MIT|MIT-CMU|MIT License|0BSD|Zlib|CC0-1.0|BSD|BSD License|(new )?BSD[- ][23]-Clause( License)?|Apache[- ]2\.0|"
    r"Apache Software License|PSF-2\.0|Python Software Foundation License)"
)
OF_DEVELOPERS = re.compile(r"MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)")
"""Licence that requires sharing changes of the package itself; no package that etsopt needs has it, and of its extras
`design` alone, by tqdm, which optuna needs."""

BLOCKED = """
import os, sys

def hook(event, arguments):
    reaching = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.bind", "socket.send", "urllib.")
    if event.startswith(reaching):
        os.write(2, f"reached for the network: {event} {arguments}".encode())
        os._exit(77)

sys.addaudithook(hook)
if sys.argv[1:] == ["reach"]:
    import socket
    socket.create_connection(("127.0.0.1", 9), timeout=1)
from etsopt.cli import main
sys.exit(main(sys.argv[1:]))
"""


def hashes() -> str:
    """Check that every entry of both requirements files has one version and hashes."""
    for name in REQUIREMENTS:
        entries = [entry for entry in re.split(r"\n(?=\S)", text(name)) if not entry.startswith("#")]
        wrong = [
            entry for entry in entries if not re.match(r"[\w.\[\]-]+==\S+[^\n]*\\\n.*--hash=sha256:[0-9a-f]{64}", entry)
        ]
        if wrong or not entries:
            return f"{name}: {wrong}"
    return ""


def named() -> str:
    """Check that the requirements files name every installed package, with its version."""
    here = platform.python_version().rpartition(".")[0], sys.platform
    entries = [entry for name in REQUIREMENTS for entry in pins(name, *here).values()]
    wanted = {canonicalize_name(entry.name): str(entry.specifier) for entry in entries}
    installed = {canonicalize_name(one.name): one.version for one in distributions()}
    wrong = [f"{name} {version}" for name, version in installed.items() if wanted.get(name) != f"=={version}"]
    return ", ".join(sorted(one for one in wrong if one.split()[0] not in OWN))


def consistent() -> str:
    """Check by `pip check` that every requirement of every package is met."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def addresses() -> str:
    """Check that no tracked file names a package host or an index."""
    hits = [
        f"{name}: {hit[0]}" for name in tracked() for hit in (HOSTS.search(text(name)), INDEX.search(text(name))) if hit
    ]
    return "; ".join(hits)


def licences() -> str:
    """Check that every licence is permissive, except one more for developers only.

    Tools that build the documentation and a release run by themselves, and nothing of theirs is shipped.
    """
    needed, wrong = needs("etsopt"), []
    here = platform.python_version().rpartition(".")[0], sys.platform
    pinned = {name for file in ("requirements.txt", "requirements-dev.txt") for name in pins(file, *here)}
    checked = needed | {canonicalize_name(name) for name in pinned} - BEGINNING
    for one in distributions():
        if canonicalize_name(one.name) not in checked:
            continue
        allowed = [LICENCES] if canonicalize_name(one.name) in needed else [LICENCES, OF_DEVELOPERS]
        stated = licences_of(one)
        if not stated or not all(any(kind.fullmatch(part) for kind in allowed) for part in stated):
            wrong.append(f"{one.name}: {stated}")
    return "; ".join(wrong)


def licences_of(one: Distribution) -> list[str]:
    """Return the licences of a package by its expression, else its classifiers, else its licence line."""
    if expression := one.metadata.get("License-Expression"):
        return [part.strip(" ()") for part in re.split(r" AND | OR ", expression)]
    stated = [line.split(" :: ") for line in one.metadata.get_all("Classifier") or []]
    found = [parts[-1] for parts in stated if parts[0] == "License" and parts[-1] != "DFSG approved"]
    line = next(iter((one.metadata.get("License") or "").splitlines()), "")
    return found or list(filter(None, re.split(r" AND | OR ", line)))


def needs(name: str) -> set[str]:
    """Return a package with all its requirements, without extras."""
    from packaging.requirements import Requirement

    installed = {canonicalize_name(one.name): one for one in distributions()}
    found, ahead = set(), {canonicalize_name(name)}
    while ahead:
        one = ahead.pop()
        found.add(one)
        for line in (installed[one].requires or []) if one in installed else []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                ahead |= {canonicalize_name(wanted.name)} - found
    return found


def built(kind: str) -> str:
    """Check that two builds, from copies of the checkout at other places and times, have equal bytes."""
    found = []
    for day in (1, 2):
        with tempfile.TemporaryDirectory() as place:
            source, out = Path(place) / f"copy-{day}", Path(place) / "out"
            for name in tracked():
                copy = source / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, copy)
                os.utime(copy, (day * 86400, day * 86400 + 5))
            command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(out), str(source)]
            environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000", "TZ": ("UTC", "Asia/Shanghai")[day - 1]}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                return done.stdout[-500:] + done.stderr[-500:]
            (file,) = out.iterdir()
            found.append((file.name, hashlib.sha256(file.read_bytes()).hexdigest()))
    return "" if found[0] == found[1] else f"{found}"


def wheel() -> str:
    """Build the wheel."""
    return built("wheel")


def sdist() -> str:
    """Build the source archive."""
    return built("sdist")


def blocked() -> str:
    """Check that the hook ends a process that uses the network."""
    done = run(["-c", BLOCKED], ["reach"])
    return "" if done.returncode == 77 else f"exit {done.returncode}"


CHECKS: tuple[Callable[[], str], ...] = (hashes, addresses, consistent, licences, blocked, named, wheel, sdist)
COUNT = len(CHECKS) + len(COMMANDS)


def supply_chain(numbers: Iterable[int]) -> Found:
    """Run the checks, then each command with the network blocked."""
    found = Found()
    for number in numbers:
        if number < len(CHECKS):
            name, wrong = CHECKS[number].__name__, CHECKS[number]()
        else:
            arguments = COMMANDS[number - len(CHECKS)]
            done = run(["-c", BLOCKED], arguments)
            name, wrong = " ".join(arguments[:1]), done.stderr if done.returncode else ""
        found.saw("as it should be" if number < len(CHECKS) else "command without network")
        if wrong:
            found.failed(number, f"{name}: {wrong}")
    return found
