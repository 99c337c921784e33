"""The command line: parses, calls, sets exit codes; decides nothing."""
