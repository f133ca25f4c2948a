"""Who listens to a rollout: journal, live view, plain lines, closing screen, Kubernetes Events."""
