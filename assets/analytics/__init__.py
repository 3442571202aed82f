"""What viewers do becomes what they see: assets by hour and by day (UTC), from the lake's events to accepted rows and
marts.

    event_hour -> event_day -> sessions -> popularity -> accepted_popularity     (rows "Trending now", search)
                 (blocking)     facts   -> taste -> accepted_taste               ("Because you watched", "More like this")
                                        -> candidates -> accepted_candidates     (what to encode again)
    catalogue ---- (blocking) ----------^  each batch is judged before (blocking)
    encoding_costs                      -> marts (dbt) -> accepted_marts         (the engineers' pages)
                                           judged before (blocking)

Spark's jobs are processes of their own (`spark`), dbt is one too (`dbt_run`), and Great Expectations is imported where a
check judges (`judging`): loading this package needs none of them. A check that fails holds its batch back: viewers keep
what they had.
"""
