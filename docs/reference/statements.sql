-- The statements of the engine, of machines' requests and of task requests, as they are sent to PostgreSQL.
-- Generated from drydock/db by `make samples`; do not edit. `:name` is a parameter. docs/development/locking.md says
-- which rows each locks.

-- Enqueue a task (task_queue.ADD)
WITH named AS
(UPDATE designs
  SET named=now()
  WHERE designs.digest = :named_design AND coalesce(designs.named, designs.created) < now() - make_interval(0,
      0, 0, 0, 1))
INSERT INTO tasks (id, root_id, action, design_ref, design_digest, node_filter, force, retry_of, expect_nodes,
    all_nodes, rollout, plan, status, created_by, request_id, idempotency_key, request_digest, step, lane,
    wake_at)
VALUES (:id::UUID, :root_id::UUID, :action, :design_ref, :design_digest, :node_filter::JSONB, :force,
    :retry_of::UUID, :expect_nodes, :all_nodes, :rollout::JSONB, :plan, :status, :created_by, :request_id,
    :idempotency_key, :request_digest, :step, :lane, now())
ON CONFLICT (created_by, idempotency_key) DO NOTHING
RETURNING tasks.created, tasks.updated, pg_notify('drydock_work', '') AS pg_notify_1,
    pg_notify('drydock_change', '') AS pg_notify_4;

-- Enqueue its subtasks (task_queue.ADD_SUBTASKS)
INSERT INTO tasks (id, node, root_id, parent_id, action, design_ref, design_digest, status, created_by,
    request_id, force, lane, plan, wave, step, wake_at)
SELECT anon_1.id, anon_1.node, :of_root_id::UUID AS anon_2, :of_parent_id::UUID AS anon_3, :of_action AS
    anon_4, :of_design_ref AS anon_5, :of_design_digest AS anon_6, :of_status AS anon_7, :of_created_by AS
    anon_8, :of_request_id AS anon_9, :of_force AS anon_10, :of_lane AS anon_11, :of_plan AS anon_12,
    anon_1.wave, CASE WHEN (anon_1.wave IS NOT NULL) THEN 'await_wave' END AS anon_13, CASE WHEN (anon_1.wave
    IS NULL) THEN now() + make_interval(0, 0, 0, 0, 0, 0, (anon_1.place - 1) / CAST(:start_rate AS DOUBLE
    PRECISION)) END AS anon_14
FROM unnest(CAST(:of_ids::UUID[] AS UUID[]), CAST(:of_nodes::TEXT[] AS TEXT[]), CAST(:of_waves::INTEGER[] AS
    INTEGER[])) WITH ORDINALITY AS anon_1(id, node, wave, place)
ORDER BY anon_1.place
ON CONFLICT (parent_id, node)
WHERE node IS NOT NULL DO NOTHING;

-- Claim due tasks (lease_statements.CLAIM)
WITH due_task AS
(SELECT tasks.id AS id, tasks.lease_owner IS NOT NULL AS lapsed
  FROM tasks
  WHERE tasks.wake_at <= now() AND tasks.lane = 'task' AND tasks.lease_owner IS NULL AND tasks.lapses <= 0 AND
      tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete') AND
      tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN ('validate_design',
      'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes', 'destroy_nodes',
      'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node', 'destroy_node',
      'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR (tasks.action ||
      ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[]))))
  ORDER BY tasks.wake_at
  LIMIT :at_most_task
  FOR NO KEY UPDATE SKIP LOCKED),
due_node AS
(SELECT tasks.id AS id, tasks.lease_owner IS NOT NULL AS lapsed
  FROM tasks
  WHERE tasks.wake_at <= now() AND tasks.lane = 'node' AND tasks.lease_owner IS NULL AND tasks.lapses <= 0 AND
      tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete') AND
      tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN ('validate_design',
      'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes', 'destroy_nodes',
      'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node', 'destroy_node',
      'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR (tasks.action ||
      ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[]))))
  ORDER BY tasks.wake_at
  LIMIT :at_most_node
  FOR NO KEY UPDATE SKIP LOCKED),
due_watch AS
(SELECT tasks.id AS id, tasks.lease_owner IS NOT NULL AS lapsed
  FROM tasks
  WHERE tasks.wake_at <= now() AND tasks.lane = 'watch' AND tasks.lease_owner IS NULL AND tasks.lapses <= 0
      AND tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete') AND
      tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN ('validate_design',
      'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes', 'destroy_nodes',
      'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node', 'destroy_node',
      'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR (tasks.action ||
      ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[]))))
  ORDER BY tasks.wake_at
  LIMIT :at_most_watch
  FOR NO KEY UPDATE SKIP LOCKED),
fresh AS
(SELECT due_task.id AS id, due_task.lapsed AS lapsed
  FROM due_task
  UNION ALL
  SELECT due_node.id AS id, due_node.lapsed AS lapsed
  FROM due_node
  UNION ALL
  SELECT due_watch.id AS id, due_watch.lapsed AS lapsed
  FROM due_watch),
