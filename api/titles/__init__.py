"""Titles: what viewers see of one, and what content engineers edit, unpublish, republish and delete."""
