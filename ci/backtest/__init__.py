"""Judges the past: what would have become of a canary exactly as good as stable, hour by hour."""
