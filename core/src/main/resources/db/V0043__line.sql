-- GPUs that are held for a waiting lease whose turn has come, until its own step asks for them. Without it the GPUs are
-- nobody's: both are written together. Retention: deleted when the lease is placed or has ended.
create table placement_grant (
  lease_id uuid primary key references lease,
  place    jsonb not null,
  at       timestamptz not null
);

-- The line of a GPU model in its order.
create index lease_line on lease (gpu_model, (spec -> 'want' ->> 'tier'), made_at, id) where state = 'waiting';

-- Who could be taken back.
create index lease_reclaimable on lease (gpu_model)
  where state in ('provisioning', 'booting', 'running') and reclaim_at is null and spec -> 'want' ->> 'tier' = 'SPOT';

-- The members of a gang.
create index lease_by_gang on lease (project_id, (spec -> 'gang' ->> 'name')) where spec -> 'gang' ->> 'name' is not null;

-- A gang that failed is a failure, too.
drop index lease_by_phase;
drop index lease_in_sight;
alter table lease drop column phase;
alter table lease add column phase text generated always as (
  case
    when dismissed_at is not null and state = 'ended' then 'gone'
    when dismissed_at is not null then state
    when state in ('stopping', 'ended')
      and end_reason in ('NO_CAPACITY', 'DECLINED', 'BOOT_FAILED', 'BOOT_TIMEOUT', 'LOST', 'GANG') then 'failed'
    when state = 'ended' then 'gone'
    else state
  end) stored;
create index lease_by_phase on lease (project_id, phase, made_at desc, id desc);
create index lease_in_sight on lease (project_id, made_at desc, id desc) where phase <> 'gone';
