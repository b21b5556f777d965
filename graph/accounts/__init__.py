"""Local accounts: who signs in with a password here, with which role, and the open sessions."""
