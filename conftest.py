"""The pytest wiring: gates and fixtures come from one plugin; nothing else stands here."""

pytest_plugins = ["fixtures.plugin"]
