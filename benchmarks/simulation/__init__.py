"""Driver, cluster, Git, Argo CD and traffic in one process on a simulated clock, with faults from a seed."""
