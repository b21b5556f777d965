"""Review of pairs of people who may be one."""
