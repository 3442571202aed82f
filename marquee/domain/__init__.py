"""The platform's pure rules: no I/O, no clock, no framework. Everything here can be tested with numbers alone."""
