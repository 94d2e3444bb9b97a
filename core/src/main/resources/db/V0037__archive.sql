-- The files of environments that are gone, kept in the folder of archives, or lost with a reason.
-- Retention: until kept_until, and of each name the newest few; their files go with them.
create table archive (
  lease_id   uuid primary key references lease,
  project_id uuid not null references project,
  name       text not null,
  file_name  text unique,
  bytes      bigint not null check (bytes >= 0),
  sha256     text,
  problem    text not null,
  made_at    timestamptz not null,
  kept_until timestamptz not null,
  check ((file_name is null) = (sha256 is null))
);
create index archive_by_name on archive (project_id, name, made_at desc);
create index archive_by_end on archive (kept_until);
