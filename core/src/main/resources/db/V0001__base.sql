-- Background work, as db-scheduler keeps it: one row for each thing to look at.
-- Retention: a row goes when its reconciler says that it is done.
create table work (
  task_name            text not null,
  task_instance        text not null,
  task_data            bytea,
  execution_time       timestamptz not null,
  picked               boolean not null,
  picked_by            text,
  last_success         timestamptz,
  last_failure         timestamptz,
  consecutive_failures integer,
  last_heartbeat       timestamptz,
  version              bigint not null,
  priority             smallint,
  primary key (task_name, task_instance)
);
create index work_due on work (execution_time);
create index work_heartbeat on work (last_heartbeat) where picked;

-- Facts about the deployment itself: its id, and keys that are encrypted under the secret in the data folder.
-- Retention: kept.
create table deployment_fact (
  name  text primary key,
  value text not null
);

-- The answers to requests with an idempotency key.
-- Retention: deleted 24 hours after they were made.
create table idempotency (
  scope        text not null,
  key          text not null check (length(key) between 1 and 128),
  request_hash bytea not null,
  status       integer,
  headers      jsonb,
  reply        text,
  made_at      timestamptz not null,
  primary key (scope, key)
);
create index idempotency_made_at on idempotency (made_at);
