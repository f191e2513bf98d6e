"""Pure mathematics: arrays in, numbers out; no files, no clock, no Prefect."""
