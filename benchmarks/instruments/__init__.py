"""Instruments that were tried on controls beside the tests that audits use."""
