"""Small scripts that run in the visitor's browser."""
