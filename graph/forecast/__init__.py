"""Where both ledgers will stand: histories, hazards, projections, simulation, back-test."""
