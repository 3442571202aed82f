"""The resource of assets and sensors: the settings. Each stage opens the stores that it names, from these settings.

A store belongs to one event loop and one process. It is opened when a stage first names it (`marquee.stores.opened`).
"""

import dagster as dg

from marquee.settings import Settings, load_settings


class PlatformSettings(dg.ConfigurableResource[Settings]):
    """This platform's settings, read from the environment of the process that runs the asset."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:  # noqa: ARG002  (Dagster's signature)
        return load_settings()
