"""Attribution methods: one file per idea, one way to call them all (`Inputs` -> `Attribution`)."""
