"""Metrics of one's own, loaded where a command line names them, and nowhere else."""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from attnray.corpus.roles import ROLES
from attnray.errors import InputError, describe
from attnray.metrics.own import HeadMetric, line_of
from attnray.metrics.registry import METRICS, NAMES

#: What packages offer metrics under.
GROUP = "attnray.metrics"
#: Tables that no metric makes.
OTHER_TABLES = {"heads", "corpus", "probe_differences", "reproduction"}
#: Tables and metrics that are attnray's own.
TAKEN = {*NAMES, *METRICS, *OTHER_TABLES, *(t for m in METRICS.values() for t in m.rows)}
BASE = f"{HeadMetric.__module__}.{HeadMetric.__qualname__}"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def loaded(given: Sequence[str]) -> list[str]:
    """The names of metrics; those of one's own, given as below, are known from then on.

    As FILE.py:CLASS, as PACKAGE.MODULE:CLASS, or by the name of an entry point of `GROUP`.

    Raises:
        InputError: one cannot be loaded, or is none; says where and why.
    """
    return [each if each in NAMES else _loaded(each) for each in given]


def _loaded(said: str) -> str:
    """The name of a metric; of one that there is not, what was said."""
    where, _, kind = said.rpartition(":")
    if not where:
        offered = [each for each in entry_points(group=GROUP) if each.name == said]
        if not offered:
            return said
        where, kind = offered[0].module, offered[0].attr
    path = Path(os.path.expanduser(where))
    module, content = _of_file(path) if path.suffix == ".py" else _of_package(where)
    metric = getattr(module, kind, None)
    if not (isinstance(metric, type) and issubclass(metric, HeadMetric)):
        raise InputError(f"metrics={said}: {where} has no {kind} that extends {BASE}")
    _check(said, metric)
    metric.said, metric.source = said, hashlib.sha256(content).hexdigest()
    METRICS[metric.name] = metric
    return metric.name


def _check(said: str, metric: type[HeadMetric]) -> None:
    name, roles = metric.name, [role for role in ROLES if role not in ("train", "dev")]
    other = METRICS.get(name)
    if inspect.isabstract(metric):
        raise InputError(f"metrics={said}: what extends {BASE} needs a method measure")
    if not NAME.fullmatch(name) or name in TAKEN or (other and other.said != said):
        raise InputError(
            f"metrics={said}: its name={name} must be small letters, digits and _, and no other "
            "metric's or table's"
        )
    if metric.role not in roles:
        raise InputError(f"metrics={said}: its role={metric.role} must be {' or '.join(roles)}")


def _of_file(path: Path) -> tuple[ModuleType, bytes]:
    """The module of a file, and what it was made of.

    It is in no list of modules, so that its classes are sent to other machines as they are.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give one that is there") from error
    module = ModuleType(f"attnray_own_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # for as long as dataclasses look there
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise InputError(f"{path}: {describe(error)}{line_of(error, str(path))}") from error
    finally:
        del sys.modules[module.__name__]
    return module, content


def _of_package(name: str) -> tuple[ModuleType, bytes]:
    """An installed module, and the source of it."""
    try:
        module = import_module(name)
        return module, Path(inspect.getsourcefile(module) or "").read_bytes()
    except Exception as error:
        advice = "it must be installed, or be given as a file (my_metrics.py:Diagonal)"
        raise InputError(f"metrics={name}:…: {describe(error)}; {advice}") from error
