-- Weeks are those that the events know: before the first of them nobody can be seen to come back. A profile belongs to the week in which it
-- watched for the first time, also where only its history knows that.
with weeks as (
    select distinct week from {{ ref('stg_daily_profile') }}
),
members as (
    select distinct days.profile_id, date_trunc('week', first.first_day)::date as cohort_week
    from {{ ref('stg_daily_profile') }} as days
    join {{ ref('stg_first_watched') }} as first using (profile_id)
),
cohorts as (
    select cohort_week, count(*) as profiles from members group by cohort_week
),
active as (
    select members.cohort_week, days.week, count(distinct days.profile_id) as retained
    from {{ ref('stg_daily_profile') }} as days
    join members using (profile_id)
    group by members.cohort_week, days.week
)
select
    cohorts.cohort_week,
    ((weeks.week - cohorts.cohort_week) / 7)::integer as weeks_since,
    cohorts.profiles,
    coalesce(active.retained, 0) as retained,
    {{ ratio('coalesce(active.retained, 0)', 'cohorts.profiles') }} as retention
from cohorts
join weeks on weeks.week >= cohorts.cohort_week
left join active on active.cohort_week = cohorts.cohort_week and active.week = weeks.week
