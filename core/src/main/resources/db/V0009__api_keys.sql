-- Keys that programs come with, as hashes. Retention: kept, so that the trail can name them.
create table api_key (
  id           uuid primary key,
  tenant_id    uuid not null references tenant,
  project_id   uuid not null references project,
  person_id    uuid not null references person,
  name         text not null check (length(name) between 1 and 200),
  prefix       text not null,
  hash         bytea not null unique,
  scopes       text[] not null,
  made_at      timestamptz not null,
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index api_key_by_project on api_key (project_id, made_at desc, id desc);

-- Replies may hold what is shown only once: they are kept encrypted, and keys may be longer.
alter table idempotency drop constraint idempotency_key_check;
alter table idempotency add check (length(key) between 1 and 255);
delete from idempotency;
alter table idempotency drop column headers;

-- What lists go by: a lease that failed stays in sight until somebody clears it away.
alter table lease add column phase text generated always as (
  case
    when dismissed_at is not null and state = 'ended' then 'gone'
    when dismissed_at is not null then state
    when state in ('stopping', 'ended')
      and end_reason in ('NO_CAPACITY', 'DECLINED', 'BOOT_FAILED', 'BOOT_TIMEOUT', 'LOST') then 'failed'
    when state = 'ended' then 'gone'
    else state
  end) stored;
create index lease_by_phase on lease (project_id, phase, made_at desc, id desc);
create index lease_in_sight on lease (project_id, made_at desc, id desc) where phase <> 'gone';

-- Counting a project's living leases reads only those.
create index lease_living_by_project on lease (project_id) where state <> 'ended';

-- GPUs by the names that price lists use. A GPU that a provider has and nobody named here is called after its model.
-- Retention: kept.
create table gpu_type (
  model        text primary key,
  gpu_type     text not null unique check (gpu_type ~ '^[a-z0-9_]{1,63}$'),
  vram_gb      integer not null check (vram_gb > 0),
  architecture text not null
);
insert into gpu_type values
  ('B200',     'b200',         180, 'Blackwell'),
  ('H200',     'h200',         141, 'Hopper'),
  ('H100',     'h100',          80, 'Hopper'),
  ('A100',     'a100_80gb',     80, 'Ampere'),
  ('L40S',     'l40s',          48, 'Ada'),
  ('L4',       'l4',            24, 'Ada'),
  ('RTX 5090', 'rtx_5090',      32, 'Blackwell'),
  ('RTX 4090', 'rtx_4090',      24, 'Ada'),
  ('RTX 3090', 'rtx_3090',      24, 'Ampere'),
  ('MI300X',   'mi300x',       192, 'CDNA3'),
  ('MI210X',   'mi210x',        64, 'CDNA2');
