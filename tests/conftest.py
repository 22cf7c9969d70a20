"""The order of tests: the documents' snippets first, which take longest, so that two workers end together. Examples of
hypothesis may take their time: a busy machine stretches any limit."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != "test_docs.py")  # stable: all else stays as it is
