"""What every long-running process does the same way: stopping on signals, going on through outages, waking on a hint."""