suspects AS
(SELECT tasks.id AS id, tasks.lease_owner IS NOT NULL AS lapsed
  FROM tasks
  WHERE tasks.wake_at <= now() AND tasks.lane = ANY (:lanes::TEXT[]) AND (tasks.lease_owner IS NOT NULL OR
      tasks.lapses > 0) AND (tasks.lease_until IS NULL OR tasks.lease_until < now()) AND tasks.status IN
      ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete') AND tasks.lease_epoch <
      9223372036854775807 AND (tasks.terminate OR tasks.action IN ('validate_design', 'verify_site',
      'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes', 'destroy_nodes', 'relabel_nodes',
      'apply_plan', 'verify_node', 'prepare_node', 'deploy_node', 'destroy_node', 'relabel_node') AND
      (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR (tasks.action || ' ' || tasks.step) =
      ANY (CAST(:steps::TEXT[] AS TEXT[]))))
  ORDER BY tasks.lapses, tasks.wake_at
  LIMIT coalesce(CAST(:at_most_suspects AS INTEGER), CASE WHEN ((SELECT count(*) AS count_1
        FROM fresh) < :at_most) THEN 1 ELSE 0 END)
  FOR NO KEY UPDATE SKIP LOCKED),
due AS
(SELECT fresh.id AS id, fresh.lapsed AS lapsed
  FROM fresh
  UNION ALL
  SELECT suspects.id AS id, suspects.lapsed AS lapsed
  FROM suspects)
UPDATE tasks
SET wake_requested=false, lease_owner=:new_owner, lease_until=(clock_timestamp() + make_interval(0, 0, 0, 0,
    0, 0, :lease_seconds)), lease_epoch=(tasks.lease_epoch + 1), lapses=(least(tasks.lapses, 1000) + CASE WHEN
    (tasks.lease_owner IS NOT NULL) THEN 1 ELSE 0 END)
FROM due
WHERE tasks.id = due.id
RETURNING tasks.id, tasks.seq, tasks.root_id, tasks.parent_id, tasks.action, tasks.node, tasks.design_ref,
    tasks.design_digest, tasks.node_filter, tasks.force, tasks.retry_of, tasks.expect_nodes, tasks.all_nodes,
    tasks.rollout, tasks.wave, tasks.failure_budget, tasks.paused, tasks.paused_by, tasks.plan, tasks.status,
    tasks.result_status, tasks.result_message, tasks.result_reason, tasks.successes, tasks.failures,
    tasks.created, tasks.updated, tasks.created_by, tasks.request_id, tasks.idempotency_key,
    tasks.request_digest, tasks.terminate, tasks.terminated, tasks.terminated_by, tasks.step,
    tasks.step_since, tasks.deadline_at, tasks.attempt, tasks.reason, tasks.last_error, tasks.error_attempts,
    tasks.changed_in, tasks.lane, tasks.wake_at, tasks.wake_requested, tasks.lease_owner, tasks.lease_until,
    tasks.lease_epoch, tasks.lapses, tasks.deadline_at <= now() AS overdue, due.lapsed;

-- Seconds until the next task is due (lease_statements.NEXT_DUE)
SELECT EXTRACT(epoch FROM least((SELECT min(tasks.wake_at) AS min_1
      FROM tasks
      WHERE tasks.lane = 'task' AND tasks.wake_at IS NOT NULL AND tasks.lease_owner IS NULL AND tasks.lapses
          <= 0 AND tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete')
          AND tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN
          ('validate_design', 'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes',
          'destroy_nodes', 'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node',
          'destroy_node', 'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR
          (tasks.action || ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[]))))), (SELECT
          min(tasks.wake_at) AS min_2
      FROM tasks
      WHERE tasks.lane = 'node' AND tasks.wake_at IS NOT NULL AND tasks.lease_owner IS NULL AND tasks.lapses
          <= 0 AND tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete')
          AND tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN
          ('validate_design', 'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes',
          'destroy_nodes', 'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node',
          'destroy_node', 'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR
          (tasks.action || ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[]))))), (SELECT
          min(tasks.wake_at) AS min_3
      FROM tasks
      WHERE tasks.lane = 'watch' AND tasks.wake_at IS NOT NULL AND tasks.lease_owner IS NULL AND tasks.lapses
          <= 0 AND tasks.status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete')
          AND tasks.lease_epoch < 9223372036854775807 AND (tasks.terminate OR tasks.action IN
          ('validate_design', 'verify_site', 'prepare_site', 'verify_nodes', 'prepare_nodes', 'deploy_nodes',
          'destroy_nodes', 'relabel_nodes', 'apply_plan', 'verify_node', 'prepare_node', 'deploy_node',
          'destroy_node', 'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL OR tasks.step IS NULL OR
          (tasks.action || ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[])))))) - clock_timestamp())
          AS anon_1;

-- Renew leases (lease_statements.RENEW)
WITH held AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE tasks.id = ANY (:held::UUID[]) AND tasks.lease_owner = :keeper AND tasks.lease_until >
      clock_timestamp() AND (tasks.deadline_at IS NULL OR tasks.deadline_at + make_interval(0, 0, 0, 0, 0, 0,
      60) > clock_timestamp())
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET lease_until=(clock_timestamp() + make_interval(0, 0, 0, 0, 0, 0, :lease_seconds))
FROM held
WHERE tasks.id = held.id
RETURNING tasks.id, tasks.lease_epoch;

