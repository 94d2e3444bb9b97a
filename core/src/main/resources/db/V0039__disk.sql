-- Disks that outlive leases, as the home folder of one at a time. Retention: until their owner deletes them, and then
-- until delete_at.
create table disk (
  id               uuid primary key,
  project_id       uuid not null references project,
  person_id        uuid not null references person,
  name             text not null check (name ~ '^[A-Za-z0-9_-]{1,128}$'),
  provider         text not null,
  size_bytes       bigint not null check (size_bytes > 0),
  used_bytes       bigint not null default 0,
  origin           uuid, -- the snapshot that it began as
  state            text not null check (state in ('making', 'ready', 'failed')),
  made_at          timestamptz not null,
  last_used_at     timestamptz,
  deleted_at       timestamptz,
  delete_at        timestamptz,
  operation_id     uuid not null, -- what was last asked of it
  operation        text not null,
  operation_status text not null check (operation_status in ('queued', 'completed', 'failed')),
  operation_error  text not null default '',
  operation_at     timestamptz not null,
  operation_told   timestamptz not null,
  unique (project_id, name)
);

-- What was on a disk at a moment. Retention: the newest few of each disk, and with it.
create table disk_snapshot (
  id         uuid primary key,
  disk_id    uuid not null references disk on delete cascade,
  disk_name  text not null,
  kind       text not null check (kind in ('shutdown', 'cancellation', 'asked')),
  state      text not null check (state in ('making', 'ready', 'failed')),
  used_bytes bigint not null default 0,
  content    text not null default '',
  problem    text not null default '',
  lease_id   uuid,
  made_at    timestamptz not null
);
create index disk_snapshot_by_disk on disk_snapshot (disk_id, made_at desc);

-- A disk is the home folder of one lease at a time, from when it is asked for to its very end; nothing else says so.
alter table lease add column disk_id uuid references disk on delete set null;
create unique index lease_disk on lease (disk_id) where disk_id is not null and state <> 'ended';
