-- What leases run by themselves, and how it ended.
-- Retention: some weeks after the end of its lease (command.kept-for), with its output.
create table command (
  lease_id     uuid primary key references lease,
  started_at   timestamptz not null,
  exit_code    integer,
  exited_at    timestamptz,
  output_bytes bigint not null default 0 check (output_bytes >= 0),
  problem      text not null default '',
  check ((exit_code is null) = (exited_at is null))
);

-- What they wrote, in parts that follow each other without gaps.
create table command_output (
  lease_id uuid not null references command deferrable initially deferred,
  position bigint not null check (position >= 0),
  bytes    bytea not null check (length(bytes) > 0),
  primary key (lease_id, position)
);
