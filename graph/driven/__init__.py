"""The driven counts: the number of the programme."""
