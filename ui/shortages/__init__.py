"""Supply and demand: where high-skilled people are missing, and why."""