-- Due tasks of an unknown kind (lease_statements.UNKNOWN)
SELECT tasks.id, tasks.action, tasks.step, tasks.lane, tasks.status, count(*) OVER () AS number
FROM tasks
WHERE tasks.wake_at <= now() AND (tasks.lease_until IS NULL OR tasks.lease_until < now()) AND tasks.step IS
    DISTINCT
FROM 'await_wave' AND NOT (tasks.lane IN ('task', 'node', 'watch') AND tasks.status IN ('requested', 'queued',
    'running', 'terminating', 'terminated', 'complete') AND tasks.lease_epoch < 9223372036854775807 AND
    (tasks.terminate OR tasks.action IN ('validate_design', 'verify_site', 'prepare_site', 'verify_nodes',
    'prepare_nodes', 'deploy_nodes', 'destroy_nodes', 'relabel_nodes', 'apply_plan', 'verify_node',
    'prepare_node', 'deploy_node', 'destroy_node', 'relabel_node') AND (CAST(:steps::TEXT[] AS TEXT[]) IS NULL
    OR tasks.step IS NULL OR (tasks.action || ' ' || tasks.step) = ANY (CAST(:steps::TEXT[] AS TEXT[])))))
ORDER BY tasks.seq
LIMIT :at_most;

-- Lock one's own tasks (outcome_statements.LOCK_MINE)
SELECT tasks.id
FROM tasks, jsonb_to_recordset(:mine::JSONB) AS anon_1(id UUID, owner TEXT, epoch BIGINT)
WHERE tasks.id = anon_1.id AND tasks.lease_owner = anon_1.owner AND tasks.lease_epoch = anon_1.epoch AND
    tasks.lease_until > clock_timestamp() AND (tasks.status NOT IN ('complete', 'terminated'))
ORDER BY tasks.parent_id IS NOT NULL, tasks.id
FOR NO KEY UPDATE OF tasks;

-- Lock those that have not ended (outcome_statements.LOCK_GOING_ON)
SELECT tasks.id
FROM tasks, jsonb_to_recordset(:mine::JSONB) AS anon_1(id UUID, owner TEXT, epoch BIGINT)
WHERE tasks.id = anon_1.id AND tasks.lease_owner = anon_1.owner AND tasks.lease_epoch = anon_1.epoch AND
    tasks.lease_until > clock_timestamp() AND (tasks.status NOT IN ('complete', 'terminated')) AND
    tasks.terminate IS false
ORDER BY tasks.parent_id IS NOT NULL, tasks.id
FOR NO KEY UPDATE OF tasks;

-- Hold nodes (holds.HOLD)
INSERT INTO node_holds (node, task_id)
SELECT anon_1.node, anon_1.id
FROM jsonb_to_recordset(:wanted::JSONB) AS anon_1(id UUID, node TEXT)
WHERE anon_1.id = (SELECT tasks.id
  FROM tasks
  WHERE tasks.node = anon_1.node AND (tasks.status NOT IN ('complete', 'terminated')) AND tasks.step IS
      DISTINCT
  FROM 'await_wave'
  ORDER BY tasks.seq
  LIMIT 1)
ORDER BY anon_1.node
ON CONFLICT (node) DO UPDATE
SET node = node_holds.node
RETURNING node_holds.node, node_holds.task_id;

-- Enter a step (outcome_statements.ENTER)
UPDATE tasks
SET design_digest=coalesce(anon_1.digest, tasks.design_digest), status=CASE WHEN tasks.terminate THEN
    tasks.status ELSE 'running' END, updated=clock_timestamp(), step=anon_1.step,
    step_since=clock_timestamp(), deadline_at=(clock_timestamp() + make_interval(0, 0, 0, 0, 0, 0,
    anon_1.timeout)), attempt=0, reason='', changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT),
    lane=anon_1.lane, wake_at=CASE WHEN anon_1.keep THEN tasks.wake_at WHEN (tasks.wake_requested OR
    tasks.terminate) THEN clock_timestamp() ELSE clock_timestamp() + make_interval(0, 0, 0, 0, 0, 0,
    anon_1.look_in) END, wake_requested=(anon_1.keep AND tasks.wake_requested), lease_owner=CASE WHEN
    anon_1.keep THEN tasks.lease_owner END, lease_until=CASE WHEN anon_1.keep THEN tasks.lease_until END,
    lapses=0
FROM jsonb_to_recordset(:entered::JSONB) AS anon_1(id UUID, step TEXT, lane TEXT, timeout DOUBLE PRECISION,
    digest TEXT, keep BOOLEAN, look_in DOUBLE PRECISION)
WHERE tasks.id = anon_1.id AND tasks.lease_until > clock_timestamp()
RETURNING tasks.id, tasks.step_since, tasks.deadline_at, tasks.terminate, tasks.terminated_by,
    pg_notify('drydock_change', '') AS pg_notify_1, CASE WHEN (NOT anon_1.keep AND anon_1.look_in = 0) THEN
    pg_notify('drydock_work', '') END AS anon_2;

