"""Answers made for the web client's pages, and what is measured on a page: what sticks out, what is covered, what shifted."""
