"""The platform's pure rules: no I/O, no clock, no framework. Everything here can be tested with numbers alone.

One exception: `ids.new_movie_id` and its like read the clock and the system's random numbers.
"""
