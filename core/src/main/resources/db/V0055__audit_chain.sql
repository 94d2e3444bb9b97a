-- What else is worth knowing of an act, and who was refused what.
alter table audit add column actor_name text not null default '';
alter table audit add column result text not null default 'success' check (result in ('success', 'failure'));
alter table audit add column actor_ip text not null default '';
alter table audit add column user_agent text not null default '';
alter table audit add column details jsonb not null default '{}';

-- Transactions end in another order than they begin: what is older than all that run is complete, and can be sealed.
alter table audit add column transaction_id xid8 not null default pg_current_xact_id();
create index audit_by_transaction on audit (transaction_id, id);
create index audit_by_project on audit (project_id, id desc);

-- Each row of the trail, in an order of its own, with a hash over it and the one before: who changes, deletes or puts in
-- a row changes all hashes after it. Retention: kept.
create table audit_seal (
  position       bigint primary key check (position > 0),
  audit_id       bigint not null unique,
  transaction_id xid8 not null,
  hash           bytea not null check (length(hash) = 32),
  sealed_at      timestamptz not null
);
create trigger audit_seal_append_only before update or delete or truncate on audit_seal
  for each statement execute function refuse_change();
create trigger audit_no_truncate before truncate on audit for each statement execute function refuse_change();
