-- Both marts add up the same days: a difference is a join that lost or doubled rows.
with by_day as (select coalesce(sum(watch_hours), 0) as hours, coalesce(sum(plays), 0) as plays from {{ ref('daily_watch') }}),
by_title as (select coalesce(sum(watch_hours), 0) as hours, coalesce(sum(plays), 0) as plays from {{ ref('title_performance') }})
select by_day.hours as hours_by_day, by_title.hours as hours_by_title, by_day.plays as plays_by_day, by_title.plays as plays_by_title
from by_day cross join by_title
where abs(by_day.hours - by_title.hours) > 1e-6 * greatest(by_day.hours, 1) or by_day.plays <> by_title.plays