-- Pause (outcome_statements.PAUSE)
UPDATE tasks
SET updated=CASE WHEN (tasks.reason != anon_1.reason OR tasks.attempt != anon_1.attempt) THEN
    clock_timestamp() ELSE tasks.updated END, attempt=anon_1.attempt, reason=anon_1.reason, last_error=CASE
    WHEN (anon_1.attempt > 0) THEN tasks.step || ': ' || anon_1.reason ELSE tasks.last_error END,
    error_attempts=CASE WHEN (anon_1.attempt > 0) THEN tasks.error_attempts + 1 ELSE tasks.error_attempts END,
    changed_in=CASE WHEN (tasks.reason != anon_1.reason OR tasks.attempt != anon_1.attempt) THEN
    CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT) ELSE tasks.changed_in END, wake_at=CASE WHEN
    tasks.wake_requested THEN clock_timestamp() WHEN (tasks.deadline_at IS NULL) THEN clock_timestamp() +
    make_interval(0, 0, 0, 0, 0, 0, anon_1.seconds) ELSE least(clock_timestamp() + make_interval(0, 0, 0, 0,
    0, 0, anon_1.seconds), greatest(tasks.deadline_at, clock_timestamp())) END, wake_requested=false,
    lease_owner=NULL, lease_until=NULL, lapses=0
FROM jsonb_to_recordset(:pauses::JSONB) AS anon_1(id UUID, seconds DOUBLE PRECISION, reason TEXT, attempt
    INTEGER)
WHERE tasks.id = anon_1.id AND tasks.lease_until > clock_timestamp()
RETURNING CASE WHEN (tasks.changed_in = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)) THEN
    pg_notify('drydock_change', '') END AS anon_2;

-- Finish (outcome_statements.FINISH)
UPDATE tasks
SET status=CASE WHEN tasks.terminate THEN 'terminated' ELSE 'complete' END, result_status=anon_1.status,
    result_message=anon_1.message, result_reason=CASE WHEN (tasks.terminate AND anon_1.status = 'failure' AND
    (anon_1.reason NOT LIKE 'terminated by ' || '%')) THEN 'terminated by ' || tasks.terminated_by ||
    ' at step ' || coalesce(tasks.step, 'start') ELSE anon_1.reason END, successes=anon_1.successes,
    failures=anon_1.failures, updated=clock_timestamp(), deadline_at=NULL, reason='',
    changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=NULL, wake_requested=false,
    lease_owner=NULL, lease_until=NULL
FROM jsonb_to_recordset(:finished::JSONB) AS anon_1(id UUID, status TEXT, message TEXT, reason TEXT, successes
    TEXT[], failures TEXT[])
WHERE tasks.id = anon_1.id AND tasks.lease_until > clock_timestamp()
RETURNING pg_notify('drydock_change', '') AS pg_notify_1;

-- Add messages (messages.ADD_MESSAGES)
INSERT INTO task_messages (task_id, error, message, context_type, context, extra, root_id)
SELECT anon_1.task_id, anon_1.error, anon_1.message, anon_1.context_type, anon_1.context, anon_1.extra,
    tasks.root_id
FROM jsonb_to_recordset(:lines::JSONB) AS anon_1(place INTEGER, task_id UUID, error BOOLEAN, message TEXT,
    context_type TEXT, context TEXT, extra JSONB) JOIN tasks ON tasks.id = anon_1.task_id
ORDER BY anon_1.place;

-- Release nodes and slots (holds.RELEASE)
WITH left_slot AS
(DELETE
  FROM deployment_places
  WHERE deployment_places.task_id = ANY (:of_tasks::UUID[])),
theirs AS
(SELECT node_holds.node AS node
  FROM node_holds
  WHERE node_holds.task_id = ANY (:of_tasks::UUID[])
  ORDER BY node_holds.node
  FOR UPDATE)
DELETE
FROM node_holds USING theirs
WHERE node_holds.node = theirs.node;

-- Wake what an end unblocks (task_signals.WAKE_AFTER_END)
WITH woken AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE tasks.id IN (SELECT waiting.id
    FROM tasks AS waiting
    WHERE waiting.node = ANY (:of_nodes::TEXT[]) AND (waiting.status NOT IN ('complete', 'terminated')) AND
        waiting.step IS DISTINCT
    FROM 'await_wave' AND NOT (EXISTS (SELECT older.id
        FROM tasks AS older
        WHERE older.node = waiting.node AND older.seq < waiting.seq AND (older.status NOT IN ('complete',
            'terminated')) AND older.step IS DISTINCT
        FROM 'await_wave'))
    UNION ALL
    SELECT parents.id
    FROM tasks AS parents
    WHERE parents.id = ANY (:of_parents::UUID[]) AND NOT (EXISTS (SELECT waiting.id
        FROM tasks AS waiting
        WHERE waiting.parent_id = parents.id AND (waiting.status NOT IN ('complete', 'terminated')) AND
            waiting.step IS DISTINCT
        FROM 'await_wave'))) AND (tasks.status NOT IN ('complete', 'terminated'))
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET wake_at=clock_timestamp(), wake_requested=true
FROM woken
WHERE tasks.id = woken.id
RETURNING pg_notify('drydock_work', '') AS pg_notify_1;

