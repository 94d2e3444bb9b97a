-- What else is worth knowing of an act, and who was refused what.
alter table audit add column actor_name text not null default '';
alter table audit add column result text not null default 'success' check (result in ('success', 'failure'));
alter table audit add column actor_ip text not null default '';
alter table audit add column user_agent text not null default '';
alter table audit add column details jsonb not null default '{}';
create index audit_by_project on audit (project_id, id desc);

-- Each row of the trail, in an order of its own, with a hash over it and the one before: who changes, deletes or puts in
-- a row changes all hashes after it. Retention: kept.
create table audit_seal (
  position  bigint primary key check (position > 0),
  audit_id  bigint not null unique,
  hash      bytea not null check (length(hash) = 32),
  sealed_at timestamptz not null
);
create trigger audit_seal_append_only before update or delete or truncate on audit_seal
  for each statement execute function refuse_change();
create trigger audit_no_truncate before truncate on audit for each statement execute function refuse_change();

-- Rows that wait for their seal. Retention: a second or two, until they have it.
create table audit_unsealed (audit_id bigint primary key);
insert into audit_unsealed select id from audit;
create function mark_unsealed() returns trigger language plpgsql as $$
begin
  insert into audit_unsealed select id from added;
  return null;
end $$;
create trigger audit_mark after insert on audit referencing new table as added
  for each statement execute function mark_unsealed();
