"""One person as every page shows one."""