-- Wake a task (task_signals.WAKE)
UPDATE tasks
SET wake_at=clock_timestamp(), wake_requested=true
WHERE tasks.id = :of_task::UUID AND (tasks.status NOT IN ('complete', 'terminated'));

-- Mark a task as changed (task_signals.TOUCH)
UPDATE tasks
SET updated=clock_timestamp(), changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
WHERE tasks.id = :of_task::UUID;

-- Mark tasks as to terminate (termination.MARK)
WITH marked AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.id = :of_task::UUID OR tasks.parent_id = :of_task::UUID) AND (tasks.status NOT IN ('complete',
      'terminated')) AND tasks.terminate IS false
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET status=CASE WHEN (tasks.status = 'queued') THEN 'terminated' ELSE 'terminating' END, result_status=CASE
    WHEN (tasks.status = 'queued') THEN 'failure' ELSE tasks.result_status END, result_message=CASE WHEN
    (tasks.status = 'queued') THEN :end_message ELSE tasks.result_message END, failures=CASE WHEN
    (tasks.status = 'queued' AND tasks.node IS NOT NULL) THEN array_append(tasks.failures, tasks.node) ELSE
    tasks.failures END, updated=clock_timestamp(), terminate=true, terminated=clock_timestamp(),
    terminated_by=:by_user, changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), lane=CASE WHEN
    (tasks.lane IN ('task', 'node', 'watch')) THEN tasks.lane ELSE 'task' END, wake_at=CASE WHEN (tasks.status
    = 'queued') THEN NULL ELSE clock_timestamp() END, wake_requested=(tasks.status != 'queued')
FROM marked
WHERE tasks.id = marked.id
RETURNING tasks.id;

-- Lock tasks with a rollout (rollouts.LOCK)
SELECT tasks.id
FROM tasks
WHERE tasks.id = ANY (:of_tasks::UUID[])
ORDER BY tasks.parent_id IS NOT NULL, tasks.id
FOR NO KEY UPDATE;

-- Lock them with their subtasks (rollouts.LOCK_TREES)
SELECT tasks.id
FROM tasks
WHERE tasks.id = ANY (:of_tasks::UUID[]) OR tasks.parent_id = ANY (:of_ended::UUID[]) AND (tasks.status NOT IN
    ('complete', 'terminated')) AND tasks.wave IS NOT NULL
ORDER BY tasks.parent_id IS NOT NULL, tasks.id
FOR NO KEY UPDATE;

-- Begin a wave (rollouts.RELEASE_WAVE)
WITH theirs AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.status NOT IN ('complete', 'terminated')) AND tasks.status = 'queued' AND tasks.wave IS NOT
      NULL AND tasks.parent_id = :of_parent::UUID AND tasks.step IS NOT DISTINCT
  FROM 'await_wave' AND tasks.wave <= :of_wave
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE),
placed AS
(SELECT tasks.id AS id, row_number() OVER (ORDER BY tasks.wave, tasks.seq) - 1 AS place
  FROM tasks, theirs
  WHERE tasks.id = theirs.id)
UPDATE tasks
SET updated=clock_timestamp(), step=CASE WHEN (tasks.plan IS NOT NULL) THEN 'check_plan' END,
    changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=(clock_timestamp() +
    make_interval(0, 0, 0, 0, 0, 0, placed.place / CAST(:start_rate AS DOUBLE PRECISION)))
FROM placed
WHERE tasks.id = placed.id;

-- Have subtasks wait for their wave (rollouts.PARK_UNBEGUN)
WITH theirs AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.status NOT IN ('complete', 'terminated')) AND tasks.status = 'queued' AND tasks.wave IS NOT
      NULL AND tasks.parent_id = :of_parent::UUID AND tasks.step IS DISTINCT
  FROM 'await_wave' AND tasks.lease_owner IS NULL
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET updated=clock_timestamp(), step='await_wave', reason='', changed_in=CAST(CAST(pg_current_xact_id() AS
    TEXT) AS BIGINT), wake_at=NULL, wake_requested=false, lease_owner=NULL, lease_until=NULL
FROM theirs
WHERE tasks.id = theirs.id;

-- The same, of claimed ones (rollouts.PARK_THESE)
WITH theirs AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.status NOT IN ('complete', 'terminated')) AND tasks.status = 'queued' AND tasks.wave IS NOT
      NULL AND tasks.id = ANY (:of_tasks::UUID[])
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET updated=clock_timestamp(), step='await_wave', reason='', changed_in=CAST(CAST(pg_current_xact_id() AS
    TEXT) AS BIGINT), wake_at=NULL, wake_requested=false, lease_owner=NULL, lease_until=NULL
FROM theirs
WHERE tasks.id = theirs.id;

-- End subtasks that have not begun (rollouts.END_UNBEGUN)
WITH theirs AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.status NOT IN ('complete', 'terminated')) AND tasks.status = 'queued' AND tasks.wave IS NOT
      NULL AND tasks.parent_id = :of_parent::UUID AND (tasks.lease_until IS NULL OR tasks.lease_until < now())
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET status='terminated', result_status='failure', result_message=(tasks.action || ' did not begin'),
    result_reason=:why, failures=array_append(tasks.failures, tasks.node), updated=clock_timestamp(),
    terminate=true, terminated=clock_timestamp(), terminated_by=:by_user, step=NULL, reason='',
    changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=NULL, wake_requested=false,
    lease_owner=NULL, lease_until=NULL
