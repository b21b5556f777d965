"""Words and numbers of the screen, in English and Chinese."""
