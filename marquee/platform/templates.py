"""Renders the configuration templates in `deploy/templates/`; a value that a template needs and nobody gave is an error."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from marquee.platform.project import TEMPLATES


def render(template: str, **values: object) -> str:
    """`template` is a path below `deploy/templates/`."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (configuration files, not HTML)
    )
    return environment.get_template(template).render(**values)
