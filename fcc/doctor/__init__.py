"""Checks of a set-up, each a function that gives a finding."""