FROM theirs
WHERE tasks.id = theirs.id
RETURNING tasks.id;

-- The same, of claimed ones (rollouts.END_THESE)
WITH theirs AS
(SELECT tasks.id AS id
  FROM tasks
  WHERE (tasks.status NOT IN ('complete', 'terminated')) AND tasks.status = 'queued' AND tasks.wave IS NOT
      NULL AND tasks.id = ANY (:of_tasks::UUID[])
  ORDER BY tasks.parent_id IS NOT NULL, tasks.id
  FOR NO KEY UPDATE)
UPDATE tasks
SET status='terminated', result_status='failure', result_message=(tasks.action || ' did not begin'),
    result_reason=:why, failures=array_append(tasks.failures, tasks.node), updated=clock_timestamp(),
    terminate=true, terminated=clock_timestamp(), terminated_by=:by_user, step=NULL, reason='',
    changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=NULL, wake_requested=false,
    lease_owner=NULL, lease_until=NULL
FROM theirs
WHERE tasks.id = theirs.id
RETURNING tasks.id;

-- Lock tasks that wait for a person (confirmations.LOCK_ASKED)
SELECT tasks.id, tasks.step
FROM tasks
WHERE (tasks.id = :of_task::UUID OR tasks.parent_id = :of_task::UUID) AND (EXISTS (SELECT
    task_confirmations.task_id
    FROM task_confirmations
    WHERE task_confirmations.task_id = tasks.id AND task_confirmations.step = coalesce(:of_step, tasks.step)
        AND ((tasks.status NOT IN ('complete', 'terminated')) OR task_confirmations.confirmed IS NOT NULL)))
ORDER BY tasks.parent_id IS NOT NULL, tasks.id
FOR NO KEY UPDATE OF tasks;

-- Confirm (confirmations.CONFIRM)
UPDATE task_confirmations
SET confirmed=clock_timestamp(), confirmed_by=:by_user, note=:with_note
FROM tasks
WHERE task_confirmations.task_id = tasks.id AND tasks.id = ANY (:of_tasks::UUID[]) AND task_confirmations.step
    = coalesce(:of_step, tasks.step) AND task_confirmations.confirmed IS NULL
RETURNING task_confirmations.task_id;

-- Wake what was confirmed (confirmations.WAKE_CONFIRMED)
UPDATE tasks
SET updated=clock_timestamp(), changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=CASE
    WHEN ((tasks.status NOT IN ('complete', 'terminated'))) THEN clock_timestamp() END,
    wake_requested=((tasks.status NOT IN ('complete', 'terminated')))
WHERE tasks.id = ANY (:of_tasks::UUID[]);

-- Store what nodes boot with (boot_contexts.ADD_CONTEXTS)
WITH new_contexts AS
(INSERT INTO boot_contexts (id, node, task_id, packages, contents, key_digest, expires)
  SELECT anon_1.id AS id, anon_1.node AS node, anon_1.task_id AS task_id, anon_1.packages AS packages,
      anon_1.contents AS contents, decode(anon_1.key_digest, 'hex') AS decode_1, now() + make_interval(0, 0,
      0, 0, 0, 0, anon_1.lifetime) AS anon_2
  FROM jsonb_to_recordset(:contexts::JSONB) AS anon_1(id UUID, node TEXT, task_id UUID, key_digest TEXT,
      packages JSONB, contents JSONB, lifetime DOUBLE PRECISION, events_digest TEXT)),
new_bundles AS
(INSERT INTO boot_bundles (context_id, kind, sealed, size)
  SELECT anon_3.context_id AS context_id, anon_3.kind AS kind, anon_3.sealed AS sealed, anon_3.size AS size
  FROM unnest(:bundle_contexts::UUID[], :bundle_kinds::TEXT[], :bundles_sealed::BYTEA[],
      :bundle_sizes::BIGINT[]) AS anon_3(context_id, kind, sealed, size)),
new_actions AS
(INSERT INTO boot_actions (id, context_id, task_id, node, name, signaling)
  SELECT anon_4.id AS id, anon_4.context_id AS context_id, anon_4.task_id AS task_id, anon_4.node AS node,
      anon_4.name AS name, anon_4.signaling AS signaling
  FROM jsonb_to_recordset(:actions::JSONB) AS anon_4(id TEXT, context_id UUID, task_id UUID, node TEXT, name
      TEXT, signaling BOOLEAN))
INSERT INTO machines (task_id, context_id, events_digest)
SELECT anon_1.task_id, anon_1.id, decode(anon_1.events_digest, 'hex') AS decode_3
FROM jsonb_to_recordset(:contexts::JSONB) AS anon_1(id UUID, node TEXT, task_id UUID, key_digest TEXT,
    packages JSONB, contents JSONB, lifetime DOUBLE PRECISION, events_digest TEXT);

