"""What every process does the same way: its main, stopping on signals, going on through outages, waking on a hint."""
