"""The order of tests: the documents' snippets first, which take longest, so that two workers end together."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != "test_docs.py")  # stable: all else stays as it is