-- Revoke keys of nodes (boot_contexts.END)
WITH locked AS
(SELECT boot_contexts.id AS id
  FROM boot_contexts
  WHERE boot_contexts.node = ANY (:of_nodes::TEXT[]) AND boot_contexts.ended IS NULL
  ORDER BY boot_contexts.node
  FOR NO KEY UPDATE)
UPDATE boot_contexts
SET ended=now()
FROM locked
WHERE boot_contexts.id = locked.id;

-- Revoke keys of deployments (boot_contexts.END_OF_TASKS)
WITH locked AS
(SELECT boot_contexts.id AS id
  FROM boot_contexts
  WHERE boot_contexts.task_id = ANY (:of_tasks::UUID[]) AND boot_contexts.ended IS NULL
  ORDER BY boot_contexts.node
  FOR NO KEY UPDATE)
UPDATE boot_contexts
SET ended=now()
FROM locked
WHERE boot_contexts.id = locked.id;

-- Read a bundle (bundles.BUNDLES)
SELECT boot_contexts.id, boot_contexts.node, boot_contexts.key_digest, boot_bundles.sealed
FROM boot_contexts JOIN boot_bundles ON boot_bundles.context_id = boot_contexts.id
WHERE lower(boot_contexts.node) = lower(:of_node) AND boot_bundles.kind = 'file' AND boot_contexts.ended IS
    NULL AND boot_contexts.expires > now()
ORDER BY boot_contexts.node = :of_node DESC;

-- Read the key of a report (report_statements.REPORT_KEY)
SELECT CASE WHEN (boot_contexts.ended IS NULL AND boot_contexts.expires > now()) THEN boot_contexts.key_digest
    ELSE NULL END AS key_digest
FROM boot_contexts JOIN boot_actions ON boot_actions.context_id = boot_contexts.id
WHERE boot_actions.id = :of_action;

-- Lock a boot action (report_statements.LOCK_ACTION)
SELECT boot_actions.id, boot_actions.context_id, boot_actions.task_id, boot_actions.node, boot_actions.name,
    boot_actions.signaling, boot_actions.status, boot_actions.finalized, boot_contexts.key_digest,
    boot_contexts.ended IS NULL AND boot_contexts.expires > now() AS live
FROM boot_actions JOIN boot_contexts ON boot_contexts.id = boot_actions.context_id
WHERE boot_actions.id = :of_action
FOR UPDATE OF boot_actions;

-- Store a report (report_statements.STORE_REPORT)
WITH locked AS
(SELECT boot_actions.id AS id, boot_actions.context_id AS context_id, boot_actions.task_id AS task_id,
    boot_actions.node AS node, boot_actions.name AS name, boot_actions.signaling AS signaling,
    boot_actions.status AS status, boot_actions.finalized AS finalized, boot_contexts.key_digest AS
    key_digest, boot_contexts.ended IS NULL AND boot_contexts.expires > now() AS live
  FROM boot_actions JOIN boot_contexts ON boot_contexts.id = boot_actions.context_id
  WHERE boot_actions.id = :of_action
  FOR UPDATE OF boot_actions),
accepted AS
(SELECT locked.id AS id, locked.task_id AS task_id
  FROM locked
  WHERE locked.live AND locked.key_digest = :of_key AND locked.signaling AND locked.status IS NULL),
room AS MATERIALIZED
(SELECT accepted.id AS id, accepted.task_id AS task_id
  FROM accepted
  WHERE (SELECT count(*) < 10000 AND coalesce(sum(octet_length(task_messages.message) +
      pg_column_size(task_messages.extra)), 0) < 33554432 AS anon_3
    FROM task_messages
    WHERE task_messages.task_id = accepted.task_id)),
kept AS
(INSERT INTO task_messages (task_id, root_id, error, message, context_type, context, extra)
  SELECT room.task_id AS task_id, (SELECT tasks.root_id
    FROM tasks
    WHERE tasks.id = room.task_id) AS anon_1, details.errors AS errors, details.messages AS messages,
        'bootaction' AS anon_2, room.id AS id, CAST(details.extras AS JSONB) AS extras
  FROM room JOIN unnest(CAST(:errors::BOOLEAN[] AS BOOLEAN[]), CAST(:messages::TEXT[] AS TEXT[]),
      CAST(:extras::TEXT[] AS TEXT[])) WITH ORDINALITY AS details(errors, messages, extras, place) ON true
  ORDER BY details.place),
finalized AS
(UPDATE boot_actions
  SET status=:final, finalized=clock_timestamp()
  FROM accepted
  WHERE boot_actions.id = accepted.id AND :final IS NOT NULL),
changed AS
(UPDATE tasks
  SET updated=clock_timestamp(), changed_in=CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), wake_at=CASE
      WHEN (:final IS NOT NULL AND (tasks.status NOT IN ('complete', 'terminated'))) THEN clock_timestamp()
      ELSE tasks.wake_at END, wake_requested=(:final IS NOT NULL AND (tasks.status NOT IN ('complete',
      'terminated')) OR tasks.wake_requested)
  FROM accepted
  WHERE tasks.id = accepted.task_id
  RETURNING tasks.changed_in, pg_notify('drydock_change', '') AS watchers_notified, CASE WHEN (:final IS NOT
      NULL AND (tasks.status NOT IN ('complete', 'terminated'))) THEN pg_notify('drydock_work', '') ELSE NULL
      END AS workers_notified)
