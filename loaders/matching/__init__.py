"""Which people of the graph are one person, where no ID number says so."""
