"""Rollouts on a live sandbox, their driver killed and their API server faulty: ``python -m benchmarks.robustness``."""
