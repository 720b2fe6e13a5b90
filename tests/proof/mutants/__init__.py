"""Break the engine on purpose, one line at a time: each mutant must turn its test red."""
