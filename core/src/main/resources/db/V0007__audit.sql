-- Who did what. Only ever added to. Retention: kept.
create table audit (
  id             bigint generated always as identity primary key,
  at             timestamptz not null,
  actor_id       uuid not null,
  actor_role     text not null check (actor_role in ('user', 'admin', 'service_account', 'system')),
  project_id     uuid not null,
  action         text not null,
  target_id      uuid not null,
  correlation_id text not null
);
create index audit_by_target on audit (target_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is only ever added to';
end $$;
create trigger audit_append_only before update or delete on audit for each statement execute function refuse_change();
