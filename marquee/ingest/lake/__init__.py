"""What is done to the lake: the sink fills it, compaction, erasure and retention keep it. The process is `jobs/event_sink.py`.

Every rule here may be killed at any step. A file is written first and listed afterwards, in one transaction; what a kill leaves
is a file that no list names, and the sweep removes it.
"""
