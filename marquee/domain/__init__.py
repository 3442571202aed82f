"""The platform's pure rules: no I/O, no clock, no framework.

Every rule can be tested with numbers alone. One exception: `ids.new_movie_id` and the other `ids.new_..._id` read the
clock and the system's random numbers.
"""
