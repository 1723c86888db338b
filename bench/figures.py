"""What the figures of a run have in common: the machine, spreads, how they are written and kept."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from meldkamer.project import paths


def begun() -> dict[str, Any]:
    """When it begins and how busy the machine is already; said as well."""
    load = os.getloadavg()
    print(f"{os.cpu_count()} cores shared by all parts; load before: {load[0]:.1f}", flush=True)
    return {"at": datetime.now(UTC).isoformat(), "load_before": load}


def spread(values: list[float]) -> dict[str, float]:
    """Of so many seconds: how many, the middle one, the hundredth from above, the worst."""
    found = sorted(values) or [float("nan")]
    return {
        "n": len(values),
        "p50_s": found[len(found) // 2],
        "p99_s": found[min(len(found) - 1, int(len(found) * 0.99))],
        "max_s": found[-1],
    }


def words(figure: Any) -> str:
    """A figure, or several by their names, on one line."""
    if isinstance(figure, Mapping):
        return "  ".join(f"{name} {words(value)}" for name, value in figure.items())
    return f"{figure:,.3f}" if isinstance(figure, float) else str(figure)


def keep(name: str, figures: Mapping[str, Any]) -> None:
    """Leave them in var/bench."""
    target = paths.made(paths.var_dir() / "bench")
    (target / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
