{# Null where nothing was counted: a rate of nothing is no rate of 0. #}
{% macro ratio(part, whole) -%}
({{ part }})::double precision / nullif({{ whole }}, 0)
{%- endmacro %}
