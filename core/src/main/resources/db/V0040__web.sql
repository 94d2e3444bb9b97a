-- What of a lease is reached in a browser: one secret for all of it, and whether Jupyter is wanted and how it is.
-- Retention: with its lease; the work of the kind "web" takes it away when the lease has ended.
create table lease_web (
  lease_id         uuid primary key references lease deferrable initially deferred, -- written at the end of the same transaction
  host_name        text not null unique,
  token            text not null, -- sealed
  jupyter_wanted   boolean not null default false,
  jupyter_state    text not null default 'off' check (jupyter_state in ('off', 'starting', 'on', 'failed', 'ending')),
  jupyter_error    text not null default '',
  jupyter_failures int not null default 0,
  jupyter_since    timestamptz not null -- when it came to be so
);

-- Ports that its owner wants to be reached. Retention: as above.
create table lease_port (
  lease_id     uuid not null references lease_web on delete cascade,
  port         int not null check (port between 1 and 65535),
  strip_prefix boolean not null,
  primary key (lease_id, port)
);
