"""Renders the configuration templates in `deploy/templates/`. A variable without a value is an error, not an empty text."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from marquee.platform.project import TEMPLATES


def render(template: str, **values: object) -> str:
    """Render a template with these values. `template` is a path below `deploy/templates/`.

    Raises `jinja2.UndefinedError` for a variable that has no value.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (configuration files, not HTML)
    )
    return environment.get_template(template).render(**values)
