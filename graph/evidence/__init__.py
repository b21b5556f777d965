"""Why a number is so: answers, source rows, restatement."""
