"""Who is told of a rollout outside of this process: people by mail and chat, a Git host, Prometheus."""
