-- The right to use some GPUs until an end. Retention: kept.
create table lease (
  id                        uuid primary key,
  version                   bigint not null,
  tenant_id                 uuid not null references tenant,
  project_id                uuid not null references project,
  requested_by              uuid not null references person,
  spec                      jsonb not null,
  sku                       text not null,
  gpu_model                 text not null,
  gpu_count                 integer not null check (gpu_count > 0),
  price_per_gpu_hour_micros bigint not null check (price_per_gpu_hour_micros >= 0),
  correlation_id            text not null,
  made_at                   timestamptz not null,
  expires_at                timestamptz,

  state             text not null check (state in ('waiting', 'provisioning', 'booting', 'running', 'stopping', 'ended')),
  attempt           integer not null,
  place             jsonb,
  instance_provider text,
  instance_id       text,
  ssh_host          text,
  ssh_port          integer,
  ssh_user          text,
  since             timestamptz,
  metered_to        timestamptz,
  quiet_from        timestamptz,
  end_reason        text,
  ended_at          timestamptz,

  check (state not in ('provisioning', 'booting', 'running') or (place is not null and since is not null)),
  check (state not in ('booting', 'running') or (instance_provider is not null and instance_id is not null)),
  check (state <> 'running' or (ssh_host is not null and ssh_port is not null and ssh_user is not null and metered_to is not null)),
  check (state <> 'stopping' or (end_reason is not null and since is not null and quiet_from is not null)),
  check (state <> 'ended' or (end_reason is not null and ended_at is not null))
);
create index lease_by_project on lease (project_id, made_at desc, id desc);
create index lease_waiting on lease (made_at, id) where state = 'waiting';
create index lease_by_host_name on lease (('lease-' || right(id::text, 12))) where state in ('booting', 'running');
create index lease_living on lease (state) where state <> 'ended';

-- Which lease holds which GPU. The primary key is the promise: one holder.
-- Retention: deleted when the lease has ended.
create table gpu_claim (
  provider text not null,
  node     text not null,
  gpu_id   text not null,
  lease_id uuid not null references lease,
  primary key (provider, node, gpu_id)
);
create index gpu_claim_by_lease on gpu_claim (lease_id);

-- Facts, written with the change that made them true: the outbox and the timeline.
-- Retention: kept.
create table event (
  id             uuid primary key,
  type           text not null,
  lease_id       uuid not null references lease,
  project_id     uuid not null,
  sequence       bigint not null,
  at             timestamptz not null,
  correlation_id text not null,
  details        jsonb not null,
  unique (lease_id, sequence)
);

-- What was used, over [from_at, to_at). The primary key is the promise: no second twice.
-- Retention: kept.
create table usage (
  lease_id                  uuid not null references lease,
  from_at                   timestamptz not null,
  to_at                     timestamptz not null,
  gpu_count                 integer not null,
  price_per_gpu_hour_micros bigint not null,
  evidence                  text not null,
  primary key (lease_id, from_at),
  check (from_at < to_at)
);
