{# Null passes: `not_null` is a test of its own. #}
{% test between(model, column_name, least=none, most=none) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} = 'NaN'::double precision
   {% if least is not none %} or {{ column_name }} < {{ least }}{% endif %}
   {% if most is not none %} or {{ column_name }} > {{ most }}{% endif %}
{% endtest %}
