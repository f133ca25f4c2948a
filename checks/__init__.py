"""WHAT must be true: one file a gate, its rules, its frozen evidence, a pure judge and the test that asserts it."""
