"""The SQL that an answer needs, as ``floors.operations`` executes it. ``%s``: parameters."""

LOCK_ACTION = """
SELECT a.id, a.context_id, a.task_id, a.node, a.name, a.signaling, a.status, a.finalized, c.key_digest,
       c.ended IS NULL AND c.expires > now()
FROM boot_actions a JOIN boot_contexts c ON c.id = a.context_id WHERE a.id = %s FOR UPDATE OF a
"""
ADD_MESSAGE = """
INSERT INTO task_messages (task_id, root_id, error, message, context_type, context, extra)
VALUES (%s, (SELECT root_id FROM tasks WHERE id = %s), false, %s, 'bootaction', %s, '{}')
"""
SET_FINAL = "UPDATE boot_actions SET status = 'success', finalized = clock_timestamp() WHERE id = %s AND status IS NULL"
WAKE_TASK = """
UPDATE tasks SET updated = clock_timestamp(), changed_in = pg_current_xact_id()::text::bigint,
                 wake_at = clock_timestamp(), wake_requested = true
WHERE id = %s RETURNING changed_in, pg_notify('drydock_change', ''), pg_notify('drydock_work', '')
"""
ADD_TASK = """
INSERT INTO tasks (id, root_id, action, design_ref, status, created_by, request_id, wake_at, lane)
VALUES (%s, %s, %s, %s, 'queued', 'bench', '', now(), 'task') RETURNING *
"""
WAKE_WORKERS = "SELECT pg_notify('drydock_work', ''), pg_notify('drydock_change', '')"
SHOW_TASK = """
SELECT t.*, m.first_contact, m.last_contact, m.stage,
       (SELECT json_agg(said ORDER BY said.id) FROM task_messages said WHERE said.task_id = t.id) AS messages,
       (SELECT json_agg(below.id ORDER BY below.seq) FROM tasks below WHERE below.parent_id = t.id) AS subtasks,
       (SELECT json_agg(counted) FROM (SELECT below.status, below.step, count(*) FROM tasks below
           WHERE below.parent_id = t.id GROUP BY below.status, below.step) counted) AS progress,
       EXISTS (SELECT FROM build_data WHERE build_data.task_id = t.id) AS has_build_data
FROM tasks t LEFT JOIN machines m ON m.task_id = t.id WHERE t.id = %s
"""
