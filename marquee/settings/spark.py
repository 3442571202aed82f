"""Settings of the Spark jobs: a group of `marquee.settings.groups`, in a module of its own for its length."""

import json
import re

from pydantic import BaseModel, Field, field_validator


class Spark(BaseModel):
    """Spark

    What the jobs of `jobs/spark/` run on. They need the extra `analytics` (`make analytics`).
    """

    spark_master: str = Field(
        "local[*]",
        description="Where the jobs run: `local[*]` on the cores of this host, `local[N]` on N of them, "
        "or a cluster, `spark://host:port`.",
    )
    spark_memory_bytes: int = Field(
        1024**3,
        ge=512 * 1024**2,
        description="Bytes. The Java heap of a job's driver. With `local[*]` the driver does all of the work.",
    )
    spark_properties: str = Field(
        "{}",
        description="Further properties of Spark, such as packages for a cluster: a JSON object. No secrets: it is printed.",
    )

    @field_validator("spark_master")
    @classmethod
    def _is_a_master(cls, value: str) -> str:
        if not re.fullmatch(r"local\[(\*|[1-9]\d{0,2})\]|spark://[^\s]+:\d{1,5}", value):
            raise ValueError(f"{value!r} is not local[*], local[N] or spark://host:port")
        return value

    @field_validator("spark_properties")
    @classmethod
    def _is_an_object(cls, value: str) -> str:
        try:
            properties = json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is not JSON ({error})") from error
        if not isinstance(properties, dict) or not all(isinstance(each, str) for each in properties.values()):
            raise ValueError('it is not a JSON object of texts, such as {"spark.executor.memory": "2g"}')
        return value
