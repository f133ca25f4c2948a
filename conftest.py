"""The pytest wiring: gates and fixtures come from one plugin; nothing else stands here."""

import pytest

pytest.register_assert_rewrite("checks")

pytest_plugins = ["fixtures.plugin"]
