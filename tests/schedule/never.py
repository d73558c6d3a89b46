"""What the ledger must never show, each as a question whose answer is empty."""

NEVER = {
    "a slot that is done without its one run, or missed although a run served it": """
        SELECT s.* FROM mart.slot s
          LEFT JOIN mart.run r
                 ON r.source = s.source AND r.due_at = s.due_at AND r.outcome NOT IN ('abandoned', 'stopped')
         WHERE (s.status = 'done') <> (r.run_id IS NOT NULL)""",
    "two runs that served one slot": """
        SELECT source, due_at FROM mart.run WHERE due_at IS NOT NULL AND outcome NOT IN ('abandoned', 'stopped')
         GROUP BY source, due_at HAVING count(*) > 1""",
    "a slot that was served by an abandoned run": """
        SELECT * FROM mart.slot WHERE status = 'done' AND (run_id IS NULL OR outcome IN ('abandoned', 'stopped'))""",
    "a slot that was missed without a reason": """
        SELECT * FROM mart.slot WHERE status = 'missed' AND reason IS NULL""",
    "a run that nobody closed": """
        SELECT * FROM mart.run WHERE ended_at IS NULL""",
    "a run for a slot that nobody knows": """
        SELECT * FROM mart.run WHERE due_at IS NOT NULL
           AND (source, due_at) NOT IN (SELECT source, due_at FROM mart.slot)""",
    "a snapshot without its one run": """
        SELECT n.snapshot_id FROM mart.snapshot n LEFT JOIN mart.run r USING (snapshot_id)
         GROUP BY n.snapshot_id HAVING count(r.run_id) <> 1""",
    "a snapshot of a time at which its run was not": """
        SELECT * FROM mart.run r JOIN mart.snapshot n USING (snapshot_id)
         WHERE n.observed_at NOT BETWEEN r.started_at AND r.ended_at""",
    "a run for a slot that was not due yet, or no longer": """
        SELECT * FROM mart.run WHERE started_at < due_at OR started_at >= due_at + interval '10 minutes'""",
    "two runs of a source at once": """
        SELECT * FROM mart.run a JOIN mart.run b ON a.source = b.source AND a.run_id < b.run_id
         WHERE b.started_at < a.ended_at""",
    "a snapshot that was landed and not loaded": """
        SELECT * FROM mart.snapshot WHERE status = 'landed'""",
}
