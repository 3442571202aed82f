"""The resource of assets and sensors: the settings. Each stage opens its own stores from them and closes them again.

Stores belong to one event loop and one process. To open them takes milliseconds; each connects when it is first used.
"""

import dagster as dg

from marquee.settings import Settings, load_settings


class PlatformSettings(dg.ConfigurableResource[Settings]):
    """This platform's settings, read from the environment of the process that runs the asset."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:  # noqa: ARG002  (Dagster's signature)
        return load_settings()
