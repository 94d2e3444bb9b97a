-- Leases that were asked for together; which ones is written on them. Retention: as long as leases.
create table lease_group (
  id             uuid primary key,
  tenant_id      uuid not null references tenant,
  project_id     uuid not null references project,
  requested_by   uuid not null,
  name           text not null,
  made_at        timestamptz not null,
  correlation_id text not null
);
create index lease_group_by_project on lease_group (project_id, made_at desc, id desc);
create index lease_by_group on lease ((spec -> 'notes' ->> 'group_id'), made_at, id)
  where spec -> 'notes' ->> 'group_id' is not null;
