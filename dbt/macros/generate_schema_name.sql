{# A model's schema is the one that it names: dbt's own rule would put the target's schema before it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
{{ custom_schema_name or target.schema }}
{%- endmacro %}
