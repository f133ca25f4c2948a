"""How often the rule of a step is wrong, and how fast it is; beside the rules of others, on the same traffic."""
