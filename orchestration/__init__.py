"""Dagster's side of the platform: `definitions` puts the chain together, `sensors` start and settle its runs, `resources`
hand the settings to assets, `launcher` notices a run whose process is gone, `storage` and `executor` follow the settings. The
work itself is in `assets`.
"""
