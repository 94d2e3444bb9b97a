-- One whose end nobody could prove is a failure, too.
drop index lease_by_phase;
drop index lease_in_sight;
alter table lease drop column phase;
alter table lease add column phase text generated always as (
  case
    when dismissed_at is not null and state = 'ended' then 'gone'
    when dismissed_at is not null then state
    when state in ('stopping', 'ended')
      and end_reason in ('NO_CAPACITY', 'DECLINED', 'BOOT_FAILED', 'BOOT_TIMEOUT', 'LOST', 'GANG', 'CLEANUP_UNPROVEN')
      then 'failed'
    when state = 'ended' then 'gone'
    else state
  end) stored;
create index lease_by_phase on lease (project_id, phase, made_at desc, id desc);
create index lease_in_sight on lease (project_id, made_at desc, id desc) where phase <> 'gone';

-- Those whose end takes too long, for whoever runs the platform.
create index lease_stuck on lease (made_at desc, id desc) where state = 'stopping';
