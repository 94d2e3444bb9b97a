-- How many GPUs somebody may hold at once, and how many of them are sure. Retention: until it is removed.
create table quota (
  scope      text not null check (scope in ('person', 'project')),
  owner_id   uuid not null,
  gpu_model  text not null, -- empty: of all models together
  guaranteed integer not null check (guaranteed >= 0),
  most       integer check (most >= guaranteed),
  made_at    timestamptz not null,
  primary key (scope, owner_id, gpu_model)
);
