-- One row a mart. `through` is the end of the days in it; of `encoding_cost`, which has no days, the moment of the build.
{% set marts = [
    ref('daily_watch'), ref('title_performance'), ref('retention_weekly'), ref('search_quality'),
    ref('quality_of_experience_daily'), ref('failures_daily'),
] %}
{% for mart in marts %}
select
    '{{ mart.identifier }}' as name,
    now() as built_at,
    (select through from {{ ref('stg_through') }}) as through,
    (select count(*) from {{ mart }}) as rows
union all
{% endfor %}
select 'encoding_cost', now(), now(), (select count(*) from {{ ref('encoding_cost') }})
