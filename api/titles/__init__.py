"""Titles: what viewers see of a title, and what content engineers edit, unpublish, republish and delete."""
