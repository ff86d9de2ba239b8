"""A fictional library of 750 loans, made once."""

from __future__ import annotations

import pytest

from sql.demo.generator import make_library
from tests.scenes.aleph import TODAY


@pytest.fixture(scope="session")
def library():
    return make_library(today=TODAY, patrons=60, loans=750)
