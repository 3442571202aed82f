"""The web client's pages in a real browser, through the gateway of a real platform."""
