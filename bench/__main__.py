"""`python -m bench`: every case under pytest-benchmark, then the table of ratios into docs/benchmarks.md."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import table

if __name__ == "__main__":
    failed = pytest.main([str(Path(__file__).parent), "--benchmark-only", "--benchmark-columns=median,iqr,ops,rounds"])
    if failed:
        sys.exit(failed)
    table.main()
