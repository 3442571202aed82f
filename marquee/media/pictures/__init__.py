"""A title's still pictures: poster and sprite sheets."""
