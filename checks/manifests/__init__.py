"""Lint: what in a release's manifests would spoil its canary, found before anything is released."""
