"""The command ``sluicegate trend``: what the journals of many rollouts say together."""
