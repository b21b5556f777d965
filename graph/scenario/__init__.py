"""What-if scenarios over one revision: changed records, counted by the same engine."""