SELECT locked.id, locked.context_id, locked.task_id, locked.node, locked.name, locked.signaling,
    locked.status, locked.finalized, locked.key_digest, locked.live, changed.changed_in
FROM locked LEFT OUTER JOIN changed ON true;

-- Record contacts of machines (boot_contacts.RECORD_CONTACTS)
WITH found AS
(SELECT machines.context_id AS context_id, now() - make_interval(0, 0, 0, 0, 0, 0, contacts.age) AS at
  FROM machines JOIN unnest(CAST(:of_contexts::UUID[] AS UUID[]), CAST(:ages::DOUBLE PRECISION[] AS DOUBLE
      PRECISION[])) AS contacts(context_id, age) ON machines.context_id = contacts.context_id
  FOR UPDATE OF machines SKIP LOCKED)
UPDATE machines
SET first_contact=coalesce(machines.first_contact, found.at), last_contact=greatest(machines.last_contact,
    found.at)
FROM found
WHERE machines.context_id = found.context_id;

-- Read a task with its details (one_task.TASK)
SELECT tasks.id, tasks.seq, tasks.root_id, tasks.parent_id, tasks.action, tasks.node, tasks.design_ref,
    tasks.design_digest, tasks.node_filter, tasks.force, tasks.retry_of, tasks.expect_nodes, tasks.all_nodes,
    tasks.rollout, tasks.wave, tasks.failure_budget, tasks.paused, tasks.paused_by, tasks.plan, tasks.status,
    tasks.result_status, tasks.result_message, tasks.result_reason, tasks.successes, tasks.failures,
    tasks.created, tasks.updated, tasks.created_by, tasks.request_id, tasks.idempotency_key,
    tasks.request_digest, tasks.terminate, tasks.terminated, tasks.terminated_by, tasks.step,
    tasks.step_since, tasks.deadline_at, tasks.attempt, tasks.reason, tasks.last_error, tasks.error_attempts,
    tasks.changed_in, tasks.lane, tasks.wake_at, tasks.wake_requested, tasks.lease_owner, tasks.lease_until,
    tasks.lease_epoch, tasks.lapses, machines.first_contact, machines.last_contact, coalesce(machines.stage,
    '') AS stage, machines.context_id IS NOT NULL AS expected, (SELECT json_agg(json_build_object('message',
    task_messages.message, 'error', task_messages.error, 'ts', task_messages.ts, 'context_type',
    task_messages.context_type, 'context', task_messages.context, 'extra', CAST(task_messages.extra AS TEXT))
    ORDER BY task_messages.id) AS json_agg_1
  FROM task_messages
  WHERE task_messages.task_id = tasks.id) AS messages, CASE WHEN (tasks.node IS NOT NULL) THEN (SELECT
      json_agg(json_build_object('step', task_confirmations.step, 'asked', task_confirmations.asked,
      'confirmed', task_confirmations.confirmed, 'confirmed_by', task_confirmations.confirmed_by, 'note',
      task_confirmations.note)
    ORDER BY task_confirmations.asked) AS json_agg_2
  FROM task_confirmations
  WHERE task_confirmations.task_id = tasks.id) END AS confirmations, CASE WHEN (tasks.node IS NULL) THEN
      (SELECT string_agg(CAST(below.id AS TEXT), ','
    ORDER BY below.seq) AS string_agg_1
  FROM tasks AS below
  WHERE below.parent_id = tasks.id) END AS below, CASE WHEN (tasks.node IS NULL) THEN (SELECT
      json_agg(json_build_array(counted_by.status, counted_by.step, counted_by.number)) AS json_agg_3
  FROM (SELECT counted.status AS status, counted.step AS step, count(*) AS number
    FROM tasks AS counted
    WHERE counted.parent_id = tasks.id
    GROUP BY counted.status, counted.step) AS counted_by) END AS progress, tasks.node IS NOT NULL AND (EXISTS
        (SELECT 1 AS anon_1
    FROM build_data
    WHERE build_data.task_id = tasks.id)) AS has_build_data
FROM tasks LEFT OUTER JOIN machines ON machines.task_id = tasks.id
WHERE tasks.id = :of_task::UUID;

-- Numbers of the queue (queue_numbers.QUEUE_NUMBERS)
SELECT tasks.lane, count(*) FILTER (WHERE NOT (tasks.lease_until IS NULL OR tasks.lease_until < now())) AS
    leased, count(*) FILTER (WHERE (tasks.lease_until IS NULL OR tasks.lease_until < now()) AND tasks.wake_at
    <= now()) AS due, count(*) FILTER (WHERE (tasks.lease_until IS NULL OR tasks.lease_until < now()) AND
    tasks.wake_at > now()) AS waiting, EXTRACT(epoch FROM now() - (min(tasks.wake_at) FILTER (WHERE
    (tasks.lease_until IS NULL OR tasks.lease_until < now()) AND tasks.wake_at <= now()))) AS oldest
FROM tasks
WHERE tasks.wake_at IS NOT NULL
GROUP BY tasks.lane;
