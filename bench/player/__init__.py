"""Our player beside hls.js, Shaka Player and dash.js, on lines of several bandwidths. `python -m bench.player --help`."""
