"""Modules from outside the package: Python files of the user's, entry points, and packages that are optional."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoints
    from types import ModuleType

    from etsopt.common.errors import EtsoptError


def installed(group: str) -> EntryPoints:
    """Return the entry points of a group that installed packages have."""
    # Most commands look up no entry point.
    from importlib.metadata import entry_points

    return entry_points(group=group)


def optional(name: str, what: str, advice: str) -> Any:
    """Return a package that need not be installed.

    Parameters
    ----------
    name
        Of the package, or of a module in it.
    what, advice
        What is said if it is not there.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(what, advice) from None


@contextmanager
def loading(
    what: str, advice: str, failure: type[EtsoptError], passed: tuple[type[EtsoptError], ...] = (), file: str = ""
) -> Iterator[None]:
    """Raise an error of another class if the code of a module fails.

    Parameters
    ----------
    what, advice
        The failure, to which the error of the code is added, and the remedy.
    failure
        Class of the error.
    passed
        Errors of that code that are raised as they are.
    file
        File of that code, whose line is named.
    """
    try:
        yield
    except passed:
        raise
    except (Exception, SystemExit) as error:
        raise failure(f"{what}: {described(error, file)}", advice) from error


def described(error: BaseException, file: str) -> str:
    """Return class and message of an error, and the last line of a file that it passed, as the end of a sentence."""
    step, line = error.__traceback__, 0
    while step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    place = _("in line {line} of {file}", line=line, file=Path(file).name)
    return f"{type(error).__name__}: {error}, {place}." if line else f"{type(error).__name__}: {error}."


def load_file(
    path: Path, kind: str, failure: type[EtsoptError], passed: tuple[type[EtsoptError], ...] = ()
) -> ModuleType:
    """Load a Python file as the module ``etsopt_user_<kind>_<name of the file>``.

    Parameters
    ----------
    kind
        Contents of the file in messages and in the name of the module: ``rule`` or ``model``.
    failure, passed
        As `loading` takes them.

    Raises
    ------
    UsageError
        If there is no such file, or its name does not end in .py.
    """
    if not path.is_file():
        raise UsageError(
            _("There is no {kind} file {path!r}.", kind=kind, path=str(path)), _("Give the path of a Python file.")
        )
    name = f"etsopt_user_{kind}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(
            _("The {kind} file {path!r} is no Python file.", kind=kind, path=str(path)), _("Its name ends in .py.")
        )
    module = sys.modules[name] = module_from_spec(spec)
    what = _("The {kind} file {path!r} could not be loaded", kind=kind, path=str(path))
    advice = _("Correct the file; `python` on it shows where it fails.")
    with (
        loading(what, advice, failure, passed, str(spec.origin)),
        _beside(path.parent.resolve()),
    ):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let a file import those beside it, after all that is installed; another folder may have others of these names.

    No bytecode of them is kept: Python would take it for that of a text of the same length, written in the same second.
    """
    known, searched, kept = {*sys.modules}, str(folder), sys.dont_write_bytecode
    sys.path.append(searched)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = kept
        sys.path.remove(searched)
        for name in {*sys.modules} - known:
            top, file = name.partition(".")[0], Path(getattr(sys.modules[name], "__file__", None) or "")
            # Not what is installed below the folder, nor further parts of what was known.
            beside = file.is_relative_to(folder) and file.relative_to(folder).parts[0] in (top, f"{top}.py")
            if beside and top not in known:
                del sys.modules[name]
